//! kill -9 of the replicator, again and again, under load.

use std::time::Duration;

use super::load::{Load, Plan, Random};
use super::oracle::{TopicReader, check_stored, check_with};
use super::subject::Subject;
use crate::support::{topics, wait_for, zk_to_kraft};

const KILLS: usize = 10;
const PARTITIONS: i32 = 6;
const RATE: u64 = 4000;

#[test]
fn ten_kills_lose_nothing_and_repeat_only_what_was_not_committed() {
    let pair = zk_to_kraft();
    let mut random = Random::seeded("ten_kills");
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    topics::create(&pair.origin, "kills", PARTITIONS, &[]);
    topics::create(&pair.destination, "kills.replica", PARTITIONS, &[]);
    let subject = Subject::new(&pair, "kills", &["kills"]);
    let offsets = (&*subject.storage("offsets"), "kills");
    let load = Load::start(&origin, &Plan { codec: "lz4", ..Plan::new("kills", PARTITIONS, RATE) });
    let mut copy = TopicReader::new(&destination, "kills.replica", PARTITIONS);

    let mut repeatable = vec![0; PARTITIONS as usize];
    let mut under_way = 0;
    for kill in 1..=KILLS {
        let mut running = subject.start();
        let before: Vec<usize> = copy.ids.iter().map(Vec::len).collect();
        // Sometimes in the first moments, mostly while it copies; the last time after a commit under load is due.
        let life = if kill == KILLS { 8000 } else { random.between(300, 2500) };
        std::thread::sleep(Duration::from_millis(life));
        running.kill9();
        // A request that was on its way may still be stored after the end of its sender.
        std::thread::sleep(Duration::from_millis(200));
        let beyond = check_stored(&destination, offsets, &mut copy);
        let copied: Vec<usize> =
            copy.ids.iter().zip(&before).map(|(ids, before)| ids.len() - before).collect();
        println!("killed after {life} ms with {copied:?} copied, beyond the stored offsets: {beyond:?}");
        repeatable.iter_mut().zip(&beyond).for_each(|(sum, more)| *sum += more);
        under_way += usize::from(beyond.iter().sum::<usize>() > 0);
        if kill == KILLS {
            let committed = beyond.iter().zip(&copied).all(|(beyond, copied)| beyond < copied);
            assert!(committed, "a commit each 5 s, idle or not: {beyond:?} of {copied:?}");
        }
    }
    let running = subject.start_copying();
    let owed = load.finish();
    let findings = check_with(&origin, "kills", &mut copy, &owed);
    running.assert_alive();

    assert!(under_way >= KILLS / 2, "I12: only {under_way} kills came between a copy and its commit");
    assert!(owed.count() > 20_000, "I12: only {} records moved", owed.count());
    for (partition, (again, allowed)) in findings.duplicates.iter().zip(&repeatable).enumerate() {
        assert!(again <= allowed, "partition {partition}: {again} stand again, {allowed} were not committed");
    }
    assert!(findings.resends.iter().all(|resends| *resends <= KILLS), "{findings:?}");

    // Quiet: an idle moment commits everything.
    wait_for(
        || check_stored(&destination, offsets, &mut copy).iter().all(|beyond| *beyond == 0).then_some(()),
        || "offsets are not committed when idle".to_owned(),
    );
}
