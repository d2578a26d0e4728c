//! Judges whether a copy can go on in the origin's log, which may have been shortened at its front, truncated at its end, or
//! begun anew since the position was made. Pure: the task gathers the evidence, asks [`judge`] and does as it says.

use std::fmt;

use kafka_wire::fetch::FetchProblem;
use uuid::Uuid;

use super::cures::at_origin;

/// Signs that the log at the origin may not be what the position was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Evidence {
    /// A fetch was outside of the log, which begins at `first` and ends before `end`.
    Range {
        /// First offset.
        first: i64,
        /// Offset that the next record will have.
        end: i64,
    },
    /// The topic is another one than was copied under its name.
    OtherTopic {
        /// Topic id of the one that was copied.
        was: Uuid,
        /// Topic id now.
        now: Uuid,
        /// First offset of the log now; `None`: not known, or reading of the old one had begun.
        first: Option<i64>,
    },
    /// Records that were read are not in the log any more: it was truncated and has grown again.
    Diverged {
        /// Position of the reader.
        position: i64,
        /// Largest leader epoch that both sides know.
        epoch: i32,
        /// Offset at which that epoch ends now.
        end: i64,
    },
}

/// Consequence for the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The log continues what was copied: read on at the position.
    Resume,
    /// The offsets `from` to `to`, both included, can never be copied; read on behind them.
    Gap {
        /// First offset that is gone.
        from: i64,
        /// Last offset that is gone.
        to: i64,
        /// Why.
        cause: GapCause,
    },
    /// The position means nothing in this log: nothing is copied until it is reset.
    Stop {
        /// For people.
        reason: String,
        /// First offset at which the log is another one than was read, where it is known: positions behind it keep
        /// meaning nothing.
        cut: Option<i64>,
    },
}

/// Causes of a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GapCause {
    /// Retention, or a deletion of records.
    Expired,
}

impl fmt::Display for GapCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => {
                "expired at the origin before they were copied (its retention or a record deletion)"
            }
        })
    }
}

/// Judges a copy whose next offset is `position`.
pub(super) fn judge(position: i64, evidence: &Evidence) -> Judgement {
    match *evidence {
        Evidence::Range { first, .. } if position < first => {
            Judgement::Gap { from: position, to: first - 1, cause: GapCause::Expired }
        }
        Evidence::Range { end, .. } if position > end => Judgement::Stop {
            reason: format!(
                "the position {position} is beyond the end of the origin's log ({end}): the topic was \
                 truncated or created again; nothing is copied until its stored offset is reset"
            ),
            cut: Some(end),
        },
        // A leader that was behind, or a reader that was: both see the same now.
        Evidence::Range { .. } => Judgement::Resume,
        // At its beginning, a copy of the new topic has lost nothing of it.
        Evidence::OtherTopic { first: Some(first), .. } if position <= first => Judgement::Resume,
        Evidence::OtherTopic { was, now, .. } => Judgement::Stop {
            reason: format!(
                "{}; nothing of the new topic is copied until the stored offset is reset",
                at_origin(&FetchProblem::Recreated { was, now })
            ),
            cut: None,
        },
        Evidence::Diverged { position, epoch, end } => Judgement::Stop {
            reason: format!(
                "{}; nothing is copied until its stored offset is reset",
                at_origin(&FetchProblem::Diverged { position, epoch, end_offset: end })
            ),
            cut: Some(end),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAS: Uuid = Uuid::from_u128(1);
    const NOW: Uuid = Uuid::from_u128(2);

    #[test]
    fn a_position_inside_the_log_goes_on_and_its_end_is_inside() {
        for position in [10, 15, 20] {
            assert_eq!(judge(position, &Evidence::Range { first: 10, end: 20 }), Judgement::Resume);
        }
        assert_eq!(judge(0, &Evidence::Range { first: 0, end: 0 }), Judgement::Resume);
    }

    #[test]
    fn offsets_before_the_log_are_a_gap_up_to_its_first() {
        let gap = Judgement::Gap { from: 7, to: 9, cause: GapCause::Expired };
        assert_eq!(judge(7, &Evidence::Range { first: 10, end: 20 }), gap);
        let all = Judgement::Gap { from: 0, to: 19, cause: GapCause::Expired };
        assert_eq!(judge(0, &Evidence::Range { first: 20, end: 20 }), all, "everything is gone");
        assert!(GapCause::Expired.to_string().starts_with("expired at the origin"));
    }

    #[test]
    fn a_position_beyond_the_end_stops_and_the_end_is_the_cut() {
        let Judgement::Stop { reason, cut } = judge(21, &Evidence::Range { first: 10, end: 20 }) else {
            panic!("it cannot go on")
        };
        assert_eq!(cut, Some(20));
        assert!(reason.contains("the position 21 is beyond the end of the origin's log (20)"), "{reason}");
    }

    #[test]
    fn another_topic_is_copied_from_its_beginning_only() {
        let topic = |first| Evidence::OtherTopic { was: WAS, now: NOW, first };
        assert_eq!(judge(0, &topic(Some(0))), Judgement::Resume);
        assert_eq!(judge(3, &topic(Some(5))), Judgement::Resume, "the range is judged by the first fetch");
        for evidence in [topic(Some(0)), topic(None)] {
            let Judgement::Stop { reason, cut } = judge(1, &evidence) else { panic!("{evidence:?}") };
            assert_eq!(cut, None, "a topic id says it for every position");
            assert!(reason.contains(&WAS.to_string()) && reason.contains(&NOW.to_string()), "{reason}");
            assert!(reason.ends_with("until the stored offset is reset"), "{reason}");
        }
        assert!(matches!(judge(0, &topic(None)), Judgement::Stop { .. }), "the old one was being read");
    }

    #[test]
    fn a_log_that_diverged_is_cut_where_its_epoch_ends() {
        let Judgement::Stop { reason, cut } = judge(9, &Evidence::Diverged { position: 9, epoch: 3, end: 5 })
        else {
            panic!("it cannot go on")
        };
        assert_eq!(cut, Some(5));
        assert!(reason.contains("epoch 3 ends at 5"), "{reason}");
    }
}
