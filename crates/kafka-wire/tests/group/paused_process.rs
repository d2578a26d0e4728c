//! A process that is stopped for longer than its session, as SIGSTOP or a suspended machine does it: in real time, the
//! whole runtime of one member stands still while another member's goes on.

use std::time::Duration;

use kafka_wire::group::{Due, GroupSettings, Lost};

use crate::support::{Living, Sim, Worker, settings};

/// Long enough for a busy machine.
const SESSION: Duration = Duration::from_millis(2500);

fn quick() -> GroupSettings {
    GroupSettings { session_timeout: SESSION, heartbeat_interval: Duration::from_millis(200), ..settings() }
}

#[test]
fn sim_a_process_that_was_stopped_knows_before_it_does_anything() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sim = Sim::new(1);
    let other_sim = Sim { cluster: sim.cluster.clone() };
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || {
        runtime().block_on(async {
            let living = Living::start(other_sim.member(quick()), Worker::default());
            while stopped.try_recv().is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            living.joined().unwrap()
        })
    });
    runtime().block_on(async {
        let mut member = sim.member(quick());
        let mut worker = Worker::default();
        let mut joined = member.join(&mut worker).await.unwrap();
        // Until the other one is there, too.
        while !joined.assignment.windows(4).any(|text| text == b"of 2") {
            assert!(matches!(member.due().await, Due::Join(_)));
            joined = member.join(&mut worker).await.unwrap();
        }
        let session = member.session();
        tokio::time::sleep(SESSION + Duration::from_millis(500)).await;
        assert!(session.is_live(), "heartbeats keep it alive");
        std::thread::sleep(SESSION + Duration::from_millis(500));
        // Nothing of this runtime has run since.
        assert!(!session.is_live());
        assert_eq!(member.due().await, Due::Lost(Lost::SessionTimeout));
        stop.send(()).unwrap();
    });
    // Meanwhile the other one has all.
    let alone = other.join().unwrap();
    assert!(alone.assignment.ends_with(format!("of 1 in {}", alone.generation).as_bytes()), "{alone:?}");
}
