//! Errors of the Kafka client. Each carries the broker or address it is about; a message names what failed
//! and why. Whether trying again can help is [`WireError::is_retriable`].

use std::time::Duration;

use crate::error_code::{ErrorCode, code_name, is_unauthorized};

/// Error between this client and a cluster.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// No connection could be made.
    #[error("cannot connect to {address}: {reason}")]
    Connect {
        /// `host:port`.
        address: String,
        /// The system's or TLS's words.
        reason: String,
    },
    /// The broker, or the way to it, refuses who we are. Trying again will not help until something is
    /// changed.
    #[error("{address} refuses the connection: {reason}")]
    Authentication {
        /// `host:port`.
        address: String,
        /// The broker's or TLS's words, with the setting to look at.
        reason: String,
    },
    /// The connection ended while a request was under way; whether it took effect is unknown.
    #[error("connection to {address} was closed: {reason}")]
    Disconnected {
        /// `host:port`.
        address: String,
        /// Reason, in words.
        reason: String,
    },
    /// No answer within `request.timeout.ms`; whether the request took effect is unknown.
    #[error("{address} did not answer {api} within {after:?} (request.timeout.ms)")]
    Timeout {
        /// `host:port`.
        address: String,
        /// Name of the API.
        api: &'static str,
        /// The time-out.
        after: Duration,
    },
    /// The broker and this client have no version of an API in common.
    #[error("{address} offers {api} in versions {offered}, this client needs {needed}")]
    Unsupported {
        /// `host:port`.
        address: String,
        /// Name of the API.
        api: &'static str,
        /// Versions the broker has.
        offered: String,
        /// Versions this client has.
        needed: String,
    },
    /// Bytes that are not what the protocol says.
    #[error("{address} sent a malformed answer to {api}: {reason}")]
    Malformed {
        /// `host:port`.
        address: String,
        /// Name of the API.
        api: &'static str,
        /// Reason: the part that did not fit.
        reason: String,
    },
    /// The broker answered with an error code.
    #[error("{context}: {} ({}){}", code_name(code.code()), code.code(), detail.as_deref().map(|d| format!(": {d}")).unwrap_or_default())]
    Broker {
        /// The request, in words.
        context: String,
        /// Kafka's error code.
        code: ErrorCode,
        /// The broker's own message, where it sent one.
        detail: Option<String>,
    },
}

impl WireError {
    /// An error code from a broker's answer.
    pub fn broker(context: impl Into<String>, code: ErrorCode) -> Self {
        Self::Broker { context: context.into(), code, detail: None }
    }

    /// Names the right that is missing, if that is why the broker refused: `right` is what its authorizer
    /// asks for.
    #[must_use]
    pub fn needing(self, right: &str) -> Self {
        match self {
            Self::Broker { context, code, .. } if is_unauthorized(code) => {
                Self::Broker { context, code, detail: Some(format!("the principal needs {right} (ACL)")) }
            }
            other => other,
        }
    }

    /// The broker's error code, if that is what this is.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Broker { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// True when the same request may succeed later with nothing changed: lost connections, elections,
    /// time-outs.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Disconnected { .. } | Self::Timeout { .. } => true,
            Self::Authentication { .. } | Self::Unsupported { .. } | Self::Malformed { .. } => false,
            Self::Broker { .. } => self.code().is_some_and(|c| c.is_retriable()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brokers_answer_is_told_by_name_and_number() {
        assert_eq!(
            WireError::broker("produce to t-0", ErrorCode::InvalidRecord).to_string(),
            "produce to t-0: INVALID_RECORD (87)"
        );
    }

    #[test]
    fn a_missing_right_is_named() {
        let refused =
            WireError::broker("read t-0", ErrorCode::TopicAuthorizationFailed).needing("READ on the topic");
        assert_eq!(
            refused.to_string(),
            "read t-0: TOPIC_AUTHORIZATION_FAILED (29): the principal needs READ on the topic (ACL)"
        );
        let other =
            WireError::broker("read t-0", ErrorCode::NotLeaderOrFollower).needing("READ on the topic");
        assert_eq!(other.to_string(), "read t-0: NOT_LEADER_OR_FOLLOWER (6)");
    }

    #[test]
    fn passing_faults_are_retriable() {
        assert!(WireError::broker("", ErrorCode::NotLeaderOrFollower).is_retriable());
        assert!(!WireError::broker("", ErrorCode::MessageTooLarge).is_retriable());
    }
}
