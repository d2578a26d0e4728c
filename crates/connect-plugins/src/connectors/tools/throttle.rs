//! So many records each second. The test sources wait for it before each record.

use std::time::Duration;

use tokio::time::Instant;

/// Spreads records evenly over time. Cancel-safe: a wait that was dropped goes on with the next.
#[derive(Debug)]
pub(in crate::connectors) struct Throttle {
    /// Negative: no limit; 0: nothing at all.
    per_second: i64,
    begin: Instant,
}

impl Throttle {
    pub(in crate::connectors) fn new(per_second: i64) -> Self {
        Self { per_second, begin: Instant::now() }
    }

    /// Waits until one more may follow the `sent` ones.
    pub(in crate::connectors) async fn wait(&self, sent: u64) {
        match self.per_second {
            0 => std::future::pending().await,
            1.. => {
                let due = Duration::from_secs_f64(sent as f64 / self.per_second as f64);
                tokio::time::sleep_until(self.begin + due).await;
            }
            // Others on this thread get their turn.
            _ => tokio::task::yield_now().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn records_are_spread_over_time() {
        let throttle = Throttle::new(4);
        for sent in 0..9 {
            throttle.wait(sent).await;
        }
        assert_eq!(throttle.begin.elapsed(), Duration::from_secs(2));
        Throttle::new(-1).wait(1 << 40).await;
        let never = tokio::time::timeout(Duration::from_secs(9), Throttle::new(0).wait(0)).await;
        assert!(never.is_err());
    }
}
