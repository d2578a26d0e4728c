//! Headers of a record: an ordered list in which a key may appear more than once.

use super::SchemaAndValue;

/// One header.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Key; never null, as in Kafka.
    pub key: String,
    /// Value with its schema.
    pub value: SchemaAndValue,
}

/// All headers of a record, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Headers(pub Vec<Header>);

impl Headers {
    /// Adds one at the end.
    pub fn add(&mut self, key: impl Into<String>, value: SchemaAndValue) {
        self.0.push(Header { key: key.into(), value });
    }

    /// The last one with this key.
    pub fn last(&self, key: &str) -> Option<&Header> {
        self.0.iter().rev().find(|header| header.key == key)
    }

    /// Removes every one with this key.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|header| header.key != key);
    }

    /// In order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }
}
