//! The error of every plugin. It keeps what Connect shows: the Java name of its class, its message and its cause.

use std::borrow::Cow;
use std::fmt;

/// Class names that Connect shows in traces and in the headers of dead letters.
pub mod class {
    /// The general failure of a connector or task.
    pub const CONNECT: &str = "org.apache.kafka.connect.errors.ConnectException";
    /// Data that cannot be converted or does not fit its schema.
    pub const DATA: &str = "org.apache.kafka.connect.errors.DataException";
    /// A failure that may pass when the same is tried again.
    pub const RETRIABLE: &str = "org.apache.kafka.connect.errors.RetriableException";
    /// A setting that cannot be used.
    pub const CONFIG: &str = "org.apache.kafka.common.config.ConfigException";
    /// Error once the error tolerance was exceeded.
    pub const SERIALIZATION: &str = "org.apache.kafka.common.errors.SerializationException";
}

/// Error of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectError {
    class: Cow<'static, str>,
    message: String,
    retriable: bool,
    cause: Option<Box<ConnectError>>,
}

impl ConnectError {
    /// A `ConnectException` from anything printable: fails the connector or task.
    pub fn new(message: impl fmt::Display) -> Self {
        Self::of(class::CONNECT, message)
    }

    /// An error that shows as an exception of the given Java class.
    pub fn of(class: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        Self { class: class.into(), message: message.to_string(), retriable: false, cause: None }
    }

    /// A `RetriableException`: the worker tries the same again.
    pub fn retriable(message: impl fmt::Display) -> Self {
        Self { retriable: true, ..Self::of(class::RETRIABLE, message) }
    }

    /// A `DataException`: this record cannot be handled, others may.
    pub fn data(message: impl fmt::Display) -> Self {
        Self::of(class::DATA, message)
    }

    /// A `ConfigException`: a setting cannot be used.
    pub fn config(message: impl fmt::Display) -> Self {
        Self::of(class::CONFIG, message)
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn caused_by(mut self, cause: ConnectError) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// The Java name of its class.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// Its own message, without the causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// True when the same may succeed later.
    pub fn is_retriable(&self) -> bool {
        self.retriable
    }

    /// Its cause.
    pub fn cause(&self) -> Option<&ConnectError> {
        self.cause.as_deref()
    }

    /// The text of a FAILED status: class, message and causes, as Java prints them, without stack frames.
    pub fn trace(&self) -> String {
        let mut text = self.line();
        let mut next = self.cause();
        while let Some(cause) = next {
            text.push_str("\nCaused by: ");
            text.push_str(&cause.line());
            next = cause.cause();
        }
        text.push('\n');
        text
    }

    fn line(&self) -> String {
        format!("{}: {}", self.class, self.message)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut next = self.cause();
        while let Some(cause) = next {
            write!(f, ": {}", cause.message)?;
            next = cause.cause();
        }
        Ok(())
    }
}

impl std::error::Error for ConnectError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_has_the_causes_as_java_prints_them() {
        let error = ConnectError::new("Tolerance exceeded in error handler")
            .caused_by(ConnectError::data("bad byte"));
        assert_eq!(
            error.trace(),
            "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
             Caused by: org.apache.kafka.connect.errors.DataException: bad byte\n"
        );
        assert_eq!(error.to_string(), "Tolerance exceeded in error handler: bad byte");
        assert!(!error.is_retriable() && ConnectError::retriable("later").is_retriable());
    }
}
