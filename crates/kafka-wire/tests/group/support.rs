//! A cluster in this process, members of a group on it, and a participant whose leader numbers the members.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use kafka_sim::{Clock, Cluster as SimCluster};
use kafka_wire::cluster::Cluster;
use kafka_wire::group::{
    Due, Election, GroupError, GroupMember, GroupSettings, Joined, Lost, Participant, ParticipantError,
    Session,
};
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::{BoxStream, Connector};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

/// Longer than anything here takes; virtual in most tests.
const PATIENCE: Duration = Duration::from_secs(100);

pub(crate) struct Sim {
    pub(crate) cluster: SimCluster,
}

/// Reaches the brokers without a network; a host is named by its broker's id.
struct Direct(SimCluster);

impl Connector for Direct {
    fn connect<'a>(&'a self, host: &'a str, _port: u16) -> BoxFuture<'a, std::io::Result<BoxStream>> {
        Box::pin(async move {
            let id: i32 = host.parse().map_err(std::io::Error::other)?;
            if !self.0.is_up(id) {
                return Err(std::io::ErrorKind::ConnectionRefused.into());
            }
            let (near, far) = tokio::io::duplex(64 * 1024);
            let cluster = self.0.clone();
            tokio::spawn(async move { cluster.serve(id, far).await });
            Ok(Box::new(near) as BoxStream)
        })
    }
}

impl Sim {
    pub(crate) fn new(brokers: usize) -> Self {
        let cluster = SimCluster::builder()
            .brokers(brokers)
            .clock(Clock::tokio_from(1_700_000_000_000))
            .property("group.initial.rebalance.delay.ms", "0")
            .property("group.min.session.timeout.ms", "500")
            .build();
        for id in cluster.brokers() {
            cluster.set_address(id, &id.to_string(), 9092);
        }
        Self { cluster }
    }

    pub(crate) fn client(&self) -> Cluster {
        let servers: Vec<String> = self.cluster.brokers().iter().map(|id| format!("{id}:9092")).collect();
        let properties = [("bootstrap.servers".to_owned(), servers.join(","))].into();
        let settings = ClientSettings::from_properties(&properties).unwrap();
        Cluster::new("test", settings, Arc::new(Direct(self.cluster.clone())))
    }

    pub(crate) fn member(&self, settings: GroupSettings) -> GroupMember {
        GroupMember::new(self.client(), settings)
    }
}

pub(crate) fn settings() -> GroupSettings {
    GroupSettings::new("g", "connect", "connect-test:8083")
}

/// A participant; its fields say what it does and what it has seen.
#[derive(Default)]
pub(crate) struct Worker {
    pub(crate) fails: bool,
    /// How long it computes as the leader.
    pub(crate) computes: Duration,
    pub(crate) asked: usize,
    pub(crate) last_completed: i32,
}

impl Participant for Worker {
    fn metadata(&mut self) -> Result<Vec<(String, Bytes)>, ParticipantError> {
        self.asked += 1;
        Ok(vec![("two".to_owned(), Bytes::from_static(b"m2")), ("one".to_owned(), Bytes::from_static(b"m1"))])
    }

    async fn assign(&mut self, election: Election) -> Result<Vec<(String, Bytes)>, ParticipantError> {
        if self.fails {
            return Err("no snapshot".into());
        }
        sleep(self.computes).await;
        assert!(election.members.iter().all(|(_, said)| said.as_ref() == b"m2"));
        self.last_completed = election.last_completed_generation;
        let count = election.members.len();
        let one = |(place, (id, _)): (usize, (String, Bytes))| {
            (id, Bytes::from(format!("{place} of {count} in {}", election.generation)))
        };
        Ok(election.members.into_iter().enumerate().map(one).collect())
    }
}

/// What a member in a task of its own has gone through.
#[derive(Default)]
struct Diary {
    joined: Option<Joined>,
    lost: Vec<Lost>,
}

/// A member that lives as its owner is to let it: stops when it has lost, joins when it is due.
pub(crate) struct Living {
    pub(crate) session: Session,
    diary: Arc<Mutex<Diary>>,
    orders: mpsc::Sender<oneshot::Sender<()>>,
}

impl Living {
    pub(crate) fn start(mut member: GroupMember, mut worker: Worker) -> Self {
        let session = member.session();
        let diary = Arc::new(Mutex::new(Diary::default()));
        let (orders, mut inbox) = mpsc::channel::<oneshot::Sender<()>>(1);
        let written = diary.clone();
        tokio::spawn(async move {
            loop {
                let result = tokio::select! {
                    order = inbox.recv() => {
                        if let Some(done) = order {
                            member.leave("told to").await;
                            done.send(()).unwrap();
                        }
                        return;
                    }
                    result = next(&mut member, &mut worker) => result,
                };
                let mut diary = written.lock().unwrap();
                match result {
                    Ok(joined) => diary.joined = Some(joined),
                    Err(lost) => {
                        diary.joined = None;
                        diary.lost.push(lost);
                    }
                }
            }
        });
        Self { session, diary, orders }
    }

    pub(crate) fn joined(&self) -> Option<Joined> {
        self.diary.lock().unwrap().joined.clone()
    }

    pub(crate) fn lost(&self) -> Vec<Lost> {
        self.diary.lock().unwrap().lost.clone()
    }

    pub(crate) async fn leave(self) {
        let (done, left) = oneshot::channel();
        self.orders.send(done).await.unwrap();
        left.await.unwrap();
    }
}

async fn next(member: &mut GroupMember, worker: &mut Worker) -> Result<Joined, Lost> {
    match member.due().await {
        Due::Lost(lost) => Err(lost),
        Due::Join(_) => match member.join(worker).await {
            Ok(joined) => Ok(joined),
            Err(GroupError::Lost { reason, .. }) => Err(reason),
            Err(error) => panic!("{error}"),
        },
    }
}

pub(crate) struct Team {
    pub(crate) members: Vec<Living>,
}

impl Team {
    pub(crate) fn of(sim: &Sim, count: usize) -> Self {
        let member = |_| Living::start(sim.member(settings()), Worker::default());
        Self { members: (0..count).map(member).collect() }
    }

    pub(crate) fn joined(&self) -> Vec<Joined> {
        self.members.iter().filter_map(Living::joined).collect()
    }

    pub(crate) fn lost(&self) -> Vec<Lost> {
        self.members.iter().flat_map(Living::lost).collect()
    }

    /// Waits until all are in one generation of `count` members, and nothing is under way; which one that is.
    pub(crate) async fn settled(&self, count: usize) -> i32 {
        let look = || {
            let joined = self.joined();
            let first = joined.first()?.generation;
            let of = format!(" of {count} in {first}");
            let same = joined.iter().all(|j| String::from_utf8_lossy(&j.assignment).ends_with(&of));
            let calm = self.members.iter().all(|m| m.session.is_live() && !m.session.is_rebalancing());
            (joined.len() == self.members.len() && same && calm).then_some(first)
        };
        let wait = async {
            loop {
                if let Some(generation) = look() {
                    return generation;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("no common generation of {count}: {:?}", self.joined()))
    }

    /// As [`Team::settled`], in a later generation than `generation`.
    pub(crate) async fn next_after(&self, generation: i32, count: usize) -> i32 {
        let later = || self.members.iter().all(|m| m.session.generation() > generation);
        let wait = async {
            while !later() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("no generation after {generation}"));
        self.settled(count).await
    }
}
