//! Variables in settings, `${provider:path:key}` or `${provider:key}`: replaced when settings are used, kept when they are
//! stored. What nobody knows stays as it is written; values are not searched for variables again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use connect_api::{ConfigMap, ConfigProvider, ConnectError};

/// Providers by the name that variables give them (`config.providers` of the worker).
pub type Providers = BTreeMap<String, Arc<dyn ConfigProvider>>;

/// The settings with variables replaced, and the time after which the shortest-lived of the values should be looked up
/// again (a worker then restarts the connector, unless `config.action.reload` says otherwise).
///
/// # Errors
/// If a provider fails.
pub fn resolve(
    config: &ConfigMap,
    providers: &Providers,
) -> Result<(ConfigMap, Option<Duration>), ConnectError> {
    let mut wanted: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for variable in config.values().flat_map(|text| variables(text)) {
        wanted.entry((variable.provider, variable.path)).or_default().insert(variable.key);
    }
    let mut found = BTreeMap::new();
    let mut ttl: Option<Duration> = None;
    for ((name, path), keys) in wanted {
        let Some(provider) = providers.get(name) else { continue };
        let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        let provided = provider.get(path, &keys)?;
        ttl = ttl.into_iter().chain(provided.ttl).min();
        found.insert((name, path), provided.data);
    }
    let replaced = config.iter().map(|(key, text)| {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for variable in variables(text) {
            let known = found.get(&(variable.provider, variable.path));
            if let Some(value) = known.and_then(|data| data.get(variable.key)) {
                out.push_str(&text[from..variable.start]);
                out.push_str(value);
                from = variable.end;
            }
        }
        out.push_str(&text[from..]);
        (key.clone(), out)
    });
    Ok((replaced.collect(), ttl))
}

/// The settings of a task as they are stored: where a key has the value to which the connector's text with variables was
/// resolved, that text is put back. `raw` and `resolved` are the connector's settings before and after [`resolve`].
pub fn reverse(raw: &ConfigMap, resolved: &ConfigMap, mut task: ConfigMap) -> ConfigMap {
    for (key, text) in raw.iter().filter(|(_, text)| has_variables(text)) {
        match task.get_mut(key) {
            Some(value) if resolved.get(key) == Some(value) => value.clone_from(text),
            _ => {}
        }
    }
    task
}

/// True if a text holds something of the form of a variable.
pub fn has_variables(text: &str) -> bool {
    variables(text).next().is_some()
}

/// The providers that a worker's settings name: `config.providers`, `config.providers.NAME.class` and
/// `config.providers.NAME.param.*`.
///
/// # Errors
/// If a class is missing or unknown, or refuses its parameters.
pub fn from_worker_config(config: &ConfigMap) -> Result<Providers, ConnectError> {
    let names = config.get("config.providers").map_or("", String::as_str).split(',').map(str::trim);
    let mut providers = Providers::new();
    for name in names.filter(|name| !name.is_empty()) {
        let prefix = format!("config.providers.{name}.");
        let class = config.get(&format!("{prefix}class")).ok_or_else(|| {
            ConnectError::config(format!(
                "Missing required configuration \"{prefix}class\" which has no default value."
            ))
        })?;
        let known = super::plugins()
            .into_iter()
            .find(|plugin| plugin.class == class || plugin.class.rsplit('.').next() == Some(class.as_str()));
        let plugin = known.ok_or_else(|| {
            ConnectError::config(format!(
                "Invalid value {class} for configuration {prefix}class: Class {class} could not be found."
            ))
        })?;
        let prefix = format!("{prefix}param.");
        let parameters = config
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?.to_owned(), value.clone())));
        providers.insert(name.to_owned(), (plugin.create)(&parameters.collect())?.into());
    }
    Ok(providers)
}

struct Variable<'a> {
    provider: &'a str,
    path: &'a str,
    key: &'a str,
    start: usize,
    end: usize,
}

fn variables(text: &str) -> impl Iterator<Item = Variable<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text[from..].find("${")?;
            let end = start + text[start..].find('}')?;
            let Some((provider, rest)) = text[start + 2..end].split_once(':') else {
                from = start + 2;
                continue;
            };
            let (path, key) = rest.split_once(':').unwrap_or(("", rest));
            from = end + 1;
            return Some(Variable { provider, path, key, start, end: from });
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use connect_api::Provided;

    use super::*;

    struct Fixed;

    impl ConfigProvider for Fixed {
        fn get(&self, path: &str, keys: &[String]) -> Result<Provided, ConnectError> {
            let known = keys.iter().filter(|key| !key.starts_with("no"));
            let data = known.map(|key| (key.clone(), format!("<{path}|{key}>"))).collect();
            Ok(Provided { data, ttl: (path == "short").then_some(Duration::from_secs(1)) })
        }
    }

    fn map(pairs: &[(&str, &str)]) -> ConfigMap {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn variables_are_replaced_and_put_back() {
        let providers: Providers = [("p".to_owned(), Arc::new(Fixed) as Arc<dyn ConfigProvider>)].into();
        let raw = map(&[
            ("a", "x${p:k}y${p:short:k:l}z"),
            ("b", "${p:none}${q:k}${p}${p:k}"),
            ("c", "$${p:a}}"),
            ("plain", "v"),
        ]);
        let (resolved, ttl) = resolve(&raw, &providers).unwrap();
        assert_eq!(ttl, Some(Duration::from_secs(1)));
        assert_eq!(resolved["a"], "x<|k>y<short|k:l>z");
        assert_eq!(resolved["b"], "${p:none}${q:k}${p}<|k>");
        assert_eq!(resolved["c"], "$<|a>}");
        let task = map(&[("a", &resolved["a"]), ("b", "changed"), ("plain", "v"), ("own", &resolved["a"])]);
        let stored = reverse(&raw, &resolved, task.clone());
        assert_eq!(stored["a"], raw["a"]);
        assert_eq!((&stored["b"], &stored["own"]), (&task["b"], &task["own"]));
    }

    #[test]
    fn providers_come_from_the_worker_s_settings() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.properties");
        std::fs::write(&file, "key=s\\u0065cret\nother=x\n").unwrap();
        let worker = map(&[
            ("config.providers", "f, d"),
            ("config.providers.f.class", "org.apache.kafka.common.config.provider.FileConfigProvider"),
            ("config.providers.f.param.allowed.paths", folder.path().to_str().unwrap()),
            ("config.providers.d.class", "DirectoryConfigProvider"),
        ]);
        let providers = from_worker_config(&worker).unwrap();
        let variable = format!("${{f:{}:key}}", file.display());
        let content = format!("${{d:{}:secrets.properties}}", folder.path().display());
        let forbidden = "${f:/etc/passwd:key}";
        let config = map(&[("a", &variable), ("b", forbidden), ("c", &content)]);
        let (resolved, ttl) = resolve(&config, &providers).unwrap();
        assert_eq!((resolved["a"].as_str(), resolved["b"].as_str(), ttl), ("secret", forbidden, None));
        assert!(resolved["c"].starts_with("key="));
        let missing = map(&[("a", &format!("${{f:{}/none:key}}", folder.path().display()))]);
        let error = resolve(&missing, &providers).unwrap_err();
        assert!(error.message().starts_with("Could not read properties from file "), "{error}");
        let unknown = map(&[("config.providers", "x"), ("config.providers.x.class", "X")]);
        assert!(from_worker_config(&unknown).err().unwrap().message().contains("could not be found"));
    }
}
