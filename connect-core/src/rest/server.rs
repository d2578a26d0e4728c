//! Serving a router on ports, with limits that keep slow and greedy clients from holding on to the worker.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::ServiceExt;
use tracing::{debug, error, info, warn};

use super::listeners::{self, RestError};
use super::tls;
use crate::api::ConfigMap;
use crate::config::rest::{AdminListeners, Listener, RestSettings, Scheme};

/// Time that open connections get at a stop.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// Time for a TLS handshake, and for the whole head of a request; also how long an idle connection is kept.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// Longest head of a request, up to twice of which may be read at once; Jetty takes 8 KiB, authorization headers in use are
/// sometimes longer.
const MAX_HEAD: usize = 64 * 1024;

/// Most connections at a time on one listener. Others wait in the system's queue.
const MAX_CONNECTIONS: usize = 1000;

/// Pause after the system would not accept a connection, for want of files for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Marks requests that came over TLS.
#[derive(Clone, Copy)]
pub(super) struct OverTls;

/// Sender of a request.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// A REST server on its listeners.
pub struct RestServer {
    listeners: Vec<(TcpListener, Option<TlsAcceptor>)>,
    addresses: Vec<SocketAddr>,
}

impl std::fmt::Debug for RestServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RestServer({:?})", self.addresses)
    }
}

impl RestServer {
    /// Takes the ports: `(host, port)` pairs as in `listeners`, an empty host meaning every interface. Fails with an
    /// error that names the setting when one is taken.
    pub async fn bind(listeners: &[(String, u16)]) -> Result<Self, RestError> {
        let plain =
            |(host, port): &(String, u16)| Listener { scheme: Scheme::Http, host: host.clone(), port: *port };
        Self::open(&listeners.iter().map(plain).collect::<Vec<_>>(), None).await
    }

    /// Takes the ports of `listeners`.
    pub async fn public(settings: &RestSettings) -> Result<Self, RestError> {
        Self::open(&settings.listeners, tls_of(&settings.listeners, &settings.ssl)?).await
    }

    /// Takes the ports of `admin.listeners`, if those are others.
    pub async fn admin(settings: &RestSettings) -> Result<Option<Self>, RestError> {
        let AdminListeners::Own(listeners) = &settings.admin else { return Ok(None) };
        let tls = tls_of(listeners, &settings.admin_ssl)?;
        Self::open(listeners, tls).await.map(Some)
    }

    /// Takes the ports. `tls`: how those with `https` speak it; without it they are refused.
    pub async fn open(listeners: &[Listener], tls: Option<Arc<ServerConfig>>) -> Result<Self, RestError> {
        let mut server = Self { listeners: Vec::new(), addresses: Vec::new() };
        for listener in listeners {
            let acceptor = match (listener.scheme, &tls) {
                (Scheme::Http, _) => None,
                (Scheme::Https, Some(tls)) => Some(TlsAcceptor::from(tls.clone())),
                (Scheme::Https, None) => return Err(RestError::no_certificate(listener)),
            };
            let bound = listeners::bind(&listener.host, listener.port).await?;
            let address = bound.local_addr();
            server.addresses.push(address.map_err(|e| RestError::new(&listener.host, listener.port, e))?);
            server.listeners.push((bound, acceptor));
        }
        Ok(server)
    }

    /// The addresses in use, with the ports that the system chose where 0 was asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves on the current runtime until [`RunningRest::stop`].
    pub fn serve(self, router: Router) -> RunningRest {
        let (stop, stopped) = watch::channel(false);
        let mut servers = Vec::new();
        for ((listener, tls), address) in self.listeners.into_iter().zip(self.addresses) {
            info!("REST listens on {}://{address}", if tls.is_some() { "https" } else { "http" });
            servers.push(tokio::spawn(accept(listener, tls, router.clone(), stopped.clone())));
        }
        RunningRest { stop, servers }
    }
}

/// Server side of the listeners with `https`; `None` when there are none.
fn tls_of(listeners: &[Listener], ssl: &ConfigMap) -> Result<Option<Arc<ServerConfig>>, RestError> {
    let secure = listeners.iter().any(|listener| listener.scheme == Scheme::Https);
    secure.then(|| tls::server_config(ssl)).transpose()
}

/// Takes connections until the stop, then waits for those that are open.
async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let room = connections.len() < MAX_CONNECTIONS;
        let accepted = tokio::select! {
            () = stop_asked(&mut stopped) => break,
            accepted = listener.accept(), if room => accepted,
            _ = connections.join_next(), if !room => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (tls, router, stopped) = (tls.clone(), router.clone(), stopped.clone());
                connections.spawn(async move { connection(stream, peer, tls, router, stopped).await });
            }
            Err(reason) => {
                warn!("REST cannot accept a connection: {reason}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn stop_asked(stopped: &mut watch::Receiver<bool>) {
    // An error means that the switch is gone, which counts as a stop.
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stopped: watch::Receiver<bool>,
) {
    // Answers are small and whole: waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return serve_one(stream, peer, false, router, stopped).await };
    match timeout(HEAD_LIMIT, tls.accept(stream)).await {
        Ok(Ok(stream)) => serve_one(stream, peer, true, router, stopped).await,
        Ok(Err(reason)) => debug!("REST: TLS with {peer} failed: {reason}"),
        Err(_) => debug!("REST: {peer} did not finish the TLS handshake"),
    }
}

async fn serve_one(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    secure: bool,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        if secure {
            request.extensions_mut().insert(OverTls);
        }
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stop_asked(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(reason) = outcome {
        debug!("REST: the connection with {peer} ended: {reason}");
    }
}

/// A REST server at work.
#[derive(Debug)]
pub struct RunningRest {
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
}

impl RunningRest {
    /// Answers what has been asked and closes; within about a second.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for mut server in self.servers {
            match timeout(STOP_LIMIT, &mut server).await {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => error!("REST ended badly: {reason}"),
                Err(_) => server.abort(),
            }
        }
    }
}
