//! `${provider:path:key}` in configurations: looked up when a connector or task starts, never stored. Texts whose
//! provider or key is unknown stay as they are, as in Connect.

use std::collections::BTreeMap;
use std::sync::Arc;

use connect_api::{ConfigMap, ConfigProvider, ConnectError};

use super::settings::{list, text, with_prefix};
use crate::plugins::Plugins;

/// The config providers of a worker (`config.providers`). Clones share them.
#[derive(Clone, Default)]
pub struct Variables(Arc<BTreeMap<String, Box<dyn ConfigProvider>>>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Variables({:?})", self.0.keys())
    }
}

/// A reference inside a value.
struct Reference<'a> {
    provider: &'a str,
    path: &'a str,
    key: &'a str,
}

impl Variables {
    /// Makes the providers that a worker's properties name.
    ///
    /// # Errors
    /// An unknown class, or a provider that refuses its parameters.
    pub fn from_properties(properties: &ConfigMap, plugins: &Plugins) -> Result<Self, ConnectError> {
        let mut providers = BTreeMap::new();
        for name in list(properties, "config.providers") {
            let key = format!("config.providers.{name}.class");
            let class = text(properties, &key).ok_or_else(|| {
                ConnectError::config(format!("{key} is missing, but config.providers names {name}"))
            })?;
            let plugin = plugins.provider(class).ok_or_else(|| {
                ConnectError::config(format!(
                    "Invalid value {class} for configuration {key}: Class {class} could not be found."
                ))
            })?;
            let params = with_prefix(properties, &format!("config.providers.{name}.param."));
            providers.insert(name, (plugin.create)(&params)?);
        }
        Ok(Self(Arc::new(providers)))
    }

    /// The same configuration with its variables replaced.
    ///
    /// # Errors
    /// A provider that fails, for example because its file is missing.
    pub fn resolve(&self, config: &ConfigMap) -> Result<ConfigMap, ConnectError> {
        let resolve = |(key, value): (&String, &String)| Ok((key.clone(), self.resolve_value(value)?));
        config.iter().map(resolve).collect()
    }

    /// True when a value has the form of a variable, whether or not its provider exists.
    pub fn mentions(value: &str) -> bool {
        pieces(value).any(|(_, reference)| reference.is_some())
    }

    fn resolve_value(&self, value: &str) -> Result<String, ConnectError> {
        let mut out = String::with_capacity(value.len());
        for (text, reference) in pieces(value) {
            let provided = match reference {
                None => None,
                Some(reference) => match self.0.get(reference.provider) {
                    Some(provider) => {
                        let key = reference.key.to_owned();
                        provider.get(reference.path, std::slice::from_ref(&key))?.data.remove(&key)
                    }
                    None => None,
                },
            };
            out.push_str(provided.as_deref().unwrap_or(text));
        }
        Ok(out)
    }
}

/// The value in pieces, each either plain or a whole `${…}` with its parts.
fn pieces(value: &str) -> impl Iterator<Item = (&str, Option<Reference<'_>>)> {
    let mut rest = value;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, reference) = first_piece(rest);
        rest = &rest[piece.len()..];
        Some((piece, reference))
    })
}

fn first_piece(text: &str) -> (&str, Option<Reference<'_>>) {
    let Some(start) = text.find("${") else { return (text, None) };
    if start > 0 {
        return (&text[..start], None);
    }
    let Some(end) = text.find('}') else { return (text, None) };
    let inside = &text[2..end];
    let reference = inside.split_once(':').map(|(provider, rest)| match rest.split_once(':') {
        Some((path, key)) => Reference { provider, path, key },
        None => Reference { provider, path: "", key: rest },
    });
    match reference {
        Some(reference) => (&text[..=end], Some(reference)),
        None => (&text[..2], None),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use connect_api::Provided;

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
        let providers: BTreeMap<String, Box<dyn ConfigProvider>> =
            BTreeMap::from([("e".to_owned(), Box::new(Echo) as Box<dyn ConfigProvider>)]);
        let variables = Variables(Arc::new(providers));
        for (value, expected) in [
            ("plain", "plain"),
            ("a ${e:k} b", "a <|k> b"),
            ("${e:/etc/f:k:l}${e:x:y}", "</etc/f|k:l><x|y>"),
            ("${other:k} ${e:p:none}", "${other:k} ${e:p:none}"),
            ("${nocolon} ${e:k", "${nocolon} ${e:k"),
        ] {
            assert_eq!(variables.resolve_value(value).unwrap(), expected, "{value}");
        }
        assert!(Variables::mentions("x${a:b}") && !Variables::mentions("${a}"));
    }
}
