#![allow(clippy::unwrap_used)]
//! REST answers over a real port, byte for byte.

mod api;
mod stub;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::herder::{Executor, Herder, HerderSettings};
use crate::plugins::Plugins;
use crate::storage::{KeyedRecord, MemoryLog, Stores};

/// A server on a free port, its herder holding what the topics of a Java worker might hold.
struct Server {
    address: SocketAddr,
    herder: Herder,
    running: RunningRest,
}

fn log(records: &[(&'static str, &'static str)]) -> Box<MemoryLog> {
    let log = MemoryLog::default();
    let record = |(key, value): &(&'static str, &'static str)| KeyedRecord {
        key: Bytes::from_static(key.as_bytes()),
        value: Some(Bytes::from_static(value.as_bytes())),
    };
    log.push(records.iter().map(record).collect());
    Box::new(log)
}

impl Server {
    async fn start(extension: Router) -> Self {
        let configs = log(&[
            ("connector-r/1", r#"{"properties":{"name":"r/1","connector.class":"X","gone":null}}"#),
            ("connector-s", r#"{"properties":{"name":"s"}}"#),
            ("task-s-0", r#"{"properties":{"a":"b"}}"#),
            ("commit-s", r#"{"tasks":1}"#),
        ]);
        let statuses = log(&[
            ("status-connector-s", r#"{"state":"RUNNING","trace":null,"worker_id":"w:1","generation":1}"#),
            (
                "status-task-s-0",
                r#"{"state":"FAILED","trace":"why","worker_id":"w:1","generation":1,"version":"4.3"}"#,
            ),
        ]);
        let stores = Stores::on_logs(configs, log(&[]), statuses).await.unwrap();
        let settings = HerderSettings {
            worker_id: "w:1".to_owned(),
            shutdown_timeout: Duration::from_secs(1),
            executor: Executor::Threads,
        };
        let runner =
            Arc::new(|_| panic!("no task is started here") as futures::future::LocalBoxFuture<'_, _>);
        let herder = Herder::new(settings, Plugins::default(), stores, runner);
        let info = ServerInfo {
            version: "1.2".to_owned(),
            commit: "abc".to_owned(),
            kafka_cluster_id: "id".to_owned(),
        };
        let rest = RestServer::bind(&[("127.0.0.1".to_owned(), 0)]).await.unwrap();
        let address = rest.addresses()[0];
        let running = rest.serve(router(info, herder.view(), extension));
        Self { address, herder, running }
    }

    async fn request(&self, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let typed = head.to_lowercase().contains("content-type: application/json");
        // Connect does not name the type of what it says about paths and methods.
        assert!(typed || body.contains("\"message\":\"HTTP 40"), "{head}");
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.request("GET", path).await
    }
}

fn ok(body: &str) -> (u16, String) {
    (200, body.to_owned())
}

fn error(code: u16, message: &str) -> (u16, String) {
    (code, format!(r#"{{"error_code":{code},"message":"{message}"}}"#))
}

const STATUS: &str = concat!(
    r#"{"name":"s","connector":{"state":"RUNNING","worker_id":"w:1"},"#,
    r#""tasks":[{"id":0,"state":"FAILED","worker_id":"w:1","trace":"why","version":"4.3"}],"type":"unknown"}"#
);
const INFO: &str =
    r#"{"name":"s","config":{"name":"s"},"tasks":[{"connector":"s","task":0}],"type":"unknown"}"#;

#[tokio::test]
async fn answers_have_connects_shapes() {
    let server = Server::start(Router::new()).await;
    assert_eq!(server.get("/").await, ok(r#"{"version":"1.2","commit":"abc","kafka_cluster_id":"id"}"#));
    assert_eq!(server.get("/connectors").await, ok(r#"["r/1","s"]"#));
    assert_eq!(server.get("/connectors/").await, ok(r#"["r/1","s"]"#));
    assert_eq!(server.get("/connectors/s").await, ok(INFO));
    assert_eq!(server.get("/connectors/s/status").await, ok(STATUS));
    assert_eq!(server.get("/connectors/s/config").await, ok(r#"{"name":"s"}"#));
    let tasks = r#"[{"id":{"connector":"s","task":0},"config":{"a":"b"}}]"#;
    assert_eq!(server.get("/connectors/s/tasks").await, ok(tasks));
    let task = r#"{"id":0,"state":"FAILED","worker_id":"w:1","trace":"why","version":"4.3"}"#;
    assert_eq!(server.get("/connectors/s/tasks/0/status").await, ok(task));
    let escaped = r#"{"connector.class":"X","gone":null,"name":"r/1"}"#;
    assert_eq!(server.get("/connectors/r%2F1/config").await, ok(escaped));
    server.running.stop().await;
}

#[tokio::test]
async fn lists_expand() {
    let server = Server::start(Router::new()).await;
    let both = format!(r#"{{"s":{{"status":{STATUS},"info":{INFO}}}}}"#);
    // The other connector has no status, which counts as having vanished.
    assert_eq!(server.get("/connectors?expand=status&expand=info").await, ok(&both));
    let (code, body) = server.get("/connectors?expand=info").await;
    let body: BTreeMap<String, serde_json::Value> = serde_json::from_str(&body).unwrap();
    assert_eq!((code, body.len()), (200, 2));
    assert_eq!(server.get("/connectors?expand=nonsense").await, ok(r#"{"r/1":{},"s":{}}"#));
    server.running.stop().await;
}

#[tokio::test]
async fn errors_have_connects_shape() {
    let server = Server::start(Router::new()).await;
    for path in ["/connectors/x", "/connectors/x/config", "/connectors/x/tasks"] {
        assert_eq!(server.get(path).await, error(404, "Connector x not found"), "{path}");
    }
    assert_eq!(server.get("/connectors/x/status").await, error(404, "No status found for connector x"));
    let task = server.get("/connectors/s/tasks/7/status").await;
    assert_eq!(task, error(404, "No status found for task s-7"));
    for path in ["/nowhere", "/connectors/s/nowhere", "/connectors/s/tasks/one/status"] {
        assert_eq!(server.get(path).await, error(404, "HTTP 404 Not Found"), "{path}");
    }
    let refused = error(405, "HTTP 405 Method Not Allowed");
    assert_eq!(server.request("DELETE", "/").await, refused);
    assert_eq!(server.request("PUT", "/connectors/s/status").await, refused);
    server.running.stop().await;
}

#[tokio::test]
async fn health_follows_the_start() {
    let mut server = Server::start(Router::new()).await;
    assert_eq!(
        server.get("/health").await,
        (503, r#"{"status":"starting","message":"Worker is still starting up."}"#.to_owned())
    );
    server.herder.start(BTreeMap::new()).await.unwrap();
    let healthy = "Worker has completed startup and is ready to handle requests.";
    let body = format!(r#"{{"status":"healthy","message":"{healthy}"}}"#);
    assert_eq!(server.get("/health").await, ok(&body));
    server.running.stop().await;
}

#[tokio::test]
async fn the_product_adds_routes() {
    let extension = Router::new().route("/replication", get(|| async { axum::Json("ours") }));
    let server = Server::start(extension).await;
    assert_eq!(server.get("/replication").await, ok(r#""ours""#));
    assert_eq!(server.get("/else").await.0, 404);
    server.running.stop().await;
    assert!(TcpStream::connect(server.address).await.is_err(), "a stopped server has let go of its port");
}
