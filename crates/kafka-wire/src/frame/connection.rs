//! One connection to one broker: any number of requests under way, answers in the order of the requests,
//! which is how Kafka answers. A request that gets no answer in time ends the connection, because nothing
//! behind it could be trusted; whoever waits then gets an error that says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::RequestHeader;
use kafka_protocol::protocol::{Encodable, HeaderVersion, Request, StrBytes};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::loops::{read_loop, write_loop};
use super::outbound::Outbound;
use super::versions::{Versions, api_name};
use super::waiting::{Pending, Shared, Waiting};
use crate::error::WireError;
use crate::settings::ClientSettings;
use crate::transport::BoxStream;

/// A connection to a broker, ready for use: versions are known and SASL is done. Dropping it closes it.
pub struct Connection {
    shared: Arc<Shared>,
    pub(super) versions: Versions,
    outbox: mpsc::UnboundedSender<(Outbound, Waiting)>,
    next_correlation: AtomicI32,
    client_id: StrBytes,
    request_timeout: Duration,
    reader: AbortHandle,
    writer: AbortHandle,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({})", self.shared.address)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reader.abort();
        self.writer.abort();
        self.shared.fail("closed by this client");
    }
}

impl Connection {
    pub(super) fn start(stream: BoxStream, address: String, settings: &ClientSettings) -> Self {
        let shared = Arc::new(Shared::new(address));
        let (outbox, requests) = mpsc::unbounded_channel();
        let (read, write) = tokio::io::split(stream);
        let reader = tokio::spawn(read_loop(read, shared.clone())).abort_handle();
        let writer = tokio::spawn(write_loop(write, requests, shared.clone())).abort_handle();
        Self {
            shared,
            versions: Versions::default(),
            outbox,
            next_correlation: AtomicI32::new(0),
            client_id: StrBytes::from_string(settings.client_id.clone()),
            request_timeout: settings.request_timeout,
            reader,
            writer,
        }
    }

    /// `host:port` of the broker.
    pub fn address(&self) -> &str {
        &self.shared.address
    }

    /// The versions the broker offers.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// True once the connection has ended; every further request fails at once.
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Sends a request in the best common version and waits for its answer.
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Response, WireError> {
        let version = self.versions.pick::<R>(self.address())?;
        let frame = self.encode(request, version)?;
        let mut body = self.send::<R>(version, frame).await?;
        self.decode::<R>(&mut body, version)
    }

    /// Encodes a request body.
    pub fn encode<R: Request>(&self, request: &R, version: i16) -> Result<Outbound, WireError> {
        let mut body = BytesMut::new();
        request.encode(&mut body, version).map_err(|e| WireError::Malformed {
            address: self.address().to_owned(),
            api: api_name(R::KEY),
            reason: format!("the request cannot be encoded in version {version}: {e}"),
        })?;
        Ok(Outbound::from(body.freeze()))
    }

    /// Decodes an answer's body.
    pub fn decode<R: Request>(&self, body: &mut Bytes, version: i16) -> Result<R::Response, WireError> {
        let flexible = R::Response::header_version(version) >= 1;
        super::bounded::decode(body, version, flexible).map_err(|reason| WireError::Malformed {
            address: self.address().to_owned(),
            api: api_name(R::KEY),
            reason,
        })
    }

    /// Sends a body that is already encoded for `version`. The answer's body comes without its header. The
    /// request is on its way when this returns; the future only waits.
    pub fn send<R: Request>(&self, version: i16, mut frame: Outbound) -> Pending {
        let correlation_id = self.next_correlation.fetch_add(1, Ordering::Relaxed);
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(correlation_id)
            .with_client_id(Some(self.client_id.clone()));
        let mut head = BytesMut::with_capacity(64);
        head.put_u32(0);
        let encoded = header.encode(&mut head, R::header_version(version));
        let length = (head.len() - 4 + frame.len()) as u32;
        head[..4].copy_from_slice(&length.to_be_bytes());
        frame.push_front(head.freeze());

        let (reply, answer) = oneshot::channel();
        let waiting = Waiting {
            correlation_id,
            api: api_name(R::KEY),
            header_version: <R::Response as HeaderVersion>::header_version(version),
            reply,
        };
        if encoded.is_err() {
            self.shared.fail("a request header could not be encoded");
        }
        if self.is_closed() {
            drop(waiting.reply.send(Err(self.shared.disconnected())));
        } else if let Err(mpsc::error::SendError((_, waiting))) = self.outbox.send((frame, waiting)) {
            drop(waiting.reply.send(Err(self.shared.disconnected())));
            self.shared.fail("it had ended before");
        }
        Pending::new(answer, self.request_timeout, api_name(R::KEY), self.shared.clone())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use kafka_protocol::messages::ProduceRequest;
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn the_rest_of_a_request_is_not_sent_once_its_gate_is_closed() {
        let (near, mut far) = tokio::io::duplex(64);
        let properties = [("bootstrap.servers".to_owned(), "b:1".to_owned())].into();
        let settings = ClientSettings::from_properties(&properties).unwrap();
        let connection = Connection::start(Box::new(near), "b:1".to_owned(), &settings);
        let open = Arc::new(AtomicBool::new(true));
        let gate = open.clone();
        let body = Outbound::from(Bytes::from(vec![7; 1000]))
            .with_gate(Some(Arc::new(move || gate.load(Ordering::Relaxed))));
        let pending = connection.send::<ProduceRequest>(9, body);
        let mut first = [0; 32];
        far.read_exact(&mut first).await.unwrap();
        open.store(false, Ordering::Relaxed);
        let mut sent = first.len();
        let error = tokio::select! {
            biased;
            error = pending => error.unwrap_err().to_string(),
            () = async { loop { sent += far.read(&mut [0; 32]).await.unwrap(); } } => unreachable!(),
        };
        assert!(error.contains("may not be sent to its end"), "{error}");
        assert!(sent < 200, "{sent} bytes of it were sent");
    }
}
