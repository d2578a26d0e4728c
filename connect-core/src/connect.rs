//! A whole worker process, put together from its properties: storage topics, worker, herder, REST. Executables call this.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kafka_wire::WireError;
use kafka_wire::cluster::Cluster;
use kafka_wire::settings::ClientSettings;
use tokio::net::lookup_host;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::api::{ConfigMap, ConnectError};
use crate::config::{Mode, RestSettings, WorkerConfig};
use crate::herder::api::Herder;
use crate::herder::distributed::{DistributedHerder, DistributedSettings, Foundation, group_settings};
use crate::herder::standalone::StandaloneHerder;
use crate::jaas;
use crate::plugins::Plugins;
use crate::rest::{
    RenderMetrics, RestApi, RestError, RestFiles, RestOptions, RestServer, Route, RunningRest, WorkerClient,
    advertised_url,
};
use crate::storage::{OffsetStore, StorageError, Stores};
use crate::worker::metrics::about;
use crate::worker::{OffsetBacking, StopReport, Surroundings, Variables, Worker, WorkerSettings};

/// Pause before a storage topic that does not answer is asked again.
const WAIT: Duration = Duration::from_secs(1);

/// Why a worker cannot start. Passing faults are not among them: those are waited out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A property cannot be used.
    #[error("{0}")]
    Config(ConnectError),
    /// The cluster refuses this worker.
    #[error(transparent)]
    Cluster(#[from] WireError),
    /// The storage topics cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The REST interface cannot be opened.
    #[error(transparent)]
    Rest(#[from] RestError),
}

/// Additions of an executable to its worker.
pub struct Build {
    /// Version, as `GET /` shows it.
    pub version: String,
    /// Commit, as `GET /` shows it.
    pub commit: String,
    /// Ground that the worker stands on.
    pub surroundings: Surroundings,
    /// False: no REST listener is opened, for simulations.
    pub rest: bool,
    /// True: a worker of whose brokers no name can be resolved does not start, as Java's; otherwise it waits.
    pub resolve_brokers: bool,
    /// Further paths of the REST interface.
    pub routes: Vec<Route>,
    /// Further figures for `/metrics`.
    pub metrics: Option<RenderMetrics>,
}

impl Build {
    /// The real world, nothing added.
    pub fn new(version: &str) -> Self {
        Self {
            version: version.to_owned(),
            commit: option_env!("REPLICATOR_COMMIT").unwrap_or("unknown").to_owned(),
            surroundings: Surroundings::default(),
            rest: true,
            resolve_brokers: false,
            routes: Vec::new(),
            metrics: None,
        }
    }
}

impl std::fmt::Debug for Build {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Build({})", self.version)
    }
}

/// A running worker of distributed mode.
pub struct Connect {
    herder: DistributedHerder,
    rest: Vec<RunningRest>,
    addresses: Vec<SocketAddr>,
}

impl std::fmt::Debug for Connect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connect({:?})", self.addresses)
    }
}

/// A running worker of standalone mode.
pub struct Standalone {
    herder: StandaloneHerder,
    rest: Vec<RunningRest>,
}

impl std::fmt::Debug for Standalone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Standalone({:?})", self.herder)
    }
}

/// The REST ports of a worker, taken but not yet served.
struct Ports {
    public: Option<RestServer>,
    admin: Option<RestServer>,
}

impl Ports {
    async fn take(settings: &RestSettings, rest: bool) -> Result<Self, StartError> {
        if !rest {
            return Ok(Self { public: None, admin: None });
        }
        let public = RestServer::public(settings).await?;
        let admin = RestServer::admin(settings).await?;
        Ok(Self { public: Some(public), admin })
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.public.as_ref().map(|server| server.addresses().to_vec()).unwrap_or_default()
    }

    fn serve(self, api: &RestApi) -> Vec<RunningRest> {
        let public = self.public.map(|server| server.serve(api.public_router()));
        let admin = self.admin.map(|server| server.serve(api.admin_router()));
        public.into_iter().chain(admin).collect()
    }
}

impl Connect {
    /// Starts a worker of distributed mode. Returns when REST answers; the group is joined afterwards. While the cluster is
    /// away it waits, saying so.
    pub async fn distributed(
        properties: ConfigMap,
        plugins: Plugins,
        build: Build,
    ) -> Result<Self, StartError> {
        let Begun { config, plugins, files, ports, url, worker_id } =
            Begun::new(Mode::Distributed, properties, plugins, &build).await?;
        let client = Arc::new(WorkerClient::new(&files));
        let addresses = ports.addresses();
        let worker_settings = WorkerSettings::from_properties(&worker_id, config.properties.clone());
        let worker_settings = worker_settings.map_err(StartError::Config)?;
        let cluster = cluster(&config, &build).await?;
        let topics = config.storage_topics();
        let stores = outlast(async || Stores::open(&cluster, &topics).await).await?;
        let Stores { configs, offsets, statuses } = stores;
        let backing = OffsetBacking { store: offsets.clone(), topic: Some(topics.offsets.name.clone()) };
        let worker = Worker::new(worker_settings, plugins, backing, build.surroundings.clone())
            .map_err(StartError::Config)?;
        let group = group_settings(&config, &worker_id);
        let foundation =
            Foundation { cluster, group, configs, statuses, offsets, worker: worker.clone(), client };
        let herder =
            DistributedHerder::start(DistributedSettings::new(&config, &worker_id, &url), foundation);
        let figures = herder.clone();
        let group: RenderMetrics = Arc::new(move || figures.prometheus());
        let api = rest_api(Arc::new(herder.clone()), &worker, &config, files, build, Some(group));
        let rest = ports.serve(&api);
        info!("worker {worker_id} is up, {url}");
        Ok(Self { herder, rest, addresses })
    }

    /// The herder.
    pub fn herder(&self) -> &DistributedHerder {
        &self.herder
    }

    /// Addresses on which REST listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops connectors and tasks in bounded time, leaves the group, closes REST.
    pub async fn stop(self) -> StopReport {
        let report = self.herder.stop().await;
        for rest in self.rest {
            rest.stop().await;
        }
        report
    }
}

impl Standalone {
    /// Starts a worker of standalone mode. Returns when REST answers; connectors are created afterwards through
    /// [`Standalone::herder`].
    pub async fn start(properties: ConfigMap, plugins: Plugins, build: Build) -> Result<Self, StartError> {
        let Begun { config, plugins, files, ports, url, worker_id } =
            Begun::new(Mode::Standalone, properties, plugins, &build).await?;
        let settings = WorkerSettings::from_properties(&worker_id, config.properties.clone());
        let settings = settings.map_err(StartError::Config)?;
        let file = config.text("offset.storage.file.filename").to_owned();
        let store = OffsetStore::on_file(Path::new(&file)).await?;
        let cluster = cluster(&config, &build).await?;
        let backing = OffsetBacking { store, topic: None };
        let worker = Worker::new(settings, plugins, backing, build.surroundings.clone())
            .map_err(StartError::Config)?;
        let herder = StandaloneHerder::new(worker.clone(), cluster.id()).await?;
        let api = rest_api(Arc::new(herder.clone()), &worker, &config, files, build, None);
        let rest = ports.serve(&api);
        info!("worker {worker_id} is up, {url}");
        Ok(Self { herder, rest })
    }

    /// The herder.
    pub fn herder(&self) -> &StandaloneHerder {
        &self.herder
    }

    /// Stops connectors and tasks in bounded time, closes REST.
    pub async fn stop(self) -> StopReport {
        let report = self.herder.stop().await;
        for rest in self.rest {
            rest.stop().await;
        }
        report
    }
}

/// Beginning of both modes: everything that can be refused at once is looked at before anything is waited for.
struct Begun {
    config: WorkerConfig,
    plugins: Arc<Plugins>,
    files: RestFiles,
    ports: Ports,
    url: String,
    worker_id: String,
}

impl Begun {
    async fn new(
        mode: Mode,
        properties: ConfigMap,
        plugins: Plugins,
        build: &Build,
    ) -> Result<Self, StartError> {
        let plugins = Arc::new(plugins);
        let mut properties = resolve(&properties, &plugins)?;
        jaas::complete(&mut properties).map_err(StartError::Config)?;
        let config = WorkerConfig::new(mode, properties).map_err(StartError::Config)?;
        check_converters(&config, &plugins)?;
        let files = RestFiles::read(&config.rest)?;
        for key in config.unused() {
            warn!("the worker's property {key} is not known and has no effect");
        }
        let reporters = config.parsed.list("metric.reporters").iter();
        for class in reporters.filter(|class| !class.ends_with(".JmxReporter")) {
            warn!("metric.reporters: {class} cannot be loaded; figures are served at /metrics only");
        }
        if build.resolve_brokers {
            check_brokers(&config).await?;
        }
        let ports = Ports::take(&config.rest, build.rest).await?;
        let (url, worker_id) = advertised_url(&config.rest, &ports.addresses());
        Ok(Self { config, plugins, files, ports, url, worker_id })
    }
}

/// One of the brokers' names must mean an address.
async fn check_brokers(config: &WorkerConfig) -> Result<(), StartError> {
    let wrong = |why: String| StartError::Config(ConnectError::config(why));
    let settings = ClientSettings::from_properties(&config.properties).map_err(|e| wrong(e.to_string()))?;
    let mut reasons = Vec::new();
    for (host, port) in &settings.bootstrap_servers {
        match lookup_host((host.as_str(), *port)).await {
            Ok(mut addresses) => match addresses.next() {
                Some(_) => return Ok(()),
                None => reasons.push(format!("{host} has no address")),
            },
            Err(error) => reasons.push(format!("{host}: {error}")),
        }
    }
    let reasons = reasons.join("; ");
    Err(wrong(format!(
        "No resolvable bootstrap urls given in bootstrap.servers ({reasons}); correct the names"
    )))
}

/// The worker's converters must be there before anything starts.
fn check_converters(config: &WorkerConfig, plugins: &Plugins) -> Result<(), StartError> {
    for key in ["key.converter", "value.converter", "header.converter"] {
        let class = config.text(key);
        let is_known = match key {
            "header.converter" => plugins.header_converter(class).is_some(),
            _ => plugins.converter(class).is_some(),
        };
        if !is_known {
            let why =
                format!("Invalid value {class} for configuration {key}: Class {class} could not be found.");
            return Err(StartError::Config(ConnectError::config(why)));
        }
    }
    Ok(())
}

/// The worker's cluster, connected.
async fn cluster(config: &WorkerConfig, build: &Build) -> Result<Cluster, StartError> {
    let make = build.surroundings.clusters.clone();
    let cluster = make("worker's", &config.properties).map_err(StartError::Config)?;
    cluster.connect().await?;
    Ok(cluster)
}

fn rest_api(
    herder: Arc<dyn Herder>,
    worker: &Worker,
    config: &WorkerConfig,
    files: RestFiles,
    build: Build,
    group: Option<RenderMetrics>,
) -> RestApi {
    let (worker, more) = (worker.clone(), build.metrics);
    let (version, commit, start) = (build.version.clone(), build.commit.clone(), SystemTime::now());
    let metrics: RenderMetrics = Arc::new(move || {
        let mut text = worker.metrics().prometheus();
        for further in group.iter().chain(&more) {
            text.push_str(&further());
        }
        let about = about(&version, &commit, start, &text);
        text + &about
    });
    let options = RestOptions {
        version: build.version,
        commit: build.commit,
        metrics: Some(metrics),
        ..config.rest_options()
    };
    RestApi::with_files(herder, config.rest.clone(), files, options).with_routes(build.routes)
}

/// The worker's own properties with the values of its config providers.
fn resolve(properties: &ConfigMap, plugins: &Plugins) -> Result<ConfigMap, StartError> {
    let variables = Variables::from_properties(properties, plugins).map_err(StartError::Config)?;
    variables.resolve(properties).map_err(StartError::Config)
}

/// Repeats `open` while a passing fault is in its way.
async fn outlast<T>(open: impl AsyncFn() -> Result<T, StorageError>) -> Result<T, StorageError> {
    loop {
        match open().await {
            Err(error) if error.is_passing() => {
                warn!("waiting for the storage topics: {error}");
                sleep(WAIT).await;
            }
            other => return other,
        }
    }
}
