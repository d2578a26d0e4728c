//! Standard output as the verifiable connectors use it: one JSON object a line, each line written whole.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use connect_api::{ConnectError, Value};
use serde_json::{Map, Value as Json};

/// Destination of the lines.
pub(super) struct Output(Box<dyn Write + Send>);

impl Default for Output {
    fn default() -> Self {
        Self(Box::new(std::io::stdout()))
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output")
    }
}

impl Output {
    /// Writes a line.
    pub(super) fn line(&mut self, text: &str) -> Result<(), ConnectError> {
        let line = format!("{text}\n");
        let written = self.0.write_all(line.as_bytes()).and_then(|()| self.0.flush());
        written.map_err(|error| ConnectError::new(format!("cannot write to standard output: {error}")))
    }

    /// Writes an object.
    pub(super) fn object(&mut self, object: &Map<String, Json>) -> Result<(), ConnectError> {
        self.line(&serde_json::to_string(object).map_err(ConnectError::new)?)
    }
}

/// Milliseconds since the epoch.
pub(in crate::connectors) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Data as plain JSON, for readers that want to compare it: bytes in base64, dates as milliseconds, decimals as text.
pub(in crate::connectors) fn plain_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(b) => (*b).into(),
        Value::Int8(n) => (*n).into(),
        Value::Int16(n) => (*n).into(),
        Value::Int32(n) => (*n).into(),
        Value::Int64(n) | Value::Date(n) => (*n).into(),
        // By its own digits, not by those of the double next to it.
        Value::Float32(n) => n.to_string().parse().map_or(Json::Null, |n: f64| float(n)),
        Value::Float64(n) => float(*n),
        Value::String(text) => text.as_str().into(),
        Value::Bytes(bytes) => BASE64_STANDARD.encode(bytes).into(),
        Value::Decimal(number) => number.to_string().into(),
        Value::Array(items) => items.iter().map(plain_json).collect(),
        Value::Map(map) => map.iter().map(|(key, value)| (key_text(key), plain_json(value))).collect(),
        Value::Struct(data) => {
            let names = data.schema.fields().iter().map(|field| field.name.clone());
            names.zip(data.values.iter().map(plain_json)).collect()
        }
    }
}

fn float(n: f64) -> Json {
    if n.is_finite() { n.into() } else { n.to_string().into() }
}

fn key_text(key: &Value) -> String {
    match plain_json(key) {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use serde_json::json;

    use super::*;

    /// Keeps what was written.
    #[derive(Clone, Default)]
    pub(in crate::connectors::tools) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        pub(in crate::connectors::tools) fn output(&self) -> Output {
            Output(Box::new(self.clone()))
        }

        /// The lines so far, `time_ms` checked and removed.
        pub(in crate::connectors::tools) fn take(&self) -> Vec<String> {
            let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
            String::from_utf8_lossy(&bytes).lines().map(without_time).collect()
        }
    }

    fn without_time(line: &str) -> String {
        let Ok(Json::Object(mut object)) = serde_json::from_str(line) else { panic!("{line}") };
        if let Some(time) = object.shift_remove("time_ms") {
            assert!((now() - time.as_i64().unwrap_or(0)).abs() < 600_000, "{line}");
        }
        Json::Object(object).to_string()
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn data_becomes_plain_json() {
        let mut map = connect_api::data::Map::new();
        map.put("a", Value::Float64(1.5));
        map.put(Value::Int32(2), Value::Null);
        let given = Value::Array(vec![
            Value::Map(map),
            Value::Bytes(vec![1, 2, 3].into()),
            Value::Float32(12.2),
            Value::Float64(f64::INFINITY),
        ]);
        assert_eq!(plain_json(&given), json!([{"a": 1.5, "2": null}, "AQID", 12.2, "inf"]));
    }
}
