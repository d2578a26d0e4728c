//! What nobody should send or write: the answers are defined, and the data goes on as if nothing had been.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use connect_differential::Side::{self, Java, Ours};
use connect_differential::http::Request;
use connect_differential::kafka::Record;
use serde_json::json;

use crate::flow::{INSTANCES, Lines, sink_of};
use crate::load::load;
use crate::topics::said;
use crate::workers::{Fleet, State};

/// Values that no worker wrote, for any key.
fn values() -> Vec<Option<Vec<u8>>> {
    let texts = [
        "",
        "{",
        "null",
        "5",
        "true",
        "\"text\"",
        "[]",
        "{}",
        "[{}]",
        "{\"properties\":5}",
        "{\"properties\":[]}",
        "{\"properties\":{\"connector.class\":{}}}",
        "{\"tasks\":-1}",
        "{\"tasks\":\"x\"}",
        "{\"tasks\":1e99}",
        "{\"tasks\":99999999999999999999}",
        "{\"state\":7}",
        "{\"state\":\"FLYING\",\"worker_id\":\"x\",\"generation\":1}",
        "{\"state\":\"RUNNING\"}",
        "{\"state\":\"RUNNING\",\"worker_id\":[],\"generation\":\"x\",\"trace\":{}}",
        "{\"key\":5}",
        "{\"key\":\"!!\",\"algorithm\":\"HmacSHA256\",\"creation-timestamp\":1}",
        "{\"include-tasks\":\"x\",\"only-failed\":0}",
        "{\"task-count\":\"x\"}",
        "{\"level\":7}",
        "{\"level\":\"LOUD\"}",
        "{\"topic\":[]}",
        "{\"topic\":{\"name\":1,\"connector\":2,\"task\":\"x\",\"discoverTimestamp\":\"y\"}}",
        "{\"position\":[[]]}",
        "{\"a\":1,\"a\":{}} trailing",
    ];
    let mut values: Vec<Option<Vec<u8>>> = texts.iter().map(|text| Some(text.as_bytes().to_vec())).collect();
    values.push(Some(b"{\"properties\":{\"\xff\":\"\xfe\"}}".to_vec()));
    values.push(Some(vec![0; 1000]));
    values.push(Some(b"[".repeat(100_000)));
    values
        .push(Some([b"{\"properties\":{\"x\":\"".to_vec(), b"y".repeat(500_000), b"\"}}".to_vec()].concat()));
    values
}

/// Keys of junk: of no kind, or of a kind but of nothing that is there; and keys of what is there, which are written with junk
/// only, never with a tombstone.
fn keys(kinds: &[&str]) -> Vec<Option<Vec<u8>>> {
    let mut keys: Vec<Option<Vec<u8>>> =
        vec![None, Some(Vec::new()), Some(b"\xff\xfe".to_vec()), Some(b"junk".to_vec())];
    keys.extend(kinds.iter().map(|kind| Some(kind.as_bytes().to_vec())));
    keys
}

fn write_junk(fleet: &Fleet, which: &str, kinds: &[&str]) {
    let mut records = Vec::new();
    for key in keys(kinds) {
        for value in values() {
            // A compacted topic takes no record without a key.
            let Some(key) = key.clone() else { continue };
            let is_large = value.as_ref().is_some_and(|value| value.len() > 10_000);
            let mut record = Record::null().key(&key);
            record.value = value;
            if !is_large || key == b"junk" || key.starts_with(b"connector-") || key.starts_with(b"[\"") {
                records.push(record);
            }
        }
    }
    fleet.kafka.write(&fleet.topic(which), &records);
}

fn junk_in_topics(name: &str, side: Side) {
    let fleet = Fleet::start(name, &[side, side], &[]);
    let flow = Lines::start(&fleet, 0);
    let before = at_rest(&fleet);
    write_junk(
        &fleet,
        "config",
        &[
            "connector-",
            "task-",
            "commit-",
            "target-state-",
            "restart-connector-",
            "tasks-fencing-",
            "logger-cluster-",
            "session-key-",
            "connector-junk",
            "task-junk-0",
            "task-junk-x",
            "commit-junk",
            "target-state-junk",
            "restart-connector-junk",
            "tasks-fencing-junk",
            "logger-cluster-junk",
            "task-lines-0-x",
            "task-lines-0-",
            "restart-connector-lines-0",
            "tasks-fencing-junk-\u{0}",
        ],
    );
    write_junk(
        &fleet,
        "status",
        &[
            "status-",
            "status-task-",
            "status-connector-",
            "status-topic-",
            "status-connector-junk",
            "status-task-junk-0",
            "status-task-lines-0-x",
            "status-topic-x:connector-lines-0",
            "status-topic-:connector-",
            "status-topic-a:b",
        ],
    );
    let odd = [
        "[",
        "[]",
        "[5]",
        "[null,null]",
        "[\"junk\"]",
        "[\"junk\",5]",
        "[\"junk\",{\"a\":[[]]}]",
        "[\"junk\",null]",
        "[\"junk\",{}]",
        "[\"junk\",{},{}]",
        "{\"junk\":1}",
        "\"junk\"",
    ];
    write_junk(&fleet, "offset", &odd);
    flow.await_arrival();
    for member in [0, 1] {
        assert_defined(&fleet, member);
        assert_eq!(own(&fleet, member), before, "nothing has moved or restarted");
    }
    // A worker that reads it all from the start.
    fleet.kill(1);
    fleet.launch(1);
    fleet.await_ready(1);
    fleet.await_members(2);
    assert_defined(&fleet, 1);
    let file = fleet.folder().join("after.txt");
    std::fs::write(&file, "").unwrap();
    let topic = format!("{}-after", fleet.name);
    let config =
        json!({"connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": topic});
    fleet.create(1, "after", &config);
    flow.await_arrival();
    flow.assert_whole(&fleet, false);
}

/// States of the connectors that are there, without those that junk made.
fn own(fleet: &Fleet, member: usize) -> std::collections::BTreeMap<String, State> {
    let states = fleet.states(member).into_iter();
    states.filter(|(name, _)| name.starts_with("lines-") || name.starts_with("copy")).collect()
}

fn at_rest(fleet: &Fleet) -> std::collections::BTreeMap<String, State> {
    let states = fleet.await_running(0, INSTANCES, &[0, 1]);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(fleet.states(0), states);
    states
}

/// Everything that can be looked at has an answer in time.
fn assert_defined(fleet: &Fleet, member: usize) {
    for path in [
        "/",
        "/health",
        "/connectors",
        "/connectors?expand=status&expand=info",
        "/connectors/lines-0",
        "/connectors/lines-0/status",
        "/connectors/lines-0/config",
        "/connectors/lines-0/tasks",
        "/connectors/lines-0/topics",
        "/connectors/lines-0/offsets",
        &format!("/connectors/{}/offsets", sink_of(fleet)),
        "/admin/loggers",
        "/connector-plugins",
    ] {
        let asked = Instant::now();
        let answer = fleet.ask(member, &Request::new("GET", path));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(asked.elapsed() < Duration::from_secs(20), "{path} took {:?}", asked.elapsed());
    }
    for path in
        ["/connectors/junk", "/connectors/junk/status", "/connectors/junk/offsets", "/connectors/junk/tasks"]
    {
        // Some of the junk has the form of a connector, though not of one that can run.
        let answer = fleet.ask(member, &Request::new("GET", path));
        let is_error = answer.body.contains("\"error_code\"");
        assert!(answer.status == 200 || matches!(answer.status, 404 | 500) && is_error, "{path}: {answer:?}");
    }
}

/// The status of the answer to these bytes, however much of them is taken; `None`: there was none.
fn raw(address: &str, parts: &mut dyn Iterator<Item = Vec<u8>>) -> Option<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    for part in parts {
        if stream.write_all(&part).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
        if answer.len() > 12 {
            break;
        }
    }
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

fn odd_requests(name: &str, side: Side) {
    let fleet = Fleet::start(name, &[side], &[]);
    let flow = Lines::start(&fleet, 0);
    let running = fleet.await_running(0, INSTANCES, &[0]);
    let address = fleet.address(0).to_owned();
    let head = |line: &str, more: &str| {
        format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n").into_bytes()
    };
    let json = "Content-Type: application/json\r\n";
    let short = |body: &[u8]| {
        let head = head("POST /connectors", &format!("{json}Content-Length: {}\r\n", body.len()));
        raw(&address, &mut [head, body.to_vec()].into_iter())
    };
    for body in [
        &b"{\"name\":\"\xff\xfe\",\"config\":{}}"[..],
        b"\xff",
        b"{\"name\":\"\xc0\xaf\"}",
        b"\xef\xbb\xbf{}",
        b"\0\0\0\0",
    ] {
        assert_refused(&short(body), &format!("the body {body:?}"));
    }
    assert_refused(&short(&b"[".repeat(1_000_000)), "a million brackets");
    for (line, more) in [
        ("GET /connectors/%ff", ""),
        ("GET /connectors/%zz", ""),
        ("GET /connectors/\u{ff}", ""),
        ("GET /..%2f..%2fetc", ""),
        ("GET /connectors/%00", ""),
        ("BREW /connectors", ""),
        ("POST /connectors", "Content-Length: x\r\n"),
        ("POST /connectors", "Content-Length: 0\r\n"),
    ] {
        assert_refused(&raw(&address, &mut std::iter::once(head(line, more))), line);
    }
    let long = format!("X-Long: {}\r\n", "y".repeat(200_000));
    assert_refused(
        &raw(&address, &mut std::iter::once(head("GET /connectors", &long))),
        "a header of 200 kB",
    );
    let path = format!("GET /connectors/{}", "z".repeat(200_000));
    assert_refused(&raw(&address, &mut std::iter::once(head(&path, ""))), "a path of 200 kB");
    large_bodies(&fleet, &head("POST /connectors", &format!("{json}Content-Length: {}\r\n", 100 << 20)));
    // Two hundred clients that never finish their requests.
    let slow: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&address).unwrap()).collect();
    slow.iter().for_each(|mut stream| stream.write_all(b"GET /connectors HTTP/1.1\r\nHo").unwrap());
    assert_defined(&fleet, 0);
    drop(slow);
    flow.await_arrival();
    assert_eq!(fleet.states(0), running, "nothing has moved or restarted");
    flow.assert_whole(&fleet, false);
}

fn assert_refused(status: &Option<u16>, what: &str) {
    assert!(status.is_some_and(|status| (400..600).contains(&status)), "{what}: {status:?}");
}

/// Five clients send 100 MiB each at the same time.
fn large_bodies(fleet: &Fleet, head: &[u8]) {
    let before = fleet.resident(0);
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                let start = b"{\"name\":\"large\",\"config\":{\"a\":\"".to_vec();
                let left = (100 << 20) - start.len();
                let parts =
                    (0..left.div_ceil(1 << 20)).map(|part| vec![b'b'; (left - (part << 20)).min(1 << 20)]);
                let status = raw(fleet.address(0), &mut [head.to_vec(), start].into_iter().chain(parts));
                // An answer may be lost when the connection is closed under what is still on its way.
                assert!(status.is_none_or(|status| (400..600).contains(&status)), "100 MiB: {status:?}");
            });
        }
    });
    let after = fleet.resident(0);
    eprintln!("{}: {before} MiB before, {after} MiB after 5 x 100 MiB", fleet.name);
    if fleet.members[0].side == Ours {
        assert!(after < before + 100, "bodies are kept: {before} MiB, then {after} MiB");
    }
}

/// A verifiable source on the worker that is asked or its neighbour; the topic that it fills.
fn steady(fleet: &Fleet) -> String {
    let topic = format!("{}-steady", fleet.name);
    fleet.kafka.create(&topic, 1);
    let class = "org.apache.kafka.connect.tools.VerifiableSourceConnector";
    let config = json!({"connector.class": class, "tasks.max": "1", "topic": topic, "throughput": "1000"});
    fleet.create(0, "steady", &config);
    fleet.await_running(0, INSTANCES + 2, &[0, 1]);
    topic
}

fn many_requests(name: &str, side: Side) {
    let seconds = std::env::var("FLEET_LOAD_SECONDS").ok().map_or(5, |text| text.parse().expect("a number"));
    let fleet = Fleet::start(name, &[side, side], &[]);
    let flow = Lines::start(&fleet, 0);
    at_rest(&fleet);
    let time = Duration::from_secs(seconds);
    let steady = (side == Ours).then(|| steady(&fleet));
    let stored = || steady.as_ref().map_or(0, |topic| fleet.kafka.end(topic));
    let (start, idle) = (stored(), Instant::now());
    std::thread::sleep(time);
    let (end, idle) = (stored(), idle.elapsed());
    let before = said(&fleet).len();
    let begun = Instant::now();
    let done = load(fleet.address(0), 1000, time);
    let rate = |records: i64, time: Duration| records as f64 / time.as_secs_f64();
    eprintln!(
        "{}: {done}; records a second beside: {:.0} idle, {:.0} under requests",
        fleet.name,
        rate(end - start, idle),
        rate(stored() - end, begun.elapsed())
    );
    flow.await_arrival();
    assert_eq!(said(&fleet).split_off(before).len(), 0, "nothing has moved or restarted");
    flow.assert_whole(&fleet, false);
}

#[test]
#[ignore = "proves the test"]
fn java_junk_in_topics() {
    junk_in_topics("java-junk", Java);
}

#[test]
fn ours_junk_in_topics() {
    junk_in_topics("junk", Ours);
}

#[test]
#[ignore = "proves the test"]
fn java_odd_requests() {
    odd_requests("java-odd", Java);
}

#[test]
fn ours_odd_requests() {
    odd_requests("odd", Ours);
}

#[test]
#[ignore = "proves the test"]
fn java_many_requests() {
    many_requests("java-many", Java);
}

#[test]
fn ours_many_requests() {
    many_requests("many", Ours);
}
