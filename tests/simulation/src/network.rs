//! The ways to the brokers: hosts on the simulated network that serve them, the replicator's connections over it, and
//! the workload's own, which no fault of the network reaches.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kafka_sim::Cluster;
use kafka_wire::transport::{BoxStream, Connector};
use replicator::Network;
use tokio::io::duplex;
use tokio::time::{sleep, timeout};
use turmoil::net::{TcpListener, TcpStream};

use crate::clusters::PORT;

/// How often a broker that is down looks whether it is up again.
const LOOK: Duration = Duration::from_millis(20);

/// Bytes between the workload and a broker.
const PIPE: usize = 64 * 1024;

/// The software of a broker's host: accepts while the broker is up, refuses while it is not.
///
/// # Errors
/// When the port cannot be opened.
pub async fn broker(cluster: Cluster, id: i32) -> turmoil::Result {
    loop {
        let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
        while cluster.is_up(id) {
            if let Ok(accepted) = timeout(LOOK, listener.accept()).await {
                let (stream, _) = accepted?;
                let cluster = cluster.clone();
                tokio::spawn(async move { cluster.serve(id, stream).await });
            }
        }
        drop(listener);
        while !cluster.is_up(id) {
            sleep(LOOK).await;
        }
    }
}

/// The network that the replicator lives in.
pub fn simulated() -> Network {
    Arc::new(|settings| Ok(Arc::new(Simulated { connect_timeout: settings.connect_timeout })))
}

struct Simulated {
    connect_timeout: Duration,
}

impl Connector for Simulated {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            match timeout(self.connect_timeout, TcpStream::connect((host, port))).await {
                Ok(stream) => Ok(Box::new(stream?) as BoxStream),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no connection in time")),
            }
        })
    }
}

/// Reaches the brokers of a cluster without a network. The name of a host is the broker's id.
#[derive(Debug)]
pub struct Direct(pub Cluster);

impl Connector for Direct {
    fn connect<'a>(&'a self, host: &'a str, _port: u16) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let id: i32 = host.parse().map_err(io::Error::other)?;
            if !self.0.is_up(id) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (near, far) = duplex(PIPE);
            let cluster = self.0.clone();
            tokio::spawn(async move { cluster.serve(id, far).await });
            Ok(Box::new(near) as BoxStream)
        })
    }
}
