//! The error of every other file here.

use std::fmt;

/// Reason why an expression or a replacement cannot be used, in Java's words where it has some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexError(pub(super) String);

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RegexError {}
