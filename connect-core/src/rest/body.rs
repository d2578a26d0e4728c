//! Request bodies, read as Connect reads them: scalars become strings, the last of equal keys counts, and what is not of the
//! expected shape is an error 500 that names the place.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::encoding;
use super::error::ApiError;
use crate::answers::{ConnectorOffsets, OffsetEntry};
use crate::api::ConfigMap;
use crate::ids::TargetState;
use crate::storage::Properties;

const REQUESTS: &str = "org.apache.kafka.connect.runtime.rest.entities";

/// Some editors and shells put it before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Body of `POST /connectors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateConnector {
    /// Empty when it is missing.
    pub name: String,
    /// Settings.
    pub config: Properties,
    /// State to begin in; `None`: running.
    pub initial_state: Option<TargetState>,
}

/// In the order of the body.
type Fields<'a> = IndexMap<String, &'a RawValue>;

fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::internal(message)
}

/// An object's fields; `None` for no body at all or null.
fn object<'a>(body: &'a [u8], what: &str) -> Result<Option<Fields<'a>>, ApiError> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let raw: &RawValue = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("The request body is not valid JSON: {error}")))?;
    encoding::refuse_halves(raw.get())?;
    fields(raw, what)
}

fn fields<'a>(raw: &'a RawValue, what: &str) -> Result<Option<Fields<'a>>, ApiError> {
    match raw.get().as_bytes().first() {
        Some(b'{') => serde_json::from_str(raw.get())
            .map(Some)
            .map_err(|error| malformed(format!("The request body is not valid JSON: {error}"))),
        Some(b'n') => Ok(None),
        _ => Err(wrong_type(what, raw)),
    }
}

fn wrong_type(what: &str, raw: &RawValue) -> ApiError {
    let (kind, token) = match raw.get().as_bytes().first() {
        Some(b'{') => ("Object value", "START_OBJECT"),
        Some(b'[') => ("Array value", "START_ARRAY"),
        Some(b'"') => ("String value", "VALUE_STRING"),
        Some(b't') => ("Boolean value", "VALUE_TRUE"),
        Some(b'f') => ("Boolean value", "VALUE_FALSE"),
        _ => ("Number value", "VALUE_NUMBER"),
    };
    malformed(format!("Cannot deserialize value of type `{what}` from {kind} (token `JsonToken.{token}`)"))
}

/// Refuses fields that the entity does not have.
fn only(fields: &Fields<'_>, entity: &str, known: &[&str]) -> Result<(), ApiError> {
    let Some(unknown) = fields.keys().find(|field| !known.contains(&field.as_str())) else { return Ok(()) };
    let list = known.iter().map(|field| format!("\"{field}\"")).collect::<Vec<_>>().join(", ");
    let count = match known.len() {
        1 => "one known property".to_owned(),
        n => format!("{n} known properties"),
    };
    Err(malformed(format!(
        "Unrecognized field \"{unknown}\" (class {REQUESTS}.{entity}), not marked as ignorable ({count}: {list}])"
    )))
}

/// A scalar as the text that stands in the body; null is null.
fn text(raw: &RawValue) -> Result<Option<String>, ApiError> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map(Some).map_err(|error| malformed(error.to_string())),
        Some(b'n') => Ok(None),
        Some(b'{' | b'[') => Err(wrong_type("java.lang.String", raw)),
        _ => Ok(Some(text.to_owned())),
    }
}

fn properties(fields: Fields<'_>) -> Result<Properties, ApiError> {
    fields.into_iter().map(|(key, value)| Ok((key, text(value)?))).collect()
}

/// A flat map of settings.
pub(super) fn config(body: &[u8]) -> Result<Properties, ApiError> {
    optional_config(body)?.ok_or_else(no_config)
}

/// A flat map of settings; `None` for no body at all or null.
pub(super) fn optional_config(body: &[u8]) -> Result<Option<Properties>, ApiError> {
    let fields = object(body, "java.util.LinkedHashMap<java.lang.String,java.lang.String>")?;
    fields.map(properties).transpose()
}

pub(super) fn no_config() -> ApiError {
    malformed("The request has no body; a JSON object of settings is expected")
}

/// Reads the body of `POST /connectors`; the error is the answer to it.
pub fn create_connector(body: &[u8]) -> Result<CreateConnector, ApiError> {
    const KNOWN: [&str; 3] = ["config", "name", "initial_state"];
    let fields = object(body, &format!("{REQUESTS}.CreateConnectorRequest"))?;
    let fields = fields.ok_or_else(|| malformed("The request has no body; name and config are expected"))?;
    only(&fields, "CreateConnectorRequest", &KNOWN)?;
    let field = |name: &str| fields.get(name).map(|raw| text(raw)).transpose().map(Option::flatten);
    let config = match fields.get("config") {
        Some(raw) => self::fields(raw, "java.util.LinkedHashMap<java.lang.String,java.lang.String>")?,
        None => None,
    };
    Ok(CreateConnector {
        name: field("name")?.unwrap_or_default(),
        initial_state: field("initial_state")?.map(|state| initial_state(&state)).transpose()?,
        config: properties(config.ok_or_else(|| malformed("The request has no config"))?)?,
    })
}

fn initial_state(name: &str) -> Result<TargetState, ApiError> {
    let upper = name.to_uppercase();
    match upper.as_str() {
        "RUNNING" => Ok(TargetState::Started),
        "PAUSED" => Ok(TargetState::Paused),
        "STOPPED" => Ok(TargetState::Stopped),
        _ => Err(malformed(format!(
            "Cannot construct instance of `{REQUESTS}.CreateConnectorRequest$InitialState`, problem: No enum constant \
             {REQUESTS}.CreateConnectorRequest.InitialState.{upper}"
        ))),
    }
}

/// Body of `PATCH /connectors/{c}/offsets`; empty where the client left the offsets out.
pub(super) fn offsets(body: &[u8]) -> Result<ConnectorOffsets, ApiError> {
    let list = format!("java.util.ArrayList<{REQUESTS}.ConnectorOffset>");
    let fields = object(body, &format!("{REQUESTS}.ConnectorOffsets"))?;
    let fields = fields.ok_or_else(|| malformed("The request has no body; offsets are expected"))?;
    only(&fields, "ConnectorOffsets", &["offsets"])?;
    let Some(raw) = fields.get("offsets").filter(|raw| raw.get() != "null") else {
        return Ok(ConnectorOffsets::default());
    };
    let items: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| wrong_type(&list, raw))?;
    Ok(ConnectorOffsets { offsets: items.into_iter().map(offset).collect::<Result<_, _>>()? })
}

fn offset(raw: &RawValue) -> Result<OffsetEntry, ApiError> {
    let fields = fields(raw, &format!("{REQUESTS}.ConnectorOffset"))?;
    let fields = fields.ok_or_else(|| malformed("An entry of offsets is null"))?;
    only(&fields, "ConnectorOffset", &["partition", "offset"])?;
    let map = |name: &str| -> Result<Option<Map<String, Value>>, ApiError> {
        let Some(raw) = fields.get(name) else { return Ok(None) };
        Option::<Map<String, Value>>::deserialize(*raw)
            .map_err(|_| wrong_type("java.util.LinkedHashMap<java.lang.String,java.lang.Object>", raw))
    };
    Ok(OffsetEntry { partition: map("partition")?, offset: map("offset")? })
}

/// Body of `POST /connectors/{c}/tasks`: settings of every task.
pub(super) fn task_configs(body: &[u8]) -> Result<Vec<ConfigMap>, ApiError> {
    let what = "java.util.ArrayList<java.util.Map<java.lang.String,java.lang.String>>";
    let raw: &RawValue = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("The request body is not valid JSON: {error}")))?;
    let items: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| wrong_type(what, raw))?;
    let item = |raw: &RawValue| {
        let fields = fields(raw, "java.util.Map<java.lang.String,java.lang.String>")?.unwrap_or_default();
        let config = properties(fields)?;
        Ok(config.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    };
    items.into_iter().map(item).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_their_text_and_the_last_of_equal_keys_counts() {
        let body = br#"{"a":1.10,"b":true,"c":null,"d":"x","a":2e5}"#;
        let expected = [("a", Some("2e5")), ("b", Some("true")), ("c", None), ("d", Some("x"))];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.map(str::to_owned)));
        assert_eq!(config(body).unwrap(), Properties::from(expected));
    }

    #[test]
    fn wrong_bodies_are_500_and_say_what_is_wrong() {
        let message = |result: Result<CreateConnector, ApiError>| {
            let error = result.err().unwrap();
            assert_eq!(error.status.as_u16(), 500);
            error.message
        };
        for (body, says) in [
            ("", "no body"),
            ("null", "no body"),
            ("{", "not valid JSON"),
            ("[]", "CreateConnectorRequest` from Array value (token `JsonToken.START_ARRAY`)"),
            (r#"{"name":"a"}"#, "no config"),
            (r#"{"name":"a","config":{"x":{}}}"#, "`java.lang.String` from Object value"),
            (r#"{"name":"a","config":{},"foo":1}"#, "Unrecognized field \"foo\""),
            (r#"{"name":"a","config":{},"initial_state":"x"}"#, "InitialState.X"),
        ] {
            let text = message(create_connector(body.as_bytes()));
            assert!(text.contains(says), "{body}: {text}");
        }
        assert_eq!(
            create_connector(br#"{"name":1,"config":{},"initial_state":"Paused"}"#).unwrap().initial_state,
            Some(TargetState::Paused)
        );
    }

    #[test]
    fn offsets_may_be_null_but_not_of_another_shape() {
        let read = offsets(br#"{"offsets":[{"partition":{"a":1},"offset":null}]}"#).unwrap();
        assert_eq!(read.offsets[0].offset, None);
        assert!(offsets(b"{}").unwrap().offsets.is_empty());
        for body in [
            r#"{"offsets":{}}"#,
            r#"{"offsets":[{"partition":"a"}]}"#,
            r#"{"foo":1}"#,
            r#"{"offsets":[null]}"#,
            "",
        ] {
            assert!(offsets(body.as_bytes()).is_err(), "{body}");
        }
    }
}
