//! Decides once for each error code what becomes of a batch that was not stored (rules: what real brokers
//! answer, see the project's documentation of the copy path). The producer asks; the code stays with the
//! answer, up to the caller.

use std::fmt;

use crate::error::WireError;
use crate::error_code::{ErrorCode, code_name};

/// Advice of the caller, who knows what the cluster and its topics are to it. It appears in reasons and in
/// the log.
#[derive(Debug, Clone, Copy)]
pub struct Advice {
    /// Names the setting to change so that the cluster takes what it answers with this code.
    pub cure: fn(ErrorCode) -> Option<&'static str>,
    /// Tells what the caller does when it is told to enqueue batches again.
    pub rewound: &'static str,
}

impl Default for Advice {
    fn default() -> Self {
        Self { cure: |_| None, rewound: "its batches are to be enqueued again" }
    }
}

/// Reason why batches of a partition are not stored, now or for good. The event that carries it names the
/// partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Kafka's error code; `None` where no broker has answered about the batch: a lost connection, no leader.
    pub code: Option<ErrorCode>,
    /// Kafka's name for the code with the broker's own words, or what else stands in the way.
    pub message: String,
    /// The caller's own advice on this code.
    pub cure: Option<&'static str>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.cure {
            Some(cure) => write!(f, "; {cure}"),
            None => Ok(()),
        }
    }
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self { code: None, message, cure: None }
    }
}

impl From<&WireError> for Refusal {
    fn from(error: &WireError) -> Self {
        Self { code: error.code(), message: error.to_string(), cure: None }
    }
}

/// Treatment of a batch that was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A passing fault: send the same again, to whoever leads then.
    Retry(Refusal),
    /// The broker lost track of this producer's sequences: send the same again as a new producer.
    NewProducer(Refusal),
    /// The bytes did not arrive as they were enqueued: enqueue and send once more.
    FetchAgain(Refusal),
    /// The batch cannot be stored there as it is.
    Refused {
        /// Too large, so that an unmerged one may still fit.
        too_large: bool,
        /// The broker's answer.
        reason: Refusal,
    },
}

pub(super) fn classify(code: ErrorCode, detail: Option<&str>, advice: Advice) -> Fault {
    use ErrorCode as E;
    let name = code_name(code.code());
    let message = match detail {
        Some(detail) if !detail.is_empty() => format!("{name} ({detail})"),
        _ => name,
    };
    let reason = Refusal { code: Some(code), message, cure: (advice.cure)(code) };
    match code {
        E::CorruptMessage => Fault::FetchAgain(reason),
        E::OutOfOrderSequenceNumber | E::InvalidProducerEpoch | E::UnknownProducerId | E::ProducerFenced => {
            Fault::NewProducer(reason)
        }
        E::UnknownTopicOrPartition
        | E::LeaderNotAvailable
        | E::NotLeaderOrFollower
        | E::RequestTimedOut
        | E::BrokerNotAvailable
        | E::ReplicaNotAvailable
        | E::NetworkException
        | E::CoordinatorLoadInProgress
        | E::CoordinatorNotAvailable
        | E::NotCoordinator
        | E::NotEnoughReplicas
        | E::NotEnoughReplicasAfterAppend
        | E::TopicAuthorizationFailed
        | E::ClusterAuthorizationFailed
        | E::NotController
        | E::KafkaStorageError
        | E::FencedLeaderEpoch
        | E::UnknownLeaderEpoch
        | E::ThrottlingQuotaExceeded
        | E::UnknownTopicId => Fault::Retry(reason),
        E::MessageTooLarge | E::RecordListTooLarge => Fault::Refused { too_large: true, reason },
        _ => Fault::Refused { too_large: false, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: i16) -> Fault {
        classify(ErrorCode::try_from_code(code).expect("an error"), None, Advice::default())
    }

    #[test]
    fn each_code_has_its_answer() {
        assert!(matches!(answer(6), Fault::Retry(_)));
        assert!(matches!(answer(20), Fault::Retry(_)));
        assert!(matches!(answer(2), Fault::FetchAgain(_)));
        assert!(matches!(answer(45), Fault::NewProducer(_)));
        assert!(matches!(answer(10), Fault::Refused { too_large: true, .. }));
        for code in [87, 32, -1] {
            assert!(matches!(answer(code), Fault::Refused { too_large: false, .. }), "{code}");
        }
    }

    #[test]
    fn every_number_keeps_its_answer() {
        let retried = [3, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 29, 31, 41, 56, 74, 75, 89, 100];
        for code in (-1..150).filter(|code| *code != 0) {
            let answer = answer(code);
            assert_eq!(matches!(answer, Fault::Retry(_)), retried.contains(&code), "{code}");
            assert_eq!(matches!(answer, Fault::NewProducer(_)), [45, 47, 59, 90].contains(&code), "{code}");
            let large = matches!(answer, Fault::Refused { too_large: true, .. });
            assert_eq!(large, [10, 18].contains(&code), "{code}");
        }
    }

    #[test]
    fn a_refusal_keeps_its_code_and_tells_the_callers_cure() {
        let advice = Advice { cure: |code| Some(code).map(|_| "raise it"), ..Advice::default() };
        let Fault::Refused { reason, .. } = classify(ErrorCode::MessageTooLarge, Some("too big"), advice)
        else {
            panic!("10 is a refusal")
        };
        assert_eq!(reason.code, Some(ErrorCode::MessageTooLarge));
        assert_eq!(reason.to_string(), "MESSAGE_TOO_LARGE (too big); raise it");
    }
}
