//! Reasons why a key or trust store cannot be read.

/// Reason why a store cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StoreError {
    /// It needs a password, and none is set.
    NoPassword,
    /// The password of the store is not the one that is set.
    WrongPassword,
    /// The key under this alias has another password than the store, and none is set.
    NoKeyPassword(String),
    /// The key under this alias does not have the password that is set.
    WrongKeyPassword(String),
    /// Anything else.
    Unreadable(String),
}
