//! TCP, and TLS above it where the settings ask for it.

use std::io;
use std::time::Duration;

use futures::future::BoxFuture;
use socket2::SockRef;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::tls::TlsClient;
use super::tls_error::TlsError;
use super::{BoxStream, Connector};
use crate::settings::ClientSettings;

/// Connects by TCP. Names are resolved anew at every attempt, and every address of a name is tried in turn.
#[derive(Debug)]
pub struct TcpConnector {
    connect_timeout: Duration,
    send_buffer: Option<usize>,
    receive_buffer: Option<usize>,
    tls: Option<TlsClient>,
}

impl TcpConnector {
    /// A connector for one cluster. Fails when its certificates or keys cannot be used.
    pub fn new(settings: &ClientSettings) -> Result<Self, TlsError> {
        Ok(Self {
            connect_timeout: settings.connect_timeout,
            send_buffer: settings.send_buffer,
            receive_buffer: settings.receive_buffer,
            tls: settings.security.tls.as_ref().map(TlsClient::new).transpose()?,
        })
    }

    async fn tcp(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in lookup_host((host, port)).await? {
            match timeout(self.connect_timeout, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => {
                    last = io::Error::new(
                        io::ErrorKind::TimedOut,
                        format!(
                            "no connection within {:?} (socket.connection.setup.timeout.ms)",
                            self.connect_timeout
                        ),
                    );
                }
            }
        }
        Err(last)
    }
}

impl Connector for TcpConnector {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let stream = self.tcp(host, port).await?;
            stream.set_nodelay(true)?;
            let socket = SockRef::from(&stream);
            if let Some(bytes) = self.send_buffer {
                socket.set_send_buffer_size(bytes)?;
            }
            if let Some(bytes) = self.receive_buffer {
                socket.set_recv_buffer_size(bytes)?;
            }
            match &self.tls {
                None => Ok(Box::new(stream) as BoxStream),
                Some(tls) => match timeout(self.connect_timeout, tls.handshake(host, stream)).await {
                    Ok(result) => result,
                    Err(_) => Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the TLS handshake did not end; does this port speak TLS (security.protocol)?",
                    )),
                },
            }
        })
    }
}
