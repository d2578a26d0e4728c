//! Client of a running appliance. One request, one connection; every call is bounded in time.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper::{Request, Response, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::metrics::ReplicatorMetrics;

/// Time for one request, connection included.
const LIMIT: Duration = Duration::from_secs(30);
/// Longest answer, bytes: 10 000 partitions take some 5 MB.
const LONGEST: usize = 256 * 1024 * 1024;

/// Reason why an answer is not there. Every message names the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The URL cannot be used.
    #[error("{url}: {reason}")]
    Url {
        /// As given.
        url: String,
        /// The fault, with the form that is expected.
        reason: &'static str,
    },
    /// Nobody answers there, or not in time.
    #[error(
        "{url} cannot be reached: {reason}; is the replicator running, and is this its listener (listeners)?"
    )]
    Unreachable {
        /// The whole URL.
        url: String,
        /// The system's words.
        reason: String,
    },
    /// The server refuses.
    #[error("{url} answers {status}: {message}")]
    Refused {
        /// The whole URL.
        url: String,
        /// HTTP status.
        status: u16,
        /// The server's message.
        message: String,
    },
    /// The answer is none of this resource.
    #[error("{url} does not answer as a replicator does: {reason}")]
    Unreadable {
        /// The whole URL.
        url: String,
        /// First thing that is wrong with it.
        reason: String,
    },
}

/// A client of one worker's REST interface.
#[derive(Debug, Clone)]
pub struct Client {
    authority: String,
}

impl Client {
    /// A client of `http://host:port`. Connects with the first request.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub fn new(url: &str) -> Result<Self, ClientError> {
        let bad = |reason| ClientError::Url { url: url.to_owned(), reason };
        let uri: Uri = url
            .trim_end_matches('/')
            .parse()
            .map_err(|_| bad("this is no URL; expected http://host:port"))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad("only http:// can be used; expected http://host:port"));
        }
        let authority = uri.authority().ok_or_else(|| bad("there is no host; expected http://host:port"))?;
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self { authority: format!("{}:{port}", authority.host()) })
    }

    /// `GET /ReplicatorMetrics`: the partitions that this worker copies.
    ///
    /// # Errors
    /// The worker cannot be reached, refuses, or is no replicator.
    pub async fn replicator_metrics(&self) -> Result<ReplicatorMetrics, ClientError> {
        self.get("/ReplicatorMetrics").await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = format!("http://{}{path}", self.authority);
        let unreachable = |reason: String| ClientError::Unreachable { url: url.clone(), reason };
        let whole = async {
            let answer = self.send(path).await.map_err(unreachable)?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LONGEST).collect().await;
            Ok((status, body.map_err(|reason| unreachable(reason.to_string()))?.to_bytes()))
        };
        let (status, body) = bounded(whole)
            .await
            .unwrap_or_else(|| Err(unreachable(format!("no answer within {} s", LIMIT.as_secs()))))?;
        if status != StatusCode::OK {
            return Err(ClientError::Refused { url, status: status.as_u16(), message: message(&body) });
        }
        serde_json::from_slice(&body)
            .map_err(|reason| ClientError::Unreadable { url, reason: reason.to_string() })
    }

    async fn send(&self, path: &str) -> Result<Response<Incoming>, String> {
        let stream = TcpStream::connect(&self.authority).await.map_err(|reason| reason.to_string())?;
        let (mut sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|reason| reason.to_string())?;
        // It ends with the answer's last byte, or with the sender; its error is the answer's, too.
        tokio::spawn(connection);
        let request = Request::get(path)
            .header(header::HOST, &self.authority)
            .header(header::ACCEPT, "application/json")
            .body(Empty::<Bytes>::new())
            .map_err(|reason| reason.to_string())?;
        sender.send_request(request).await.map_err(|reason| reason.to_string())
    }
}

async fn bounded<T>(work: impl Future<Output = T>) -> Option<T> {
    timeout(LIMIT, work).await.ok()
}

/// The message of Connect's error answers, or the answer itself.
fn message(body: &[u8]) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let told = parsed.as_ref().and_then(|error| error.get("message")?.as_str());
    told.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that gives one answer and the client of it.
    async fn server(status: &'static str, body: &'static str) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /ReplicatorMetrics HTTP/1.1\r\n"));
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        Client::new(&format!("http://127.0.0.1:{port}/")).unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_read() {
        let client = server("200 OK", r#"{"connectors":[{"name":"c","tasks":[]}]}"#).await;
        assert_eq!(client.replicator_metrics().await.unwrap().connectors[0].name, "c");
    }

    #[tokio::test]
    async fn errors_name_the_url_and_the_servers_message() {
        let refused = server("401 Unauthorized", r#"{"error_code":401,"message":"who are you"}"#).await;
        let told = refused.replicator_metrics().await.unwrap_err().to_string();
        assert!(told.ends_with("/ReplicatorMetrics answers 401: who are you"), "{told}");
        let other = server("200 OK", "<html>").await.replicator_metrics().await.unwrap_err().to_string();
        assert!(other.contains("does not answer as a replicator does"), "{other}");
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let nobody = Client::new(&format!("http://127.0.0.1:{port}")).unwrap();
        let told = nobody.replicator_metrics().await.unwrap_err().to_string();
        assert!(
            told.starts_with(&format!("http://127.0.0.1:{port}/ReplicatorMetrics cannot be reached")),
            "{told}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let told = client.replicator_metrics().await.unwrap_err().to_string();
        assert!(told.contains("no answer within 30 s"), "{told}");
    }

    #[test]
    fn a_url_that_cannot_be_used_says_what_is_expected() {
        for url in ["localhost:8083", "https://x:1", "http://", "ftp://x"] {
            assert!(Client::new(url).unwrap_err().to_string().contains("expected http://host:port"), "{url}");
        }
    }
}
