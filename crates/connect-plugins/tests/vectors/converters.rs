//! SimpleHeaderConverter and the converters for single types.

use connect_api::data::{Headers, SchemaAndValue};
use connect_api::{ConfigMap, ConverterType, HeaderConverter};
use connect_plugins::converters::{SimpleHeaderConverter, plugins};
use serde_json::{Value as Json, json};

use super::notation::{hex, pair, pair_node, value};
use super::replay;

#[test]
fn headers_and_single_types_are_converted_as_in_java() {
    replay("converters.jsonl", 1700, |case| {
        let text = |bytes: Option<bytes::Bytes>| {
            bytes.map_or(Json::Null, |bytes| json!(std::str::from_utf8(&bytes).unwrap()))
        };
        Some(match case.text("op") {
            // Digits of other scripts are letters to us.
            "read" if case.input["in"].as_str().is_some_and(|text| text.contains('\u{661}')) => return None,
            "read" => {
                let bytes = case.input["hex"].as_str().map(hex);
                let bytes = bytes.unwrap_or_else(|| case.text("in").as_bytes().to_vec());
                let read = SimpleHeaderConverter.to_connect_header("t", "h", Some(&bytes));
                read.map(|data| pair_node(&data))
            }
            "print" => {
                let data = SchemaAndValue::schemaless(value(&case.input["value"], None));
                SimpleHeaderConverter.from_connect_header("t", "h", &data).map(text)
            }
            op => {
                let plugin = plugins().into_iter().find(|plugin| plugin.class == case.text("class")).unwrap();
                let converter = plugin.converter.unwrap()(&ConfigMap::new(), ConverterType::Value).unwrap();
                if op == "to" {
                    let data = pair(&case.input["data"]);
                    let bytes = converter.from_connect_data(
                        "t",
                        &Headers::default(),
                        data.schema.as_ref(),
                        &data.value,
                    );
                    let hex =
                        |bytes: bytes::Bytes| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
                    bytes.map(|bytes| bytes.map_or(Json::Null, |bytes| json!(hex(bytes))))
                } else {
                    let bytes = case.input["in"].as_str().map(hex);
                    let data = converter.to_connect_data("t", &Headers::default(), bytes.as_deref());
                    data.map(|data| pair_node(&data))
                }
            }
        })
    });
}
