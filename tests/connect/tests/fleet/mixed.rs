//! Two members of different kinds: every request is sent to each of them, so that it is answered by the leader and forwarded
//! to it, and the work of each is asked for by the other.

use std::collections::BTreeSet;
use std::time::Duration;

use connect_differential::Side::{self, Java, Ours};
use connect_differential::http::Request;
use serde_json::{Value, json};

use crate::lots::until;
use crate::subjects::{Subject, await_states};
use crate::topics::said;
use crate::workers::{Fleet, PATIENCE};

const BOTH: [usize; 2] = [0, 1];

/// The first of `sides` leads.
fn every_request(name: &str, sides: [Side; 2], exactly_once: bool) {
    let support = if exactly_once { "enabled" } else { "disabled" };
    let fleet = Fleet::start_in_order(name, &sides, &[("exactly.once.source.support", support)]);
    assert_same_answers(&fleet, "/");
    validates(&fleet);
    let subjects: Vec<Subject<'_>> =
        (0..4).map(|number| Subject::create(&fleet, &format!("s{number}"), number % 2)).collect();
    for member in BOTH {
        let states = fleet.await_running(member, 8, &BOTH);
        let workers: BTreeSet<&str> = states.values().map(|state| state.worker.as_str()).collect();
        assert_eq!(workers.len(), 2, "both have work: {states:?}");
    }
    for (subject, via) in subjects.iter().zip([0, 1, 0, 1]) {
        subject.await_count(&subject.topic, "first", 1);
        refuses(&fleet, subject, via);
        reconfigures(&fleet, subject, 1 - via);
        restarts(subject);
        pauses(&fleet, subject, via);
    }
    for (subject, via) in subjects.iter().zip([0, 1]) {
        offsets_of_a_source(&fleet, subject, via, exactly_once);
        a_failed_task_restarts(&fleet, &subject.topic, via);
        offsets_of_a_sink(&fleet, subject, via);
    }
    for (subject, via) in subjects.iter().zip([1, 0, 1, 0]) {
        deletes(&fleet, &subject.name, via);
    }
    for member in BOTH {
        assert_eq!(fleet.call(member, "GET", "/connectors", None, 200), json!([]));
    }
}

fn assert_same_answers(fleet: &Fleet, path: &str) {
    until(&format!("both say the same to {path}"), PATIENCE, || {
        let [one, other] = BOTH.map(|member| fleet.call(member, "GET", path, None, 200));
        // Versions differ when the kinds differ, and topics have no order.
        let part = |answer: &Value| match path.rsplit('/').next() {
            Some("") => answer["kafka_cluster_id"].clone(),
            Some("topics") => {
                let mut names: Vec<String> = answer.to_string().split('"').map(str::to_owned).collect();
                names.sort();
                json!(names)
            }
            _ => answer.clone(),
        };
        if part(&one) == part(&other) { Ok(()) } else { Err(format!("{one} and {other}")) }
    });
}

fn validates(fleet: &Fleet) {
    let path = "/connector-plugins/FileStreamSource/config/validate";
    let good = json!({"connector.class": "FileStreamSource", "name": "v", "topic": "t", "file": "f"});
    let bad =
        json!({"connector.class": "FileStreamSource", "name": "v", "tasks.max": "0", "batch.size": "x"});
    let errors =
        |member, config: &Value| fleet.call(member, "PUT", path, Some(config), 200)["error_count"].clone();
    assert_eq!(BOTH.map(|member| errors(member, &good)), [json!(0), json!(0)]);
    let found = BOTH.map(|member| errors(member, &bad));
    assert!(found[0] == found[1] && found[0].as_i64() > Some(1), "{found:?}");
}

fn refuses(fleet: &Fleet, subject: &Subject<'_>, via: usize) {
    let again = json!({"name": subject.name, "config": subject.config(&subject.topic)});
    let answer = fleet.call(via, "POST", "/connectors", Some(&again), 409);
    assert_eq!(answer["message"], format!("Connector {} already exists", subject.name));
    let bad = json!({"name": "bad", "config": {"connector.class": "FileStreamSource", "topic": ""}});
    fleet.call(via, "POST", "/connectors", Some(&bad), 400);
    for (method, path) in [
        ("POST", "/connectors/none/restart"),
        ("PUT", "/connectors/none/pause"),
        ("DELETE", "/connectors/none"),
    ] {
        fleet.call(via, method, path, None, 404);
    }
}

fn reconfigures(fleet: &Fleet, subject: &Subject<'_>, via: usize) {
    let other = format!("{}-other", subject.topic);
    let config = subject.config(&other);
    let task = [subject.task()];
    subject.starts("a new configuration", &task, || {
        let made = fleet.call(via, "PUT", &subject.path("/config"), Some(&config), 200);
        assert_eq!(made["config"]["topic"], other);
    });
    subject.append("second");
    subject.await_count(&other, "second", 1);
    let part = json!({"topic": subject.topic});
    subject.starts("a part of a configuration", &task, || {
        fleet.call(1 - via, "PATCH", &subject.path("/config"), Some(&part), 200);
    });
    subject.append("third");
    subject.await_count(&subject.topic, "third", 1);
    assert_same_answers(fleet, &subject.path("/config"));
    assert_same_answers(fleet, &subject.path("/tasks"));
    assert_same_answers(fleet, &subject.path("/topics"));
}

fn restarts(subject: &Subject<'_>) {
    let (connector, task) = (subject.name.clone(), subject.task());
    for via in BOTH {
        subject.restarts(via, "/restart", 204, std::slice::from_ref(&connector));
        subject.restarts(via, "/tasks/0/restart", 204, std::slice::from_ref(&task));
        subject.restarts(via, "/restart?includeTasks=true", 202, &[connector.clone(), task.clone()]);
        subject.restarts(via, "/restart?includeTasks=true&onlyFailed=true", 202, &[]);
        subject.await_states("RUNNING", Some("RUNNING"));
    }
}

fn pauses(fleet: &Fleet, subject: &Subject<'_>, via: usize) {
    fleet.call(via, "PUT", &subject.path("/pause"), None, 202);
    subject.await_states("PAUSED", Some("PAUSED"));
    subject.append("fourth");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(subject.count(&subject.topic, "fourth"), 0, "nothing is copied while paused");
    fleet.call(1 - via, "PUT", &subject.path("/resume"), None, 202);
    subject.await_states("RUNNING", Some("RUNNING"));
    subject.await_count(&subject.topic, "fourth", 1);
}

/// Stop, look at, alter and reset the offsets, resume.
fn offsets_of_a_source(fleet: &Fleet, subject: &Subject<'_>, via: usize, exactly_once: bool) {
    let count = subject.count(&subject.topic, "third");
    assert!(count == 1 || !exactly_once, "{count} times");
    fleet.call(via, "PUT", &subject.path("/stop"), None, 204);
    subject.await_states("STOPPED", None);
    assert_same_answers(fleet, &subject.path("/offsets"));
    let mut offsets = fleet.call(via, "GET", &subject.path("/offsets"), None, 200);
    assert!(offsets["offsets"][0]["offset"]["position"].as_i64() > Some(20), "{offsets}");
    offsets["offsets"][0]["offset"]["position"] = json!(0);
    fleet.call(via, "PATCH", &subject.path("/offsets"), Some(&offsets), 200);
    awaits_offsets(fleet, &subject.name, &offsets);
    fleet.call(1 - via, "PUT", &subject.path("/resume"), None, 202);
    subject.await_states("RUNNING", Some("RUNNING"));
    subject.await_count(&subject.topic, "third", count + 1);
    fleet.call(1 - via, "PUT", &subject.path("/stop"), None, 204);
    subject.await_states("STOPPED", None);
    fleet.call(1 - via, "DELETE", &subject.path("/offsets"), None, 200);
    awaits_offsets(fleet, &subject.name, &json!({"offsets": []}));
    fleet.call(via, "PUT", &subject.path("/resume"), None, 202);
    subject.await_states("RUNNING", Some("RUNNING"));
    subject.await_count(&subject.topic, "third", count + 2);
}

fn awaits_offsets(fleet: &Fleet, name: &str, wanted: &Value) {
    for member in BOTH {
        until(&format!("offsets of {name} are {wanted}, says {member}"), PATIENCE, || {
            let found = fleet.call(member, "GET", &format!("/connectors/{name}/offsets"), None, 200);
            if &found == wanted { Ok(()) } else { Err(found.to_string()) }
        });
    }
}

/// The task of a sink whose folder is missing fails; only it is restarted once the folder is there.
fn a_failed_task_restarts(fleet: &Fleet, topic: &str, via: usize) {
    let name = format!("{}-fails-{via}", fleet.name);
    let folder = fleet.folder().join(&name);
    let file = folder.join("out.txt");
    let config =
        json!({"connector.class": "FileStreamSink", "tasks.max": "1", "file": file, "topics": topic});
    fleet.create(via, &name, &config);
    await_states(fleet, &name, "RUNNING", Some("FAILED"));
    let trace =
        fleet.call(1 - via, "GET", &format!("/connectors/{name}/tasks/0/status"), None, 200)["trace"].clone();
    assert!(trace.as_str().is_some_and(|trace| trace.contains("out.txt")), "{trace}");
    std::fs::create_dir(&folder).unwrap();
    let before = said(fleet).len();
    let path = format!("/connectors/{name}/restart?includeTasks=true&onlyFailed=true");
    let plan = fleet.call(via, "POST", &path, None, 202);
    assert_eq!(
        (&plan["connector"]["state"], &plan["tasks"][0]["state"]),
        (&json!("RUNNING"), &json!("RESTARTING"))
    );
    await_states(fleet, &name, "RUNNING", Some("RUNNING"));
    let since = said(fleet).split_off(before);
    assert!(since.iter().all(|said| said.of != name), "only the task restarts: {since:?}");
    deletes(fleet, &name, 1 - via);
}

fn offsets_of_a_sink(fleet: &Fleet, subject: &Subject<'_>, via: usize) {
    // The name of the consumer group is made of it, and tests share a broker.
    let name = format!("{}-sink-{via}", fleet.name);
    let file = fleet.folder().join(&name);
    let config =
        json!({"connector.class": "FileStreamSink", "tasks.max": "1", "file": file, "topics": subject.topic});
    fleet.create(via, &name, &config);
    let firsts = || std::fs::read_to_string(&file).unwrap_or_default().matches("first\n").count();
    let await_firsts = |wanted: usize| {
        until(&format!("{name} has so many first lines"), PATIENCE, || {
            if firsts() >= wanted { Ok(()) } else { Err(format!("{} of {wanted}", firsts())) }
        });
    };
    await_firsts(1);
    let path = |rest: &str| format!("/connectors/{name}{rest}");
    fleet.call(via, "PUT", &path("/stop"), None, 204);
    await_states(fleet, &name, "STOPPED", None);
    let seen = firsts();
    let partition = json!({"kafka_topic": subject.topic, "kafka_partition": 0});
    let start = json!({"offsets": [{"partition": partition, "offset": {"kafka_offset": 0}}]});
    alters(fleet, 1 - via, "PATCH", &path("/offsets"), Some(&start), &start);
    fleet.call(via, "PUT", &path("/resume"), None, 202);
    await_firsts(seen + 1);
    fleet.call(1 - via, "PUT", &path("/stop"), None, 204);
    await_states(fleet, &name, "STOPPED", None);
    alters(fleet, via, "DELETE", &path("/offsets"), None, &json!({"offsets": []}));
    deletes(fleet, &name, via);
}

/// The consumer of the sink's task may take a moment to leave its group; a group that it has just left without a commit may
/// even lose what is written into it meanwhile.
fn alters(fleet: &Fleet, via: usize, method: &str, path: &str, body: Option<&Value>, wanted: &Value) {
    until(&format!("{method} {path} has its effect"), PATIENCE, || {
        let request = Request::new(method, path);
        let request = if let Some(body) = body { request.json(body.to_string()) } else { request };
        let answer = fleet.ask(via, &request);
        std::thread::sleep(Duration::from_millis(200));
        let found = BOTH.map(|member| fleet.call(member, "GET", path, None, 200));
        let done = answer.status == 200 && found.iter().all(|found| found == wanted);
        if done { Ok(()) } else { Err(format!("{answer:?} {found:?}")) }
    });
}

fn deletes(fleet: &Fleet, name: &str, via: usize) {
    let path = format!("/connectors/{name}");
    fleet.call(via, "DELETE", &path, None, 204);
    for member in BOTH {
        until(&format!("{name} is gone, says {member}"), PATIENCE, || {
            let answer = fleet.ask(member, &Request::new("GET", &path));
            let states = fleet.states(member);
            let gone = answer.status == 404 && !states.contains_key(name);
            if gone { Ok(()) } else { Err(format!("{answer:?} {states:?}")) }
        });
    }
}

#[test]
#[ignore = "proves the test"]
fn java_every_request() {
    every_request("java-requests", [Java, Java], false);
}

#[test]
#[ignore = "proves the test"]
fn java_every_request_with_exactly_once() {
    every_request("java-requests-eos", [Java, Java], true);
}

#[test]
fn ours_every_request_where_java_leads() {
    every_request("requests-java", [Java, Ours], false);
}

#[test]
fn ours_every_request_where_ours_leads() {
    every_request("requests-ours", [Ours, Java], false);
}

#[test]
fn ours_every_request_with_exactly_once() {
    every_request("requests-eos", [Ours, Java], true);
}
