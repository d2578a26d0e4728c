//! The lists of plugins and the definitions of their settings.

use serde_json::Value;

use super::{BOTH, DISTRIBUTED, List};
use crate::http::Request;
use crate::transcript::T;

const CONNECTORS: &[&str] = &["file.FileStreamSinkConnector", "file.FileStreamSourceConnector"];

const CONVERTERS: &[&str] = &[
    "json.JsonConverter",
    "storage.StringConverter",
    "storage.SimpleHeaderConverter",
    "converters.ByteArrayConverter",
    "converters.BooleanConverter",
    "converters.ShortConverter",
    "converters.IntegerConverter",
    "converters.LongConverter",
    "converters.FloatConverter",
    "converters.DoubleConverter",
];

const TRANSFORMS: &[&str] = &[
    "Cast$Key",
    "Cast$Value",
    "DropHeaders",
    "ExtractField$Key",
    "ExtractField$Value",
    "Filter",
    "Flatten$Value",
    "HeaderFrom$Value",
    "HoistField$Value",
    "InsertField$Value",
    "InsertHeader",
    "MaskField$Value",
    "RegexRouter",
    "ReplaceField$Value",
    "SetSchemaMetadata$Value",
    "TimestampConverter$Value",
    "TimestampRouter",
    "ValueToKey",
    "predicates.HasHeaderKey",
    "predicates.RecordIsTombstone",
    "predicates.TopicNameMatches",
];

pub(super) fn list(list: &mut List) {
    list.add(BOTH, "list", |t| {
        for query in ["", "?connectorsOnly=true", "?connectorsOnly=false", "?connectorsOnly=nonsense"] {
            plugins(t, query);
        }
    });
    list.add(DISTRIBUTED, "definitions_by_other_names", |t| {
        for name in [
            "FileStreamSource",
            "FileStreamSourceConnector",
            "FileStream",
            "JsonConverter",
            "Json",
            "Cast",
            "Cast$Value",
            "HasHeaderKey",
            "com.example.Nobody",
            "%20",
        ] {
            let answer = t.quietly(&Request::new("GET", format!("/connector-plugins/{name}/config")));
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let text =
                body.as_array().map_or(answer.body.clone(), |all| format!("{} definitions", all.len()));
            t.note(format!("definitions of {name}"), format!("{} {text}", answer.status));
        }
        t.get("/connector-plugins/FileStreamSource/config?version=1.0");
    });
    for class in CONNECTORS.iter().chain(CONVERTERS) {
        list.add(DISTRIBUTED, &format!("definitions_of_{class}"), move |t| definitions(t, class));
    }
    for class in TRANSFORMS {
        let class = format!("transforms.{class}");
        list.add(DISTRIBUTED, &format!("definitions_of_{class}"), move |t| definitions(t, &class));
    }
}

/// One note for each kind and each plugin, for the lists are long.
fn plugins(t: &mut T<'_>, query: &str) {
    let answer = t.quietly(&Request::new("GET", format!("/connector-plugins{query}")));
    let Ok(Value::Array(found)) = serde_json::from_str(&answer.body) else {
        t.note(format!("GET /connector-plugins{query}"), format!("{} {}", answer.status, answer.body));
        return;
    };
    let text = |plugin: &Value, field: &str| plugin[field].as_str().unwrap_or("?").to_owned();
    let mut kinds: Vec<String> = found.iter().map(|plugin| text(plugin, "type")).collect();
    kinds.dedup();
    t.note(format!("kinds {query}"), kinds.join(", "));
    let mut rows: Vec<(String, String)> =
        found.iter().map(|plugin| (text(plugin, "class"), plugin.to_string())).collect();
    rows.sort();
    for (class, row) in rows {
        t.note(format!("{query} {class}"), row);
    }
}

fn definitions(t: &mut T<'_>, class: &str) {
    let path = format!("/connector-plugins/org.apache.kafka.connect.{class}/config");
    let answer = t.quietly(&Request::new("GET", &path));
    let Ok(Value::Array(found)) = serde_json::from_str(&answer.body) else {
        t.note(path, format!("{} {}", answer.status, answer.body));
        return;
    };
    let names: Vec<&str> = found.iter().filter_map(|definition| definition["name"].as_str()).collect();
    t.note("names", names.join(", "));
    for definition in &found {
        t.note(definition["name"].as_str().unwrap_or("?"), definition);
    }
}
