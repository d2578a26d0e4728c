//! Requests and responses on one connection: the four length bytes, headers, correlation and API versions.
//! Message structs and their encoding come from `kafka-protocol`; what carries record batches is framed by
//! hand (see [`crate::produce`]) so that payloads are never copied.

mod bounded;
mod connection;
mod loops;
mod open;
mod outbound;
mod versions;
mod waiting;

pub use bounded::decode;
pub use connection::Connection;
pub use outbound::{Outbound, SendGate};
pub use versions::{Versions, api_name};
pub use waiting::Pending;
