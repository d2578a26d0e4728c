//! Says now and then, and not each time, what keeps failing.

use std::time::Duration;

use tokio::time::Instant;

/// How often a trouble that goes on is mentioned in the log.
const PAUSE: Duration = Duration::from_secs(10);

/// When a trouble was last mentioned.
#[derive(Debug, Default)]
pub(crate) struct Reminder(Option<Instant>);

impl Reminder {
    /// True when it is time to mention it.
    pub(crate) fn is_due(&mut self) -> bool {
        let due = self.0.is_none_or(|at| at.elapsed() >= PAUSE);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }

    /// The trouble is over; the next is mentioned at once. True when there was one.
    pub(crate) fn is_over(&mut self) -> bool {
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
