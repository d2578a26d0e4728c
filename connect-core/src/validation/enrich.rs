//! The keys of a connector's configuration: the worker's own, and for every alias in `transforms` and `predicates` those of the
//! plugin that it names.

use std::sync::Arc;

use connect_api::config_def::{Recommender, ValidatedValue};
use connect_api::{ConfigDef, ConfigKey, Importance, Setting, Type, Width};

use super::check::Defined;
use super::definitions;
use crate::api::ConfigMap;
use crate::plugins::{PluginKind, Plugins};

/// Which of the two lists of aliases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chain {
    Transforms,
    Predicates,
}

impl Chain {
    fn list(self) -> &'static str {
        match self {
            Self::Transforms => "transforms",
            Self::Predicates => "predicates",
        }
    }

    fn group(self) -> &'static str {
        match self {
            Self::Transforms => "Transforms",
            Self::Predicates => "Predicates",
        }
    }

    fn interface(self) -> &'static str {
        match self {
            Self::Transforms => "Transformation",
            Self::Predicates => "Predicate",
        }
    }

    fn kind(self) -> PluginKind {
        match self {
            Self::Transforms => PluginKind::Transformation,
            Self::Predicates => PluginKind::Predicate,
        }
    }

    /// The keys of a plugin of this kind; `None` when there is none of this class.
    fn keys(self, plugins: &Plugins, class: &str) -> Option<ConfigDef> {
        let own = match self {
            Self::Transforms => (plugins.transformation(class)?.config_def)(),
            Self::Predicates => (plugins.predicate(class)?.config_def)(),
        };
        let implied = self.implied();
        let fresh = own.keys().iter().filter(|key| implied.key(&key.name).is_none());
        Some(fresh.cloned().fold(implied.clone(), ConfigDef::define))
    }

    fn implied(self) -> ConfigDef {
        match self {
            Self::Transforms => definitions::transformation(),
            Self::Predicates => ConfigDef::new(),
        }
    }
}

/// Proposes every plugin of a kind.
struct Classes(Vec<Setting>);

impl Recommender for Classes {
    fn valid_values(&self, _: &str, _: &std::collections::BTreeMap<String, Setting>) -> Vec<Setting> {
        self.0.clone()
    }
}

/// All keys: those of `base`, then those of transformations, then those of predicates.
pub(super) fn enrich(base: &ConfigDef, plugins: &Plugins, props: &ConfigMap) -> Vec<Defined> {
    let mut keys: Vec<Defined> = base.keys().iter().map(Defined::plain).collect();
    for chain in [Chain::Transforms, Chain::Predicates] {
        for alias in aliases(chain, props) {
            keys.extend(keys_of(chain, &alias, plugins, props));
        }
    }
    keys
}

fn aliases(chain: Chain, props: &ConfigMap) -> Vec<String> {
    let text = props.get(chain.list()).map(|text| text.trim()).unwrap_or_default();
    let mut unique: Vec<String> = Vec::new();
    for alias in text.split(',').map(str::trim).filter(|_| !text.is_empty()) {
        if !unique.iter().any(|known| known == alias) {
            unique.push(alias.to_owned());
        }
    }
    unique
}

fn keys_of(chain: Chain, alias: &str, plugins: &Plugins, props: &ConfigMap) -> Vec<Defined> {
    let prefix = format!("{}.{alias}.", chain.list());
    let group = format!("{}: {alias}", chain.group());
    let (interface, lower) = (chain.interface(), chain.interface().to_lowercase());
    let name = format!("{prefix}type");
    let proposals = plugins.list().into_iter().filter(|plugin| plugin.kind == chain.kind());
    let kind = ConfigKey::new(
        name.clone(),
        Type::Class,
        Importance::High,
        format!("Class for the '{alias}' {lower}."),
    )
    .group(group.clone(), 0)
    .display(Width::Long, format!("{interface} type for {alias}"))
    .recommender(Arc::new(Classes(proposals.map(|plugin| Setting::Class(plugin.class)).collect())));
    let mut keys = vec![Defined { key: kind, prefix: String::new() }];
    let def = props.get(&name).and_then(|class| chain.keys(plugins, class.trim()));
    let mut own = def.map(|def| def.keys().to_vec()).unwrap_or_default();
    own.sort_by(in_forms);
    for (order, mut key) in (1..).zip(own) {
        key.group = Some(match &key.group {
            Some(own) => format!("{group}: {own}"),
            None => group.clone(),
        });
        key.order = order;
        key.dependents = key.dependents.iter().map(|name| format!("{prefix}{name}")).collect();
        key.name = format!("{prefix}{}", key.name);
        keys.push(Defined { key, prefix: prefix.clone() });
    }
    keys
}

/// The order in which Connect shows the keys of one plugin: by their own order, required ones first, by importance, by name.
fn in_forms(a: &ConfigKey, b: &ConfigKey) -> std::cmp::Ordering {
    let importance = |key: &ConfigKey| match key.importance {
        Importance::High => 0,
        Importance::Medium => 1,
        Importance::Low => 2,
    };
    let rank = |key: &ConfigKey| (key.group.is_some(), key.order, !key.is_required(), importance(key));
    rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name))
}

/// Errors in the types of transformations and predicates that are classes, but not the right ones; and with `negate`
/// where there is nothing to negate.
pub(super) fn check_types(values: &mut [ValidatedValue], plugins: &Plugins, props: &ConfigMap) {
    for chain in [Chain::Transforms, Chain::Predicates] {
        for alias in aliases(chain, props) {
            let prefix = format!("{}.{alias}.", chain.list());
            let name = format!("{prefix}type");
            let Some(value) = values.iter_mut().find(|value| value.name == name) else { continue };
            let (negate, predicate) = (format!("{prefix}negate"), format!("{prefix}predicate"));
            if chain == Chain::Transforms && props.contains_key(&negate) && !props.contains_key(&predicate) {
                value.errors.push(format!(
                    "Config '{negate}' was provided but there is no config '{predicate}' defining a predicate to be \
                     negated."
                ));
                continue;
            }
            let Some(class) = value.value.as_str() else { continue };
            if chain.keys(plugins, class).is_none() {
                value.errors.push(not_an_instance(plugins, class, chain.interface()));
            }
        }
    }
}

/// The interface of Java's converters: a class that is there but cannot be made.
pub(super) const CONVERTER: &str = "org.apache.kafka.connect.storage.Converter";

/// Why a class that is there cannot be used.
pub(super) fn not_an_instance(plugins: &Plugins, class: &str, interface: &str) -> String {
    let nested = nested_of(plugins, class);
    if class == CONVERTER {
        return match interface {
            "Converter" => "This class is abstract and cannot be created.".to_owned(),
            _ => format!("Class interface {class} does not implement the {interface} interface"),
        };
    }
    if nested.is_empty() {
        return format!("Class class {class} does not implement the {interface} interface");
    }
    format!("This class is abstract and cannot be created. Did you mean {}?", nested.join(", "))
}

/// The plugins inside a class, which is then abstract itself.
pub(super) fn nested_of(plugins: &Plugins, class: &str) -> Vec<String> {
    let inside = |name: &String| name.strip_prefix(class).is_some_and(|rest| rest.starts_with('$'));
    let mut nested: Vec<String> =
        plugins.list().into_iter().map(|plugin| plugin.class).filter(inside).collect();
    nested.sort_by(|a, b| b.cmp(a));
    nested
}
