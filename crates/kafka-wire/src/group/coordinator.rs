//! The way to a group's coordinator: who it is, and connections to it. A member has one for heartbeats and
//! one for JoinGroup and SyncGroup, because a broker answers nothing else on a connection while such a
//! request waits.

use std::time::Duration;

use kafka_protocol::protocol::Request;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{GroupSettings, requests};
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::frame::Connection;
use crate::settings::ClientSettings;

/// A broker's address.
type Address = (String, u16);

/// The coordinator of one group, as far as it is known.
#[derive(Debug)]
pub(super) struct Coordinator {
    cluster: Cluster,
    settings: GroupSettings,
    found: Mutex<Search>,
}

#[derive(Debug, Default)]
struct Search {
    known: Option<Address>,
    /// Which broker to ask first: not again the one that did not answer.
    turn: usize,
}

/// A place for one connection to the coordinator.
#[derive(Debug, Default)]
pub(super) struct Line(Option<(Address, Connection)>);

impl Coordinator {
    pub(super) fn new(cluster: Cluster, settings: GroupSettings) -> Self {
        Self { cluster, settings, found: Mutex::default() }
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The group, for messages.
    pub(super) fn context(&self, what: &str) -> String {
        format!("{what} group {} at the {} cluster", self.settings.group_id, self.cluster.role())
    }

    /// Settings of connections on which answers take at most `patience`.
    pub(super) fn client(&self, patience: Duration) -> ClientSettings {
        let client_id = self.settings.client_id.clone();
        ClientSettings { client_id, request_timeout: patience, ..self.cluster.settings().clone() }
    }

    /// The open connection in `line`, or a new one to the coordinator.
    pub(super) async fn connect<'a>(
        &self,
        line: &'a mut Line,
        client: &ClientSettings,
    ) -> Result<&'a Connection, WireError> {
        let address = self.find().await?;
        let fits = line.0.as_ref().is_some_and(|(to, open)| *to == address && !open.is_closed());
        if !fits {
            line.0 = None;
            match self.cluster.open_at(&address.0, address.1, client).await {
                Ok(connection) => line.0 = Some((address, connection)),
                Err(error) => {
                    self.forget().await;
                    return Err(error);
                }
            }
        }
        let (_, connection) = line.0.as_ref().expect("it was just opened if it was not there");
        Ok(connection)
    }

    /// Asks on `line`. Errors of the connection, and of a broker that is not the coordinator (the caller
    /// finds that in the answer and calls [`Coordinator::forget`]), have the coordinator looked for anew.
    pub(super) async fn call<R: Request>(
        &self,
        line: &mut Line,
        client: &ClientSettings,
        request: &R,
    ) -> Result<R::Response, WireError> {
        let answer = self.connect(line, client).await?.call(request).await;
        if answer.is_err() {
            line.0 = None;
            self.forget().await;
        }
        answer
    }

    /// Forgets who the coordinator is.
    pub(super) async fn forget(&self) {
        self.found.lock().await.known = None;
    }

    /// Finds the coordinator. Brokers are asked one after the other, on connections of their own, so that one
    /// that never answers holds up nothing else.
    async fn find(&self) -> Result<Address, WireError> {
        let mut search = self.found.lock().await;
        if let Some(known) = &search.known {
            return Ok(known.clone());
        }
        let brokers = self.brokers();
        let patience = self.settings.coordinator_timeout / 2;
        let mut last = None;
        for _ in 0..brokers.len() {
            let (host, port) = &brokers[search.turn % brokers.len()];
            let error = match timeout(patience, self.ask(host, *port, patience)).await {
                Ok(Ok(found)) => {
                    search.known = Some(found.clone());
                    return Ok(found);
                }
                Ok(Err(error)) => error,
                Err(_) => WireError::Connect {
                    address: format!("{host}:{port}"),
                    reason: format!("it did not say within {patience:?} who coordinates a group"),
                },
            };
            // Others would say the same.
            if error.code().is_some() || !error.is_retriable() {
                return Err(error);
            }
            search.turn += 1;
            last = Some(error);
        }
        Err(last.unwrap_or_else(|| WireError::Connect {
            address: self.cluster.addresses(),
            reason: "bootstrap.servers is empty".to_owned(),
        }))
    }

    async fn ask(&self, host: &str, port: u16, patience: Duration) -> Result<Address, WireError> {
        let connection = self.cluster.open_at(host, port, &self.client(patience)).await?;
        let answer = connection.call(&requests::find(&self.settings)).await?;
        match ErrorCode::try_from_code(answer.error_code) {
            None => Ok((answer.host.to_string(), u16::try_from(answer.port).unwrap_or_default())),
            Some(code) => Err(WireError::broker(self.context("find the coordinator of"), code)),
        }
    }

    fn brokers(&self) -> Vec<Address> {
        let metadata = self.cluster.metadata();
        let mut all: Vec<Address> = metadata.brokers.values().map(|b| (b.host.clone(), b.port)).collect();
        for server in &self.cluster.settings().bootstrap_servers {
            if !all.contains(server) {
                all.push(server.clone());
            }
        }
        all
    }
}
