//! Settings of Kafka's clients, which connectors may override: their types, which Connect reads before it asks the policy, and
//! what `validate` tells of them.

use std::sync::LazyLock;

use connect_api::{ConfigDef, ConfigKey, Importance, Setting, Type};

static CLIENTS: LazyLock<[(&str, ConfigDef); 3]> =
    LazyLock::new(|| ["producer", "consumer", "admin"].map(|client| (client, of_client(client))));

/// The settings of `producer`, `consumer` or `admin`.
pub(super) fn definition(client: &str) -> Option<&'static ConfigDef> {
    CLIENTS.iter().find(|(name, _)| *name == client).map(|(_, def)| def)
}

fn of_client(client: &str) -> ConfigDef {
    let keys = include_str!("clients.tsv").lines().filter(|line| !line.starts_with('#'));
    keys.filter_map(|line| key(client, line)).fold(ConfigDef::new(), ConfigDef::define)
}

/// The key of one line; `None` if this client does not have it.
fn key(client: &str, line: &str) -> Option<ConfigKey> {
    let mut columns = line.split('\t');
    columns.next()?.split(',').find(|name| *name == client)?;
    let (name, kind, importance) = (columns.next()?, columns.next()?, columns.next()?);
    let kind = Type::ALL.into_iter().find(|known| known.name() == kind)?;
    let importance = Importance::ALL.into_iter().find(|known| known.name() == importance)?;
    let text = format!("{name} of the connector's {client}, in place of the worker's.");
    let key = ConfigKey::new(name, kind, importance, text);
    Some(match columns.next()? {
        "required" => key,
        "null" => key.optional(),
        default => {
            let default = key.parse(default.strip_prefix('=')?).ok()?;
            key.default(default)
        }
    })
}

/// The value of a setting; a text if the client does not know it. Refuses what its type cannot have, in the words of
/// `ConfigDef.parseType`.
pub(super) fn parse(def: &ConfigDef, name: &str, text: &str) -> Result<Setting, String> {
    match def.key(name) {
        Some(key) => key.parse(text),
        None if kafka_wire::settings::is_secret(name) => Ok(Setting::Password(text.to_owned())),
        None => Ok(Setting::String(text.to_owned())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_their_clients_types() {
        let producer = definition("producer").unwrap();
        let not_int =
            "Invalid value x for configuration max.request.size: Not a number of type INT".to_owned();
        assert_eq!(parse(producer, "max.request.size", "x"), Err(not_int));
        assert_eq!(parse(producer, "linger.ms", " 5000000000 "), Ok(Setting::Long(5_000_000_000)));
        assert!(parse(producer, "enable.idempotence", "yes").is_err());
        assert_eq!(parse(producer, "acks", "x"), Ok(Setting::String("x".to_owned())));
        assert_eq!(parse(producer, "own", "x"), Ok(Setting::String("x".to_owned())));
        assert_eq!(parse(producer, "own.token", "x"), Ok(Setting::Password("x".to_owned())));
    }

    #[test]
    fn every_line_is_read() {
        let lines = include_str!("clients.tsv").lines().filter(|line| !line.starts_with('#'));
        let expected: usize =
            lines.map(|line| line.split('\t').next().unwrap_or_default().split(',').count()).sum();
        let read: usize =
            ["producer", "consumer", "admin"].map(|name| definition(name).unwrap().keys().len()).iter().sum();
        assert_eq!(read, expected);
        assert!(definition("producer").unwrap().key("key.serializer").unwrap().is_required());
    }
}
