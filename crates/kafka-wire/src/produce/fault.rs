//! What a produce error asks for, decided once for each error code (rules: what real brokers answer, see the
//! project's documentation of the copy path).

use crate::error::code_name;

/// What to do about a batch that was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A passing fault: send the same again, to whoever leads then.
    Retry(String),
    /// The broker lost track of this producer's sequences: send the same again as a new producer.
    NewProducer(String),
    /// The bytes did not arrive as they left the origin: fetch and send once more.
    FetchAgain(String),
    /// The batch cannot be stored there as it is.
    Refused {
        /// Too large, so that an unmerged one may still fit.
        too_large: bool,
        /// For people.
        reason: String,
    },
}

pub(super) fn classify(code: i16, detail: Option<&str>) -> Fault {
    let reason = match detail {
        Some(detail) if !detail.is_empty() => format!("{} ({detail})", code_name(code)),
        _ => code_name(code),
    };
    match code {
        2 => Fault::FetchAgain(reason),
        45 | 47 | 59 | 90 => Fault::NewProducer(reason),
        3 | 5 | 6 | 7 | 8 | 9 | 13 | 14 | 15 | 16 | 19 | 20 | 29 | 31 | 41 | 56 | 74 | 75 | 89 | 100 => {
            Fault::Retry(with_cure(reason, code))
        }
        10 | 18 => Fault::Refused { too_large: true, reason: with_cure(reason, code) },
        _ => Fault::Refused { too_large: false, reason: with_cure(reason, code) },
    }
}

fn with_cure(reason: String, code: i16) -> String {
    match cure(code) {
        Some(cure) => format!("{reason}; {cure}"),
        None => reason,
    }
}

/// What to change so that a destination takes a batch that it refused with `code`.
pub fn cure(code: i16) -> Option<&'static str> {
    Some(match code {
        10 => "raise max.message.bytes of the destination topic to the origin's",
        18 => "raise segment.bytes of the destination topic",
        32 => {
            "widen message.timestamp.before.max.ms and message.timestamp.after.max.ms of the destination topic, \
             or check message.timestamp.type"
        }
        87 => {
            "the destination topic's settings forbid a record in it: a record without a key needs \
             cleanup.policy without compact"
        }
        29 => "the principal needs WRITE on the destination topic (ACL)",
        31 => "the principal needs IDEMPOTENT_WRITE on the destination cluster (ACL)",
        17 => "the destination does not take this topic name; see topic.rename.format",
        76 => "the destination broker is too old for this compression type",
        -1 => "the destination broker failed on it; its log says why",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_answer() {
        assert!(matches!(classify(6, None), Fault::Retry(_)));
        assert!(matches!(classify(20, None), Fault::Retry(_)));
        assert!(matches!(classify(2, None), Fault::FetchAgain(_)));
        assert!(matches!(classify(45, None), Fault::NewProducer(_)));
        assert!(matches!(classify(10, None), Fault::Refused { too_large: true, .. }));
        for code in [87, 32, -1] {
            assert!(matches!(classify(code, None), Fault::Refused { too_large: false, .. }), "{code}");
        }
    }

    #[test]
    fn a_refusal_names_the_setting() {
        assert_eq!(
            classify(29, None),
            Fault::Retry(
                "TOPIC_AUTHORIZATION_FAILED; the principal needs WRITE on the destination topic (ACL)"
                    .to_owned()
            )
        );
        let Fault::Refused { reason, .. } = classify(10, Some("too big")) else { panic!("10 is a refusal") };
        assert!(reason.starts_with("MESSAGE_TOO_LARGE (too big); raise max.message.bytes"), "{reason}");
    }
}
