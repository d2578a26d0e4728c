//! Connectors made, looked at, changed and deleted; their names.

use serde_json::{Value, json};

use super::{BOTH, DISTRIBUTED, List, idle, start_idle};
use crate::http::Request;
use crate::transcript::{T, merged};

pub(super) fn list(list: &mut List) {
    list.add(BOTH, "life", life);
    list.add(BOTH, "create_twice", |t| {
        let name = start_idle(t, json!({}));
        let body = json!({"name": name, "config": idle(t)});
        t.post("/connectors", body.to_string());
        t.remove(&name);
    });
    list.add(BOTH, "expand", expand);
    list.add(BOTH, "put_creates_and_changes", put);
    list.add(BOTH, "patch", patch);
    list.add(BOTH, "names_odd", odd_names);
    list.add(BOTH, "names_refused", refused_names);
    list.add(BOTH, "name_in_the_config", name_in_config);
    list.add(BOTH, "values_of_other_types", scalars);
    list.add(BOTH, "initial_state", initial_state);
    list.add(BOTH, "class_by_other_names", classes);
    list.add(BOTH, "class_not_found", no_class);
    list.add(BOTH, "config_refused", |t| {
        let name = t.name("refused");
        for more in [
            json!({"connector.class": null}),
            json!({"file": "f", "topic": null}),
            json!({"topic": ""}),
            json!({"tasks.max": "0"}),
            json!({"tasks.max": "many", "batch.size": "none"}),
            json!({"key.converter": "nothing"}),
            json!({"transforms": "a"}),
            json!({"name": ""}),
        ] {
            let config = merged(idle(t), more);
            t.post("/connectors", json!({"name": name, "config": config}).to_string());
        }
        t.get(format!("/connectors/{name}"));
    });
    list.add(BOTH, "tasks_config", |t| {
        let name = start_idle(t, json!({"extra.one": "kept"}));
        t.get(format!("/connectors/{name}/tasks"));
        t.get(format!("/connectors/{name}/tasks-config"));
        t.get(format!("/connectors/{name}/tasks/0/status"));
        t.get(format!("/connectors/{name}/tasks/1/status"));
        t.remove(&name);
    });
    list.add(BOTH, "providers_in_configs", providers);
    list.add(DISTRIBUTED, "tasks_max_of_a_source", |t| {
        let name = start_idle(t, json!({"tasks.max": "7"}));
        t.get(format!("/connectors/{name}"));
        t.remove(&name);
    });
}

fn life(t: &mut T<'_>) {
    let name = t.name("life");
    let body = json!({"name": name, "config": idle(t)});
    t.post("/connectors", body.to_string());
    t.await_state(&name, "RUNNING", &["RUNNING"]);
    for path in ["", "/config", "/status", "/tasks", "/tasks/0/status", "/topics", "/offsets"] {
        t.get(format!("/connectors/{name}{path}"));
    }
    t.delete(format!("/connectors/{name}"));
    t.get_until(format!("/connectors/{name}"), |answer| answer.status == 404);
    t.get_until(format!("/connectors/{name}/status"), |answer| answer.status == 404);
    t.delete(format!("/connectors/{name}"));
}

/// The part of a list of all connectors that is about this one.
fn only(t: &mut T<'_>, path: &str, name: &str) {
    let answer = t.quietly(&Request::new("GET", path));
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let part = match &body {
        Value::Array(names) => json!(names.iter().filter(|found| *found == name).collect::<Vec<_>>()),
        body => body[name].clone(),
    };
    t.note(format!("GET {path} of {name}"), format!("{} {part}", answer.status));
}

fn expand(t: &mut T<'_>) {
    let name = start_idle(t, json!({}));
    for query in
        ["", "?expand=status", "?expand=info", "?expand=info&expand=status", "?expand=status&expand=info"]
    {
        only(t, &format!("/connectors{query}"), &name);
    }
    for query in
        ["?expand=nothing", "?expand=", "?expand", "?expand=INFO", "?expand=nothing&expand=info", "?other=1"]
    {
        only(t, &format!("/connectors{query}"), &name);
    }
    t.remove(&name);
}

fn put(t: &mut T<'_>) {
    let name = t.name("put");
    let path = format!("/connectors/{name}/config");
    t.put(&path, idle(t).to_string());
    t.await_state(&name, "RUNNING", &["RUNNING"]);
    t.put(&path, merged(idle(t), json!({"batch.size": "7", "name": name})).to_string());
    t.get_until(format!("/connectors/{name}/tasks"), |answer| answer.body.contains("batch.size"));
    t.put(&path, merged(idle(t), json!({"name": "other"})).to_string());
    t.put(&path, "{}");
    t.put(&path, merged(idle(t), json!({"batch.size": "x"})).to_string());
    t.get(&path);
    t.remove(&name);
}

fn patch(t: &mut T<'_>) {
    let name = start_idle(t, json!({"one": "1", "two": "2"}));
    let path = format!("/connectors/{name}/config");
    t.patch(&path, r#"{"one":null,"three":"3","two":"22"}"#);
    t.get(&path);
    t.patch(&path, "{}");
    t.patch(&path, r#"{"absent":null}"#);
    t.patch(&path, r#"{"batch.size":"x"}"#);
    t.patch(&path, r#"{"connector.class":null}"#);
    t.patch(&path, r#"{"number":5,"flag":true}"#);
    t.patch(&path, "");
    t.patch(&path, "null");
    t.patch(&path, "[]");
    t.get(&path);
    t.remove(&name);
}

fn odd_names(t: &mut T<'_>) {
    let config = idle(t);
    let base = t.name("odd");
    for (name, path) in [
        (format!("  {base}-space \u{1}"), format!("{base}-space")),
        (format!("{base} in ner"), format!("{base}%20in%20ner")),
        (format!("{base}/slash"), format!("{base}%2Fslash")),
        (format!("{base}%2Fpercent"), format!("{base}%252Fpercent")),
        (format!("{base}?quest#ion&a=b;c"), format!("{base}%3Fquest%23ion%26a=b%3Bc")),
        (format!("{base}-ünï-日本-😀"), format!("{base}-%C3%BCn%C3%AF-%E6%97%A5%E6%9C%AC-%F0%9F%98%80")),
        (format!("{base}:colon,comma[bracket]"), format!("{base}:colon,comma%5Bbracket%5D")),
        (format!("{base}\\back\"quote"), format!("{base}%5Cback%22quote")),
        (format!("{base}+plus"), format!("{base}+plus")),
        (format!("{base}<b>"), format!("{base}%3Cb%3E")),
    ] {
        t.post("/connectors", json!({"name": name, "config": config}).to_string());
        t.get_until(format!("/connectors/{path}"), |answer| answer.body.contains("\"task\":0"));
        t.delete(format!("/connectors/{path}"));
    }
}

fn refused_names(t: &mut T<'_>) {
    let config = idle(t);
    for name in
        [json!(""), json!("   "), json!("a\u{1}b"), json!("a\tb"), json!("a\u{7f}b"), json!(null), json!(5)]
    {
        t.post("/connectors", json!({"name": name, "config": config}).to_string());
    }
    t.post("/connectors", json!({"config": config}).to_string());
    t.put("/connectors/%20/config", config.to_string());
    t.put("/connectors/a%01b/config", config.to_string());
    t.delete("/connectors/5");
}

fn name_in_config(t: &mut T<'_>) {
    let name = t.name("named");
    let config = |name: &str| merged(idle(t), json!({"name": name}));
    let (other, spaced, same) = (config("other"), config(&format!(" {name} ")), config(&name));
    t.post("/connectors", json!({"name": name, "config": other}).to_string());
    t.post("/connectors", json!({"name": name, "config": spaced}).to_string());
    t.post("/connectors", json!({"name": name, "config": same}).to_string());
    t.await_state(&name, "RUNNING", &["RUNNING"]);
    t.post("/connectors", json!({"config": same}).to_string());
    t.patch(format!("/connectors/{name}/config"), r#"{"name":"foreign"}"#);
    t.get(format!("/connectors/{name}/config"));
    t.remove(&name);
}

fn scalars(t: &mut T<'_>) {
    let name = t.name("scalars");
    let more = json!({"i": 5, "f": 1.50, "e": 1e21, "t": true, "long": 12345678901234567890u64, "text": "5"});
    let config = merged(idle(t), more);
    t.put(format!("/connectors/{name}/config"), config.to_string());
    t.await_state(&name, "RUNNING", &["RUNNING"]);
    t.get(format!("/connectors/{name}/config"));
    t.remove(&name);
    for value in ["null", "[]", "[1]", "{}", r#"{"a":1}"#] {
        let name = t.name("nested");
        let config = idle(t).to_string().replacen('{', &format!("{{\"odd\":{value},"), 1);
        t.put(format!("/connectors/{name}/config"), config.clone());
        t.post("/connectors", format!("{{\"name\":\"{name}\",\"config\":{config}}}"));
        t.remove(&name);
    }
}

fn initial_state(t: &mut T<'_>) {
    for state in ["RUNNING", "paused", "Stopped"] {
        let name = t.name(&format!("initially-{state}"));
        t.post("/connectors", json!({"name": name, "config": idle(t), "initial_state": state}).to_string());
        let (connector, tasks): (_, &[&str]) = match state {
            "RUNNING" => ("RUNNING", &["RUNNING"]),
            "paused" => ("PAUSED", &[]),
            _ => ("STOPPED", &[]),
        };
        t.get_status(&name, connector, tasks);
        t.get(format!("/connectors/{name}"));
        t.bare("PUT", format!("/connectors/{name}/resume"));
        t.await_state(&name, "RUNNING", &["RUNNING"]);
        t.remove(&name);
    }
    for state in [json!("SLEEPING"), json!(""), json!(null), json!(1)] {
        let name = t.name("initially");
        t.post("/connectors", json!({"name": name, "config": idle(t), "initial_state": state}).to_string());
        t.remove(&name);
    }
}

fn classes(t: &mut T<'_>) {
    for class in [
        "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "FileStreamSourceConnector",
        "FileStreamSource",
        "filestreamsource",
        " FileStreamSource ",
        "file.FileStreamSourceConnector",
    ] {
        let name = t.name("class");
        t.put(
            format!("/connectors/{name}/config"),
            merged(idle(t), json!({"connector.class": class})).to_string(),
        );
        t.remove(&name);
        t.until(|t| (t.states(&name) == "404").then_some(()));
    }
}

fn no_class(t: &mut T<'_>) {
    let name = t.name("nobody");
    for class in ["com.example.Nobody", "", "org.apache.kafka.connect.json.JsonConverter"] {
        let config = json!({"connector.class": class, "topic": "x"});
        let answer =
            t.quietly(&Request::new("PUT", format!("/connectors/{name}/config")).json(config.to_string()));
        // The rest of the message is a list of what is installed.
        let start = answer.body.split("available connectors").next().unwrap_or_default().to_owned();
        t.note(format!("create with the class '{class}'"), format!("{} {start}", answer.status));
    }
    t.get(format!("/connectors/{name}"));
}

fn providers(t: &mut T<'_>) {
    let secrets = t.file("secrets.properties", "topic=from-the-file\nbatch=11\n");
    let inside = t.lab.folder().join("secrets").join(t.name("inside.properties"));
    std::fs::write(&inside, "topic=allowed\n").unwrap();
    let folder = t.path("folder");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("topic"), "from-the-folder").unwrap();
    let topics = [
        format!("${{file:{secrets}:topic}}"),
        format!("a-${{file:{secrets}:topic}}-${{file:{secrets}:batch}}-z"),
        format!("${{dir:{}:topic}}", folder.display()),
        "${env:CONNECT_TEST_TOPIC}".to_owned(),
        "${env:HIDDEN_TEST}".to_owned(),
        format!("${{file:{secrets}:absent}}"),
        "${unknown:topic}".to_owned(),
        format!("${{closed:{}:topic}}", inside.display()),
        format!("${{closed:{secrets}:topic}}"),
    ];
    for (number, topic) in topics.iter().enumerate() {
        let name = t.name(&format!("provided-{number}"));
        t.put(format!("/connectors/{name}/config"), merged(idle(t), json!({"topic": topic})).to_string());
        t.await_state(&name, "RUNNING", &["RUNNING"]);
        t.get(format!("/connectors/{name}/tasks"));
        t.remove(&name);
    }
    let name = t.name("provided-missing");
    let missing = format!("${{file:{}.missing:topic}}", t.path("x").display());
    t.put(format!("/connectors/{name}/config"), merged(idle(t), json!({"topic": missing})).to_string());
    t.get(format!("/connectors/{name}"));
    t.remove(&name);
}
