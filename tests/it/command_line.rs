//! The command line and the files as a person meets them: answers, exit codes, and what is said about mistakes.

use std::net::TcpListener;

use crate::support::finished::{Finished, command, run};
use crate::support::{Replicator, Setup, kraft_to_zk, topics, wait_for, zk_to_kraft};

fn with(arguments: &[&str]) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    command.args(arguments);
    run(command)
}

#[test]
fn without_arguments_they_are_listed() {
    let answer = with(&[]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    for argument in
        ["--consumer.config", "--producer.config", "--cluster.id", "--whitelist", "--cluster.threads"]
    {
        assert!(answer.stdout.contains(argument), "{argument}: {}", answer.stdout);
    }
    assert_eq!(answer.stderr, "");
}

#[test]
fn help_has_examples() {
    let answer = with(&["--help"]);
    assert_eq!(answer.code, Some(0));
    assert!(answer.stdout.contains("Examples:") && answer.stdout.contains("replicator --cluster.id"));
}

#[test]
fn an_unknown_parameter_is_answered_with_the_one_that_was_meant() {
    let answer = with(&["--cluster.id", "x", "--whitlist", "t"]);
    assert_eq!(answer.code, Some(2));
    assert!(
        answer.stderr.contains("'--whitlist'") && answer.stderr.contains("'--whitelist'"),
        "{}",
        answer.stderr
    );
}

#[test]
fn values_that_cannot_be_used_are_named_with_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("c.properties", "# origin\nbootstrap.servers=localhost:9082\nfetch.min.bytes=many\n");
    write("p.properties", "bootstrap.servers=localhost:9092\n\nrequest.timeout.ms=soon\n");
    write("r.properties", "topic.whitelist=a\ntopic.auto.create=perhaps\noffset.start=end\n");
    let mut command = command(folder.path());
    command.args([
        "--cluster.id",
        "x",
        "--consumer.config",
        "c.properties",
        "--producer.config=p.properties",
    ]);
    command.args(["--replication.config", "r.properties", "--cluster.threads", "none"]);
    let answer = run(command);
    assert_eq!(answer.code, Some(78), "{answer:?}");
    for place in [
        "c.properties:3: fetch.min.bytes=many",
        "p.properties:3: request.timeout.ms=soon",
        "r.properties:2: topic.auto.create=perhaps",
        "r.properties:3: offset.start=end",
        "--cluster.threads none",
    ] {
        assert!(answer.stderr.contains(place), "{place} is not in\n{}", answer.stderr);
    }
}

#[test]
fn a_whitelisted_topic_that_is_missing_fails_the_start() {
    let pair = zk_to_kraft();
    let setup = Setup::new(&pair, "missing");
    let (here, gone) = (setup.topic("here"), setup.topic("gone"));
    topics::create(&pair.origin, &here, 1, &[]);
    let answer = setup.whitelist(&[&here, &gone]).run();
    assert_eq!(answer.code, Some(78), "{answer:?}");
    let sentence = format!(
        "topic.whitelist contains topics: [{gone}] but these are either not present in the source cluster or are \
         missing DESCRIBE ACLs for the replicator's principal"
    );
    assert!(answer.stderr.contains(&sentence), "{}", answer.stderr);
    assert_eq!(topics::partitions_if_any(&pair.destination, &format!("{here}.replica")), None);
}

#[test]
fn unknown_keys_are_warned_about_and_leftovers_said_once() {
    let pair = kraft_to_zk();
    let setup = Setup::new(&pair, "leftovers")
        .consumer("isolation.levle", "read_committed")
        .replication("topic.whitelists", "a,b")
        .replication("confluent.license", "key")
        .replication("confluent.topic.replication.factor", 1)
        .replication("zookeeper.connect", "localhost:2181")
        .replication("src.zookeeper.connect", "localhost:2181")
        .args(["--confluent.license", "key"])
        .expect("consumer.properties:3: unknown key isolation.levle, ignored; did you mean isolation.level?")
        .expect("unknown key topic.whitelists, ignored; did you mean topic.whitelist?");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_tasks(1);
    let log = replicator.stop();
    let line = log.lines().find(|line| line.contains("topic.whitelists")).unwrap();
    assert!(line.contains("replication.properties:9:"), "{line}");
    for key in [
        "confluent.license",
        "confluent.topic.replication.factor",
        "zookeeper.connect",
        "src.zookeeper.connect",
    ] {
        let said = log.lines().filter(|line| line.contains(&format!(" {key} is ignored"))).count();
        assert_eq!(said, 1, "{key} in\n{log}");
    }
}

#[test]
fn a_taken_port_is_named_with_its_setting() {
    let pair = zk_to_kraft();
    let setup = Setup::new(&pair, "port-taken");
    let _taken = TcpListener::bind(("127.0.0.1", setup.port)).unwrap();
    let answer = setup.clone().whitelist(&["any"]).run();
    assert_eq!(answer.code, Some(69), "{answer:?}");
    let address = format!("127.0.0.1:{}", setup.port);
    assert!(answer.stderr.contains(&address) && answer.stderr.contains("listeners"), "{}", answer.stderr);
}

#[test]
fn a_dry_run_lists_settings_with_their_sources_and_starts_nothing() {
    let pair = zk_to_kraft();
    let setup = Setup::new(&pair, "dry-run").producer("ssl.key.password", "secret");
    let answer = setup.clone().whitelist(&["orders"]).args(["--cluster.threads", "4", "--dry-run"]).run();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let line = |start: &str| {
        let found = answer.stdout.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("{start} is not in\n{}", answer.stdout))
    };
    assert!(line("tasks.max=4").ends_with("# --cluster.threads"));
    assert!(line("topic.whitelist=orders").ends_with("# --whitelist"));
    assert!(line("topic.rename.format=${topic}.replica").contains("replication.properties:"));
    assert!(line("topic.poll.interval.ms=120000").ends_with("# default"));
    assert!(!answer.stdout.contains("secret"), "{}", answer.stdout);
    assert!(!topics::names(&pair.destination).iter().any(|name| name.starts_with(&setup.id)));
}

#[test]
fn json_logs_are_json() {
    let pair = kraft_to_zk();
    let setup = Setup::new(&pair, "json");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let replicator = setup.clone().whitelist(&[&topic]).args(["--log-format", "json", "--unknown=1"]).run();
    assert_eq!(replicator.code, Some(2));
    let replicator = setup.whitelist(&[&topic]).args(["--log-format", "json"]).spawn();
    wait_for(|| replicator.log().contains("task(s), offsets in").then_some(()), || replicator.log());
    let log = replicator.stop();
    assert!(log.lines().count() > 5, "{log}");
    for line in log.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert_eq!(entry["level"], "INFO", "{line}");
        assert!(entry["timestamp"].is_string() && entry["message"].is_string(), "{line}");
    }
}

#[test]
fn a_container_is_configured_by_its_environment() {
    let pair = zk_to_kraft();
    let setup = Setup::new(&pair, "environment");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 3, &[]);
    // Writes the files; the command itself is made below, without any argument.
    drop(setup.command());
    let mut command = command(setup.folder());
    for file in ["consumer", "producer", "replication"] {
        command.env(format!("{}_CONFIG", file.to_uppercase()), format!("{file}.properties"));
    }
    command.env("CLUSTER_ID", &setup.id).env("WHITELIST", &topic).env("CLUSTER_THREADS", "2");
    command.env("TOPIC_RENAME_FORMAT", "${topic}.env").env("REPLICATOR_LOG4J_ROOT_LOGLEVEL", "INFO");
    let replicator = Replicator::spawn(command, setup.port, setup.announcements.clone());
    replicator.wait_tasks(2);
    assert_eq!(topics::partitions(&pair.destination, &format!("{topic}.env")), 3);
    replicator.stop();
}
