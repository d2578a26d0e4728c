//! Reasons why a herder does not do what it is asked, each with the HTTP status that clients of Connect know it by.

/// Java name of the exception that becomes a 400, for errors that come from plugins or the worker.
pub const BAD_REQUEST_CLASS: &str = "org.apache.kafka.connect.runtime.rest.errors.BadRequestException";

/// Java name of the exception that becomes a 500 when nothing better is known.
const CONNECT_CLASS: &str = "org.apache.kafka.connect.errors.ConnectException";

/// An answer of a herder that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HerderError {
    /// 404: no such connector, task, plugin or logger.
    #[error("{0}")]
    NotFound(String),
    /// 409: a connector of this name is there.
    #[error("{0}")]
    AlreadyExists(String),
    /// 400: the request cannot be used.
    #[error("{0}")]
    BadRequest(String),
    /// 403: a wrong signature, or something that the worker's settings forbid.
    #[error("{0}")]
    Forbidden(String),
    /// 503: not yet, for example before there is a session key.
    #[error("{0}")]
    ServiceUnavailable(String),
    /// Only the leader does this: REST forwards, or answers 409. Without a URL no leader is known.
    #[error("{message}")]
    NotLeader {
        /// For people.
        message: String,
        /// Advertised URL of the leader.
        leader_url: Option<String>,
    },
    /// Only the worker that runs the connector or task does this: REST forwards, or answers 409.
    #[error("{message}")]
    NotAssigned {
        /// For people.
        message: String,
        /// Advertised URL of the owner; only the leader knows it.
        owner_url: Option<String>,
    },
    /// 409: a rebalance is pending or under way.
    #[error("{message}")]
    Conflict {
        /// For people.
        message: String,
    },
    /// 409: this worker has not caught up with the config topic.
    #[error("{0}")]
    Stale(String),
    /// 500: anything else.
    #[error("{message}")]
    Other {
        /// Java name of the exception's class.
        class: String,
        /// For people.
        message: String,
    },
}

impl HerderError {
    /// A 500 in the name of `ConnectException`.
    pub fn other(message: impl std::fmt::Display) -> Self {
        Self::Other { class: CONNECT_CLASS.to_owned(), message: message.to_string() }
    }

    /// 409 with a message.
    pub fn conflict(message: impl std::fmt::Display) -> Self {
        Self::Conflict { message: message.to_string() }
    }

    /// 404 of a connector, in Connect's words.
    pub fn unknown_connector(name: &str) -> Self {
        Self::NotFound(format!("Connector {name} not found"))
    }

    /// As above, for what changes a connector's target state.
    pub fn no_such_connector(name: &str) -> Self {
        Self::NotFound(format!("Unknown connector {name}"))
    }

    /// As above, for restarts.
    pub fn nothing_to_restart(name: &str) -> Self {
        Self::NotFound(format!("Unknown connector: {name}"))
    }

    /// HTTP status, for the last worker in a chain of forwarded requests.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::AlreadyExists(_)
            | Self::NotLeader { .. }
            | Self::NotAssigned { .. }
            | Self::Conflict { .. }
            | Self::Stale(_) => 409,
            Self::BadRequest(_) => 400,
            Self::Forbidden(_) => 403,
            Self::ServiceUnavailable(_) => 503,
            Self::Other { .. } => 500,
        }
    }
}
