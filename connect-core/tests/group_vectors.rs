//! The group protocol against what Java's own classes wrote and decided: `tests/vectors/group`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;
use connect_core::group::{
    Assignment, Assignor, ConfigSnapshot, ConnectProtocol, ConnectorsAndTasks, Metadata, Round,
};
use connect_core::ids::TaskId;
use serde_json::Value;

fn lines(file: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/group").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn hex(value: &Value) -> Bytes {
    let text = value.as_str().unwrap();
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

fn work(connectors: &Value, tasks: &Value) -> ConnectorsAndTasks {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let task = |value: &Value| {
        let (connector, task) = value.as_str().unwrap().rsplit_once('-').unwrap();
        TaskId { connector: connector.to_owned(), task: task.parse().unwrap() }
    };
    ConnectorsAndTasks {
        connectors: connectors.as_array().unwrap().iter().map(text).collect(),
        tasks: tasks.as_array().unwrap().iter().map(task).collect(),
    }
}

fn sorted(mut work: ConnectorsAndTasks) -> ConnectorsAndTasks {
    work.connectors.sort();
    work.tasks.sort();
    work
}

fn assignment(value: &Value) -> Assignment {
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    let number = |name: &str| value[name].as_i64().unwrap();
    Assignment {
        version: number("version") as i16,
        error: number("error") as i16,
        leader: text("leader"),
        leader_url: text("leader_url"),
        config_offset: number("config_offset"),
        assigned: work(&value["connectors"], &value["tasks"]),
        revoked: work(&value["revoked_connectors"], &value["revoked_tasks"]),
        delay_ms: number("delay_ms") as i32,
    }
}

#[test]
fn assignments_are_java_s_bytes() {
    let mut seen = BTreeMap::new();
    for line in lines("bytes.jsonl").iter().filter(|line| line["kind"] == "assignment") {
        let expected = assignment(&line["value"]);
        let decoded = Assignment::decode(hex(&line["hex"])).unwrap();
        assert_eq!(decoded, expected, "{line}");
        let protocol = protocol(expected.version);
        assert_eq!(decoded.encode(protocol).unwrap(), hex(&line["hex"]), "{line}");
        *seen.entry(expected.version).or_insert(0) += 1;
    }
    assert_eq!(seen, BTreeMap::from([(0, 24), (1, 12), (2, 12)]));
}

fn protocol(version: i16) -> ConnectProtocol {
    let all = ConnectProtocol::Sessioned.offered();
    *all.iter().find(|protocol| protocol.version() == version).unwrap()
}

#[test]
fn metadata_is_java_s_bytes() {
    let mut with_allocation = 0;
    for line in lines("bytes.jsonl").iter().filter(|line| line["kind"] == "metadata") {
        let value = &line["value"];
        let protocol = ConnectProtocol::from_wire_name(line["protocol"].as_str().unwrap()).unwrap();
        let expected = Metadata {
            url: value["url"].as_str().unwrap().to_owned(),
            config_offset: value["config_offset"].as_i64().unwrap(),
            allocation: (!value["allocation"].is_null()).then(|| assignment(&value["allocation"])),
        };
        with_allocation += usize::from(expected.allocation.is_some());
        assert_eq!(Metadata::decode(hex(&line["hex"])).unwrap(), expected, "{line}");
        assert_eq!(expected.encode(protocol).unwrap(), hex(&line["hex"]), "{line}");
    }
    assert_eq!(with_allocation, 32);
}

/// The members as the broker lists them.
fn members(line: &Value) -> Vec<(String, Metadata)> {
    let member = |value: &Value| {
        let id = value[0].as_str().unwrap().to_owned();
        let allocation = value.get(2).map(|connectors| Assignment {
            version: 2,
            error: 0,
            leader: String::new(),
            leader_url: String::new(),
            config_offset: 0,
            assigned: work(connectors, &value[3]),
            revoked: ConnectorsAndTasks::default(),
            delay_ms: 0,
        });
        let url = format!("http://{id}/");
        (id, Metadata { url, config_offset: value[1].as_i64().unwrap(), allocation })
    };
    line["members"].as_array().unwrap().iter().map(member).collect()
}

fn snapshot(line: &Value) -> ConfigSnapshot {
    let connectors = line["configured"].as_object().unwrap().iter();
    ConfigSnapshot {
        offset: line["snapshot_offset"].as_i64().unwrap(),
        connectors: connectors
            .map(|(name, tasks)| (name.clone(), tasks.as_u64().unwrap() as usize))
            .collect(),
    }
}

/// One round with ours, compared with Java's.
fn check(assignor: &mut Assignor, line: &Value) {
    let number = |name: &str| line[name].as_i64().unwrap();
    let members = members(line);
    let round = Round {
        protocol: ConnectProtocol::from_wire_name(line["protocol"].as_str().unwrap()).unwrap(),
        leader: members[0].0.clone(),
        generation: number("generation") as i32,
        last_completed_generation: number("last_completed") as i32,
        members: members.clone(),
    };
    let made = assignor.assign(&round, &snapshot(line), number("now_ms"));
    let got: BTreeMap<String, Assignment> = made.assignments.iter().cloned().collect();
    assert_eq!(got.len(), members.len(), "{line}");
    for ((id, _), expected) in members.iter().zip(line["assigned"].as_array().unwrap()) {
        let expected = Assignment {
            version: number("version") as i16,
            error: number("error") as i16,
            leader: members[number("leader") as usize].0.clone(),
            leader_url: line["leader_url"].as_str().unwrap().to_owned(),
            config_offset: number("config_offset"),
            assigned: sorted(work(&expected[0], &expected[1])),
            revoked: sorted(work(&expected[2], &expected[3])),
            delay_ms: number("delay_ms") as i32,
        };
        let got = got[id].clone();
        let got = Assignment { assigned: sorted(got.assigned), revoked: sorted(got.revoked), ..got };
        assert_eq!(got, expected, "{id} in {line}");
    }
    check_owners(&made.leader_state, &members, line);
    for ((_, whole), (_, bytes)) in made.assignments.iter().zip(made.encode().unwrap()) {
        assert_eq!(Assignment::decode(bytes).unwrap().version, whole.version);
    }
}

fn check_owners(
    state: &Option<connect_core::group::LeaderState>,
    members: &[(String, Metadata)],
    line: &Value,
) {
    let Some(owners) = line["owners"].as_object() else {
        assert!(state.is_none(), "{line}");
        return;
    };
    let state = state.as_ref().unwrap();
    let url =
        |place: &Value| usize::try_from(place.as_i64().unwrap()).ok().map(|at| members[at].1.url.as_str());
    for (connector, places) in owners {
        assert_eq!(state.connector_owner(connector), url(&places[0]), "{connector} in {line}");
        for (task, place) in places.as_array().unwrap().iter().skip(1).enumerate() {
            let id = TaskId { connector: connector.clone(), task };
            assert_eq!(state.task_owner(&id), url(place), "{id} in {line}");
        }
    }
}

#[test]
fn incremental_rounds_are_java_s() {
    let lines = lines("incremental.jsonl");
    let (mut delayed, mut revoking, mut mismatched, mut backing_off) = (0, 0, 0, 0);
    let mut assignor = Assignor::new(0);
    for line in &lines {
        if line["first"] == true {
            assignor = Assignor::new(line["max_delay_ms"].as_i64().unwrap() as i32);
        }
        check(&mut assignor, line);
        let revokes = |share: &Value| !share[2].as_array().unwrap().is_empty();
        delayed += usize::from(line["delay_ms"] != 0);
        backing_off += usize::from(line["delay_ms"] == 1600 || line["delay_ms"] == 64_000);
        mismatched += usize::from(line["error"] == 1);
        revoking += usize::from(line["assigned"].as_array().unwrap().iter().any(revokes));
    }
    // The rounds are worth something only while they contain what is hard.
    assert!(lines.len() > 700, "{}", lines.len());
    assert!(delayed > 80 && revoking > 80 && mismatched > 10 && backing_off > 3);
}

#[test]
fn eager_rounds_are_java_s() {
    let lines = lines("eager.jsonl");
    assert_eq!(lines.len(), 30);
    lines.iter().for_each(|line| check(&mut Assignor::new(300_000), line));
}
