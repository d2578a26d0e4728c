//! Source tasks with transactions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka_sim::{Action, ApiKey, Fault};

use crate::scripted::{Step, record};
use crate::support::{Hooks, Rig, eventually, map, task};

const ENABLED: [(&str, &str); 1] = [("exactly.once.source.support", "enabled")];

fn told(rig: &Rig) -> usize {
    rig.source.told.lock().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_batch_and_its_offsets_are_one_transaction() {
    let rig = Rig::with(&ENABLED).await;
    rig.sim.create_topic("t", 2, 1, &[]);
    let hooks = Arc::new(Hooks::default());
    rig.then([Step::Records(vec![record(1, "t", "a"), record(2, "t", "b")])]);
    rig.start_source(&[], Some(hooks.clone())).await;
    eventually("both are told", || told(&rig) == 2).await;
    assert_eq!(*hooks.asked.lock().unwrap(), ["fence", "verify"]);
    let mut read = rig.read("t").await;
    read.sort();
    assert_eq!(read, ["k1=a h:1 h:2 @1001", "k2=b h:1 h:2 @1002"]);
    rig.worker.stop_tasks(&[task(0)]).await;
    rig.start_source(&[], Some(hooks)).await;
    eventually("it goes on", || *rig.source.found.lock().unwrap() == [None, Some(2)]).await;
    let page = rig.worker.metrics().prometheus();
    assert!(page.contains("transaction_size_max"), "{page}");
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_the_connector_decides_where_transactions_end() {
    let rig = Rig::with(&ENABLED).await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.start_source(&[("transaction.boundary", "connector")], Some(Arc::default())).await;
    rig.then([Step::Records(vec![record(1, "t", "a")]), Step::Abort(vec![record(2, "t", "b")])]);
    eventually("the abort is over", || told(&rig) == 2).await;
    assert!(rig.read("t").await.is_empty(), "aborted records are not seen");
    rig.then([Step::Records(vec![record(3, "t", "c")]), Step::Commit(vec![record(4, "t", "d")])]);
    eventually("the commit is over", || told(&rig) == 4).await;
    assert_eq!(rig.read("t").await, ["k3=c h:1 h:2 @1003", "k4=d h:1 h:2 @1004"]);
    rig.then([Step::Records(vec![record(5, "t", "e")])]);
    eventually("the record is taken", || rig.source.steps.lock().unwrap().is_empty()).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(rig.read("t").await.len(), 2, "a transaction that nobody ended is aborted");
    rig.start_source(&[("transaction.boundary", "connector")], Some(Arc::default())).await;
    eventually("it goes on", || *rig.source.found.lock().unwrap() == [None, Some(4)]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_transaction_is_aborted_whose_partitions_are_being_added() {
    let rig = Rig::with(&ENABLED).await;
    rig.sim.create_topic("t", 1, 1, &[]);
    // CONCURRENT_TRANSACTIONS: the last one is not quite over.
    rig.sim.faults().add(Fault::of(ApiKey::AddPartitionsToTxn, Action::Error(51)).times(20));
    rig.then([Step::Records(vec![record(1, "t", "a")])]);
    rig.start_source(&[("transaction.boundary", "connector")], Some(Arc::default())).await;
    eventually("its partition is refused", || !rig.sim.faults().log().is_empty()).await;
    rig.then([Step::Abort(vec![record(2, "t", "b")]), Step::Commit(vec![record(3, "t", "c")])]);
    eventually("all are told", || told(&rig) == 3).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    let told = rig.source.told.lock().unwrap().clone();
    assert_eq!(told[0], ("a".to_owned(), None), "what was aborted is nowhere");
    assert_eq!(rig.read("t").await.len(), 1);
    assert!(!rig.heard.has("failed"), "{:?}", rig.heard.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_an_older_generation_is_fenced_out() {
    let rig = Rig::with(&ENABLED).await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.start_source(&[], Some(Arc::default())).await;
    rig.then([Step::Records(vec![record(1, "t", "a")])]);
    eventually("it is told", || told(&rig) == 1).await;
    rig.worker.fence_zombies("c", 1, &map(&[])).await.unwrap();
    rig.then([Step::Records(vec![record(2, "t", "b")])]);
    eventually("it fails", || rig.heard.has("failed")).await;
    assert!(rig.heard.has("ProducerFencedException"), "{:?}", rig.heard.all());
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(rig.read("t").await, ["k1=a h:1 h:2 @1001"]);
    rig.start_source(&[], Some(Arc::default())).await;
    eventually("it goes on", || *rig.source.found.lock().unwrap() == [None, Some(1)]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_task_may_not_write_to_its_offset_topic() {
    let rig = Rig::with(&ENABLED).await;
    rig.start_source(&[], Some(Arc::default())).await;
    rig.then([Step::Records(vec![record(1, "offsets", "a")])]);
    eventually("it fails", || rig.heard.has("own offsets topics")).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_task_that_is_given_up_while_it_starts_fences_nobody() {
    let rig = Rig::with(&[ENABLED[0], ("task.shutdown.graceful.timeout.ms", "60000")]).await;
    let hooks = Arc::new(Hooks { leaderless: true, ..Hooks::default() });
    rig.start_source(&[], Some(hooks.clone())).await;
    let begun = Instant::now();
    rig.worker.stop_tasks(&[task(0)]).await;
    assert!(begun.elapsed() < Duration::from_secs(30), "it stops at once, not after {:?}", begun.elapsed());
    assert!(!rig.heard.has("failed"), "{:?}", rig.heard.all());
    assert!(!hooks.asked.lock().unwrap().contains(&"verify"), "it made no producer");
}
