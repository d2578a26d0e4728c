//! Sends a request on to another worker of the group: one connection for one request, which is rare enough.

use std::sync::Arc;

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tracing::debug;

use super::error::ApiError;

/// HMAC of the body, in Base64.
pub const SIGNATURE_HEADER: &str = "X-Connect-Authorization";
/// Name of its algorithm.
pub const SIGNATURE_ALGORITHM_HEADER: &str = "X-Connect-Request-Signature-Algorithm";

/// Longest answer of another worker.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Any byte stream.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request for another worker.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) authorization: Option<HeaderValue>,
    /// Signature and its algorithm: only of requests that begin here, never of those that are handed on.
    pub(super) signature: Option<(HeaderValue, HeaderValue)>,
    pub(super) body: Bytes,
}

/// Another worker's answer, handed on as it is.
pub(super) struct Forwarded {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl IntoResponse for Forwarded {
    fn into_response(self) -> Response {
        if self.body.is_empty() {
            return self.status.into_response();
        }
        (self.status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}

/// The client side of a worker's REST server.
#[derive(Clone, Default)]
pub(super) struct Forwarder {
    tls: Option<Arc<ClientConfig>>,
}

impl Forwarder {
    /// `tls`: how `https` URLs are reached; without it they are not.
    pub(super) fn new(tls: Option<Arc<ClientConfig>>) -> Self {
        Self { tls }
    }

    /// The answer of the other worker, whatever its status. What goes wrong on the way is a 500, as in Connect.
    pub(super) async fn send(&self, request: Request) -> Result<Forwarded, ApiError> {
        debug!("forwarding {} {}", request.method, request.url);
        let url = request.url.clone();
        let answer = self.exchange(request).await;
        answer.map_err(|error| {
            debug!("forwarding to {url} failed: {error}");
            ApiError::internal(format!("IO Error trying to forward REST request: {error}"))
        })
    }

    async fn exchange(&self, request: Request) -> Result<Forwarded, BoxError> {
        let url: Uri = request.url.parse()?;
        let stream = TokioIo::new(self.connect(&url).await?);
        let (mut sender, connection) = http1::handshake(stream).await?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(outgoing(&url, request)?).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await?.to_bytes();
        connection.abort();
        Ok(Forwarded { status, body })
    }

    async fn connect(&self, url: &Uri) -> Result<Box<dyn Stream>, BoxError> {
        let host = url.host().ok_or("the other worker's URL names no host")?;
        let bare = host.trim_matches(['[', ']']);
        let secure = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((bare, port)).await?;
        if !secure {
            return Ok(Box::new(stream));
        }
        let tls =
            self.tls.clone().ok_or("the other worker speaks https, but this one has no ssl.* settings")?;
        let name = ServerName::try_from(bare.to_owned())?;
        Ok(Box::new(TlsConnector::from(tls).connect(name, stream).await?))
    }
}

fn outgoing(url: &Uri, request: Request) -> Result<hyper::Request<Full<Bytes>>, BoxError> {
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let authority = url.authority().ok_or("the other worker's URL names no host")?;
    let mut built = hyper::Request::builder()
        .method(request.method)
        .uri(path)
        .header(header::HOST, authority.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "kafka-connect");
    if let Some(authorization) = request.authorization {
        built = built.header(header::AUTHORIZATION, authorization);
    }
    if let Some((signature, algorithm)) = request.signature {
        built = built.header(SIGNATURE_HEADER, signature).header(SIGNATURE_ALGORITHM_HEADER, algorithm);
    }
    Ok(built.body(Full::new(request.body))?)
}
