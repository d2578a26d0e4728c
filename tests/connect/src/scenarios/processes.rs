//! Workers that do not start, and how they say so; workers that are given connectors on their command line.

use std::path::PathBuf;

use serde_json::json;

use super::{List, OWN};
use crate::http::Request;
use crate::lab::On;
use crate::settings;
use crate::transcript::{T, answer_line};

pub(super) fn list(list: &mut List) {
    for (name, like, changes) in bad_settings() {
        list.add(OWN, &format!("bad_{name}"), move |t| {
            let changed = |text: String| {
                let kept = |line: &&str| changes.iter().all(|(key, _)| line.split('=').next() != Some(key));
                let mut lines: Vec<String> = text.lines().filter(kept).map(str::to_owned).collect();
                lines.extend(changes.iter().filter_map(|(key, value)| Some(format!("{key}={}", (*value)?))));
                lines.join("\n")
            };
            refuses(t, like, changed, &[]);
        });
    }
    list.add(OWN, "connector_files", connector_files);
    for (name, arguments) in
        [("none", &[] as &[&str]), ("help", &["--help"]), ("absent_file", &["absent.properties"])]
    {
        list.add(OWN, &format!("arguments_{name}"), move |t| arguments_only(t, arguments));
    }
    for (name, text) in bad_files() {
        list.add(OWN, &format!("connector_file_{name}"), move |t| {
            let file =
                text.map_or_else(|| t.path("absent"), |text| PathBuf::from(t.file("connector.txt", text)));
            refuses(t, On::Standalone, |text| text, &[file]);
        });
    }
    for (name, configs) in
        [("deleted", "cleanup.policy=delete"), ("two_policies", "cleanup.policy=compact,delete")]
    {
        list.add(OWN, &format!("config_topic_{name}"), move |t| {
            let topic = t.name("configs");
            let (key, value) = configs.split_once('=').expect("a setting");
            t.lab.kafka.create_with(&topic, 1, &[(key, value)]);
            refuses(t, On::Distributed, |text| other_group(&text, &topic), &[]);
        });
    }
    for (first, second) in [("config", "offset"), ("config", "status"), ("offset", "status")] {
        list.add(OWN, &format!("one_topic_for_{first}_and_{second}"), move |t| {
            one_topic_for_two(t, first, second);
        });
    }
    list.add(OWN, "config_topic_of_two_partitions", |t| {
        let topic = t.name("configs");
        t.lab.kafka.create_with(&topic, 2, &[("cleanup.policy", "compact")]);
        refuses(t, On::Distributed, |text| other_group(&text, &topic), &[]);
    });
}

/// Without the partition counts of the lab, which suit every topic. Its config topic is its own: of two groups on one topic each
/// would lead the other's connectors.
fn one_topic_for_two(t: &mut T<'_>, first: &str, second: &str) {
    let topic = t.name("both");
    let change = |text: String| {
        let kept = |line: &&str| !line.starts_with("group.id=") && !line.contains(".storage.partitions=");
        let lines: Vec<&str> = text.lines().filter(kept).collect();
        format!(
            "{}\ngroup.id={topic}\nconfig.storage.topic={topic}-configs\n{first}.storage.topic={topic}\n{second}.storage.topic={topic}\n",
            lines.join("\n")
        )
    };
    refuses(t, On::Distributed, change, &[]);
}

fn other_group(text: &str, topic: &str) -> String {
    let kept = |line: &&str| !line.starts_with("group.id=") && !line.starts_with("config.storage.topic=");
    let lines: Vec<&str> = text.lines().filter(kept).collect();
    format!("{}\ngroup.id={topic}\nconfig.storage.topic={topic}\n", lines.join("\n"))
}

type Changes = Vec<(&'static str, Option<&'static str>)>;

fn bad_settings() -> Vec<(&'static str, On, Changes)> {
    let (distributed, standalone) = (On::Distributed, On::Standalone);
    vec![
        ("no_group", distributed, vec![("group.id", None)]),
        ("no_config_topic", distributed, vec![("config.storage.topic", None)]),
        ("no_converter", standalone, vec![("key.converter", None)]),
        ("no_offset_file", standalone, vec![("offset.storage.file.filename", None)]),
        ("converter", standalone, vec![("value.converter", Some("com.example.Nobody"))]),
        ("number", standalone, vec![("offset.flush.interval.ms", Some("soon"))]),
        ("listener", standalone, vec![("listeners", Some("ftp://127.0.0.1:1"))]),
        ("no_listeners", standalone, vec![("listeners", Some(""))]),
        ("policy", standalone, vec![("connector.client.config.override.policy", Some("Nobody"))]),
        ("response_header", standalone, vec![("response.http.headers.config", Some("shout X-A:1"))]),
        ("partitions", distributed, vec![("status.storage.partitions", Some("0"))]),
        ("signature", distributed, vec![("inter.worker.signature.algorithm", Some("HmacSHA512"))]),
        ("algorithm", distributed, vec![("inter.worker.key.generation.algorithm", Some("Nobody"))]),
        ("protocol", distributed, vec![("connect.protocol", Some("nobody"))]),
        ("exactly_once", distributed, vec![("exactly.once.source.support", Some("perhaps"))]),
        ("heartbeat", distributed, vec![("heartbeat.interval.ms", Some("10000"))]),
        ("level", standalone, vec![("metrics.recording.level", Some("TRACE"))]),
        ("broker", distributed, vec![("bootstrap.servers", Some("127.0.0.1"))]),
        ("broker_of_standalone", standalone, vec![("bootstrap.servers", Some("127.0.0.1"))]),
        ("broker_port", distributed, vec![("bootstrap.servers", Some("127.0.0.1:99999"))]),
        ("broker_unknown", distributed, vec![("bootstrap.servers", Some("broker.invalid:9092"))]),
        (
            "broker_unknown_to_standalone",
            standalone,
            vec![("bootstrap.servers", Some("a.invalid:1,b.invalid:2"))],
        ),
        ("no_brokers", distributed, vec![("bootstrap.servers", Some(""))]),
        ("no_brokers_of_standalone", standalone, vec![("bootstrap.servers", Some(","))]),
    ]
}

fn bad_files() -> Vec<(&'static str, Option<&'static str>)> {
    vec![
        ("absent", None),
        ("empty", Some("")),
        ("without_name", Some("connector.class=FileStreamSource\ntopic=t\n")),
        ("of_nobody", Some("name=x\nconnector.class=com.example.Nobody\n")),
        ("refused", Some("name=x\nconnector.class=FileStreamSource\n")),
        ("json_refused", Some(r#"{"name":"x","config":{"connector.class":"FileStreamSource"}}"#)),
        ("json_of_no_shape", Some(r#"{"name":"x","config":"none"}"#)),
        ("json_broken", Some("{\"name\":")),
    ]
}

/// Starts a worker that must end by itself; notes its exit code and what it says.
fn refuses(t: &mut T<'_>, like: On, change: impl FnOnce(String) -> String, files: &[PathBuf]) {
    let lab = t.lab;
    let name = t.name("worker");
    let settings = |port: &str, admin: &str| change(settings::worker(lab, like, port, admin));
    match lab.launch(&name, like, settings, files) {
        Err(log) => {
            let code = log.lines().next_back().unwrap_or_default().to_owned();
            t.note("ends", code);
            t.note_logged("says", &log, "Exception: ");
        }
        Ok(worker) => {
            t.note("ends", "not: it is healthy");
            worker.stop();
        }
    }
}

/// Runs both programs with nothing but these arguments.
fn arguments_only(t: &mut T<'_>, arguments: &[&str]) {
    let arguments: Vec<PathBuf> = arguments.iter().map(PathBuf::from).collect();
    for (mode, distributed) in [("distributed", true), ("standalone", false)] {
        let output = t.lab.command(distributed, &arguments).output().unwrap();
        t.note(format!("{mode} ends"), format!("exit code {:?}", output.status.code()));
        let log = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let start = if log.contains("Usage: ") { "Usage: " } else { "Exception: " };
        t.note_logged(&format!("{mode} says"), &log, start);
    }
}

/// The three shapes of files that a standalone worker takes.
fn connector_files(t: &mut T<'_>) {
    let nothing = t.path("nothing.txt").display().to_string();
    let config = json!({"connector.class": "FileStreamSource", "file": nothing, "topic": "t"});
    let mut flat = config.clone();
    flat["name"] = json!("flat");
    let files = [
        t.file(
            "a.properties",
            format!("name=lines\nconnector.class=FileStreamSource\nfile={nothing}\ntopic=t\n"),
        ),
        t.file("b.json", flat.to_string()),
        t.file("c.json", json!({"name": "whole", "config": config, "initial_state": "PAUSED"}).to_string()),
        t.file("d.json", json!({"name": "more", "config": config, "unknown": 1}).to_string()),
    ];
    let (lab, name) = (t.lab, t.name("worker"));
    let settings = |port: &str, admin: &str| settings::worker(lab, On::Standalone, port, admin);
    let worker = match lab.launch(&name, On::Standalone, settings, &files.map(PathBuf::from)) {
        Ok(worker) => worker,
        Err(log) => {
            t.note("ended", log.lines().next_back().unwrap_or_default());
            return;
        }
    };
    let address = worker.address.clone();
    for name in ["lines", "flat", "whole", "more"] {
        let request = Request::new("GET", format!("/connectors/{name}/status"));
        let answer = t.until(|_| {
            let answer = crate::http::send(&address, &request).ok()?;
            let started =
                answer.body.contains("PAUSED") || answer.body.contains("\"id\":0,\"state\":\"RUNNING\"");
            started.then_some(answer)
        });
        t.note(
            name,
            answer.map_or("nothing".to_owned(), |answer| answer_line(&answer).replace(&address, "<worker>")),
        );
    }
    worker.stop();
}
