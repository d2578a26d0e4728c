//! Bytes of the offset topic: key `["<connector>",{source partition}]`, value `{source offset}`, compact JSON without
//! schemas. Keys are compared as parsed JSON, because Java writes the map in whatever order its connector's map has.

use java::json::escaped;
use serde_json::{Map, Value};

use super::StorageError;

/// Meaning of a key of the offset topic.
#[derive(Debug, PartialEq)]
pub(super) enum ParsedKey {
    /// Connector name and source partition.
    Partition(String, Map<String, Value>),
    /// `["name",null]`: written by connectors without source partitions; means nothing to a reader.
    NoPartition,
}

/// Reads a key; the error says what is wrong with it.
pub(super) fn parse(key: &[u8]) -> Result<ParsedKey, String> {
    let value: Value = serde_json::from_slice(key).map_err(|e| format!("the key is not JSON ({e})"))?;
    let Value::Array(parts) = value else {
        return Err("the key is not a JSON array".to_owned());
    };
    match <[Value; 2]>::try_from(parts) {
        Ok([Value::String(connector), Value::Object(map)]) => Ok(ParsedKey::Partition(connector, map)),
        Ok([Value::String(_), Value::Null]) => Ok(ParsedKey::NoPartition),
        _ => Err("the key is not an array of a connector name and a map".to_owned()),
    }
}

/// Reads a value: the offset's map; `None` for JSON null. The error says what is wrong with it.
pub(super) fn parse_value(value: &[u8]) -> Result<Option<Map<String, Value>>, String> {
    match serde_json::from_slice(value) {
        Ok(Value::Object(map)) => Ok(Some(map)),
        Ok(Value::Null) => Ok(None),
        Ok(_) => Err("the value is not a JSON object".to_owned()),
        Err(e) => Err(format!("the value is not JSON ({e})")),
    }
}

/// The bytes of a key, the map in the order it has.
pub(super) fn write(connector: &str, partition: &Map<String, Value>) -> Vec<u8> {
    let mut out = String::with_capacity(64);
    out.push('[');
    out.push_str(&Value::String(connector.to_owned()).to_string());
    out.push(',');
    out.push_str(&map_text(partition));
    out.push(']');
    escaped(out).into_bytes()
}

/// The bytes of a value.
pub(super) fn write_value(offset: &Map<String, Value>) -> Vec<u8> {
    escaped(map_text(offset)).into_bytes()
}

/// The same text for every key that means the same source partition, whatever the order of its map.
pub(super) fn identity(connector: &str, partition: &Map<String, Value>) -> String {
    let mut fields: Vec<_> = partition.iter().collect();
    fields.sort_by(|a, b| a.0.cmp(b.0));
    let sorted = fields.into_iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    format!("{}{}", Value::String(connector.to_owned()), map_text(&sorted))
}

/// Refuses what Connect refuses: anything nested.
pub(super) fn check_flat(
    connector: &str,
    what: &'static str,
    map: &Map<String, Value>,
) -> Result<(), StorageError> {
    for (field, value) in map {
        let found = match value {
            Value::Array(_) => "ARRAY",
            Value::Object(_) => "MAP",
            _ => continue,
        };
        return Err(StorageError::NotFlat {
            connector: connector.to_owned(),
            field: field.clone(),
            what,
            found,
        });
    }
    Ok(())
}

fn map_text(map: &Map<String, Value>) -> String {
    let mut out = String::from("{");
    for (i, (key, value)) in map.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(&Value::String(key.clone()).to_string());
        out.push(':');
        out.push_str(&value.to_string());
    }
    out.push('}');
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn bytes_are_connects() {
        let partition = map(json!({"topic": "t", "partition": 0}));
        assert_eq!(write("replicator", &partition), br#"["replicator",{"topic":"t","partition":0}]"#);
        assert_eq!(write_value(&map(json!({"offset": 42}))), br#"{"offset":42}"#);
        assert_eq!(write("a\"b", &map(json!({}))), br#"["a\"b",{}]"#);
    }

    #[test]
    fn order_of_fields_makes_no_difference() {
        let java = parse(br#"["c",{"partition":3,"topic":"t"}]"#).unwrap();
        let ParsedKey::Partition(name, theirs) = java else { panic!("a partition") };
        let ours = map(json!({"topic": "t", "partition": 3}));
        assert_eq!(identity(&name, &theirs), identity("c", &ours));
        assert_ne!(identity("c", &ours), identity("d", &ours));
        assert_ne!(identity("c", &ours), identity("c", &map(json!({"topic": "t", "partition": 4}))));
    }

    #[test]
    fn junk_is_named() {
        assert_eq!(parse(br#"["c",null]"#), Ok(ParsedKey::NoPartition));
        for junk in [&b"abc"[..], b"{}", b"[]", br#"["c"]"#, br#"["c",{},1]"#, br#"[1,{}]"#, b"\xff"] {
            assert!(parse(junk).is_err(), "{junk:?}");
        }
        assert!(parse_value(b"[1]").is_err());
        assert_eq!(parse_value(b"null"), Ok(None));
    }

    #[test]
    fn nested_values_are_refused() {
        let error = check_flat("c", "offset", &map(json!({"a": 1, "b": [1]}))).unwrap_err();
        assert!(error.to_string().contains("field b contains ARRAY"), "{error}");
        assert!(check_flat("c", "offset", &map(json!({"a": null, "b": 1.5, "c": "x", "d": true}))).is_ok());
    }
}
