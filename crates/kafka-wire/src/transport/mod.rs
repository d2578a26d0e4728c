//! Byte streams to brokers. A [`Connector`] makes them; TCP, with TLS and SASL on top where configured, is
//! the one for real clusters, and a simulated network can be another.

use std::io;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

pub mod sasl;
mod scram;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;
mod tls_error;
mod verifier;
mod version_one;

pub use tcp::TcpConnector;
pub use tls::certified;
pub use tls_error::TlsError;
pub(crate) use verifier::validity;
pub use verifier::{client_verifier, server_verifier};

/// A connected byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A boxed [`Stream`].
pub type BoxStream = Box<dyn Stream>;

/// Makes byte streams to `host:port`, with encryption already done. Authentication by SASL comes after, in
/// [`sasl::authenticate`], because it speaks Kafka's protocol.
pub trait Connector: Send + Sync {
    /// Connects. The error is the system's, or says that TLS refused.
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxStream>>;
}

/// A shared connector.
pub type SharedConnector = Arc<dyn Connector>;
