//! The members of a group: processes that can be killed, suspended and started again at the same address.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use connect_differential::http::{self, Answer, Request};
use connect_differential::kafka::Kafka;
use connect_differential::{Side, command};
use kafka_clusters::{Cluster, Port, Server, Version};
use serde_json::{Value, json};

use crate::group;
use crate::lots::until;
use crate::tail::{Pair, Tail};

/// How long a worker, a rebalance or the data may take on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// `session.timeout.ms` of every worker: a killed member is noticed after it.
pub(crate) const SESSION: Duration = Duration::from_secs(4);
/// `heartbeat.interval.ms` of every worker.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(500);

/// A worker of the group; its process may be gone.
pub(crate) struct Member {
    pub(crate) side: Side,
    /// `host:port`, which is its worker id too. The same after a restart.
    pub(crate) address: String,
    name: String,
    file: PathBuf,
    server: Mutex<Option<Server>>,
    _port: Port,
}

/// The workers of one group with a broker. Dropping it ends them all.
pub(crate) struct Fleet {
    pub(crate) members: Vec<Member>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) kafka: Kafka,
    /// `group.id`, and the first part of the names of topics.
    pub(crate) name: String,
    tails: Mutex<BTreeMap<String, Tail>>,
    folder: tempfile::TempDir,
}

/// One broker for all tests that run at the same time.
fn broker() -> Arc<Cluster> {
    static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(cluster) = shared.upgrade() {
        return cluster;
    }
    let builder = Cluster::builder().version(Version::V39Kraft).with_security().in_memory().heap("768m");
    // Nobody is refused anything until a test says so; those without a login never.
    let cluster = builder
        .property("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
        .property("super.users", "User:ANONYMOUS")
        .property("allow.everyone.if.no.acl.found", true)
        .property("group.min.session.timeout.ms", 1000)
        .start();
    let cluster = Arc::new(cluster.unwrap_or_else(|error| panic!("no broker: {error}")));
    *shared = Arc::downgrade(&cluster);
    cluster
}

impl Fleet {
    /// Starts a worker of each kind with these settings over the usual ones, and waits until they are one group.
    pub(crate) fn start(name: &str, sides: &[Side], settings: &[(&str, &str)]) -> Self {
        let fleet = Self::new(name);
        let fleet = sides.iter().fold(fleet, |fleet, side| fleet.with(*side, settings));
        (0..sides.len()).for_each(|member| fleet.launch(member));
        (0..sides.len()).for_each(|member| fleet.await_ready(member));
        fleet.await_members(sides.len());
        fleet
    }

    /// As [`Self::start`], one after the other: the first leads.
    pub(crate) fn start_in_order(name: &str, sides: &[Side], settings: &[(&str, &str)]) -> Self {
        let mut fleet = Self::new(name);
        for (member, side) in sides.iter().enumerate() {
            fleet = fleet.with(*side, settings);
            fleet.launch(member);
            fleet.await_ready(member);
        }
        fleet.await_members(sides.len());
        assert_eq!(fleet.leader(), 0, "the first member leads");
        fleet
    }

    /// A group without workers.
    pub(crate) fn new(name: &str) -> Self {
        let mut folder = tempfile::Builder::new().prefix("fleet-").tempdir().unwrap();
        folder.disable_cleanup(std::env::var_os("KAFKA_CLUSTERS_KEEP").is_some());
        let cluster = broker();
        Self {
            members: Vec::new(),
            kafka: Kafka::new(cluster.bootstrap()),
            cluster,
            name: name.to_owned(),
            tails: Mutex::default(),
            folder,
        }
    }

    /// Adds a worker, which is not started yet.
    pub(crate) fn with(mut self, side: Side, settings: &[(&str, &str)]) -> Self {
        let number = self.members.len();
        let port = Port::any().unwrap();
        let address = format!("127.0.0.1:{}", port.number());
        let name = format!("worker-{number}");
        let file = self.folder.path().join(format!("{name}.properties"));
        std::fs::write(&file, self.properties(&address, settings)).unwrap();
        self.members.push(Member { side, address, name, file, server: Mutex::default(), _port: port });
        self
    }

    fn properties(&self, address: &str, settings: &[(&str, &str)]) -> String {
        let mut all = BTreeMap::new();
        let mut set = |key: &str, value: &str| _ = all.insert(key.to_owned(), value.to_owned());
        set("bootstrap.servers", &self.cluster.bootstrap());
        set("group.id", &self.name);
        set("listeners", &format!("http://{address}"));
        for topic in ["config", "offset", "status"] {
            set(&format!("{topic}.storage.topic"), &self.topic(topic));
            set(&format!("{topic}.storage.replication.factor"), "1");
        }
        // The order of the records of a topic is the order of what happened.
        set("offset.storage.partitions", "1");
        set("status.storage.partitions", "1");
        set("offset.flush.interval.ms", "1000");
        set("session.timeout.ms", &SESSION.as_millis().to_string());
        set("heartbeat.interval.ms", &HEARTBEAT.as_millis().to_string());
        set("rebalance.timeout.ms", "20000");
        set("scheduled.rebalance.max.delay.ms", "1000");
        set("plugin.discovery", "service_load");
        let string = "org.apache.kafka.connect.storage.StringConverter";
        set("key.converter", string);
        set("value.converter", string);
        // Sinks: partitions of a killed task are soon given to another.
        set("consumer.session.timeout.ms", "4000");
        set("consumer.heartbeat.interval.ms", "500");
        set("consumer.isolation.level", "read_committed");
        set("producer.transaction.timeout.ms", "10000");
        settings.iter().for_each(|(key, value)| set(key, value));
        all.iter().map(|(key, value)| format!("{key}={value}\n")).collect()
    }

    /// The name of an internal topic: `config`, `offset` or `status`.
    pub(crate) fn topic(&self, which: &str) -> String {
        format!("{}-{which}", self.name)
    }

    /// All records of a topic of one partition.
    pub(crate) fn read(&self, topic: &str) -> Vec<Pair> {
        let mut tails = self.tails.lock().unwrap();
        tails.entry(topic.to_owned()).or_insert_with(|| Tail::of(&self.cluster, topic)).read()
    }

    /// Files of connectors.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a member's process.
    pub(crate) fn launch(&self, member: usize) {
        let Member { side, name, file, server, .. } = &self.members[member];
        let mut command = command(*side, self.folder(), true);
        command.arg(file).env("CONNECT_TEST_PLUGINS", "1");
        *server.lock().unwrap() = Some(Server::run(name, &command, self.folder()).unwrap());
    }

    /// Waits until its REST interface answers at all.
    pub(crate) fn await_answers(&self, member: usize) {
        until("REST answers", PATIENCE, || {
            http::send(self.address(member), &Request::new("GET", "/")).map_err(|error| error.to_string())
        });
    }

    /// Waits until it is healthy, which means that it has been in the group.
    pub(crate) fn await_ready(&self, member: usize) {
        let what = format!("{} is healthy", self.members[member].name);
        until(&what, PATIENCE, || {
            if let Some(status) = self.server(member, |server| server.exited()) {
                panic!("it ended ({status}):\n{}", self.tail(member));
            }
            match http::send(self.address(member), &Request::new("GET", "/health")) {
                Ok(answer) if answer.status == 200 => Ok(()),
                other => Err(format!("{other:?}\n{}", self.tail(member))),
            }
        });
    }

    /// Waits until the group has this many members and a round is complete.
    pub(crate) fn await_members(&self, count: usize) {
        until(&format!("the group has {count} members"), PATIENCE, || {
            let view = group::view(&self.cluster, &self.name);
            if view.is_stable() && view.members.len() == count { Ok(()) } else { Err(format!("{view:?}")) }
        });
    }

    fn server<V>(&self, member: usize, action: impl FnOnce(&mut Server) -> V) -> V {
        let mut server = self.members[member].server.lock().unwrap();
        action(server.as_mut().expect("the member was started"))
    }

    /// SIGKILL.
    pub(crate) fn kill(&self, member: usize) {
        let server = self.members[member].server.lock().unwrap().take();
        server.expect("the member was started").kill();
    }

    /// SIGTERM.
    pub(crate) fn stop(&self, member: usize) {
        let server = self.members[member].server.lock().unwrap().take();
        server.expect("the member was started").terminate(Duration::from_secs(20)).unwrap();
    }

    /// SIGSTOP.
    pub(crate) fn suspend(&self, member: usize) {
        self.server(member, |server| server.suspend()).unwrap();
    }

    /// SIGCONT.
    pub(crate) fn resume(&self, member: usize) {
        self.server(member, |server| server.resume()).unwrap();
    }

    /// Resident memory of a member in MiB.
    pub(crate) fn resident(&self, member: usize) -> u64 {
        let pid = self.server(member, |server| server.pid());
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("every process has memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// The address of a member.
    pub(crate) fn address(&self, member: usize) -> &str {
        &self.members[member].address
    }

    /// Everything a member printed, over all its lives.
    pub(crate) fn output(&self, member: usize) -> String {
        let file = self.folder().join(format!("{}.log", self.members[member].name));
        String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).into_owned()
    }

    fn tail(&self, member: usize) -> String {
        let output = self.output(member);
        let lines: Vec<&str> = output.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// The member that leads, as the members know from the last round.
    pub(crate) fn leader(&self) -> usize {
        until("there is a leader", PATIENCE, || {
            let view = group::view(&self.cluster, &self.name);
            let leader = view.leader.as_deref().filter(|_| view.is_stable());
            let found = leader.and_then(|url| self.members.iter().position(|one| url.contains(&one.address)));
            found.ok_or_else(|| format!("{view:?}"))
        })
    }

    /// One request to a member, whatever comes of it.
    pub(crate) fn send(&self, member: usize, request: &Request) -> Answer {
        let answer = http::send(self.address(member), request);
        answer.unwrap_or_else(|error| panic!("{request:?} to {member}: {error}\n{}", self.tail(member)))
    }

    /// One request to a member; while a rebalance is in the way, again.
    pub(crate) fn ask(&self, member: usize, request: &Request) -> Answer {
        until(&format!("{} {} by member {member}", request.method, request.path), PATIENCE, || {
            let answer = self.send(member, request);
            let passing = answer.body.contains("rebalance") || answer.body.contains("stale configuration");
            let busy = passing && matches!(answer.status, 409 | 500);
            if busy { Err(format!("{answer:?}")) } else { Ok(answer) }
        })
    }

    /// [`Self::ask`] with a body; asserts the status and gives the answer's body.
    pub(crate) fn call(
        &self,
        member: usize,
        method: &str,
        path: &str,
        body: Option<&Value>,
        status: u16,
    ) -> Value {
        let request = Request::new(method, path);
        let request = match body {
            Some(body) => request.json(body.to_string()),
            None => request,
        };
        let answer = self.ask(member, &request);
        assert_eq!(answer.status, status, "{method} {path} by member {member}: {answer:?}");
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// Creates a connector by a request to a member.
    pub(crate) fn create(&self, member: usize, name: &str, config: &Value) {
        let body = json!({"name": name, "config": config});
        let made = self.call(member, "POST", "/connectors", Some(&body), 201);
        assert_eq!(made["name"], name);
    }

    /// Connectors (`name`) and tasks (`name-0`) with their states, as a member knows them; nothing while it does not answer.
    pub(crate) fn states(&self, member: usize) -> BTreeMap<String, State> {
        let request = Request::new("GET", "/connectors?expand=status");
        let Ok(answer) = http::send(self.address(member), &request) else { return BTreeMap::new() };
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let mut states = BTreeMap::new();
        for (name, of_connector) in body.as_object().into_iter().flatten() {
            let status = &of_connector["status"];
            states.insert(name.clone(), State::of(&status["connector"]));
            for task in status["tasks"].as_array().into_iter().flatten() {
                states.insert(format!("{name}-{}", task["id"]), State::of(task));
            }
        }
        states
    }

    /// Waits until, as a member sees it, so many connectors and tasks are there, all RUNNING on these members.
    pub(crate) fn await_running(&self, member: usize, count: usize, on: &[usize]) -> BTreeMap<String, State> {
        let addresses: Vec<&str> = on.iter().map(|one| self.address(*one)).collect();
        until(&format!("{count} instances are running on {addresses:?}"), PATIENCE, || {
            let states = self.states(member);
            let good = |state: &State| state.is_running() && addresses.contains(&state.worker.as_str());
            match states.len() == count && states.values().all(good) {
                true => Ok(states),
                false => Err(format!("{states:#?}")),
            }
        })
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("logs of {} are in {}", self.name, self.folder().display());
            return;
        }
        for member in (0..self.members.len()).filter(|member| self.members[*member].side == Side::Ours) {
            let output = self.output(member);
            assert!(!output.contains("panicked at"), "member {member} panicked:\n{output}");
        }
    }
}

/// What a worker says of a connector or a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) state: String,
    /// `host:port`.
    pub(crate) worker: String,
    pub(crate) trace: Option<String>,
}

impl State {
    fn of(json: &Value) -> Self {
        let text = |key: &str| json[key].as_str().map(str::to_owned);
        Self {
            state: text("state").unwrap_or_default(),
            worker: text("worker_id").unwrap_or_default(),
            trace: text("trace"),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state == "RUNNING"
    }
}
