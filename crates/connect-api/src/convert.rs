//! Converters: between Connect's data and bytes in Kafka.

use bytes::Bytes;

use crate::data::{Headers, Schema, SchemaAndValue, Value};
use crate::error::ConnectError;

/// Translates keys or values. Made for one connector by its registry entry, from settings that were already checked.
#[allow(clippy::wrong_self_convention, reason = "these are Connect's names")]
pub trait Converter: Send + Sync {
    /// Bytes for Kafka; `None` is Kafka's null.
    fn from_connect_data(
        &self,
        topic: &str,
        headers: &Headers,
        schema: Option<&Schema>,
        value: &Value,
    ) -> Result<Option<Bytes>, ConnectError>;

    /// Data from Kafka's bytes; `None` is Kafka's null.
    fn to_connect_data(
        &self,
        topic: &str,
        headers: &Headers,
        bytes: Option<&[u8]>,
    ) -> Result<SchemaAndValue, ConnectError>;
}

/// Translates the values of headers.
#[allow(clippy::wrong_self_convention, reason = "these are Connect's names")]
pub trait HeaderConverter: Send + Sync {
    /// Bytes for Kafka; `None` is Kafka's null.
    fn from_connect_header(
        &self,
        topic: &str,
        key: &str,
        value: &SchemaAndValue,
    ) -> Result<Option<Bytes>, ConnectError>;

    /// Data from Kafka's bytes.
    fn to_connect_header(
        &self,
        topic: &str,
        key: &str,
        bytes: Option<&[u8]>,
    ) -> Result<SchemaAndValue, ConnectError>;
}
