//! Words of the copy about what Kafka answers: which side it was, and which setting to change. kafka-wire knows neither;
//! the task and the producer's settings come here for both.

use kafka_wire::fetch::FetchProblem;
use kafka_wire::produce::Advice;
use kafka_wire::{ErrorCode, code_name};

/// The producer's words at the destination.
pub(crate) fn advice() -> Advice {
    Advice { cure, rewound: "reading again from the origin" }
}

/// The change by which the destination takes a batch that it refused with `code`.
fn cure(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::MessageTooLarge => "raise max.message.bytes of the destination topic to the origin's",
        ErrorCode::RecordListTooLarge => "raise segment.bytes of the destination topic",
        ErrorCode::InvalidTimestamp => {
            "widen message.timestamp.before.max.ms and message.timestamp.after.max.ms of the destination topic, \
             or check message.timestamp.type"
        }
        ErrorCode::InvalidRecord => {
            "the destination topic's settings forbid a record in it: a record without a key needs \
             cleanup.policy without compact"
        }
        ErrorCode::TopicAuthorizationFailed => "the principal needs WRITE on the destination topic (ACL)",
        ErrorCode::ClusterAuthorizationFailed => {
            "the principal needs IDEMPOTENT_WRITE on the destination cluster (ACL)"
        }
        ErrorCode::InvalidTopicException => {
            "the destination does not take this topic name; see topic.rename.format"
        }
        ErrorCode::UnsupportedCompressionType => {
            "the destination broker is too old for this compression type"
        }
        ErrorCode::UnknownServerError => "the destination broker failed on it; its log says why",
        _ => return None,
    })
}

/// A problem of reading, told of the origin: for the log, the task's trace and the partition's state.
pub(super) fn at_origin(problem: &FetchProblem) -> String {
    match problem {
        FetchProblem::OutOfRange(offset) => format!("offset {offset} is outside the origin's log"),
        FetchProblem::Diverged { position, epoch, end_offset } => format!(
            "the origin's log was truncated below offset {position}: epoch {epoch} ends at {end_offset}"
        ),
        FetchProblem::Missing => "the topic does not exist at the origin now".to_owned(),
        FetchProblem::Unreachable(reason) => format!("the origin does not answer: {reason}"),
        FetchProblem::Unreadable(error) => format!("the origin sent records that cannot be read: {error}"),
        FetchProblem::Other { code } => format!("the origin answers {}", code_name(code.code())),
        FetchProblem::Recreated { .. } | FetchProblem::NotAuthorized => problem.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_that_a_setting_cures_names_it() {
        let named = |number| ErrorCode::try_from_code(number).and_then(cure).unwrap_or_default();
        for (number, part) in [
            (10, "raise max.message.bytes of the destination topic"),
            (18, "segment.bytes"),
            (32, "message.timestamp.after.max.ms"),
            (87, "cleanup.policy without compact"),
            (29, "the principal needs WRITE on the destination topic (ACL)"),
            (31, "IDEMPOTENT_WRITE on the destination cluster"),
            (17, "topic.rename.format"),
            (76, "compression type"),
            (-1, "its log says why"),
        ] {
            assert!(named(number).contains(part), "{number}: {}", named(number));
        }
        assert_eq!(named(6), "");
    }

    #[test]
    fn a_problem_of_reading_names_the_origin() {
        assert_eq!(at_origin(&FetchProblem::Missing), "the topic does not exist at the origin now");
        assert_eq!(at_origin(&FetchProblem::OutOfRange(5)), "offset 5 is outside the origin's log");
        let failed = FetchProblem::Other { code: ErrorCode::UnknownServerError };
        assert_eq!(at_origin(&failed), "the origin answers UNKNOWN_SERVER_ERROR");
        let refused = FetchProblem::NotAuthorized;
        assert_eq!(at_origin(&refused), "no right to read the topic (TOPIC_AUTHORIZATION_FAILED)");
    }
}
