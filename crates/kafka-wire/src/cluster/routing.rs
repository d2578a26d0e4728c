//! Which broker a control-plane request goes to, and the shared connections.

use std::sync::{Arc, PoisonError};

use kafka_protocol::messages::FindCoordinatorRequest;
use kafka_protocol::protocol::{Request, StrBytes};

use super::{Cluster, Slot};
use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::frame::{Connection, Versions};
use crate::settings::ClientSettings;

impl Cluster {
    /// Asks whichever broker answers.
    pub async fn call_any<R: Request>(&self, request: R) -> Result<R::Response, WireError> {
        self.retry(|| async { self.any_connection().await?.call(&request).await }).await
    }

    /// Asks the controller. The caller checks for NOT_CONTROLLER (41) and calls [`Cluster::refresh`].
    pub async fn call_controller<R: Request>(&self, request: R) -> Result<R::Response, WireError> {
        self.retry(|| async {
            let metadata = self.fetch_metadata(Some(&[])).await?;
            match self.broker(metadata.controller).await {
                Ok(connection) => connection.call(&request).await,
                // In KRaft mode every broker forwards to the controller.
                Err(_) => self.any_connection().await?.call(&request).await,
            }
        })
        .await
    }

    /// Asks the leader of a partition. The caller checks the partition's error code; after NOT_LEADER (6) it
    /// calls [`Cluster::refresh`] with the topic and asks again.
    pub async fn call_leader<R: Request>(
        &self,
        topic: &str,
        partition: i32,
        request: R,
    ) -> Result<R::Response, WireError> {
        self.retry(|| async {
            let leader = match self.metadata().leader(topic, partition) {
                Some(leader) => leader,
                None => {
                    let metadata = self.fetch_metadata(Some(&[topic.to_owned()])).await?;
                    metadata.leader_or_why(topic, partition)?
                }
            };
            let result = match self.broker(leader).await {
                Ok(connection) => connection.call(&request).await,
                Err(error) => Err(error),
            };
            if result.as_ref().is_err_and(|e| e.is_retriable()) {
                self.fetch_metadata(Some(&[topic.to_owned()])).await?;
            }
            result
        })
        .await
    }

    /// Asks a group's coordinator. The caller checks for NOT_COORDINATOR (16) and calls
    /// [`Cluster::forget_coordinator`].
    pub async fn call_coordinator<R: Request>(
        &self,
        group: &str,
        request: R,
    ) -> Result<R::Response, WireError> {
        self.retry(|| async {
            let id = self.coordinator(group).await?;
            let result = match self.broker(id).await {
                Ok(connection) => connection.call(&request).await,
                Err(error) => Err(error),
            };
            if result.is_err() {
                self.forget_coordinator(group);
            }
            result
        })
        .await
    }

    /// Makes the next [`Cluster::call_coordinator`] look for the coordinator again.
    pub fn forget_coordinator(&self, group: &str) {
        self.inner.coordinators.lock().unwrap_or_else(PoisonError::into_inner).remove(group);
    }

    async fn coordinator(&self, group: &str) -> Result<i32, WireError> {
        let known =
            self.inner.coordinators.lock().unwrap_or_else(PoisonError::into_inner).get(group).copied();
        if let Some(id) = known {
            return Ok(id);
        }
        let request = FindCoordinatorRequest::default().with_key(StrBytes::from_string(group.to_owned()));
        let answer = self.any_connection().await?.call(&request).await?;
        if let Some(code) = ErrorCode::try_from_code(answer.error_code) {
            let refused = WireError::broker(
                format!("coordinator of group {group} at the {} cluster", self.role()),
                code,
            );
            return Err(refused.needing("DESCRIBE on the group"));
        }
        let id = answer.node_id.0;
        if !self.metadata().brokers.contains_key(&id) {
            self.fetch_metadata(Some(&[])).await?;
        }
        self.inner.coordinators.lock().unwrap_or_else(PoisonError::into_inner).insert(group.to_owned(), id);
        Ok(id)
    }

    /// The shared connection to one broker.
    pub async fn broker(&self, id: i32) -> Result<Arc<Connection>, WireError> {
        let slot = {
            let mut slots = self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.entry(id).or_default().clone()
        };
        let mut place = slot.lock().await;
        if let Some(connection) = place.as_ref().filter(|c| !c.is_closed()) {
            return Ok(connection.clone());
        }
        let connection = Arc::new(self.open_broker(id).await?);
        *place = Some(connection.clone());
        Ok(connection)
    }

    /// A new connection to one broker, for the caller alone.
    pub async fn open_broker(&self, id: i32) -> Result<Connection, WireError> {
        let metadata = self.metadata();
        let Some(broker) = metadata.brokers.get(&id) else {
            return Err(WireError::Connect {
                address: format!("broker {id}"),
                reason: format!("the {} cluster does not list it now", self.role()),
            });
        };
        Connection::open(&self.inner.connector, &self.inner.settings, &broker.host, broker.port).await
    }

    /// A new connection to an address of this cluster, with settings of the caller's own (client id,
    /// time-outs).
    pub async fn open_at(
        &self,
        host: &str,
        port: u16,
        settings: &ClientSettings,
    ) -> Result<Connection, WireError> {
        Connection::open(&self.inner.connector, settings, host, port).await
    }

    /// A connection to any broker: one that is open, else the known brokers and the bootstrap servers in
    /// turn.
    pub(super) async fn any_connection(&self) -> Result<Arc<Connection>, WireError> {
        if let Some(open) = self.open_slot() {
            return Ok(open);
        }
        let mut place = self.inner.bootstrap.lock().await;
        if let Some(connection) = place.as_ref().filter(|c| !c.is_closed()) {
            return Ok(connection.clone());
        }
        let metadata = self.metadata();
        let known = metadata.brokers.values().map(|b| (b.host.as_str(), b.port));
        let bootstrap = self.inner.settings.bootstrap_servers.iter().map(|(h, p)| (h.as_str(), *p));
        let mut last = None;
        for (host, port) in bootstrap.chain(known) {
            match Connection::open(&self.inner.connector, &self.inner.settings, host, port).await {
                Ok(connection) => {
                    let connection = Arc::new(connection);
                    *place = Some(connection.clone());
                    return Ok(connection);
                }
                // A server that refuses us says more than one that is down.
                Err(error) if last.as_ref().is_none_or(WireError::is_retriable) => last = Some(error),
                Err(_) => {}
            }
        }
        Err(last.unwrap_or_else(|| WireError::Connect {
            address: self.addresses(),
            reason: "bootstrap.servers is empty".to_owned(),
        }))
    }

    /// Versions that some broker of the cluster offers, if one can be asked now.
    pub async fn any_versions(&self) -> Option<Versions> {
        self.any_connection().await.ok().map(|connection| connection.versions().clone())
    }

    fn open_slot(&self) -> Option<Arc<Connection>> {
        let slots = self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |slot: &Slot| {
            let place = slot.try_lock().ok()?;
            place.as_ref().filter(|c| !c.is_closed()).cloned()
        };
        slots.values().find_map(open)
    }
}
