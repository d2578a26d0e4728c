//! What has nothing to do with connectors: root, health, paths, methods, content types, loggers.

use super::{BOTH, DISTRIBUTED, List, STANDALONE, start_idle};
use crate::http::Request;
use crate::transcript::T;
use serde_json::json;

pub(super) fn list(list: &mut List) {
    list.add(BOTH, "root", |t| {
        t.get("/");
        t.bare("HEAD", "/");
    });
    list.add(BOTH, "health", |t| {
        t.get("/health");
        t.get("/health/");
        t.bare("POST", "/health");
    });
    list.add(BOTH, "paths_unknown", unknown_paths);
    list.add(BOTH, "methods_not_allowed", methods);
    list.add(BOTH, "options", |t| {
        for path in ["/", "/connectors", "/connectors/x", "/admin/loggers", "/nothing"] {
            t.bare("OPTIONS", path);
        }
    });
    list.add(BOTH, "content_types", content_types);
    list.add(BOTH, "content_types_of_nothing", |t| {
        for kind in
            ["text/plain", "application/vnd.x+json", "*/*", "application/*", "APPLICATION/JSON; charset=x"]
        {
            for (method, path) in [
                ("GET", "/connectors/none"),
                ("DELETE", "/connectors/none"),
                ("PUT", "/connectors/none/pause"),
                ("POST", "/connectors/none/restart"),
                ("GET", "/"),
                ("GET", "/health"),
                ("GET", "/nothing"),
                ("DELETE", "/health"),
            ] {
                t.send(Request::new(method, path).header("Content-Type", kind));
            }
            t.send(Request::new("PUT", "/connectors/none/config").body("[]").header("Content-Type", kind));
        }
    });
    list.add(BOTH, "accept", |t| {
        for accept in ["text/plain", "*/*", "application/*", "text/html,*/*;q=0.1", "nonsense"] {
            t.send(Request::new("GET", "/").header("Accept", accept));
        }
        t.send(Request::new("GET", "/connectors/none").header("Accept", "text/plain"));
    });
    list.add(BOTH, "connector_that_is_not_there", not_there);
    list.add(DISTRIBUTED, "forward_parameter", forward);
    list.add(STANDALONE, "internal_endpoints", |t| {
        t.post("/connectors/none/tasks", "[]");
        t.bare("PUT", "/connectors/none/fence");
    });
    list.add(DISTRIBUTED, "internal_endpoints", internal);
    list.add(STANDALONE, "loggers", loggers);
    list.add(STANDALONE, "loggers_bad_requests", |t| {
        t.put("/admin/loggers/bad.one", r#"{"level":"LOUD"}"#);
        t.put("/admin/loggers/bad.one", r#"{"level":""}"#);
        t.put("/admin/loggers/bad.one", r#"{"level":null}"#);
        t.put("/admin/loggers/bad.one", "{}");
        t.put("/admin/loggers/bad.one", "");
        t.put("/admin/loggers/bad.one", "[]");
        t.put("/admin/loggers/bad.one", r#"{"level":7}"#);
        t.get("/admin/loggers/bad.one");
        t.get("/admin/loggers/never.heard.of");
        t.get("/admin");
        t.bare("DELETE", "/admin/loggers/bad.one");
    });
    list.add(DISTRIBUTED, "loggers_of_the_cluster", |t| {
        t.put("/admin/loggers/far.away?scope=cluster", r#"{"level":"DEBUG"}"#);
        t.get_until("/admin/loggers/far.away", |answer| answer.status == 200);
        t.put("/admin/loggers/far.away?scope=cluster", r#"{"level":"loud"}"#);
        t.put("/admin/loggers/far.near?scope=worker", r#"{"level":"trace"}"#);
        t.get("/admin/loggers/far.near");
        t.put("/admin/loggers/far.near?scope=nowhere", r#"{"level":"warn"}"#);
        t.get("/admin/loggers/far.near");
        t.put("/admin/loggers/far.near?scope=CLUSTER", r#"{"level":"ERROR"}"#);
        t.get_until("/admin/loggers/far.near", |answer| answer.body.contains("ERROR"));
    });
}

fn unknown_paths(t: &mut T<'_>) {
    for path in [
        "/nothing",
        "/connectors/none/nothing",
        "/connector-plugins/none",
        "/connector-plugins/none/config",
        "//connectors",
        "/connectors/none/tasks/x/status",
        "/connectors/none/tasks/99999999999/status",
        "/connectors/none/tasks/-1/status",
        "/Connectors",
        "/application.wadl",
        "/connectors/%zz/status",
        "/connectors/a%00b",
        "/connectors/none;a=b/status",
        "/connectors/./none",
        "/connectors/none/../none",
        "/connectors/none%2E%2E",
        "/connectors/none?expand=%zz",
        "/connectors//",
        "/connectors//status",
        "/connectors/;a=b/status",
        "/connectors/none//status",
        "/connector-plugins//config",
        "/connectors/%ff%fe",
        "/connectors/%c3%bc%ff;a/status",
    ] {
        t.get(path);
    }
}

fn methods(t: &mut T<'_>) {
    for (method, path) in [
        ("POST", "/"),
        ("DELETE", "/connectors"),
        ("PUT", "/connectors"),
        ("PATCH", "/connectors/none"),
        ("PUT", "/connectors/none"),
        ("DELETE", "/connectors/none/config"),
        ("POST", "/connectors/none/pause"),
        ("GET", "/connectors/none/pause"),
        ("GET", "/connectors/none/restart"),
        ("PUT", "/connectors/none/restart"),
        ("POST", "/connectors/none/stop"),
        ("PUT", "/connectors/none/offsets"),
        ("GET", "/connectors/none/fence"),
        ("POST", "/connector-plugins"),
        ("GET", "/connector-plugins/none/config/validate"),
        ("PUT", "/admin/loggers"),
        ("BREW", "/connectors"),
    ] {
        t.bare(method, path);
    }
}

fn content_types(t: &mut T<'_>) {
    let name = t.name("typed");
    let body = json!({"name": name, "config": {"connector.class": "none"}}).to_string();
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "application/json;charset=utf-8", "text/json"]
    {
        t.send(Request::new("POST", "/connectors").body(body.clone()).header("Content-Type", content_type));
    }
    t.send(Request::new("POST", "/connectors").body(body));
    let level = Request::new("PUT", "/admin/loggers/typed.one");
    t.send(level.clone().body(r#"{"level":"INFO"}"#).header("Content-Type", "text/plain"));
    t.send(level.body(r#"{"level":"INFO"}"#));
}

fn not_there(t: &mut T<'_>) {
    for path in
        ["", "/config", "/status", "/tasks", "/tasks-config", "/tasks/0/status", "/topics", "/offsets"]
    {
        t.get(format!("/connectors/none{path}"));
    }
    for path in ["pause", "resume", "stop", "topics/reset"] {
        t.bare("PUT", format!("/connectors/none/{path}"));
    }
    t.bare("POST", "/connectors/none/restart");
    t.bare("POST", "/connectors/none/restart?includeTasks=true");
    t.bare("POST", "/connectors/none/restart?onlyFailed=true");
    t.bare("POST", "/connectors/none/tasks/0/restart");
    t.delete("/connectors/none");
    t.delete("/connectors/none/offsets");
    t.patch("/connectors/none/offsets", r#"{"offsets":[{"partition":{"a":1},"offset":{"b":2}}]}"#);
    t.patch("/connectors/none/config", r#"{"a":"b"}"#);
}

fn forward(t: &mut T<'_>) {
    let name = start_idle(t, json!({}));
    for forward in ["true", "false", "nonsense", ""] {
        t.bare("POST", format!("/connectors/{name}/restart?forward={forward}"));
        t.bare("POST", format!("/connectors/{name}/tasks/0/restart?forward={forward}"));
    }
    t.bare("PUT", format!("/connectors/{name}/stop?forward=false"));
    t.delete(format!("/connectors/{name}?forward=false"));
}

fn internal(t: &mut T<'_>) {
    let post = |t: &mut T<'_>, headers: &[(&str, &str)]| {
        let mut request = Request::new("POST", "/connectors/none/tasks").json("[]");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        t.send(request);
    };
    let (signature, algorithm) = ("X-Connect-Authorization", "X-Connect-Request-Signature-Algorithm");
    post(t, &[]);
    post(t, &[(signature, "c2lnbmF0dXJl")]);
    post(t, &[(algorithm, "HmacSHA256")]);
    post(t, &[(signature, "c2lnbmF0dXJl"), (algorithm, "HmacSHA256")]);
    post(t, &[(signature, "c2lnbmF0dXJl"), (algorithm, "HmacSHA512")]);
    post(t, &[(signature, "c2lnbmF0dXJl"), (algorithm, "nonsense")]);
    post(t, &[(signature, "not base64 !"), (algorithm, "HmacSHA256")]);
    t.post("/connectors/none/tasks", "");
    t.post("/connectors/none/tasks", "{}");
    t.bare("PUT", "/connectors/none/fence");
    let fence = Request::new("PUT", "/connectors/none/fence");
    t.send(fence.header(signature, "c2lnbmF0dXJl").header(algorithm, "HmacSHA256"));
}

fn loggers(t: &mut T<'_>) {
    t.put("/admin/loggers/one.two", r#"{"level":"DEBUG"}"#);
    t.get("/admin/loggers/one.two");
    t.get("/admin/loggers/one");
    t.get("/admin/loggers/one.two.three");
    t.put("/admin/loggers/one.two.three", r#"{"level":"warn"}"#);
    t.put("/admin/loggers/one.two", r#"{"level":"Error"}"#);
    t.get("/admin/loggers/one.two.three");
    t.put("/admin/loggers/one", r#"{"level":"TRACE"}"#);
    t.put("/admin/loggers/one", r#"{"level":"OFF"}"#);
    t.put("/admin/loggers/one", r#"{"level":"ALL"}"#);
    t.get("/admin/loggers/one");
    t.get("/admin/loggers/root");
    // The same level as before is no change.
    t.put("/admin/loggers/same.level", r#"{"level":"INFO"}"#);
    t.get("/admin/loggers/same.level");
    t.put("/admin/loggers/one.same", r#"{"level":"ALL"}"#);
    t.get("/admin/loggers/one.same");
    let answer = t.quietly(&Request::new("GET", "/admin/loggers/"));
    let all: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    t.note(
        "names of loggers",
        all.as_object().map_or(0, |all| all.keys().filter(|key| key.starts_with("one")).count()),
    );
    t.note("the last of them", &all["one.two.three"]);
}
