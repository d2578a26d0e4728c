//! Says now and then, and not each time, what keeps failing. The one pause between two mentions of a trouble
//! stands here; clusters, producers, fetchers, groups and the workers above them ask it.

use std::time::Duration;

use tokio::time::Instant;

/// Pause between two mentions of a trouble that goes on.
const PAUSE: Duration = Duration::from_secs(10);

/// Time at which a trouble was last mentioned in the log.
#[derive(Debug, Default)]
pub struct Reminder(Option<Instant>);

impl Reminder {
    /// One whose trouble is first mentioned when it has lasted as long as a pause.
    pub fn when_it_lasts() -> Self {
        Self(Some(Instant::now()))
    }

    /// True when it is time to mention it; the caller then does.
    pub fn is_due(&mut self) -> bool {
        let due = self.0.is_none_or(|at| at.elapsed() >= PAUSE);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }

    /// True while a trouble goes on that was mentioned.
    pub fn is_mentioned(&self) -> bool {
        self.0.is_some()
    }

    /// The trouble is over; the next is mentioned at once. True when there was one.
    pub fn is_over(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_trouble_is_mentioned_at_once_and_then_now_and_then() {
        let mut reminder = Reminder::default();
        assert!(!reminder.is_over());
        assert!(reminder.is_due() && !reminder.is_due());
        tokio::time::advance(PAUSE).await;
        assert!(reminder.is_due() && !reminder.is_due());
        assert!(reminder.is_over() && reminder.is_due());
    }
}
