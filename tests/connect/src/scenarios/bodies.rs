//! Bodies that are no JSON, or JSON of another shape.

use serde_json::json;

use super::{BOTH, List, idle, start_idle};

const SHAPES: &[&str] = &[
    "",
    "null",
    "[]",
    "5",
    "\"text\"",
    "{}",
    "{",
    "{\"name\":",
    "nonsense",
    "{\"name\":\"a\"} trailing",
    "[{}]",
];

pub(super) fn list(list: &mut List) {
    list.add(BOTH, "create", |t| {
        for body in SHAPES {
            t.post("/connectors", *body);
        }
    });
    list.add(BOTH, "create_odd_fields", |t| {
        let name = t.name("odd");
        let config = idle(t).to_string();
        for body in [
            format!("{{\"name\":\"{name}\"}}"),
            format!("{{\"name\":\"{name}\",\"config\":null}}"),
            format!("{{\"name\":\"{name}\",\"config\":{{}}}}"),
            format!("{{\"name\":\"{name}\",\"config\":[]}}"),
            format!("{{\"name\":\"{name}\",\"config\":\"text\"}}"),
            format!("{{\"name\":\"{name}\",\"config\":{config},\"other\":1}}"),
            format!("{{\"name\":[\"{name}\"],\"config\":{config}}}"),
            format!("{{\"Name\":\"{name}\",\"config\":{config}}}"),
            format!("{{'name':'{name}','config':{config}}}"),
            format!("{{\"name\":\"first\",\"config\":{config},\"name\":\"{name}\"}}"),
        ] {
            t.post("/connectors", body);
        }
        t.get_until(format!("/connectors/{name}"), |answer| answer.body.contains("\"task\":0"));
        t.remove(&name);
        let twice = config.replacen('{', "{\"topic\":\"first\",\"topic\":\"second\",", 1);
        t.put(format!("/connectors/{name}/config"), twice);
        t.remove(&name);
    });
    list.add(BOTH, "put_config", |t| {
        let name = start_idle(t, json!({}));
        for body in SHAPES {
            t.put(format!("/connectors/{name}/config"), *body);
            t.put(format!("/connectors/{name}-new/config"), *body);
        }
        t.remove(&name);
    });
    list.add(BOTH, "byte_order_mark", |t| {
        let (name, config) = (t.name("marked"), idle(t).to_string());
        t.put(format!("/connectors/{name}/config"), format!("\u{feff}{config}"));
        t.post("/connectors", format!("\u{feff}{{\"name\":\"{name}\",\"config\":{config}}}"));
        t.remove(&name);
    });
    list.add(BOTH, "patch_config_of_nothing", |t| {
        for body in ["", "null", "{}", r#"{"a":null}"#] {
            t.patch("/connectors/none/config", body);
        }
        let name = start_idle(t, json!({}));
        for body in ["", "null", "{}", r#"{"batch.size":null,"a":1.50,"b":true}"#] {
            t.patch(format!("/connectors/{name}/config"), body);
        }
        t.remove(&name);
    });
    list.add(BOTH, "validate", |t| {
        for body in SHAPES {
            t.put("/connector-plugins/FileStreamSource/config/validate", *body);
        }
    });
    list.add(BOTH, "offsets", |t| {
        let name = start_idle(t, json!({}));
        t.bare("PUT", format!("/connectors/{name}/stop"));
        t.await_state(&name, "STOPPED", &[]);
        for body in SHAPES {
            t.patch(format!("/connectors/{name}/offsets"), *body);
        }
        for body in [
            r#"{"offsets":null}"#,
            r#"{"offsets":[]}"#,
            r#"{"offsets":{}}"#,
            r#"{"offsets":[null]}"#,
            r#"{"offsets":[{}]}"#,
            r#"{"offsets":[{"partition":null,"offset":null}]}"#,
            r#"{"offsets":[{"partition":{"filename":"x"}}]}"#,
            r#"{"offsets":[{"offset":{"position":1}}]}"#,
            r#"{"offsets":[{"partition":{},"offset":{}}]}"#,
            r#"{"offsets":[{"partition":"x","offset":{"position":1}}]}"#,
            r#"{"offsets":[{"partition":{"filename":"x"},"offset":5}]}"#,
            r#"{"offsets":[{"partition":{"filename":"x"},"offset":{"position":1},"more":1}]}"#,
            r#"{"offsets":[{"partition":{"filename":"x"},"offset":{"position":1}}],"more":1}"#,
            r#"{"offset":[{"partition":{"filename":"x"},"offset":{"position":1}}]}"#,
        ] {
            t.patch(format!("/connectors/{name}/offsets"), body);
        }
        t.get(format!("/connectors/{name}/offsets"));
        t.remove(&name);
    });
}
