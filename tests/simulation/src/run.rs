//! One run from its number to its verdict.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use futures::future::{join_all, try_join_all};
use replicator::monitoring::PartitionState;
use tokio::time::sleep;
use turmoil::Sim;

use crate::clusters::{Clusters, host, news};
use crate::event_log::EventLog;
use crate::faults::Side;
use crate::network;
use crate::oracle::{Oracle, Partition, Violation};
use crate::plan::Plan;
use crate::subject::{self, HOST, Subject};
use crate::writer::Writer;

/// Time that passes between two looks of the network at what was sent: the grain of the simulation.
const TICK: Duration = Duration::from_millis(2);

/// How often the oracle looks.
const LOOK: Duration = Duration::from_millis(20);

/// After the faults, everything must have been copied within this time (I7).
const PATIENCE: Duration = Duration::from_secs(45);

/// A partition that is behind, does not move and is shown as running for this long is a lie (I8).
const STALL: Duration = Duration::from_secs(15);

/// A stop in good order takes no longer than `task.shutdown.graceful.timeout.ms` (5 s) and a few seconds for the last
/// statuses (I10).
const STOP_LIMIT: Duration = Duration::from_secs(14);

/// Longest run. None comes near it.
const LIMIT: Duration = Duration::from_secs(600);

/// What the simulator itself is asked to do between two ticks.
#[derive(Debug)]
pub(crate) enum Order {
    /// Kill the replicator's host.
    Crash,
    /// Start it again.
    Bounce,
    /// Set the latency between the replicator and a host.
    Latency(String, Duration),
}

/// What the parts of a run share.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) log: EventLog,
    pub(crate) clusters: Clusters,
    pub(crate) oracle: RefCell<Oracle>,
    pub(crate) subject: Rc<Subject>,
    orders: RefCell<VecDeque<Order>>,
    excused: RefCell<BTreeSet<Partition>>,
    /// Faults of the clusters that the log has been told of.
    seen: Cell<(usize, usize)>,
    violation: RefCell<Option<Violation>>,
    /// Positions last seen, and since when (I8).
    standing: RefCell<BTreeMap<Partition, (i64, Duration)>>,
    ready: Cell<bool>,
    /// Faults that have begun.
    begun: Cell<usize>,
    /// The replicator has been taken away and is not back yet.
    pub(crate) restarting: Cell<bool>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The first broken promise, if any.
    pub violation: Option<Violation>,
    /// Records that arrived, duplicates included.
    pub copied: usize,
    /// Records that arrived more than once.
    pub duplicates: usize,
    /// Faults that began, and what clusters noted of them.
    pub faults: usize,
    /// Simulated time.
    pub took: Duration,
    /// The event log.
    pub log: String,
}

/// Runs the plan of a number in this process, which must not have run another.
///
/// # Errors
/// When the run could not be set up; a broken promise is in the outcome.
pub fn run(number: u64) -> anyhow::Result<Outcome> {
    let log = EventLog::default();
    log.listen();
    let panics = watch_panics(&log);
    let plan = Plan::new(number);
    log.say("plan", plan.to_string());
    let clusters = Clusters::new(&plan, &log);
    let world = Rc::new(World {
        oracle: RefCell::new(Oracle::new(&plan, &clusters)),
        subject: Rc::default(),
        orders: RefCell::default(),
        excused: RefCell::default(),
        seen: Cell::default(),
        violation: RefCell::default(),
        standing: RefCell::default(),
        ready: Cell::default(),
        begun: Cell::default(),
        restarting: Cell::default(),
        plan,
        log,
        clusters,
    });
    let mut sim = simulation(&world)?;
    let ended = drive(&mut sim, &world);
    drop(sim);
    let panicked = panics.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let broken = panicked.map(|what| Violation::new("I10", what)).or_else(|| world.violation.take());
    let broken = broken.or_else(|| ended.err().map(|error| Violation::new("I10", error.to_string())));
    Ok(world.outcome(broken))
}

fn simulation(world: &Rc<World>) -> anyhow::Result<Sim<'static>> {
    let mut sim = turmoil::Builder::new()
        .rng_seed(world.plan.number)
        .tick_duration(TICK)
        .min_message_latency(Duration::ZERO)
        .max_message_latency(Duration::from_millis(3))
        .tcp_capacity(4096)
        .simulation_duration(LIMIT)
        .build();
    for side in [Side::Origin, Side::Destination] {
        let cluster = world.clusters.of(side).clone();
        for id in cluster.brokers() {
            let cluster = cluster.clone();
            sim.host(host(side, id), move || network::broker(cluster.clone(), id));
        }
    }
    let config = subject::configuration(&world.plan, &world.clusters)?;
    let shared = world.clone();
    sim.host(HOST, move || {
        let (world, config) = (shared.clone(), config.clone());
        async move {
            while !world.ready.get() {
                sleep(TICK).await;
            }
            world.subject.clone().live(config, world.log.clone()).await
        }
    });
    let shared = world.clone();
    sim.client("world", async move { shared.direct().await.map_err(|error| error.to_string().into()) });
    Ok(sim)
}

/// Steps until the world's end, and does what only the simulator can.
fn drive(sim: &mut Sim<'_>, world: &World) -> anyhow::Result<()> {
    loop {
        let finished = sim.step().map_err(|error| anyhow!("{error}"))?;
        world.log.set_now(sim.elapsed());
        if finished {
            return Ok(());
        }
        while let Some(order) = world.next_order() {
            match order {
                Order::Crash => {
                    world.log.say(HOST, "is killed");
                    sim.crash(HOST);
                }
                Order::Bounce => sim.bounce(HOST),
                Order::Latency(host, latency) => sim.set_link_latency(HOST, host, latency),
            }
        }
    }
}

impl World {
    fn next_order(&self) -> Option<Order> {
        self.orders.borrow_mut().pop_front()
    }

    pub(crate) fn order(&self, order: Order) {
        self.orders.borrow_mut().push_back(order);
    }

    /// The oracle looks; what the clusters' faults hit goes to the log.
    pub(crate) fn look(&self) {
        let (mut origin, mut destination) = self.seen.get();
        news(&self.clusters.origin, Side::Origin, &mut origin, &self.log);
        news(&self.clusters.destination, Side::Destination, &mut destination, &self.log);
        self.seen.set((origin, destination));
        if let Err(violation) = self.oracle.borrow_mut().look() {
            self.broken(violation);
        }
    }

    pub(crate) fn broken(&self, violation: Violation) {
        let mut first = self.violation.borrow_mut();
        if first.is_none() {
            self.log.say("oracle", violation.to_string());
            first.replace(violation);
        }
    }

    /// From now on, these partitions may stop, if they say so.
    pub(crate) fn excuse(&self, which: impl Fn(&Partition) -> bool) {
        let all = self.plan.partitions().map(|(topic, number)| (topic.name.clone(), number));
        self.excused.borrow_mut().extend(all.filter(which));
    }

    /// A fault has begun.
    pub(crate) fn begun(&self) {
        self.begun.set(self.begun.get() + 1);
    }

    fn is_excused(&self, partition: &Partition) -> bool {
        self.excused.borrow().contains(partition)
    }

    /// The world's whole course.
    async fn direct(self: Rc<Self>) -> anyhow::Result<()> {
        let partitions = self.plan.partitions();
        let writer =
            |(topic, number)| Writer::new(self.plan.number, &self.clusters.origin, topic, number, &self.log);
        let mut writers: Vec<Writer> = partitions.map(writer).collect::<anyhow::Result<_>>()?;
        try_join_all(writers.iter_mut().map(Writer::head_start)).await?;
        self.wear();
        self.ready.set(true);
        let story = async {
            self.trouble(&mut writers).await?;
            self.log.say("world", "calm");
            try_join_all(writers.iter_mut().map(Writer::fresh)).await?;
            self.settle().await;
            self.finish().await;
            anyhow::Ok(())
        };
        tokio::select! {
            biased;
            done = story => done,
            () = self.watch() => Ok(()),
        }
    }

    /// Workload and faults, until both are over.
    async fn trouble(self: &Rc<Self>, writers: &mut [Writer]) -> anyhow::Result<()> {
        let start = self.log.now();
        let end = start + self.plan.work;
        let work = try_join_all(writers.iter_mut().map(|writer| writer.work(end)));
        let faults = self.plan.faults.iter().map(|fault| self.clone().carry_out(fault.clone(), start));
        let (worked, _) = futures::future::join(work, join_all(faults)).await;
        worked.map(drop)
    }

    /// Looks until a promise is broken.
    async fn watch(&self) {
        while self.violation.borrow().is_none() {
            self.look();
            self.check_truth();
            sleep(LOOK).await;
        }
    }

    /// I8: who is behind and does not move does not claim to run.
    fn check_truth(&self) {
        let now = self.log.now();
        let mut standing = self.standing.borrow_mut();
        let shown = self.subject.partitions();
        standing.retain(|partition, _| shown.contains_key(partition));
        for (partition, (state, position)) in shown {
            let end =
                self.clusters.origin.offsets(&partition.0, partition.1).map_or(0, |(_, stable, _)| stable);
            let entry = standing.entry(partition.clone()).or_insert((position, now));
            if entry.0 != position || position >= end || state != PartitionState::Running {
                *entry = (position, now);
            } else if now - entry.1 >= STALL {
                let what = format!("{partition:?} stands at {position} of {end} and is shown as running");
                self.broken(Violation::new("I8", what));
                return;
            }
        }
    }

    /// I7: everything arrives, or what does not is shown as stopped where it may be.
    async fn settle(&self) {
        let give_up = self.log.now() + PATIENCE;
        loop {
            self.look();
            let missing = self.missing();
            let Some((partition, offsets)) = missing.first_key_value() else { return };
            if self.log.now() >= give_up {
                let what = format!(
                    "{PATIENCE:?} after the faults {} partitions are not copied, first {partition:?}: {} records \
                     from offset {} on; shown as {:?}; {}",
                    missing.len(),
                    offsets.len(),
                    offsets[0],
                    self.subject.partitions().get(partition),
                    self.subject.failures().join("; ")
                );
                self.broken(Violation::new("I7", what));
                return;
            }
            sleep(10 * LOOK).await;
        }
    }

    /// What is missing without an excuse.
    fn missing(&self) -> BTreeMap<Partition, Vec<i64>> {
        let mut missing = self.oracle.borrow().missing();
        let shown = self.subject.partitions();
        missing.retain(|partition, _| {
            let says_so = shown.get(partition).is_some_and(|(state, _)| *state != PartitionState::Running);
            !(self.is_excused(partition) && says_so)
        });
        missing
    }

    /// The end: a stop in good order, and what must be true after it.
    async fn finish(&self) {
        self.log.say("world", "everything has been copied");
        for failure in self.subject.failures() {
            if failure.contains("panic") || self.excused.borrow().is_empty() {
                self.broken(Violation::new("I10", format!("failed: {failure}")));
            }
        }
        self.subject.ask_to_stop();
        let give_up = self.log.now() + STOP_LIMIT;
        while self.subject.stopped().is_none() {
            if self.log.now() >= give_up {
                self.broken(Violation::new("I10", format!("a stop takes longer than {STOP_LIMIT:?}")));
                return;
            }
            sleep(LOOK).await;
        }
        self.look();
        self.check_end();
    }

    fn check_end(&self) {
        let oracle = self.oracle.borrow();
        if let Some(stopped) = self.subject.stopped().filter(|stopped| !stopped.report.abandoned.is_empty()) {
            self.broken(Violation::new("I10", format!("tasks were left behind: {stopped:?}")));
        }
        if let Some(partition) = oracle.uncommitted().iter().find(|partition| !self.is_excused(partition)) {
            let what = format!("{partition:?} was copied and stopped, but its position was not committed");
            self.broken(Violation::new("I5", what));
        }
        if let Err(violation) = oracle.gaps(&self.log.text(), |partition| self.is_excused(partition)) {
            self.broken(violation);
        }
        if oracle.copied() == 0 || oracle.commits() == 0 {
            self.broken(Violation::new("I12", "nothing was copied"));
        }
    }

    fn outcome(&self, violation: Option<Violation>) -> Outcome {
        let oracle = self.oracle.borrow();
        let (origin, destination) = self.seen.get();
        Outcome {
            violation,
            copied: oracle.copied(),
            duplicates: oracle.duplicates(),
            faults: self.begun.get() + origin + destination,
            took: self.log.now(),
            log: self.log.text(),
        }
    }
}

/// Every panic, wherever it is caught, goes to the log; the first is a broken promise.
fn watch_panics(log: &EventLog) -> Arc<Mutex<Option<String>>> {
    let first = Arc::new(Mutex::new(None));
    let (noted, log) = (first.clone(), log.clone());
    panic::set_hook(Box::new(move |info| {
        log.say("panic", info.to_string());
        noted.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| info.to_string());
    }));
    first
}
