//! Pause, resume, stop, restart, in combinations.

use serde_json::json;

use super::{BOTH, List, start_idle};
use crate::http::Request;
use crate::transcript::{T, merged};

pub(super) fn list(list: &mut List) {
    list.add(BOTH, "pause_and_resume", |t| {
        let name = start_idle(t, json!({}));
        for (deed, connector, tasks) in [
            ("pause", "PAUSED", &["PAUSED"] as &[&str]),
            ("pause", "PAUSED", &["PAUSED"]),
            ("resume", "RUNNING", &["RUNNING"]),
            ("resume", "RUNNING", &["RUNNING"]),
            ("stop", "STOPPED", &[]),
            ("stop", "STOPPED", &[]),
            ("pause", "PAUSED", &[]),
            ("stop", "STOPPED", &[]),
            ("resume", "RUNNING", &["RUNNING"]),
        ] {
            put(t, &name, deed, connector, tasks);
        }
        t.remove(&name);
    });
    list.add(BOTH, "restart_of_the_connector", |t| {
        let name = start_idle(t, json!({}));
        for query in ["", "?includeTasks=false", "?includeTasks=false&onlyFailed=false", "?includeTasks=yes"]
        {
            restart(t, &name, query);
        }
        t.remove(&name);
    });
    list.add(BOTH, "restart_with_tasks", |t| {
        let name = start_idle(t, json!({}));
        for query in [
            "?includeTasks=true",
            "?includeTasks=true&onlyFailed=true",
            "?onlyFailed=true",
            "?includeTasks=TRUE&onlyFailed=False",
            "?includeTasks=&onlyFailed=",
        ] {
            restart(t, &name, query);
        }
        t.remove(&name);
    });
    list.add(BOTH, "restart_of_a_task", |t| {
        let name = start_idle(t, json!({}));
        t.bare("POST", format!("/connectors/{name}/tasks/0/restart"));
        t.await_state(&name, "RUNNING", &["RUNNING"]);
        t.bare("POST", format!("/connectors/{name}/tasks/1/restart"));
        t.bare("POST", format!("/connectors/{name}/tasks/x/restart"));
        t.remove(&name);
    });
    list.add(BOTH, "restart_while_paused_and_stopped", |t| {
        let name = start_idle(t, json!({}));
        put(t, &name, "pause", "PAUSED", &["PAUSED"]);
        for query in ["", "?includeTasks=true"] {
            t.bare("POST", format!("/connectors/{name}/restart{query}"));
            t.await_state(&name, "PAUSED", &["PAUSED"]);
        }
        t.bare("POST", format!("/connectors/{name}/tasks/0/restart"));
        t.await_state(&name, "PAUSED", &["PAUSED"]);
        put(t, &name, "stop", "STOPPED", &[]);
        for query in ["", "?includeTasks=true"] {
            t.bare("POST", format!("/connectors/{name}/restart{query}"));
            t.await_state(&name, "STOPPED", &[]);
        }
        t.once(Request::new("POST", format!("/connectors/{name}/tasks/0/restart")));
        t.remove(&name);
    });
    list.add(BOTH, "change_while_paused_and_stopped", |t| {
        let name = start_idle(t, json!({}));
        put(t, &name, "pause", "PAUSED", &["PAUSED"]);
        t.patch(format!("/connectors/{name}/config"), r#"{"batch.size":"3"}"#);
        t.bare("PUT", format!("/connectors/{name}/resume"));
        // The task begins anew when it is given the change.
        t.get_until(format!("/connectors/{name}/tasks"), |answer| answer.body.contains("batch.size"));
        t.get_status(&name, "RUNNING", &["RUNNING"]);
        put(t, &name, "stop", "STOPPED", &[]);
        t.patch(format!("/connectors/{name}/config"), r#"{"batch.size":"4"}"#);
        t.await_state(&name, "STOPPED", &[]);
        put(t, &name, "resume", "RUNNING", &["RUNNING"]);
        t.get(format!("/connectors/{name}/tasks"));
        t.remove(&name);
    });
    list.add(BOTH, "failed_task", failed_task);
    list.add(BOTH, "delete_while_stopped", |t| {
        let name = start_idle(t, json!({}));
        put(t, &name, "stop", "STOPPED", &[]);
        t.delete(format!("/connectors/{name}"));
        t.get_until(format!("/connectors/{name}"), |answer| answer.status == 404);
        let again = start_idle(t, json!({}));
        t.get(format!("/connectors/{again}/status"));
        t.remove(&again);
    });
}

fn put(t: &mut T<'_>, name: &str, deed: &str, connector: &str, tasks: &[&str]) {
    t.bare("PUT", format!("/connectors/{name}/{deed}"));
    t.get_status(name, connector, tasks);
}

fn restart(t: &mut T<'_>, name: &str, query: &str) {
    t.bare("POST", format!("/connectors/{name}/restart{query}"));
    t.await_state(name, "RUNNING", &["RUNNING"]);
}

/// A source whose values its converter refuses fails; what pause, restart and a better configuration do then.
fn failed_task(t: &mut T<'_>) {
    let (name, topic) = (t.name("failing"), t.topic("lines", 1));
    let file = t.file("lines.txt", "one\ntwo\n");
    let config = json!({
        "connector.class": "FileStreamSource", "file": file, "topic": topic,
        "value.converter": "org.apache.kafka.connect.converters.IntegerConverter",
    });
    t.configure(&name, &config);
    t.get_status(&name, "RUNNING", &["FAILED"]);
    t.get(format!("/connectors/{name}/tasks/0/status"));
    t.bare("PUT", format!("/connectors/{name}/pause"));
    t.await_state(&name, "PAUSED", &["FAILED"]);
    t.bare("PUT", format!("/connectors/{name}/resume"));
    t.await_state(&name, "RUNNING", &["FAILED"]);
    t.bare("POST", format!("/connectors/{name}/restart?onlyFailed=true"));
    t.await_state(&name, "RUNNING", &["FAILED"]);
    let request =
        Request::new("POST", format!("/connectors/{name}/restart?includeTasks=true&onlyFailed=true"));
    t.send(request);
    t.await_state(&name, "RUNNING", &["FAILED"]);
    let better =
        merged(config, json!({"value.converter": "org.apache.kafka.connect.storage.StringConverter"}));
    t.put(format!("/connectors/{name}/config"), better.to_string());
    t.await_state(&name, "RUNNING", &["RUNNING"]);
    t.records(&topic, 2);
    t.get(format!("/connectors/{name}/status"));
    t.remove(&name);
}
