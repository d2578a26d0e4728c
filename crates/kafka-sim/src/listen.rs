//! Brokers on TCP ports of this machine.

use std::io;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use crate::cluster::Cluster;

/// Pause before a port that cannot be opened again is tried once more.
const REOPEN: Duration = Duration::from_millis(50);

impl Cluster {
    /// Opens a port on 127.0.0.1 for each broker, 0 standing for a free one, and answers there as long as the
    /// runtime lives. Missing ports count as 0. A broker that is killed closes its port until it is
    /// restarted.
    ///
    /// # Errors
    /// When a port is taken; then none is open.
    pub async fn listen(&self, ports: &[u16]) -> io::Result<()> {
        let mut listeners = Vec::new();
        for (index, broker) in self.brokers().into_iter().enumerate() {
            let port = ports.get(index).copied().unwrap_or(0);
            let opened = TcpListener::bind(("127.0.0.1", port)).await;
            let listener = opened.map_err(|e| io::Error::new(e.kind(), format!("port {port}: {e}")))?;
            let port = listener.local_addr()?.port();
            listeners.push((broker, port, listener));
        }
        for (broker, port, listener) in listeners {
            self.set_address(broker, "127.0.0.1", port);
            tokio::spawn(run(self.clone(), broker, port, listener));
        }
        Ok(())
    }
}

async fn run(cluster: Cluster, broker: i32, port: u16, listener: TcpListener) {
    let mut opened = Some(listener);
    loop {
        let killed = up(&cluster, broker).await;
        let listener = match opened.take() {
            Some(listener) => listener,
            None => match TcpListener::bind(("127.0.0.1", port)).await {
                Ok(listener) => listener,
                Err(error) => {
                    warn!(broker, port, "cannot listen again: {error}");
                    tokio::time::sleep(REOPEN).await;
                    continue;
                }
            },
        };
        accept(&cluster, broker, listener, killed).await;
    }
}

/// Accepts until the broker is killed; its port and connections are closed then.
async fn accept(cluster: &Cluster, broker: i32, listener: TcpListener, mut killed: watch::Receiver<u64>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = killed.changed() => return,
            Some(_) = connections.join_next() => {}
            Ok((stream, _)) = listener.accept() => {
                // Answers are small and waited for.
                let _ = stream.set_nodelay(true);
                let cluster = cluster.clone();
                connections.spawn(async move { cluster.serve(broker, stream).await });
            }
        }
    }
}

/// Waits until the broker is up; the signal of its next end.
async fn up(cluster: &Cluster, broker: i32) -> watch::Receiver<u64> {
    loop {
        if let Some(killed) = cluster.with(|state| state.broker(broker).and_then(|b| b.killed())) {
            return killed;
        }
        tokio::time::sleep(REOPEN).await;
    }
}
