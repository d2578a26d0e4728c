//! Waiting out passing faults: the appliance says what it waits for and never gives up on it.

use std::time::Duration;

use connect_core::api::ConnectError;
use kafka_wire::WireError;
use tokio::time::sleep;
use tracing::{info, warn};

/// Pause between two rounds of retries; each round has retried for its own while already.
const PAUSE: Duration = Duration::from_secs(1);

/// Repeats `attempt` until it succeeds or fails for what waiting cannot cure.
pub(crate) async fn retry_passing<T, F>(what: &str, attempt: impl Fn() -> F) -> Result<T, ConnectError>
where
    F: Future<Output = Result<T, WireError>>,
{
    let mut failed = false;
    loop {
        match attempt().await {
            Ok(value) => {
                if failed {
                    info!("{what}: there they are");
                }
                return Ok(value);
            }
            Err(error) if error.is_retriable() => {
                warn!("waiting for {what}: {error}");
                failed = true;
                sleep(PAUSE).await;
            }
            Err(error) => return Err(ConnectError::new(format!("cannot get {what}: {error}"))),
        }
    }
}
