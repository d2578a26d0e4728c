//! One connection to one broker: any number of requests under way, answers in the order of the requests, which is
//! how Kafka answers. A request that gets no answer in time ends the connection, because nothing behind it could be
//! trusted; whoever waits then gets an error that says so.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiVersionsRequest, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Outbound, SendGate, Versions, api_name};
use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::settings::ClientSettings;
use crate::transport::{BoxStream, SharedConnector, sasl};

/// The largest answer that is taken from a broker. Nothing that Kafka sends with sane settings comes near it;
/// it keeps a wrong port (an HTTP answer read as a length) from allocating gigabytes.
const MAX_RESPONSE: usize = 512 * 1024 * 1024;

type Reply = oneshot::Sender<Result<Bytes, WireError>>;

struct Waiting {
    correlation_id: i32,
    api: &'static str,
    header_version: i16,
    reply: Reply,
}

struct Shared {
    address: String,
    /// Why it ended.
    closed: OnceLock<String>,
    waiting: Mutex<VecDeque<Waiting>>,
}

impl Shared {
    fn waiting(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the connection for everyone who waits on it. The first reason wins.
    fn fail(&self, reason: &str) {
        let _ = self.closed.set(reason.to_owned());
        for waiting in self.waiting().drain(..) {
            drop(waiting.reply.send(Err(self.disconnected())));
        }
    }

    fn disconnected(&self) -> WireError {
        let reason = self.closed.get().map_or("it ended before the answer came", String::as_str);
        WireError::Disconnected { address: self.address.clone(), reason: reason.to_owned() }
    }
}

/// A connection to a broker, ready for use: versions are known and SASL is done. Dropping it closes it.
pub struct Connection {
    shared: Arc<Shared>,
    versions: Versions,
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
    /// Connects, agrees on versions and authenticates.
    pub async fn open(
        connector: &SharedConnector,
        settings: &ClientSettings,
        host: &str,
        port: u16,
    ) -> Result<Self, WireError> {
        let address = format!("{host}:{port}");
        let stream = connector.connect(host, port).await.map_err(|e| connect_error(address.clone(), &e))?;
        let mut connection = Self::start(stream, address, settings);
        connection.versions = connection.negotiate().await.map_err(late_refusal)?;
        if let Some(sasl) = &settings.security.sasl {
            sasl::authenticate(&connection, sasl).await?;
        }
        Ok(connection)
    }

    fn start(stream: BoxStream, address: String, settings: &ClientSettings) -> Self {
        let shared =
            Arc::new(Shared { address, closed: OnceLock::new(), waiting: Mutex::new(VecDeque::new()) });
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

    /// Asks with the highest ApiVersions version, and again with 0 where the broker is too old for it: such a
    /// broker answers in version 0 with UNSUPPORTED_VERSION.
    async fn negotiate(&self) -> Result<Versions, WireError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("replicator"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let mut version = 3;
        loop {
            let frame = self.encode(&request, version)?;
            let mut body = self.send::<ApiVersionsRequest>(version, frame).await?;
            let code = body.get(..2).and_then(|mut b| ErrorCode::try_from_code(b.get_i16()));
            if code == Some(ErrorCode::UnsupportedVersion) && version > 0 {
                version = 0;
                continue;
            }
            let answer = self.decode::<ApiVersionsRequest>(&mut body, version)?;
            return match ErrorCode::try_from_code(answer.error_code) {
                None => Ok(Versions::from_response(&answer)),
                Some(code) => Err(WireError::broker(format!("ApiVersions from {}", self.address()), code)),
            };
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
        self.shared.closed.get().is_some()
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

    /// Sends a body that is already encoded for `version`. The answer's body comes without its header. The request
    /// is on its way when this returns; the future only waits.
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
        Pending {
            answer,
            deadline: Box::pin(sleep_until(Instant::now() + self.request_timeout)),
            after: self.request_timeout,
            api: api_name(R::KEY),
            shared: self.shared.clone(),
        }
    }
}

/// An answer that is awaited. After `request.timeout.ms` it fails, and the connection with it.
pub struct Pending {
    answer: oneshot::Receiver<Result<Bytes, WireError>>,
    deadline: Pin<Box<Sleep>>,
    after: Duration,
    api: &'static str,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({})", self.api)
    }
}

impl Future for Pending {
    type Output = Result<Bytes, WireError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.answer).poll(cx) {
            Poll::Ready(Ok(result)) => return Poll::Ready(result),
            Poll::Ready(Err(_)) => {
                return Poll::Ready(Err(self.shared.disconnected()));
            }
            Poll::Pending => {}
        }
        if self.deadline.as_mut().poll(cx).is_ready() {
            let (api, after) = (self.api, self.after);
            self.shared.fail("a request got no answer in time");
            return Poll::Ready(Err(WireError::Timeout { address: self.shared.address.clone(), api, after }));
        }
        Poll::Pending
    }
}

fn connect_error(address: String, error: &io::Error) -> WireError {
    let reason = error.to_string();
    match error.kind() {
        // rustls reports what the peer's certificate lacks, or the peer's alert, as InvalidData.
        io::ErrorKind::InvalidData => {
            let see = tls_setting(&reason).map_or(String::new(), |setting| format!(" (see {setting})"));
            WireError::Authentication { address, reason: format!("TLS: {reason}{see}") }
        }
        // It may be stopping; or it does not understand TLS, for then it does the same.
        io::ErrorKind::UnexpectedEof => {
            let reason = "it was closed in the TLS handshake; does this port speak TLS (security.protocol)?";
            WireError::Connect { address, reason: reason.to_owned() }
        }
        _ => WireError::Connect { address, reason },
    }
}

/// In TLS 1.3 the broker judges this side's certificate when the handshake is over here already.
fn late_refusal(error: WireError) -> WireError {
    match error {
        WireError::Disconnected { address, reason } if reason.contains("received fatal alert") => {
            connect_error(address, &io::Error::new(io::ErrorKind::InvalidData, reason))
        }
        other => other,
    }
}

/// The settings to look at for what rustls says.
fn tls_setting(reason: &str) -> Option<&'static str> {
    let settings = [
        ("UnknownIssuer", "ssl.truststore.location, ssl.truststore.certificates"),
        ("BadSignature", "ssl.truststore.location: is it an older authority of the same name?"),
        ("not valid for name", "ssl.endpoint.identification.algorithm"),
        ("NotValidForName", "ssl.endpoint.identification.algorithm"),
        ("InvalidContentType", "security.protocol: does this port speak TLS?"),
        ("received fatal alert", "ssl.keystore.location, ssl.keystore.certificate.chain"),
    ];
    settings.into_iter().find(|(said, _)| reason.contains(said)).map(|(_, setting)| setting)
}

/// Fails the connection when a loop ends in whatever way, its runtime's end included.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.fail("the thread that served it ended");
    }
}

async fn write_loop(
    mut stream: WriteHalf<BoxStream>,
    mut requests: mpsc::UnboundedReceiver<(Outbound, Waiting)>,
    shared: Arc<Shared>,
) {
    let _ending = Ending(shared.clone());
    while let Some((mut frame, waiting)) = requests.recv().await {
        shared.waiting().push_back(waiting);
        if shared.closed.get().is_some() {
            shared.fail("it had ended before");
            return;
        }
        match send_frame(&mut stream, &mut frame).await {
            Ok(true) => {}
            // The broker forgets a request that it has only a part of.
            Ok(false) => return shared.fail("a request may not be sent to its end any more"),
            Err(error) => return shared.fail(&error.to_string()),
        }
    }
}

/// Sends a frame; false when its gate closed meanwhile.
async fn send_frame(stream: &mut WriteHalf<BoxStream>, frame: &mut Outbound) -> io::Result<bool> {
    let gate = frame.gate();
    while frame.has_remaining() {
        match while_open(gate.as_ref(), stream.write_buf(frame)).await.transpose()? {
            None => return Ok(false),
            Some(0) => return Err(io::Error::other("the broker closed it")),
            Some(_) => {}
        }
    }
    Ok(while_open(gate.as_ref(), stream.flush()).await.transpose()?.is_some())
}

/// Does `work` while `gate` is open, which is asked whenever it can go on: a process that was suspended finds room on its
/// connections when it wakes.
async fn while_open<F: Future>(gate: Option<&SendGate>, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let go_on = poll_fn(|cx| match gate.is_none_or(|is_open| is_open()) {
        true => work.as_mut().poll(cx).map(Some),
        false => Poll::Ready(None),
    });
    go_on.await
}

async fn read_loop(stream: ReadHalf<BoxStream>, shared: Arc<Shared>) {
    let _ending = Ending(shared.clone());
    let mut stream = BufReader::with_capacity(4 * 1024, stream);
    let reason = loop {
        match read_answer(&mut stream).await {
            Ok(frame) => {
                if let Err(reason) = deliver(&shared, frame) {
                    break reason;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                break "the broker closed it (a refusal of TLS or SASL looks like this too: security.protocol)"
                    .to_owned();
            }
            Err(error) => break error.to_string(),
        }
    };
    shared.fail(&reason);
}

async fn read_answer(stream: &mut BufReader<ReadHalf<BoxStream>>) -> io::Result<Bytes> {
    let length = stream.read_u32().await? as usize;
    // A TLS alert or handshake (0x15 or 0x16, then 0x03 for the version) reads as a length, too.
    let is_tls = matches!(length >> 16, 0x1503 | 0x1603);
    if is_tls || !(4..=MAX_RESPONSE).contains(&length) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "an answer of {length} bytes is not Kafka's; does this port speak TLS (security.protocol)?"
            ),
        ));
    }
    // Grown as bytes arrive beyond the first 8 MiB, so that a wrong length allocates no more than was sent.
    let mut frame = BytesMut::with_capacity(length.min(8 * 1024 * 1024));
    while frame.len() < length {
        let missing = length - frame.len();
        if stream.read_buf(&mut (&mut frame).limit(missing)).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(frame.freeze())
}

fn deliver(shared: &Shared, mut frame: Bytes) -> Result<(), String> {
    let Some(waiting) = shared.waiting().pop_front() else {
        return Err("an answer came that nothing was waiting for".to_owned());
    };
    let header = ResponseHeader::decode(&mut frame, waiting.header_version);
    match header {
        Ok(header) if header.correlation_id == waiting.correlation_id => {
            drop(waiting.reply.send(Ok(frame)));
            Ok(())
        }
        Ok(_) => Err(format!("the answer to {} has another request's correlation id", waiting.api)),
        Err(error) => Err(format!("the answer to {} has no readable header: {error}", waiting.api)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use kafka_protocol::messages::ProduceRequest;

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
