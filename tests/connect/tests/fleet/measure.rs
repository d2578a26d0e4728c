//! How long a worker takes to be ready and what memory it holds: printed, not judged, because machines differ. `scripts/measure-worker`
//! runs it with executables as they are released.

use std::time::{Duration, Instant};

use connect_differential::Side::Ours;
use serde_json::json;

use crate::workers::Fleet;

const CONNECTORS: usize = 100;

#[test]
#[ignore = "measures: scripts/measure-worker"]
fn a_worker() {
    let fleet = Fleet::start("measured", &[Ours], &[]);
    for number in 0..CONNECTORS {
        let file = fleet.folder().join(format!("{number}.txt"));
        std::fs::write(&file, "").unwrap();
        let config = json!({"connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": "measured"});
        fleet.create(0, &format!("idle-{number}"), &config);
    }
    fleet.await_running(0, 2 * CONNECTORS, &[0]);
    std::thread::sleep(Duration::from_secs(10));
    eprintln!("{CONNECTORS} idle connectors with a task each: {} MiB resident", fleet.resident(0));
    for start in ["killed", "stopped"] {
        if start == "killed" {
            fleet.kill(0)
        } else {
            fleet.stop(0)
        }
        let began = Instant::now();
        fleet.launch(0);
        fleet.await_answers(0);
        let answers = began.elapsed();
        fleet.await_ready(0);
        eprintln!(
            "{start}, started on an existing cluster: REST answers after {:.2} s, healthy after {:.2} s",
            answers.as_secs_f32(),
            began.elapsed().as_secs_f32()
        );
        fleet.await_running(0, 2 * CONNECTORS, &[0]);
    }
}
