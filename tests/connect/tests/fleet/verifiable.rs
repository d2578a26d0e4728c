//! The verifiable source and sink of our workers: numbers that the source says to have stored and that the sink says to have
//! got, compared with what is in the topic.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::flow::{Flow, WIDTH};
use crate::lots::until;
use crate::workers::{Fleet, PATIENCE};

const RATE: usize = 50;

/// A task of the source, and a number that it made.
type Number = (i64, i64);

/// A source and a sink of three tasks each, and a topic.
pub(crate) struct Verifiable {
    topic: String,
}

impl Flow for Verifiable {
    const INSTANCES: usize = 2 * WIDTH + 2;

    fn start(fleet: &Fleet, member: usize) -> Self {
        let topic = format!("{}-numbers", fleet.name);
        fleet.kafka.create(&topic, WIDTH as i32);
        let tools = "org.apache.kafka.connect.tools.Verifiable";
        let tasks = WIDTH.to_string();
        let config = json!({"connector.class": format!("{tools}SourceConnector"), "tasks.max": tasks,
            "topic": topic, "throughput": RATE.to_string()});
        fleet.create(member, "numbers", &config);
        let config =
            json!({"connector.class": format!("{tools}SinkConnector"), "tasks.max": tasks, "topics": topic});
        fleet.create(member, "numbered", &config);
        Self { topic }
    }

    fn await_arrival(&self, fleet: &Fleet) {
        let before = self.in_topic(fleet).values().sum::<usize>();
        until("more numbers are in the topic", PATIENCE, || {
            let now = self.in_topic(fleet);
            let wanted = before + RATE;
            if now.values().sum::<usize>() >= wanted { Ok(()) } else { Err(format!("{now:?}")) }
        });
        self.await_sink(fleet);
    }

    fn assert_whole(self, fleet: &Fleet, once: bool) {
        fleet.call(0, "PUT", "/connectors/numbers/stop", None, 204);
        until("the source has stopped", PATIENCE, || {
            let states = fleet.states(0);
            let tasks = states.keys().filter(|name| name.starts_with("numbers-")).count();
            if tasks == 0 && states["numbers"].state == "STOPPED" {
                Ok(())
            } else {
                Err(format!("{states:?}"))
            }
        });
        // The last task may still be storing what it made.
        std::thread::sleep(Duration::from_secs(2));
        let found = self.in_topic(fleet);
        for task in 0..WIDTH as i64 {
            let last = found.keys().filter(|(of, _)| *of == task).map(|(_, number)| *number).max();
            let missing: Vec<i64> = (0..last.expect("every task makes numbers"))
                .filter(|n| !found.contains_key(&(task, *n)))
                .collect();
            assert!(missing.is_empty(), "task {task} made {last:?}, of which these are missing: {missing:?}");
        }
        let stored = said(fleet, |line| line["committed"] == true);
        let lost: Vec<&Number> = stored.keys().filter(|number| !found.contains_key(number)).collect();
        assert!(!stored.is_empty() && lost.is_empty(), "said to be stored, but not in the topic: {lost:?}");
        let twice: Vec<&Number> =
            found.iter().filter(|(_, count)| **count > 1).map(|(number, _)| number).collect();
        eprintln!("{}: {} numbers, {} of them twice", fleet.name, found.len(), twice.len());
        assert!(!once || twice.is_empty(), "twice in the topic: {twice:?}");
        self.await_sink(fleet);
    }
}

impl Verifiable {
    /// How often each number is in the topic: the task is the key, the number the value.
    fn in_topic(&self, fleet: &Fleet) -> BTreeMap<Number, usize> {
        let mut found = BTreeMap::new();
        for record in fleet.kafka.read(&self.topic, 0, PATIENCE) {
            let number = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap().parse().unwrap();
            *found.entry((number(record.key), number(record.value))).or_default() += 1;
        }
        found
    }

    /// Waits until the sink has all that is in the topic now.
    fn await_sink(&self, fleet: &Fleet) {
        let wanted = self.in_topic(fleet);
        until("the sink has all numbers", PATIENCE, || {
            let got = said(fleet, |line| line.get("sinkTask").is_some());
            let missing: Vec<&Number> = wanted.keys().filter(|number| !got.contains_key(number)).collect();
            if missing.is_empty() {
                Ok(())
            } else {
                Err(format!("{} missing, from {:?}", missing.len(), missing[0]))
            }
        });
    }
}

/// How often the workers said each number in lines of this kind.
fn said(fleet: &Fleet, is_meant: impl Fn(&Value) -> bool) -> BTreeMap<Number, usize> {
    let mut said = BTreeMap::new();
    for member in 0..fleet.members.len() {
        let output = fleet.output(member);
        let lines = output.lines().filter(|line| line.starts_with('{'));
        for line in lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()).filter(&is_meant) {
            // The sink has both as the texts that its converters read.
            let number = |key: &str| line[key].as_i64().or_else(|| line[key].as_str()?.parse().ok());
            if let (Some(task), Some(seqno)) = (number("task"), number("seqno")) {
                *said.entry((task, seqno)).or_default() += 1;
            }
        }
    }
    said
}
