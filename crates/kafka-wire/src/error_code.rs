//! Kafka's error codes: the one table of their numbers, names and whether the same request may succeed later.
//! No other file of this workspace spells a code as a number. The table itself is kafka-protocol's; a number
//! that it does not know survives as [`ErrorCode::Unknown`].

/// An error code of Kafka's protocol. `ErrorCode::try_from_code` reads the number of an answer (`None`: no
/// error), `code` gives it back, `is_retriable` is Kafka's own word on trying again.
pub use kafka_protocol::error::ResponseError as ErrorCode;

/// Kafka's name for an error code, as its documentation spells it: `MESSAGE_TOO_LARGE`.
pub fn code_name(code: i16) -> String {
    match ErrorCode::try_from_code(code) {
        None => "NONE".to_owned(),
        Some(ErrorCode::Unknown(code)) => format!("error {code}"),
        Some(known) => screaming_snake(&format!("{known:?}")),
    }
}

/// True for the answers of an authorizer: topic, group, cluster, transactional id.
pub(crate) fn is_unauthorized(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::TopicAuthorizationFailed
            | ErrorCode::GroupAuthorizationFailed
            | ErrorCode::ClusterAuthorizationFailed
            | ErrorCode::TransactionalIdAuthorizationFailed
    )
}

fn screaming_snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    for (i, c) in name.chars().enumerate() {
        if i > 0 && c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_kafkas_names() {
        assert_eq!(code_name(10), "MESSAGE_TOO_LARGE");
        assert_eq!(code_name(6), "NOT_LEADER_OR_FOLLOWER");
        assert_eq!(code_name(0), "NONE");
        assert_eq!(code_name(1234), "error 1234");
    }

    #[test]
    fn a_number_that_the_table_does_not_know_survives() {
        assert_eq!(ErrorCode::try_from_code(1234).map(|code| code.code()), Some(1234));
    }
}
