//! The property files of the workers, the same for both sides.

use std::fmt::Write;

use crate::lab::{Lab, On};

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
const PROVIDERS: &str = "org.apache.kafka.common.config.provider.";

/// The whole file of a worker that listens at `address`, and at `admin` if it has admin listeners of its own.
pub(crate) fn worker(lab: &Lab, on: On, address: &str, admin: &str) -> String {
    let mut text = common(lab, address);
    let mut set = |key: &str, value: &str| writeln!(text, "{key}={value}").expect("a string takes all");
    match on {
        On::Distributed | On::Standalone | On::Own => {
            set("key.converter", JSON);
            set("value.converter", JSON);
        }
        On::Guarded => guarded(&mut set, admin),
        On::Other => other(&mut set),
    }
    if on.is_distributed() {
        distributed(&mut set, on);
    } else {
        let file = lab.folder().join(format!("{}.offsets", on.name()));
        set("offset.storage.file.filename", &file.display().to_string());
    }
    text
}

fn common(lab: &Lab, address: &str) -> String {
    let secrets = lab.folder().join("secrets");
    std::fs::create_dir_all(&secrets).unwrap();
    format!(
        "bootstrap.servers={}\n\
         listeners=http://{address}\n\
         offset.flush.interval.ms=200\n\
         plugin.discovery=service_load\n\
         config.providers=file,dir,env,closed\n\
         config.providers.file.class={PROVIDERS}FileConfigProvider\n\
         config.providers.dir.class={PROVIDERS}DirectoryConfigProvider\n\
         config.providers.env.class={PROVIDERS}EnvVarConfigProvider\n\
         config.providers.env.param.allowlist.pattern=CONNECT_TEST.*\n\
         config.providers.closed.class={PROVIDERS}FileConfigProvider\n\
         config.providers.closed.param.allowed.paths={}\n",
        lab.kafka.bootstrap,
        secrets.display()
    )
}

fn distributed(set: &mut impl FnMut(&str, &str), on: On) {
    let name = on.name();
    set("group.id", &format!("{name}-group"));
    for topic in ["config", "offset", "status"] {
        set(&format!("{topic}.storage.topic"), &format!("{name}-{topic}s"));
        set(&format!("{topic}.storage.replication.factor"), "1");
    }
    set("offset.storage.partitions", "1");
    set("scheduled.rebalance.max.delay.ms", "0");
}

fn guarded(set: &mut impl FnMut(&str, &str), admin: &str) {
    set("key.converter", STRING);
    set("value.converter", JSON);
    set("value.converter.schemas.enable", "false");
    set("connector.client.config.override.policy", "None");
    set("topic.tracking.enable", "false");
    set("topic.creation.enable", "false");
    set("exactly.once.source.support", "enabled");
    set("access.control.allow.origin", "http://a.example,http://*.b.example");
    set("access.control.allow.methods", "GET, POST ,PUT");
    set(
        "response.http.headers.config",
        "add X-Added: one, set X-Set:two, \"set Cache-Control: no-store, no-cache\"",
    );
    set("admin.listeners", &format!("http://{admin}"));
}

fn other(set: &mut impl FnMut(&str, &str)) {
    set("key.converter", JSON);
    set("value.converter", STRING);
    set("header.converter", STRING);
    set("connector.client.config.override.policy", "Principal");
    set("topic.tracking.allow.reset", "false");
    set("access.control.allow.origin", "*");
    set("admin.listeners", "");
}
