//! The whole interface over a herder that only takes notes: routes, bodies, statuses, headers, forwarding, limits.

use std::time::Duration;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use tower::ServiceExt;

use super::super::*;
use super::stub::Stub;
use crate::answers::HerderError;
use crate::config::rest::{AdminListeners, HeaderAction, HeaderRule};

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn api(stub: &Arc<Stub>, settings: RestSettings, options: RestOptions) -> RestApi {
    RestApi::new(stub.clone(), settings, options).unwrap()
}

fn plain(stub: &Arc<Stub>) -> Router {
    api(stub, RestSettings::default(), RestOptions::default()).public_router()
}

async fn send(router: &Router, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let (method, path) = request.split_once(' ').unwrap();
    let mut built = Request::builder().method(method).uri(path).header("host", "h:1");
    for (name, value) in headers {
        built = built.header(*name, *value);
    }
    let response = router.clone().oneshot(built.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[tokio::test]
async fn every_endpoint_asks_the_herder() {
    let stub = Arc::new(Stub::default());
    let router = plain(&stub);
    for (request, body, status, asked) in [
        ("GET /", "", 200, "id"),
        ("GET /health", "", 200, "health"),
        ("GET /connectors", "", 200, "connectors"),
        ("GET /connectors/a%2Fb%20%C3%A4", "", 200, "info a/b ä"),
        ("DELETE /connectors/c/", "", 204, "delete c"),
        ("GET /connectors/c/config", "", 200, "config c"),
        ("PUT /connectors/c/config", r#"{"a":1}"#, 201, r#"put c {"a":"1","name":"c"} None true"#),
        ("PATCH /connectors/c/config", r#"{"a":null}"#, 200, r#"patch c {"a":null}"#),
        ("GET /connectors/c/tasks", "", 200, "tasks c"),
        ("GET /connectors/c/tasks-config", "", 200, "tasks c"),
        ("GET /connectors/c/status", "", 200, "status c"),
        ("GET /connectors/c;a=b/tasks/3;x/status", "", 200, "status c-3"),
        ("POST /connectors/c/tasks/3/restart", "", 204, "restart c-3"),
        ("POST /connectors/c/restart?includeTasks=yes", "", 204, "restart c"),
        ("POST /connectors/c/restart?includeTasks=TRUE", "", 202, "restart c false true"),
        ("POST /connectors/c/restart?onlyFailed=true", "", 202, "restart c true false"),
        ("PUT /connectors/c/pause", "", 202, "pause c"),
        ("PUT /connectors/c/resume", "", 202, "resume c"),
        ("PUT /connectors/c/stop", "", 204, "stop c"),
        ("PUT /connectors/c/fence", "", 204, "fence c false"),
        ("POST /connectors/c/tasks", r#"[{"a":"b"}]"#, 204, r#"put tasks c [{"a": "b"}] None"#),
        ("GET /connectors/c/topics", "", 200, "topics c"),
        ("PUT /connectors/c/topics/reset", "", 202, "reset topics c"),
        ("GET /connectors/c/offsets", "", 200, "offsets c"),
        ("DELETE /connectors/c/offsets", "", 200, "reset c"),
        ("GET /connector-plugins/P/config", "", 200, "plugin P"),
        ("PUT /connector-plugins/P/config/validate", r#"{"x":"y"}"#, 200, r#"validate {"x":"y"}"#),
        ("PUT /admin/loggers/a.b?scope=cluster", r#"{"level":"debug"}"#, 204, "level a.b debug"),
    ] {
        let answer = send(&router, request, JSON, body).await;
        assert_eq!(
            (answer.status, stub.taken()),
            (status, vec![asked.to_owned()]),
            "{request}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn bodies_are_connects() {
    let stub = Arc::new(Stub::default());
    let router = plain(&stub);
    let create = r#"{"name":" n\u0001","config":{"a":true},"initial_state":"stopped"}"#;
    let answer = send(&router, "POST /connectors", JSON, create).await;
    assert_eq!((answer.status, answer.header("location")), (201, "http://h:1/connectors/n"));
    assert_eq!(stub.taken(), [r#"put n {"a":"true","name":"n"} Some(Stopped) false"#]);
    let offsets = r#"{"offsets":[{"partition":{"a":1},"offset":null}]}"#;
    let answer = send(&router, "PATCH /connectors/c/offsets", JSON, offsets).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"message":"altered"}"#));
    assert_eq!(stub.taken(), [format!("alter c {offsets}")]);
    for (request, body, status, says) in [
        (
            "POST /connectors",
            r#"{"name":"a","config":{"name":"b"}}"#,
            400,
            "(b) doesn't match connector name in the URL (a)",
        ),
        ("POST /connectors", "{", 500, "not valid JSON"),
        ("PUT /connectors/c/config", "", 500, "no body"),
        ("PATCH /connectors/c/offsets", "{}", 400, "Partitions / offsets need to be provided"),
        (
            "PUT /connector-plugins/P/config/validate",
            r#"{"connector.class":"Q"}"#,
            400,
            "Included connector type Q does not",
        ),
        ("PUT /admin/loggers/a", "{}", 400, "Desired 'level'"),
        ("PUT /admin/loggers/a", r#"{"level":"loud"}"#, 404, "invalid log level 'loud'."),
        ("GET /admin/loggers/a", "", 404, "Logger a not found."),
        ("GET /connectors/c/tasks/x/status", "", 404, "HTTP 404 Not Found"),
        ("GET /connectors/c/tasks/99999999999/status", "", 404, "HTTP 404 Not Found"),
        ("GET /connectors/c/tasks/-1/status", "", 404, "No status found for task c--1"),
        ("POST /connectors/c/tasks", "[1]", 500, "java.util.Map"),
        ("GET /metrics", "", 404, "HTTP 404 Not Found"),
    ] {
        let answer = send(&router, request, JSON, body).await;
        assert_eq!(answer.status, status, "{request} {body}: {}", answer.body);
        assert!(answer.body.contains(says), "{request} {body}: {}", answer.body);
        let code = serde_json::from_str::<Value>(&answer.body).unwrap()["error_code"].clone();
        assert_eq!(code, status, "{request}");
    }
    assert_eq!(stub.taken(), Vec::<String>::new());
}

#[tokio::test]
async fn media_types_and_options_are_answered() {
    let router = plain(&Arc::default());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(send(&router, "POST /connectors", &form, "a=b").await.status, 415);
    assert_eq!(send(&router, "POST /connectors", &[], "{}").await.status, 415);
    assert_eq!(send(&router, "GET /connectors", &[("accept", "text/html")], "").await.status, 406);
    let browser = [("accept", "text/html,*/*;q=0.8")];
    assert_eq!(send(&router, "GET /connectors", &browser, "").await.status, 200);
    let options = send(&router, "OPTIONS /connectors/c/config", &[], "").await;
    assert_eq!((options.status, options.header("allow")), (200, "HEAD,GET,OPTIONS,PUT,PATCH"));
    assert_eq!(options.body, "");
    let head = send(&router, "HEAD /connectors", &[], "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(send(&router, "OPTIONS /nowhere", &[], "").await.status, 404);
    for path in ["/connectors/%zz", "/connectors/a%00b", "/connectors/%2"] {
        assert_eq!(send(&router, &format!("GET {path}"), &[], "").await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn signatures_reach_the_herder() {
    let stub = Arc::new(Stub::default());
    let router = plain(&stub);
    let signed = |signature, algorithm| {
        [
            ("content-type", "application/json"),
            (SIGNATURE_HEADER, signature),
            (SIGNATURE_ALGORITHM_HEADER, algorithm),
        ]
    };
    let answer = send(&router, "POST /connectors/c/tasks", &signed("AQI=", "HmacSHA256"), "[ ]").await;
    assert_eq!(answer.status, 204);
    assert_eq!(stub.taken(), [r#"put tasks c [] Some(("HmacSHA256", [1, 2], 3))"#]);
    let unknown = send(&router, "PUT /connectors/c/fence", &signed("AQI=", "foo"), "").await;
    assert_eq!(unknown.body, r#"{"error_code":400,"message":"Algorithm foo not available"}"#);
    assert_eq!(send(&router, "PUT /connectors/c/fence", &signed("%", "HmacSHA1"), "").await.status, 400);
}

#[tokio::test]
async fn errors_have_their_statuses() {
    let stub = Arc::new(Stub::default());
    let router = plain(&stub);
    for (error, status, says) in [
        (HerderError::unknown_connector("c"), 404, "Connector c not found"),
        (HerderError::AlreadyExists("Connector c already exists".to_owned()), 409, "already exists"),
        (HerderError::Forbidden("no".to_owned()), 403, "no"),
        (HerderError::ServiceUnavailable("wait".to_owned()), 503, "wait"),
        (HerderError::Stale("x".to_owned()), 409, "due to stale configuration"),
        (HerderError::conflict("rebalancing"), 409, "rebalancing"),
        (HerderError::other("broken"), 500, "broken"),
        (HerderError::NotLeader { message: "m".to_owned(), leader_url: None }, 409, "no known leader URL"),
        (HerderError::NotAssigned { message: "m".to_owned(), owner_url: None }, 409, "no known leader URL"),
    ] {
        *stub.refusal.lock().unwrap() = Some(error);
        let answer = send(&router, "DELETE /connectors/c", &[], "").await;
        assert_eq!(answer.status, status);
        assert!(answer.body.contains(says), "{}", answer.body);
    }
    let leader_url = Some("http://127.0.0.1:1/".to_owned());
    *stub.refusal.lock().unwrap() = Some(HerderError::NotLeader { message: "m".to_owned(), leader_url });
    let last = send(&router, "DELETE /connectors/c?forward=false", &[], "").await;
    assert_eq!((last.status, last.body.contains("conflicting operation")), (409, true));
    let gone = send(&router, "DELETE /connectors/c", &[], "").await;
    assert_eq!((gone.status, gone.body.contains("IO Error trying to forward REST request")), (500, true));
}

#[tokio::test]
async fn a_request_is_forwarded_as_it_is() {
    let leader = Arc::new(Stub::default());
    let server = RestServer::bind(&[("127.0.0.1".to_owned(), 0)]).await.unwrap();
    let leader_url = Some(format!("http://{}/", server.addresses()[0]));
    let running = server.serve(plain(&leader));
    let follower = Arc::new(Stub::default());
    *follower.refusal.lock().unwrap() = Some(HerderError::NotLeader { message: "m".to_owned(), leader_url });
    let router = plain(&follower);
    let create = r#"{"name":"a/b","config":{"x":"y"}}"#;
    let created = send(&router, "POST /connectors", JSON, create).await;
    assert_eq!((created.status, created.header("location")), (201, "http://h:1/connectors/a/b"));
    assert_eq!(leader.taken(), [r#"put a/b {"x":"y","name":"a/b"} None false"#]);
    let restart = "POST /connectors/a%2Fb/restart?includeTasks=true&onlyFailed=true";
    assert_eq!(send(&router, restart, &[], "").await.status, 202);
    assert_eq!(leader.taken(), ["restart a/b true true"]);
    *leader.refusal.lock().unwrap() = Some(HerderError::unknown_connector("a"));
    let missing = send(&router, "PUT /connectors/a/stop", &[], "").await;
    assert_eq!(missing.body, r#"{"error_code":404,"message":"Connector a not found"}"#);
    // The second hop asks the owner; from there nothing goes on.
    let owner_url = Some("http://127.0.0.1:1/".to_owned());
    *leader.refusal.lock().unwrap() = Some(HerderError::NotAssigned { message: "m".to_owned(), owner_url });
    let hops = send(&router, "PUT /connectors/a/stop?forward=true", &[], "").await;
    assert_eq!((hops.status, hops.body.contains("conflicting operation")), (409, true), "{}", hops.body);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_herder_that_is_stuck_is_not_waited_for() {
    let stub = Arc::new(Stub { stuck: true, ..Stub::default() });
    let router = plain(&stub);
    let late = "Request timed out. The worker is currently thinking, which began at 1970-01-01T00:00:00Z.";
    let answer = send(&router, "PUT /connectors/c/stop", &[], "").await;
    assert_eq!((answer.status, answer.body.contains(late)), (500, true), "{}", answer.body);
    let health = send(&router, "GET /health", &[], "").await;
    assert_eq!((health.status, health.body.contains("unhealthy")), (500, true));
    assert!(health.body.contains("other requests. The worker is currently thinking"), "{}", health.body);
}

#[tokio::test(start_paused = true)]
async fn a_read_waits_for_a_rebalance() {
    let stub = Arc::new(Stub::default());
    *stub.refusal.lock().unwrap() = Some(HerderError::conflict("rebalance"));
    let router = plain(&stub);
    assert_eq!(send(&router, "GET /connectors/c", &[], "").await.status, 409);
    assert!(stub.taken().len() > 10);
    let over = stub.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        *over.refusal.lock().unwrap() = None;
    });
    assert_eq!(send(&router, "GET /connectors/c", &[], "").await.status, 200);
}

#[tokio::test]
async fn pages_of_other_origins_get_what_was_allowed() {
    let settings = RestSettings {
        allow_origin: vec!["http://x".to_owned()],
        allow_methods: "GET,PUT".to_owned(),
        response_headers: vec![
            HeaderRule { action: HeaderAction::Set, name: "X-A".to_owned(), value: "b c".to_owned() },
            HeaderRule { action: HeaderAction::SetDate, name: "D".to_owned(), value: "1000".to_owned() },
        ],
        ..RestSettings::default()
    };
    let router = api(&Arc::default(), settings, RestOptions::default()).public_router();
    let allowed = send(&router, "GET /connectors", &[("origin", "http://x")], "").await;
    assert_eq!(allowed.header("access-control-allow-origin"), "http://x");
    assert_eq!((allowed.header("vary"), allowed.header("x-a")), ("Origin", "b c"));
    assert!(allowed.header("d").ends_with("GMT"));
    let other = send(&router, "GET /connectors", &[("origin", "http://y")], "").await;
    assert_eq!((other.status, other.header("access-control-allow-origin")), (200, ""));
    let ask = |method| [("origin", "http://x"), ("access-control-request-method", method)];
    let preflight = send(&router, "OPTIONS /connectors/c/config", &ask("PUT"), "").await;
    assert_eq!(preflight.header("access-control-max-age"), "1800");
    assert_eq!(preflight.header("access-control-allow-methods"), "GET,PUT");
    let refused = send(&router, "OPTIONS /connectors/c/config", &ask("DELETE"), "").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (200, ""));
}

#[tokio::test]
async fn what_is_switched_off_is_not_there() {
    let options = RestOptions { topic_tracking_reset: false, ..RestOptions::default() };
    let settings = RestSettings { admin: AdminListeners::Off, ..RestSettings::default() };
    let both = api(&Arc::default(), settings, options);
    let router = both.public_router();
    assert_eq!(send(&router, "GET /admin/loggers", &[], "").await.status, 404);
    let reset = send(&router, "PUT /connectors/c/topics/reset", &[], "").await;
    assert_eq!(reset.body, r#"{"error_code":403,"message":"Topic tracking reset is disabled."}"#);
    assert_eq!(send(&both.admin_router(), "GET /admin/loggers", &[], "").await.status, 200);
    assert_eq!(send(&both.admin_router(), "GET /connectors", &[], "").await.status, 404);
    let metrics: RenderMetrics = Arc::new(|| "a 1\n".to_owned());
    let options = RestOptions { topic_tracking: false, metrics: Some(metrics), ..RestOptions::default() };
    let router = api(&Arc::default(), RestSettings::default(), options).public_router();
    assert_eq!(send(&router, "GET /metrics", &[("accept", "text/plain")], "").await.body, "a 1\n");
    let topics = send(&router, "GET /connectors/c/topics", &[], "").await;
    assert_eq!(topics.body, r#"{"error_code":403,"message":"Topic tracking is disabled."}"#);
}

#[tokio::test]
async fn the_description_describes_every_route_and_no_other() {
    let router = plain(&Arc::default());
    let description = send(&router, "GET /openapi.json", &[], "").await;
    let description: Value = serde_json::from_str(&description.body).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let mut served: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, _) in public_routes().into_iter().chain(admin_routes()) {
        let example = path.replace("{connector}", "c").replace("{task}", "0").replace("{plugin}", "p");
        let options = send(&router, &format!("OPTIONS {}", example.replace("{logger}", "l")), &[], "").await;
        let mut methods: Vec<String> = options.header("allow").split(',').map(str::to_lowercase).collect();
        methods.retain(|method| !["head", "options"].contains(&method.as_str()));
        methods.sort();
        served.insert(path.to_owned(), methods);
    }
    let described = paths.iter().map(|(path, methods)| {
        let mut methods: Vec<String> = methods.as_object().unwrap().keys().cloned().collect();
        methods.sort();
        (path.clone(), methods)
    });
    assert_eq!(described.collect::<BTreeMap<_, _>>(), served);
}

#[test]
fn an_extension_that_is_not_there_refuses_the_start() {
    let with = |class: &str| {
        let settings = RestSettings { extensions: vec![class.to_owned()], ..RestSettings::default() };
        RestApi::new(Arc::<Stub>::default(), settings, RestOptions::default())
    };
    let error = with("com.example.Guard").unwrap_err().to_string();
    assert!(error.contains("com.example.Guard is not part of this program"), "{error}");
    let monitoring = "io.confluent.connect.replicator.monitoring.ReplicatorMonitoringExtension";
    assert!(with(monitoring).is_ok());
}
