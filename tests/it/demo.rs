//! `replicator demo`, as a newcomer meets it: only the binary, and later Kafka's own tools of any release.

use std::net::TcpListener;
use std::time::Duration;

use kafka_clusters::{Distribution, Release, tools};

use crate::support::finished::{Finished, command, run};
use crate::support::log::{Announcements, complaints};
use crate::support::{Replicator, wait_for};

const FREE_PORTS: [&str; 6] = ["--origin-port", "0", "--destination-port", "0", "--rest-port", "0"];
const TOOL_LIMIT: Duration = Duration::from_secs(60);

fn demo(arguments: &[&str]) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    command.arg("demo").args(FREE_PORTS).args(arguments);
    run(command)
}

/// What the comparison at the end counts as missing, for each topic.
fn missing(output: &str) -> Vec<(String, u64)> {
    let lines = output.lines().filter(|line| line.contains("of them missing"));
    let count = |line: &str| {
        let topic = line.split_whitespace().next().unwrap().to_owned();
        let before = line.split("of them missing").next().unwrap();
        let number = before.split_whitespace().last().unwrap().replace(',', "");
        (topic, number.parse().unwrap())
    };
    lines.map(count).collect()
}

fn assert_nothing_is_missing(answer: &Finished) {
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let missing = missing(&answer.stdout);
    assert_eq!(missing.len(), 4, "{answer:?}");
    assert!(missing.iter().all(|(_, count)| *count == 0), "{answer:?}");
}

#[test]
fn sim_demo_copies_compares_and_ends_by_itself() {
    let answer = demo(&["--seconds", "3"]);
    assert_nothing_is_missing(&answer);
    assert!(answer.stderr.contains("first record copied"), "{answer:?}");
    assert_eq!(complaints(&answer.stderr), Vec::<&str>::new());
    for line in ["shop.orders.replica", "curl -s http://127.0.0.1:", "kafka-console-consumer.sh"] {
        assert!(answer.stdout.contains(line), "{line}: {answer:?}");
    }
}

#[test]
fn sim_demo_survives_the_faults_that_it_plays() {
    for fault in ["broker-restart", "lost-answers", "leader-move"] {
        let answer = demo(&["--seconds", "12", "--fault", fault]);
        assert_nothing_is_missing(&answer);
        assert!(answer.stderr.contains("fault: "), "{answer:?}");
    }
}

#[test]
fn sim_demo_tells_what_cannot_be_copied() {
    let answer = demo(&["--seconds", "8", "--fault", "truncate-origin"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.stderr.contains("shop.orders-0 is stopped, the others go on"), "{answer:?}");
    assert!(answer.stdout.contains("1 STOPPED: the origin's log was"), "{answer:?}");
    let others = missing(&answer.stdout).into_iter().filter(|(topic, _)| topic != "shop.orders");
    assert!(others.map(|(_, count)| count).eq([0, 0, 0]), "{answer:?}");
}

#[test]
fn sim_demo_takes_a_free_port_where_one_is_taken_and_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let answer = demo(&["--seconds", "1", "--destination-port", &port]);
    assert_nothing_is_missing(&answer);
    assert!(
        answer.stdout.contains(&format!("Port {port} for the destination cannot be opened")),
        "{answer:?}"
    );
}

#[test]
fn kafkas_own_tools_of_both_releases_work_against_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    command.arg("demo").args(FREE_PORTS);
    let replicator = Replicator::spawn(command, 0, Announcements::default());
    let said = || {
        let text = replicator.stdout();
        let address = |role: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(role))?;
            line.split_whitespace().nth(1).map(str::to_owned)
        };
        Some((address("origin")?, address("destination")?))
    };
    let (origin, destination) = wait_for(said, || format!("no addresses: {}", replicator.log()));
    replicator.wait_for_log("first record copied");
    for release in [Release::V3_9_2, Release::V4_3_0] {
        let distribution = Distribution::prepare(release).unwrap();
        let tool = |name: &str, bootstrap: &str, arguments: &[&str], input: &str| {
            let all = [&["--bootstrap-server", bootstrap], arguments].concat();
            let command = tools::command(&distribution, name, &all).unwrap();
            tools::run(name, &command, Some(input.into()), TOOL_LIMIT).unwrap()
        };
        let topics =
            tool("kafka-topics", &destination, &["--describe", "--topic", "shop.orders.replica"], "");
        assert!(topics.contains("PartitionCount: 4"), "{topics}");
        // What a tool writes at the origin, a tool reads at the destination.
        let topic = format!("shop.tool-{}", if release == Release::V3_9_2 { "old" } else { "new" });
        let create = ["--create", "--topic", &topic, "--partitions", "1", "--replication-factor", "1"];
        tool("kafka-topics", &origin, &create, "");
        tool("kafka-console-producer", &origin, &["--topic", &topic], "one\ntwo\n");
        let replica = format!("{topic}.replica");
        let there = || {
            let list = tool("kafka-topics", &destination, &["--list"], "");
            list.lines().any(|line| line == replica).then_some(())
        };
        wait_for(there, || format!("{replica} does not appear; the log:\n{}", replicator.log()));
        let read = ["--topic", &replica, "--from-beginning", "--max-messages", "2", "--timeout-ms", "30000"];
        assert_eq!(tool("kafka-console-consumer", &destination, &read, ""), "one\ntwo\n");
        let group = tool("kafka-consumer-groups", &origin, &["--describe", "--group", "replicator-demo"], "");
        assert!(group.contains("shop.orders"), "{group}");
    }
    let log = replicator.stop();
    assert!(log.contains("SIGTERM: the producer stops"), "{log}");
}
