//! Single message transforms and the predicates that choose where they apply.

use crate::error::ConnectError;
use crate::record::Record;

/// Changes one record.
pub trait Transformation: Send + Sync {
    /// The changed record; `None` drops it.
    fn apply(&self, record: Record) -> Result<Option<Record>, ConnectError>;
}

/// Answers a question about a record.
pub trait Predicate: Send + Sync {
    /// The answer.
    fn test(&self, record: &Record) -> Result<bool, ConnectError>;
}
