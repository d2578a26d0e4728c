//! Which topics are copied, and whether their destinations are ready: once at the start, then every
//! `topic.poll.interval.ms`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use connect_core::api::ConnectError;
use kafka_wire::admin::TopicPartition;
use kafka_wire::cluster::{Cluster, Metadata};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::create::{Preparation, Readiness};
use super::filter::TopicFilter;
use super::rename::{RenameFormat, check_collisions};
use crate::context::Context;
use crate::retry::retry_passing;

/// Time that a broker that has just started may take to know its topics.
const SETTLING: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Partitions that are ready to be copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Partitions whose destination exists.
    pub(crate) partitions: BTreeSet<TopicPartition>,
}

/// State of a topic until its destination is prepared again.
struct Failed {
    again: Instant,
    /// Number of its partitions that are copied meanwhile.
    partitions: i32,
}

/// Looks for topics.
pub(crate) struct Discovery {
    context: Arc<Context>,
    origin: Cluster,
    preparation: Preparation,
    filter: TopicFilter,
    rename: RenameFormat,
    same_cluster: bool,
    /// Topics whose destination could not be prepared, or not for all partitions.
    failed: BTreeMap<String, Failed>,
    known: BTreeSet<String>,
}

impl Discovery {
    pub(crate) fn new(
        context: Arc<Context>,
        origin: Cluster,
        destination: Cluster,
        same_cluster: bool,
    ) -> Result<Self, ConnectError> {
        let topics = &context.config.topics;
        let storage = &context.config.storage;
        let own = [&storage.offsets, &storage.configs, &storage.statuses];
        let mut filter = TopicFilter::new(&topics.whitelist, topics.regex.clone(), &topics.blacklist);
        if same_cluster {
            filter = filter.never(own.into_iter().map(|topic| topic.name.clone()));
        }
        Ok(Self {
            preparation: Preparation::new(context.clone(), origin.clone(), destination),
            rename: RenameFormat::parse(&topics.rename_format).map_err(ConnectError::new)?,
            filter,
            context,
            origin,
            same_cluster,
            failed: BTreeMap::new(),
            known: BTreeSet::new(),
        })
    }

    /// The first look: a whitelisted topic that does not exist is an error, as is a name that two topics would
    /// share at the destination.
    pub(crate) async fn first(&mut self) -> Result<Found, ConnectError> {
        let metadata = self.settled().await?;
        let missing = self.missing(&metadata);
        if !missing.is_empty() {
            return Err(ConnectError::new(format!(
                "topic.whitelist contains topics: [{}] but these are either not present in the source cluster or \
                 are missing DESCRIBE ACLs for the replicator's principal",
                missing.join(", ")
            )));
        }
        if self.filter.is_empty() {
            warn!("nothing is copied: neither topic.whitelist nor topic.regex is set");
        }
        let found = self.prepare(&metadata).await?;
        Ok(found)
    }

    /// Topics that the origin has. A broker that has only just started answers before it has been told of its topics, so
    /// whitelisted ones, and those found before, are looked for several times before they count as missing. Believing
    /// it at once would stop the copy of everything until the next look.
    async fn settled(&self) -> Result<Arc<Metadata>, ConnectError> {
        let give_up = Instant::now() + SETTLING;
        loop {
            let metadata = retry_passing("the origin's topics", || self.origin.refresh(None)).await?;
            let gone = self.known.iter().any(|topic| metadata.topic(topic).is_none());
            if !gone && self.missing(&metadata).is_empty() || Instant::now() >= give_up {
                return Ok(metadata);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    fn missing(&self, metadata: &Metadata) -> Vec<&str> {
        self.filter.required().filter(|name| metadata.topic(name).is_none()).collect()
    }

    /// A later look.
    pub(crate) async fn again(&mut self) -> Result<Found, ConnectError> {
        let metadata = self.settled().await?;
        self.prepare(&metadata).await
    }

    /// When to look again: after `interval`, or sooner where a preparation failed or nothing matches yet.
    pub(crate) fn next_in(&self, interval: Duration) -> Duration {
        let now = Instant::now();
        let interval = if self.known.is_empty() { interval.min(SETTLING) } else { interval };
        let retry =
            self.failed.values().map(|failed| failed.again).min().map(|at| at.saturating_duration_since(now));
        retry.map_or(interval, |retry| retry.min(interval))
    }

    async fn prepare(&mut self, metadata: &Metadata) -> Result<Found, ConnectError> {
        let matching: Vec<String> = metadata
            .topics
            .iter()
            .filter(|(name, topic)| topic.error.is_none() && !topic.internal && self.filter.matches(name))
            .map(|(name, _)| name.clone())
            .collect();
        let mut names = BTreeMap::new();
        for topic in &matching {
            names.insert(topic.clone(), self.rename.apply(topic).map_err(ConnectError::new)?);
        }
        check_collisions(&names).map_err(ConnectError::new)?;
        self.refuse_loops(&names)?;
        self.announce(&names);
        self.context.monitor.set_topics(names.clone());

        let now = Instant::now();
        self.failed.retain(|topic, _| names.contains_key(topic));
        let due: BTreeMap<String, String> = names
            .into_iter()
            .filter(|(topic, _)| self.failed.get(topic).is_none_or(|failed| failed.again <= now))
            .collect();
        for (topic, readiness) in self.preparation.prepare(&due, metadata).await? {
            match readiness {
                Readiness::Ready => drop(self.failed.remove(&topic)),
                Readiness::Failed { reason, partitions } => {
                    let pause = self.context.config.topics.create_backoff;
                    let what = match partitions {
                        0 => topic.clone(),
                        more => format!("{topic}, from partition {more} on,"),
                    };
                    warn!("{what} is not copied yet: {reason} (again in {pause:?}, topic.create.backoff.ms)");
                    self.failed.insert(topic, Failed { again: now + pause, partitions });
                }
            }
        }
        let mut found = Found::default();
        for topic in &matching {
            let end = self.failed.get(topic).map_or(i32::MAX, |failed| failed.partitions);
            let numbers =
                metadata.topic(topic).into_iter().flat_map(|topic| topic.partitions.keys().copied());
            found.partitions.extend(numbers.filter(|n| *n < end).map(|number| (topic.clone(), number)));
        }
        Ok(found)
    }

    fn refuse_loops(&self, names: &BTreeMap<String, String>) -> Result<(), ConnectError> {
        match names.iter().find(|(origin, name)| self.same_cluster && origin == name) {
            None => Ok(()),
            Some((topic, _)) => Err(ConnectError::new(format!(
                "origin and destination are the same cluster, so {topic} would be copied into itself for ever; \
                 set topic.rename.format or correct bootstrap.servers"
            ))),
        }
    }

    /// Says which topics are new or gone since the last look.
    fn announce(&mut self, names: &BTreeMap<String, String>) {
        let now: BTreeSet<String> = names.keys().cloned().collect();
        for topic in now.difference(&self.known) {
            info!("{topic} is copied to {}", names[topic]);
        }
        for topic in self.known.difference(&now) {
            warn!("{topic} is no longer at the origin, or no longer visible; its destination stays as it is");
        }
        self.known = now;
    }
}
