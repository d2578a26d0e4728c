//! The worker's REST interface, in the shapes of Java's Connect. It only reads snapshots, so it answers whatever
//! the clusters and tasks do. Executables start it with [`RestServer::bind`] and may add routes of their own.

mod connectors;
mod error;
mod health;
mod listeners;
mod root;
mod status;
mod tasks;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{MethodRouter, get};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{error, info};

pub use error::ApiError;
pub use listeners::{RestError, advertised_address};

use crate::herder::HerderView;

/// Time that open connections get at a stop.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// What `GET /` tells of the worker.
#[derive(Debug, Clone)]
pub struct ServerInfo {
    /// Version of the product.
    pub version: String,
    /// Commit it was built from.
    pub commit: String,
    /// Id of the cluster that holds the worker's topics.
    pub kafka_cluster_id: String,
}

/// What handlers read.
#[derive(Debug)]
struct RestState {
    info: ServerInfo,
    view: HerderView,
}

/// All routes of the worker, and those of `extension` (its state already given, without a fallback of its own, and
/// no path twice).
pub fn router(info: ServerInfo, view: HerderView, extension: Router) -> Router {
    let state = Arc::new(RestState { info, view });
    let routes: [(&str, MethodRouter<Arc<RestState>>); 8] = [
        ("/health", get(health::show)),
        ("/connectors", get(connectors::list)),
        ("/connectors/{connector}", get(connectors::show)),
        ("/connectors/{connector}/config", get(connectors::config)),
        ("/connectors/{connector}/status", get(status::connector)),
        ("/connectors/{connector}/tasks", get(tasks::list)),
        ("/connectors/{connector}/tasks/{task}/status", get(status::task)),
        ("/", get(root::show)),
    ];
    let mut router = Router::new();
    for (path, methods) in routes {
        if path != "/" {
            // Connect answers with and without the final slash.
            router = router.route(&format!("{path}/"), methods.clone());
        }
        router = router.route(path, methods);
    }
    router
        .method_not_allowed_fallback(error::method_not_allowed)
        .with_state(state)
        .merge(extension)
        .fallback(error::unknown_path)
}

/// A REST server on its listeners.
#[derive(Debug)]
pub struct RestServer {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
}

impl RestServer {
    /// Takes the ports: `(host, port)` pairs as in `listeners`, an empty host meaning every interface. Fails with an
    /// error that names the setting when one is taken.
    pub async fn bind(listeners: &[(String, u16)]) -> Result<Self, RestError> {
        let mut bound = Vec::new();
        let mut addresses = Vec::new();
        for (host, port) in listeners {
            let listener = listeners::bind(host, *port).await?;
            addresses.push(listener.local_addr().map_err(|e| RestError::new(host, *port, e))?);
            bound.push(listener);
        }
        Ok(Self { listeners: bound, addresses })
    }

    /// The addresses in use, with the ports that the system chose where 0 was asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves on the current runtime until [`RunningRest::stop`].
    pub fn serve(self, router: Router) -> RunningRest {
        let (stop, stopped) = watch::channel(false);
        let mut servers = Vec::new();
        for (listener, address) in self.listeners.into_iter().zip(self.addresses) {
            info!("REST listens on http://{address}");
            let mut stopped = stopped.clone();
            let until = async move {
                // An error means that the switch is gone, which counts as a stop.
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            let server = axum::serve(listener, router.clone()).with_graceful_shutdown(until);
            servers.push(tokio::spawn(async move {
                if let Err(reason) = server.await {
                    error!("REST on {address} ended: {reason}");
                }
            }));
        }
        RunningRest { stop, servers }
    }
}

/// A REST server at work.
#[derive(Debug)]
pub struct RunningRest {
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
}

impl RunningRest {
    /// Answers what has been asked and closes; within about a second.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for mut server in self.servers {
            if timeout(STOP_LIMIT, &mut server).await.is_err() {
                server.abort();
            }
        }
    }
}
