//! Bodies that are no JSON, or JSON of another shape.

use serde_json::json;

use super::{BOTH, List, idle, start_idle};
use crate::http::Request;
use crate::transcript::answer_line;

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
    list.add(BOTH, "other_encodings", |t| {
        let (name, config) = (t.name("encoded"), idle(t));
        let text = crate::transcript::merged(config, json!({"note": "é"})).to_string();
        let units: Vec<u16> = text.encode_utf16().collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let wide: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        let wide_little: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let marked = |mark: &[u8], body: &[u8]| [mark, body].concat();
        for (what, charset, body) in [
            ("utf-16 with mark", "", marked(b"\xfe\xff", &big)),
            ("utf-16 little endian with mark", "", marked(b"\xff\xfe", &little)),
            ("utf-16 without mark", "", big.clone()),
            ("utf-16 little endian without mark", "", little.clone()),
            ("utf-16 that is told", "; charset=utf-16", marked(b"\xfe\xff", &big)),
            ("utf-16 without mark that is told", "; charset=utf-16", big),
            ("utf-16 little endian that is told", ";charset=UTF-16LE", little),
            ("utf-32 with mark", "", marked(b"\0\0\xfe\xff", &wide)),
            ("utf-32 little endian with mark", "", marked(b"\xff\xfe\0\0", &wide_little)),
            ("utf-32 without mark", "", wide),
            ("utf-32 little endian without mark", "", wide_little),
            ("latin 1", "", latin.clone()),
            ("latin 1 that is told", "; charset=iso-8859-1", latin),
            ("utf-8 told as latin 1", "; charset=\"iso-8859-1\"", text.clone().into_bytes()),
            ("utf-8 of no known name", "; charset=nobody", text.into_bytes()),
            ("utf-16 cut in a unit", "", b"\xfe\xff\0{\0".to_vec()),
            ("only a mark", "", b"\xfe\xff".to_vec()),
            ("utf-16 with half a pair", "", b"\xfe\xff\0{\0\"\0a\0\"\0:\0\"\xd8\0\0\"\0}".to_vec()),
        ] {
            let request = Request::new("PUT", format!("/connectors/{name}/config"));
            let request = request.body(body).header("Content-Type", &format!("application/json{charset}"));
            let answer = t.quietly(&request);
            t.note(what, answer_line(&answer));
            t.remove(&name);
        }
    });
    list.add(BOTH, "half_a_surrogate_pair", |t| {
        let name = start_idle(t, json!({}));
        let config = idle(t).to_string();
        for half in [
            "\\ud800",
            "\\udc00",
            "\\ud800\\ud800",
            "\\udc00\\ud800",
            "x\\uD83Dy",
            "\\ud83d\\ude00",
            "\\ud8",
            "\\u00e9",
        ] {
            let with = config.replacen('{', &format!("{{\"note\":\"{half}\","), 1);
            t.put(format!("/connectors/{name}/config"), with);
            t.get(format!("/connectors/{name}/config"));
            t.put(
                "/connector-plugins/FileStreamSource/config/validate",
                format!("{{\"connector.class\":\"{half}\"}}"),
            );
        }
        t.post("/connectors", format!("{{\"name\":\"half-\\ud800\",\"config\":{config}}}"));
        t.get("/connectors/half-%3F");
        t.remove("half-%3F");
        t.post("/connectors", format!("{{\"name\":\"whole\",\"\\ud800\":{config}}}"));
        t.put("/admin/loggers/half", "{\"level\":\"\\udc00\"}");
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
