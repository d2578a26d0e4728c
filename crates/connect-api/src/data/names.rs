//! Names of the logical types, by which schemas are known to have one.

/// Name of Decimal: bytes of the unscaled number; parameter `scale`.
pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
/// Name of Date: days since the epoch in 32 bits.
pub const DATE: &str = "org.apache.kafka.connect.data.Date";
/// Name of Time: milliseconds of the day in 32 bits.
pub const TIME: &str = "org.apache.kafka.connect.data.Time";
/// Name of Timestamp: milliseconds since the epoch in 64 bits.
pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";
