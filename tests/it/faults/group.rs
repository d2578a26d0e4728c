//! Several processes with one cluster id: killed, stopped and suspended under load, the others take over the work.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::load::{Load, Plan, Random};
use super::oracle::{TopicReader, check_stored, check_with, read_raw};
use super::subject::{Running, Subject};
use crate::support::{Pair, Record, Setup, Writer, topics, wait_for, zk_to_kraft};

/// Topics with their partitions; tasks get partitions of both.
const TOPICS: [(&str, i32); 2] = [("a", 4), ("b", 3)];
const TASKS: usize = 5;
const ROUNDS: usize = 3;
const RATE: u64 = 1000;

/// Processes of one cluster id, a load on every topic, and what has been read of the copies.
struct Group {
    pair: Pair,
    members: Vec<(Subject, Option<Running>)>,
    topics: Vec<Topic>,
}

struct Topic {
    origin: String,
    copy: TopicReader,
    load: Option<Load>,
    /// By partition: how many records may stand there again.
    repeatable: Vec<usize>,
}

impl Group {
    fn start(name: &str, size: usize) -> Self {
        let pair = zk_to_kraft();
        let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
        let begin = |(topic, partitions): (&str, i32)| {
            let origin_topic = format!("{name}-{topic}");
            let replica = format!("{origin_topic}.replica");
            topics::create(&pair.origin, &origin_topic, partitions, &[]);
            topics::create(&pair.destination, &replica, partitions, &[]);
            Topic {
                copy: TopicReader::new(&destination, &replica, partitions),
                load: Some(Load::start(&origin, &Plan::new(&origin_topic, partitions, RATE))),
                repeatable: vec![0; partitions as usize],
                origin: origin_topic,
            }
        };
        let topics: Vec<Topic> = TOPICS.into_iter().map(begin).collect();
        let names: Vec<&str> = topics.iter().map(|topic| topic.origin.as_str()).collect();
        let first = Subject::new(&pair, name, &names)
            .args(["--cluster.threads", &TASKS.to_string()])
            .replication("session.timeout.ms", 4000)
            .replication("heartbeat.interval.ms", 500)
            .replication("scheduled.rebalance.max.delay.ms", 1000);
        let mut members: Vec<(Subject, Option<Running>)> =
            (1..size).map(|_| (first.another(), None)).collect();
        members.insert(0, (first, None));
        // All at the same instant, where nothing is prepared.
        members.iter_mut().for_each(|(subject, running)| *running = Some(subject.start()));
        let group = Self { pair, members, topics };
        group.await_spread();
        group
    }

    fn running(&self) -> impl Iterator<Item = (&Subject, &Running)> {
        self.members.iter().filter_map(|(subject, running)| Some((subject, running.as_ref()?)))
    }

    /// The tasks of each worker, as `of` knows them; `None` unless all are RUNNING.
    fn shares(&self, of: &Running) -> Option<BTreeMap<String, BTreeSet<u64>>> {
        let status = of.rest("/connectors/replicator/status")?;
        let mut shares: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for task in status["tasks"].as_array()? {
            if task["state"] != "RUNNING" {
                return None;
            }
            shares.entry(task["worker_id"].as_str()?.to_owned()).or_default().insert(task["id"].as_u64()?);
        }
        Some(shares)
    }

    /// Waits until every process that runs has its share of the tasks, nobody else has any, and all know it.
    fn await_spread(&self) {
        self.await_shares(&self.running().map(|(subject, _)| subject.worker_id()).collect());
    }

    fn await_shares(&self, workers: &BTreeSet<String>) {
        let fair = |shares: &BTreeMap<String, BTreeSet<u64>>| {
            let sizes = || shares.values().map(BTreeSet::len);
            let (least, most) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
            sizes().sum::<usize>() == TASKS && shares.keys().eq(workers.iter()) && most <= least + 1
        };
        let asked: Vec<&Running> =
            self.running().filter(|(s, _)| workers.contains(&s.worker_id())).map(|(_, r)| r).collect();
        let done =
            || asked.iter().all(|running| self.shares(running).is_some_and(|s| fair(&s))).then_some(());
        wait_for(done, || {
            let shares: Vec<_> = asked.iter().map(|running| self.shares(running)).collect();
            format!("{TASKS} tasks RUNNING, shared by {workers:?}, but {shares:?}")
        });
    }

    /// Waits until all partitions have got `more` records.
    fn await_progress(&mut self, more: usize) {
        for topic in &mut self.topics {
            let before: Vec<usize> = topic.copy.ids.iter().map(Vec::len).collect();
            wait_for(
                || {
                    topic.copy.catch_up();
                    let moved =
                        topic.copy.ids.iter().zip(&before).all(|(ids, before)| ids.len() >= before + more);
                    moved.then_some(())
                },
                || format!("{} is not copied", topic.origin),
            );
        }
    }

    /// What a process copies now, by topic.
    fn copied_by(&self, member: usize) -> Vec<Vec<usize>> {
        let running = self.members[member].1.as_ref().unwrap();
        self.topics.iter().map(|topic| running.copies(&topic.origin)).collect()
    }

    /// What a process copied that copies no more may stand there again, as far as it was not committed.
    fn forgive(&mut self, partitions: &[Vec<usize>]) {
        // A request that was on its way may still be stored after the end of its sender.
        std::thread::sleep(Duration::from_millis(200));
        let (destination, offsets) =
            (self.pair.destination.bootstrap(), self.members[0].0.storage("offsets"));
        for (topic, its) in self.topics.iter_mut().zip(partitions) {
            let beyond = check_stored(&destination, (&offsets, &topic.origin), &mut topic.copy);
            its.iter().for_each(|partition| topic.repeatable[*partition] += beyond[*partition]);
        }
    }

    /// Ends the load and judges every copy.
    fn judge(mut self, most_resends: usize) {
        self.running().for_each(|(_, running)| running.assert_alive());
        for topic in &mut self.topics {
            let owed = topic.load.take().unwrap().finish();
            let findings = check_with(&self.pair.origin.bootstrap(), &topic.origin, &mut topic.copy, &owed);
            assert!(owed.count() > 3000, "I12: only {} records moved", owed.count());
            for (partition, (again, allowed)) in findings.duplicates.iter().zip(&topic.repeatable).enumerate()
            {
                let name = &topic.origin;
                assert!(
                    again <= allowed,
                    "{name}-{partition}: {again} stand again, {allowed} were not committed"
                );
            }
            assert!(findings.resends.iter().all(|resends| *resends <= most_resends), "{findings:?}");
        }
    }
}

#[test]
fn processes_share_the_tasks_and_take_over_from_the_killed() {
    let mut random = Random::seeded("group_kills");
    let mut group = Group::start("group-kills", 3);
    for _ in 0..ROUNDS {
        let mut left = vec![0, 1, 2];
        while !left.is_empty() {
            let victim = left.swap_remove(random.between(0, left.len() as u64) as usize);
            group.await_progress(1);
            let its = group.copied_by(victim);
            assert!(its.iter().any(|partitions| !partitions.is_empty()), "each copies something");
            group.members[victim].1.take().unwrap().kill9();
            group.forgive(&its);
            group.await_spread();
            group.members[victim].1 = Some(group.members[victim].0.start());
            group.await_spread();
        }
    }
    group.await_progress(1);
    // A stop in good order: nothing is copied twice, and the others go on.
    let (code, took) = group.members[1].1.take().unwrap().terminate(Duration::from_secs(10));
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let stopped = Instant::now();
    group.await_spread();
    println!("handed over {:?} after the end", stopped.elapsed());
    group.await_progress(1);
    group.judge(3 * ROUNDS);
}

#[test]
fn a_suspended_process_does_no_harm_when_it_wakes() {
    let mut group = Group::start("group-zombie", 2);
    for zombie in [0, 1] {
        group.await_progress(100);
        let its = group.copied_by(zombie);
        group.members[zombie].1.as_ref().unwrap().signal(Signal::STOP);
        group.forgive(&its);
        group.await_shares(&BTreeSet::from([group.members[1 - zombie].0.worker_id()]));
        group.await_progress(100);
        group.members[zombie].1.as_ref().unwrap().signal(Signal::CONT);
        group.await_spread();
    }
    group.await_progress(100);
    let mut stored: BTreeMap<Vec<u8>, Vec<i64>> = BTreeMap::new();
    for (key, value) in read_raw(&group.pair.destination.bootstrap(), &group.members[0].0.storage("offsets"))
    {
        let value: serde_json::Value = serde_json::from_slice(&value).unwrap();
        stored.entry(key).or_default().push(value["offset"].as_i64().unwrap());
    }
    for (key, offsets) in stored {
        assert!(offsets.is_sorted(), "stored positions of {} went back: {offsets:?}", key.escape_ascii());
    }
    group.judge(2);
}

#[test]
fn the_files_of_the_process_that_is_started_last_count() {
    let pair = zk_to_kraft();
    let base = Setup::new(&pair, "group-files");
    let (a, b) = (base.topic("a"), base.topic("b"));
    for topic in [&a, &b] {
        topics::create(&pair.origin, topic, 2, &[]);
    }
    let old = base.clone().whitelist(&[&a]);
    let mut leader = old.start();
    let follower = old.another().expect("configured otherwise than here").start();
    follower.wait_tasks(1);
    leader.expect("configured otherwise than here");

    let new = base.another().whitelist(&[&a, &b]).args(["--cluster.threads", "3"]);
    let mut last = new.start();
    let told = last.wait_for_log("is configured anew, for all processes");
    assert!(told.contains("tasks.max '1' -> '3'") && told.contains("topic.whitelist"), "{told}");
    for process in [&leader, &follower, &last] {
        process.wait_tasks(3);
    }
    Writer::new(&pair.origin, &[]).write(&b, &[Record::new("k", "v")]);
    let copied = || (topics::ends(&pair.destination, &format!("{b}.replica")) == [1, 0]).then_some(());
    wait_for(copied, || format!("{b} is not copied"));

    // One with the old files comes back, and does not lead.
    leader.stop();
    last.expect("configured otherwise than here");
    let back = old.start();
    back.wait_for_log("is configured anew, for all processes");
    back.wait_tasks(1);
    last.wait_for_log("configured otherwise than here");
    for process in [back, last, follower] {
        process.stop();
    }
}
