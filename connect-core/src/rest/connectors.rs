//! `/connectors` and `/connectors/{c}`: list, create, show, delete; and a connector's configuration.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tracing::warn;

use super::body;
use super::error::ApiError;
use super::exchange::Exchange;
use super::json::{Json, json as json_answer};
use crate::answers::HerderError;
use crate::answers::{ConnectorInfo, Created};
use crate::storage::Properties;

/// Names only, or an object with what `expand` (repeatable: `status`, `info`) asks for; other values are ignored.
pub(super) async fn list(exchange: Exchange) -> Result<Response, ApiError> {
    let herder = &exchange.state.herder;
    let names = exchange.local(herder.reader().connectors()).await?;
    let expand = exchange.queries("expand");
    if expand.is_empty() {
        return Ok(json_answer(names));
    }
    let wanted: BTreeSet<&str> = expand.iter().map(String::as_str).collect();
    for unknown in wanted.iter().filter(|what| !matches!(**what, "status" | "info")) {
        warn!("ignoring the unknown value {unknown:?} of expand");
    }
    let mut all = Map::new();
    for name in names {
        if let Some(expanded) = expand_one(&exchange, &name, &expand).await? {
            all.insert(name, Value::Object(expanded));
        }
    }
    Ok(json_answer(all))
}

/// Requested parts of one connector; `None` when it has vanished.
async fn expand_one(
    exchange: &Exchange,
    name: &str,
    expand: &[String],
) -> Result<Option<Map<String, Value>>, ApiError> {
    let herder = &exchange.state.herder;
    let mut out = Map::new();
    for what in expand {
        let found = match what.as_str() {
            "status" => {
                exchange.local(herder.reader().connector_status(name)).await.map(|status| json!(status))
            }
            "info" => exchange.local(herder.reader().connector_info(name)).await.map(|info| json!(info)),
            _ => continue,
        };
        match found {
            Ok(value) => out.insert(what.clone(), value),
            Err(error) if error.status == StatusCode::NOT_FOUND => return Ok(None),
            Err(error) => return Err(error),
        };
    }
    Ok(Some(out))
}

pub(super) async fn create(exchange: Exchange) -> Result<Response, ApiError> {
    let request = body::create_connector(&exchange.body)?;
    // As Java trims: control characters too.
    let name = request.name.trim_matches(|c: char| c <= ' ').to_owned();
    let config = named(&name, request.config)?;
    let put = exchange.state.herder.put_connector_config(&name, config, request.initial_state, false);
    let location = location(&exchange, &name);
    let done = exchange.forwardable(put).await?;
    Ok(created(
        done.respond(|created| (StatusCode::CREATED, Json(created.result)).into_response()),
        &location,
    ))
}

pub(super) async fn show(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let herder = &exchange.state.herder;
    exchange.read(|| herder.reader().connector_info(&name)).await.map(json_answer)
}

pub(super) async fn delete(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let done = exchange.forwardable(exchange.state.herder.delete_connector(&name)).await?;
    Ok(done.respond(|()| StatusCode::NO_CONTENT.into_response()))
}

pub(super) async fn config(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let herder = &exchange.state.herder;
    exchange.read(|| herder.reader().connector_config(&name)).await.map(json_answer)
}

pub(super) async fn put_config(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let config = named(&name, body::config(&exchange.body)?)?;
    let put = exchange.state.herder.put_connector_config(&name, config, None, true);
    let location = location(&exchange, &name);
    let done = exchange.forwardable(put).await?;
    Ok(created(done.respond(stored), &location))
}

pub(super) async fn patch_config(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let herder = &exchange.state.herder;
    let Some(patch) = body::optional_config(&exchange.body)? else {
        // That there is no such connector is said first.
        exchange.local(herder.reader().connector_config(&name)).await?;
        return Err(body::no_config());
    };
    let done = exchange.forwardable(herder.patch_connector_config(&name, patch)).await?;
    Ok(done.respond(|created| json_answer(created.result)))
}

fn stored(created: Created<ConnectorInfo>) -> Response {
    let status = if created.created { StatusCode::CREATED } else { StatusCode::OK };
    (status, Json(created.result)).into_response()
}

/// The configuration with its name in it; one that names another connector is refused.
fn named(name: &str, mut config: Properties) -> Result<Properties, ApiError> {
    if let Some(Some(included)) = config.get("name") {
        if included != name {
            let message = format!(
                "Connector name configuration ({included}) doesn't match connector name in the URL ({name})"
            );
            return Err(HerderError::BadRequest(message).into());
        }
    } else {
        config.insert("name".to_owned(), Some(name.to_owned()));
    }
    Ok(config)
}

/// Location of a new connector: `/` stays, as Connect leaves it.
fn location(exchange: &Exchange, name: &str) -> String {
    let mut path = String::from("/connectors/");
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b'!'
            | b'$'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b'='
            | b':'
            | b';'
            | b'@' => path.push(char::from(byte)),
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    exchange.absolute(&path)
}

/// A 201 says where, whoever answered.
fn created(mut response: Response, location: &str) -> Response {
    if response.status() == StatusCode::CREATED
        && let Ok(value) = location.parse()
    {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
