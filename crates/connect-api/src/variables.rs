//! Variables in settings, `${provider:path:key}` or `${provider:key}`: replaced when settings are used, kept when they are
//! stored. Texts whose provider or key is unknown stay as they are written; values are not searched for variables again, as in
//! `org.apache.kafka.common.config.ConfigTransformer`. The worker resolves with it every configuration that it uses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::{ConfigMap, ConfigProvider, ConnectError};

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

/// True if a text holds something of the form of a variable, whether or not its provider exists.
pub fn mentions_variables(text: &str) -> bool {
    variables(text).next().is_some()
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
    use crate::Provided;

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
    fn variables_are_replaced() {
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
    }

    struct Echo;

    impl ConfigProvider for Echo {
        fn get(&self, path: &str, keys: &[String]) -> Result<Provided, ConnectError> {
            let data =
                keys.iter().filter(|key| *key != "none").map(|key| (key.clone(), format!("<{path}|{key}>")));
            Ok(Provided { data: data.collect(), ttl: None })
        }
    }

    #[test]
    fn variables_are_replaced_where_they_can_be() {
        let providers: Providers = [("e".to_owned(), Arc::new(Echo) as Arc<dyn ConfigProvider>)].into();
        let resolve_value = |value: &str| resolve(&map(&[("k", value)]), &providers).unwrap().0["k"].clone();
        for (value, expected) in [
            ("plain", "plain"),
            ("a ${e:k} b", "a <|k> b"),
            ("${e:/etc/f:k:l}${e:x:y}", "</etc/f|k:l><x|y>"),
            ("${other:k} ${e:p:none}", "${other:k} ${e:p:none}"),
            ("${nocolon} ${e:k", "${nocolon} ${e:k"),
        ] {
            assert_eq!(resolve_value(value), expected, "{value}");
        }
        assert!(mentions_variables("x${a:b}") && !mentions_variables("${a}"));
    }
}
