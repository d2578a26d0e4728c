//! JsonConverter.

use connect_api::{ConfigMap, ConverterType};
use connect_plugins::converters::JsonConverter;
use serde_json::{Value as Json, json};

use super::notation::{hex, pair, pair_node};
use super::replay;

#[test]
fn json_is_converted_as_in_java() {
    replay("json.jsonl", 700, |case| {
        // A default that is a struct never fits its own schema in Java.
        if case.input["error"][1][1] == "Struct schemas do not match." {
            return None;
        }
        let plain: ConfigMap = [("schemas.enable".to_owned(), "false".to_owned())].into();
        let config = if case.text("op") == "round" { plain } else { case.config() };
        let converter = JsonConverter::new(&config, ConverterType::Value).unwrap();
        Some(match case.text("op") {
            "to" => {
                let data = pair(&case.input["data"]);
                converter
                    .to_json(data.schema.as_ref(), &data.value)
                    .map(|text| text.map_or(Json::Null, Json::String))
            }
            "from" => {
                let bytes = case.input["hex"].as_str().map(hex);
                let bytes = bytes.unwrap_or_else(|| case.text("in").as_bytes().to_vec());
                converter.from_json(Some(&bytes)).map(|data| pair_node(&data))
            }
            _ => converter
                .from_json(Some(case.text("in").as_bytes()))
                .and_then(|data| Ok(json!(converter.to_json(data.schema.as_ref(), &data.value)?))),
        })
    });
}
