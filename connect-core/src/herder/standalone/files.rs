//! Connector files of the command line of a standalone worker: a properties file, a JSON object of settings, or JSON as
//! `POST /connectors` takes it (KIP-980). Which it is, its content tells.

use std::path::Path;

use crate::api::ConnectError;
use crate::rest::{CreateConnector, parse_create_connector};
use crate::storage::Properties;

const NAME: &str = "name";

/// Reads a connector file.
///
/// # Errors
/// A file that cannot be read, that names no connector, or names two; the executable exits with 3.
pub fn read(path: &Path) -> Result<CreateConnector, ConnectError> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|e| ConnectError::new(format!("{shown} cannot be read: {e}")))?;
    let mut connector = parse(path, &bytes)?;
    match connector.config.get(NAME) {
        None if connector.name.is_empty() => {
            return Err(ConnectError::new(format!(
                "Connector configuration at '{shown}' is missing the mandatory '{NAME}' configuration"
            )));
        }
        None => drop(connector.config.insert(NAME.to_owned(), Some(connector.name.clone()))),
        Some(Some(inner)) if connector.name.is_empty() => connector.name.clone_from(inner),
        Some(Some(inner)) if *inner == connector.name => {}
        Some(_) => {
            return Err(ConnectError::new(format!(
                "Connector name configuration in 'config' doesn't match the one specified in 'name' at '{shown}'"
            )));
        }
    }
    Ok(connector)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<CreateConnector, ConnectError> {
    let settings = |config: Properties| CreateConnector { name: String::new(), config, initial_state: None };
    if let Ok(flat) = serde_json::from_slice::<Properties>(bytes) {
        return Ok(settings(flat));
    }
    if let Ok(request) = parse_create_connector(&known_fields(bytes)) {
        return Ok(request);
    }
    let file = crate::config::Properties::parse(path, bytes)
        .map_err(|e| ConnectError::new(format!("{}: {e}", path.display())))?;
    Ok(settings(file.to_map().into_iter().map(|(key, value)| (key, Some(value))).collect()))
}

/// A request without the fields that Connect ignores in files, although its REST interface refuses them.
fn known_fields(bytes: &[u8]) -> Vec<u8> {
    let Ok(mut fields) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes) else {
        return bytes.to_vec();
    };
    fields.retain(|name, _| ["name", "config", "initial_state"].contains(&name.as_str()));
    serde_json::Value::Object(fields).to_string().into_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ids::TargetState;

    #[test]
    fn the_content_tells_the_kind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connector");
        let read_text = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path)
        };
        for text in [
            "name=c\ntopic: t\n",
            r#"{"name":"c","topic":"t"}"#,
            r#"{"name":"c","config":{"topic":"t"}}"#,
            r#"{"name":"c","config":{"topic":"t"},"more":1}"#,
            r#"{"name":"c","config":{"name":"c","topic":"t"},"initial_state":"paused"}"#,
        ] {
            let connector = read_text(text).unwrap();
            assert_eq!(
                (connector.name.as_str(), &connector.config["topic"]),
                ("c", &Some("t".to_owned())),
                "{text}"
            );
            assert_eq!(connector.config["name"], Some("c".to_owned()), "{text}");
            assert_eq!(
                connector.initial_state == Some(TargetState::Paused),
                text.contains("paused"),
                "{text}"
            );
        }
        let error = |text: &str| read_text(text).err().unwrap().to_string();
        assert!(error("topic=t").contains("missing the mandatory 'name' configuration"));
        assert!(error(r#"{"name":"c","config":{"name":"d"}}"#).contains("doesn't match"));
        assert!(read(&folder.path().join("none")).is_err());
    }
}
