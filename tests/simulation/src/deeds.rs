//! Carries out what a plan has go wrong, and puts it right again.

use std::rc::Rc;
use std::time::Duration;

use kafka_sim::{Action, Coordinated, Fault};
use kafka_wire::kafka_protocol::messages::ApiKey;
use tokio::time::sleep;

use crate::clusters::{fault, host};
use crate::faults::{PlannedFault, Side, Way, What};
use crate::oracle::Violation;
use crate::run::{Order, World};
use crate::subject::HOST;
use crate::writer::Writer;

/// How long a stop in good order may take before the host is taken away.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// The replicator's group: that of its worker, and the one it commits for at the origin.
const GROUP: &str = "subject";

impl World {
    /// One fault from its beginning to its end. `start` is the time that the plan counts from.
    pub(crate) async fn carry_out(self: Rc<Self>, fault: PlannedFault, start: Duration) {
        sleep((start + fault.at).saturating_sub(self.log.now())).await;
        self.log.say("fault", format!("{:?} for {:?}", fault.what, fault.lasts));
        self.begun();
        match fault.what {
            What::KillReplicator | What::StopReplicator => self.restart_subject(&fault).await,
            What::Requests(..) => self.spoil_requests(&fault).await,
            What::KillBroker(..) | What::Cut(..) | What::Hold(..) | What::Slow(..) => {
                self.disturb(&fault.what, true);
                sleep(fault.lasts).await;
                self.disturb(&fault.what, false);
            }
            What::Grow(ref topic) => self.grow(topic).await,
            _ => self.change(&fault.what),
        }
        self.log.say("fault", format!("{:?} is over", fault.what));
    }

    async fn restart_subject(&self, fault: &PlannedFault) {
        if self.restarting.replace(true) {
            return self.log.say("fault", "the replicator is still being stopped");
        }
        if fault.what == What::StopReplicator && self.subject.is_running() {
            self.subject.ask_to_stop();
            let give_up = self.log.now() + STOP_LIMIT;
            while self.subject.stopped().is_none() && self.log.now() < give_up {
                sleep(Duration::from_millis(10)).await;
            }
        }
        self.subject.killed();
        self.order(Order::Crash);
        sleep(fault.lasts).await;
        self.order(Order::Bounce);
        self.restarting.set(false);
    }

    async fn spoil_requests(&self, planned: &PlannedFault) {
        let What::Requests(side, api, trouble, times) = planned.what else { return };
        let faults = self.clusters.of(side).faults();
        let id = faults.add(fault(api, trouble, times));
        sleep(planned.lasts).await;
        faults.remove(id);
    }

    /// Begins, or ends, what has an end.
    fn disturb(&self, what: &What, begins: bool) {
        match what {
            What::KillBroker(side, id) if begins => self.clusters.of(*side).kill(*id),
            What::KillBroker(side, id) => self.clusters.of(*side).restart(*id),
            What::Cut(side, id, way) => cut(&host(*side, *id), *way, begins),
            What::Hold(side, id) if begins => turmoil::hold(HOST, host(*side, *id)),
            What::Hold(side, id) => turmoil::release(HOST, host(*side, *id)),
            What::Slow(side, id, latency) => {
                let latency = if begins { *latency } else { Duration::from_millis(1) };
                self.order(Order::Latency(host(*side, *id), latency));
            }
            _ => {}
        }
    }

    /// What has no end.
    fn change(&self, what: &What) {
        match what {
            What::MoveLeaders(side, topic) => self.move_leaders(*side, topic),
            What::MoveCoordinator(side) => self.move_coordinators(*side),
            What::DeleteRecords(topic, number, percent) => self.delete_records(topic, *number, *percent),
            What::Truncate(topic, number, percent) => self.truncate(topic, *number, *percent),
            What::Recreate(topic) => {
                self.look();
                self.excuse(|(name, _)| name == topic);
                self.clusters.origin.recreate_topic(topic);
                self.oracle.borrow_mut().recreated(topic);
            }
            What::Delete(topic) => {
                self.look();
                self.excuse(|(name, _)| name == topic);
                self.clusters.origin.delete_topic(topic);
                self.oracle.borrow_mut().recreated(topic);
            }
            What::Corrupt(topic, number, percent) => {
                self.look();
                self.excuse(|partition| *partition == (topic.clone(), *number));
                let (start, _, end) = self.clusters.origin.offsets(topic, *number).unwrap_or_default();
                let offset = end - 1 - (end - start) * i64::from(*percent) / 100;
                self.clusters.origin.corrupt(topic, *number, offset.max(start));
            }
            What::Compact(topic) => self.compact(topic),
            What::Refuse(topic, number, code) => {
                self.excuse(|partition| *partition == (topic.clone(), *number));
                let fault = Fault::of(ApiKey::Produce, Action::Error(*code)).on(topic, *number);
                self.clusters.destination.faults().add(fault);
            }
            _ => {}
        }
    }

    /// A partition more, with a few records.
    async fn grow(&self, topic: &str) {
        let Some(planned) = self.plan.topics.iter().find(|planned| planned.name == topic) else { return };
        let partition = (topic.to_owned(), planned.partitions);
        let origin = &self.clusters.origin;
        let written = async {
            let mut writer = Writer::new(self.plan.number, origin, planned, partition.1, &self.log)?;
            writer.add_partition().await?;
            self.oracle.borrow_mut().added(&partition);
            writer.head_start().await?;
            writer.fresh().await
        };
        if let Err(error) = written.await {
            self.broken(Violation::new("I12", format!("growing {topic}: {error}")));
        }
    }

    fn move_leaders(&self, side: Side, topic: &str) {
        let cluster = self.clusters.of(side);
        let brokers = cluster.brokers();
        let partitions = cluster.topics().get(topic).copied().unwrap_or_default();
        for number in 0..partitions as i32 {
            let leader = cluster.leader(topic, number);
            let behind = brokers.iter().filter(|id| **id > leader);
            let before = brokers.iter().filter(|id| **id < leader);
            let moved = behind.chain(before).any(|id| cluster.move_leader(topic, number, *id));
            if !moved {
                self.log.say("fault", format!("{topic}-{number} has no other broker to lead it"));
            }
        }
    }

    fn move_coordinators(&self, side: Side) {
        let cluster = self.clusters.of(side);
        for id in cluster.brokers() {
            if cluster.is_up(id) && id != cluster.coordinator(Coordinated::Group, GROUP) {
                return cluster.move_coordinator(Coordinated::Group, GROUP, id);
            }
        }
    }

    fn delete_records(&self, topic: &str, number: i32, percent: u32) {
        self.look();
        let Some((start, _, end)) = self.clusters.origin.offsets(topic, number) else { return };
        let offset = start + (end - start) * i64::from(percent) / 100;
        self.clusters.origin.delete_records(topic, number, offset);
        self.oracle.borrow_mut().deleted(&(topic.to_owned(), number));
    }

    fn truncate(&self, topic: &str, number: i32, percent: u32) {
        self.look();
        let partition = (topic.to_owned(), number);
        let Some((start, _, end)) = self.clusters.origin.offsets(topic, number) else { return };
        let offset = end - (end - start) * i64::from(percent) / 100;
        self.excuse(|other| *other == partition);
        if let Some(end) = self.clusters.origin.truncate(topic, number, offset) {
            self.oracle.borrow_mut().truncated(&partition, end);
        }
    }

    /// What has happened to the origin's topics before the replicator starts.
    pub(crate) fn wear(&self) {
        self.look();
        for topic in self.plan.topics.iter().filter(|topic| topic.worn) {
            if topic.compact {
                self.compact(&topic.name)
            } else {
                (0..topic.partitions).for_each(|number| self.delete_records(&topic.name, number, 30))
            }
        }
    }

    fn compact(&self, topic: &str) {
        self.look();
        let partitions = self.clusters.origin.topics().get(topic).copied().unwrap_or_default();
        for number in 0..partitions as i32 {
            if let Some((_, stable, _)) = self.clusters.origin.offsets(topic, number) {
                self.clusters.origin.clean(topic, number, stable);
            }
        }
        self.oracle.borrow_mut().cleaned(topic);
    }
}

fn cut(broker: &str, way: Way, begins: bool) {
    match (way, begins) {
        (Way::Both, true) => turmoil::partition(HOST, broker),
        (Way::Both, false) => turmoil::repair(HOST, broker),
        (Way::In, true) => turmoil::partition_oneway(HOST, broker),
        (Way::In, false) => turmoil::repair_oneway(HOST, broker),
        (Way::Out, true) => turmoil::partition_oneway(broker, HOST),
        (Way::Out, false) => turmoil::repair_oneway(broker, HOST),
    }
}
