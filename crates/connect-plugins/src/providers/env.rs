//! EnvVarConfigProvider: the worker's environment, as far as `allowlist.pattern` lets it be seen.

use std::collections::BTreeMap;

use connect_api::{ConfigMap, ConfigProvider, ConnectError, Provided};
use java::regex::JavaRegex;

/// The provider.
#[derive(Debug)]
pub(super) struct EnvVarConfigProvider(BTreeMap<String, String>);

impl EnvVarConfigProvider {
    pub(super) fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        let variables = std::env::vars_os();
        let readable =
            variables.filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Self::of(config, readable)
    }

    fn of(
        config: &ConfigMap,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConnectError> {
        const KEY: &str = "allowlist.pattern";
        let pattern = config.get(KEY).map_or(".*", String::as_str);
        let allowed = JavaRegex::new(pattern).map_err(|error| {
            ConnectError::config(format!(
                "Invalid value {pattern} for configuration {KEY}: Invalid regex: {error}"
            ))
        })?;
        Ok(Self(variables.filter(|(key, _)| allowed.is_match(key).unwrap_or(false)).collect()))
    }
}

impl ConfigProvider for EnvVarConfigProvider {
    fn get(&self, path: &str, keys: &[String]) -> Result<Provided, ConnectError> {
        if !path.is_empty() {
            return Err(ConnectError::config(format!(
                "Path is not supported for EnvVarConfigProvider, invalid value '{path}'"
            )));
        }
        let found = keys.iter().filter_map(|key| Some((key.clone(), self.0.get(key)?.clone())));
        Ok(Provided { data: found.collect(), ttl: None })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_variables_are_seen() {
        let config = [("allowlist.pattern".to_owned(), "MY_.*".to_owned())].into();
        let variables = [("MY_A", "1"), ("OTHER", "2")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let provider = EnvVarConfigProvider::of(&config, variables.into_iter()).unwrap();
        let keys = ["MY_A", "MY_B", "OTHER"].map(str::to_owned);
        assert_eq!(provider.get("", &keys).unwrap().data, [("MY_A".to_owned(), "1".to_owned())].into());
        assert!(provider.get("x", &keys).unwrap_err().message().contains("'x'"));
        let broken = [("allowlist.pattern".to_owned(), "(".to_owned())].into();
        assert!(EnvVarConfigProvider::new(&broken).unwrap_err().message().contains("allowlist.pattern"));
    }
}
