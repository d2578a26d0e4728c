//! `/connector-plugins`: which plugins there are, what they can be told, and whether a configuration would do.

use axum::extract::Path;
use axum::response::Response;

use super::body;
use super::error::ApiError;
use super::exchange::Exchange;
use super::json::json;
use crate::answers::HerderError;

pub(super) async fn list(exchange: Exchange) -> Response {
    let connectors_only = exchange.flag("connectorsOnly").unwrap_or(true);
    json(exchange.state.herder.reader().connector_plugins(connectors_only))
}

pub(super) async fn config(Path(plugin): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    exchange.local(exchange.state.herder.reader().connector_plugin_config(&plugin)).await.map(json)
}

pub(super) async fn validate(Path(plugin): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let config = body::config(&exchange.body)?;
    if let Some(Some(class)) = config.get("connector.class")
        && !normalized(class).ends_with(normalized(&plugin))
    {
        let message = format!("Included connector type {class} does not match request type {plugin}");
        return Err(ApiError::bad_request(message));
    }
    let checked = exchange.state.herder.reader().validate(config);
    exchange.local(async { checked.await.map_err(wrapped) }).await.map(json)
}

/// A class name or alias without the suffix that may be left out.
fn normalized(name: &str) -> &str {
    name.strip_suffix("Connector").filter(|rest| !rest.is_empty()).unwrap_or(name)
}

/// Connect answers whatever keeps it from validating with 500, with the class of the exception in front.
fn wrapped(error: HerderError) -> HerderError {
    let class = match &error {
        HerderError::BadRequest(_) => crate::answers::BAD_REQUEST_CLASS,
        HerderError::Other { class, .. } => class,
        _ => return error,
    };
    HerderError::Other { class: class.to_owned(), message: format!("{class}: {error}") }
}
