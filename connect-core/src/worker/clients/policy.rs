//! `connector.client.config.override.policy`: which client properties a connector's configuration may override.

use connect_api::{ConfigMap, ConnectError};

use crate::plugins::simple_name;
use crate::worker::values::{list, text, with_prefix};

/// Kind of client that a property is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ClientKind {
    Producer,
    Consumer,
    Admin,
}

impl ClientKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Producer, Self::Consumer, Self::Admin];

    /// The prefix of worker properties for these clients.
    pub fn worker_prefix(self) -> &'static str {
        match self {
            Self::Producer => "producer.",
            Self::Consumer => "consumer.",
            Self::Admin => "admin.",
        }
    }

    /// The prefix of connector properties for these clients.
    pub fn override_prefix(self) -> &'static str {
        match self {
            Self::Producer => "producer.override.",
            Self::Consumer => "consumer.override.",
            Self::Admin => "admin.override.",
        }
    }
}

/// The policy of a worker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OverridePolicy {
    /// Everything may be overridden.
    #[default]
    All,
    /// Nothing may.
    None,
    /// Only who the client is: `security.protocol`, `sasl.jaas.config`, `sasl.mechanism`.
    Principal,
    /// Only what `connector.client.config.override.allowlist` names.
    Allowlist(Vec<String>),
}

impl OverridePolicy {
    /// The policy that a worker's properties name, by class or alias.
    ///
    /// # Errors
    /// An unknown policy.
    pub fn from_properties(properties: &ConfigMap) -> Result<Self, ConnectError> {
        const KEY: &str = "connector.client.config.override.policy";
        const ALLOWLIST: &str = "connector.client.config.override.allowlist";
        let name = text(properties, KEY).unwrap_or("All");
        let simple = simple_name(name);
        match simple.strip_suffix("ConnectorClientConfigOverridePolicy").unwrap_or(simple) {
            "All" => Ok(Self::All),
            "None" => Ok(Self::None),
            "Principal" => Ok(Self::Principal),
            "Allowlist" => Ok(Self::Allowlist(list(properties, ALLOWLIST))),
            _ => Err(ConnectError::config(format!(
                "Invalid value {name} for configuration {KEY}: it must be All, None, Principal or Allowlist"
            ))),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::All => "All",
            Self::None => "None",
            Self::Principal => "Principal",
            Self::Allowlist(_) => "Allowlist",
        }
    }

    fn allows(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Principal => ["security.protocol", "sasl.jaas.config", "sasl.mechanism"].contains(&key),
            Self::Allowlist(allowed) => allowed.iter().any(|name| name == key),
        }
    }

    /// Keys of a connector's configuration that this policy forbids: each (with its prefix) and the
    /// reason, in Connect's words.
    pub fn violations(&self, kind: ClientKind, config: &ConfigMap) -> Vec<(String, String)> {
        let prefix = kind.override_prefix();
        let forbidden = with_prefix(config, prefix).into_keys().filter(|key| !self.allows(key));
        let reason = |key: String| {
            let reason = format!(
                "The '{}' policy does not allow '{key}' to be overridden in the connector configuration.",
                self.name()
            );
            (format!("{prefix}{key}"), reason)
        };
        forbidden.map(reason).collect()
    }

    /// The overrides of a connector for one kind of client.
    ///
    /// # Errors
    /// When the policy forbids any of them.
    pub(crate) fn overrides(&self, kind: ClientKind, config: &ConfigMap) -> Result<ConfigMap, ConnectError> {
        let violations = self.violations(kind, config);
        if violations.is_empty() {
            return Ok(with_prefix(config, kind.override_prefix()));
        }
        let reasons: Vec<_> = violations.into_iter().map(|(_, reason)| reason).collect();
        Err(ConnectError::new(format!("Client Config Overrides not allowed: {}", reasons.join(" "))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn map<const N: usize>(entries: [(&str, &str); N]) -> ConfigMap {
        entries.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn each_policy_allows_its_own() {
        const KEY: &str = "connector.client.config.override.policy";
        let config = map([("producer.override.acks", "1"), ("producer.override.sasl.mechanism", "PLAIN")]);
        for (policy, allowed) in [("All", 2), ("None", 0), ("Principal", 1), ("Allowlist", 1)] {
            let worker =
                map([(KEY, policy), ("connector.client.config.override.allowlist", "acks, linger.ms")]);
            let policy = OverridePolicy::from_properties(&worker).unwrap();
            assert_eq!(policy.violations(ClientKind::Producer, &config).len(), 2 - allowed, "{policy:?}");
            assert!(policy.violations(ClientKind::Consumer, &config).is_empty());
            assert_eq!(policy.overrides(ClientKind::Producer, &config).is_ok(), allowed == 2);
        }
        let class = "org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy";
        assert_eq!(OverridePolicy::from_properties(&map([(KEY, class)])).unwrap(), OverridePolicy::None);
        assert!(OverridePolicy::from_properties(&map([(KEY, "Some")])).is_err());
    }
}
