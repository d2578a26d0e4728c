//! A connector's transformations, in order, each with the predicate that chooses where it applies.

use std::sync::Arc;

use connect_api::{ConfigMap, ConnectError, Predicate, Record, Transformation};

use super::errors::{ErrorHandling, Origin, Stage};
use crate::plugins::Plugins;
use crate::worker::settings::{list, parsed, text, with_prefix};

struct Link {
    class: String,
    transformation: Box<dyn Transformation>,
    predicate: Option<Condition>,
}

struct Condition {
    predicate: Arc<dyn Predicate>,
    negate: bool,
}

/// All transformations of a connector, made for one task.
#[derive(Default)]
pub(crate) struct Chain(Vec<Link>);

impl Chain {
    /// Reads `transforms` and `predicates` of a configuration.
    ///
    /// # Errors
    /// Unknown classes, and plugins that refuse their settings.
    pub(crate) fn from_config(plugins: &Plugins, config: &ConfigMap) -> Result<Self, ConnectError> {
        let links = list(config, "transforms");
        links.iter().map(|alias| link(plugins, config, alias)).collect::<Result<_, _>>().map(Self)
    }

    /// The transformed record; `None` when a transformation dropped it, or when it failed and that is tolerated.
    pub(crate) async fn apply(
        &self,
        record: Record,
        origin: Origin<'_>,
        errors: &ErrorHandling,
    ) -> Result<Applied, ConnectError> {
        let mut current = record;
        for link in &self.0 {
            let mut slot = Some(current);
            let attempt = errors.attempt(Stage::Transformation, &link.class, origin, || {
                let record = if errors.retries() { slot.clone() } else { slot.take() };
                // The slot is empty only after the one attempt there is.
                record.map_or(Ok(None), |record| link.apply(record))
            });
            current = match attempt.await? {
                None => return Ok(Applied::Failed),
                Some(None) => return Ok(Applied::Dropped),
                Some(Some(record)) => record,
            };
        }
        Ok(Applied::Record(Box::new(current)))
    }
}

/// Outcome for a record.
pub(crate) enum Applied {
    Record(Box<Record>),
    /// A transformation dropped it.
    Dropped,
    /// It failed, which is tolerated.
    Failed,
}

impl Link {
    fn apply(&self, record: Record) -> Result<Option<Record>, ConnectError> {
        if let Some(Condition { predicate, negate }) = &self.predicate
            && predicate.test(&record)? == *negate
        {
            return Ok(Some(record));
        }
        self.transformation.apply(record)
    }
}

fn link(plugins: &Plugins, config: &ConfigMap, alias: &str) -> Result<Link, ConnectError> {
    let prefix = format!("transforms.{alias}.");
    let key = format!("{prefix}type");
    let class = text(config, &key).unwrap_or_default();
    let plugin = plugins.transformation(class).ok_or_else(|| unknown(&key, class))?;
    let mut settings = with_prefix(config, &prefix);
    for own in ["type", "predicate", "negate", "plugin.version"] {
        settings.remove(own);
    }
    let predicate = match text(config, &format!("{prefix}predicate")) {
        None => None,
        Some(name) => Some(Condition {
            predicate: predicate(plugins, config, name)?,
            negate: parsed(config, &format!("{prefix}negate"), false)?,
        }),
    };
    Ok(Link { class: plugin.class.clone(), transformation: (plugin.create)(&settings)?, predicate })
}

fn predicate(plugins: &Plugins, config: &ConfigMap, name: &str) -> Result<Arc<dyn Predicate>, ConnectError> {
    let prefix = format!("predicates.{name}.");
    let key = format!("{prefix}type");
    let class = text(config, &key).unwrap_or_default();
    let plugin = plugins.predicate(class).ok_or_else(|| unknown(&key, class))?;
    let mut settings = with_prefix(config, &prefix);
    settings.remove("type");
    settings.remove("plugin.version");
    Ok((plugin.create)(&settings)?.into())
}

fn unknown(key: &str, class: &str) -> ConnectError {
    ConnectError::config(format!(
        "Invalid value {class} for configuration {key}: Class {class} could not be found."
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::errors::tests::{consumed, handling};
    use super::*;
    use connect_api::{ConfigDef, PredicatePlugin, SchemaAndValue, TransformationPlugin};

    /// Adds its `suffix` to the topic; drops the topic `drop`; fails for `fail`.
    struct Suffix(String);

    impl Transformation for Suffix {
        fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
            match record.topic.as_str() {
                "drop" => Ok(None),
                "fail" => Err(ConnectError::data("no")),
                _ => {
                    record.topic.push_str(&self.0);
                    Ok(Some(record))
                }
            }
        }
    }

    struct Named(String);

    impl Predicate for Named {
        fn test(&self, record: &Record) -> Result<bool, ConnectError> {
            Ok(record.topic.starts_with(&self.0))
        }
    }

    fn plugins() -> Plugins {
        Plugins::default()
            .with_transformation(TransformationPlugin::new("x.Suffix", ConfigDef::new, |config| {
                Ok(Box::new(Suffix(config["suffix"].clone())))
            }))
            .with_predicate(PredicatePlugin::new("x.Named", ConfigDef::new, |config| {
                Ok(Box::new(Named(config["name"].clone())))
            }))
    }

    #[tokio::test]
    async fn transformations_follow_each_other_where_their_predicates_hold() {
        let config: ConfigMap = [
            ("transforms", "a,b,c"),
            ("transforms.a.type", "x.Suffix"),
            ("transforms.a.suffix", "-a"),
            ("transforms.b.type", "Suffix"),
            ("transforms.b.suffix", "-b"),
            ("transforms.b.predicate", "p"),
            ("transforms.c.type", "Suffix"),
            ("transforms.c.suffix", "-c"),
            ("transforms.c.predicate", "p"),
            ("transforms.c.negate", "true"),
            ("predicates", "p"),
            ("predicates.p.type", "Named"),
            ("predicates.p.name", "x"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        let chain = Chain::from_config(&plugins(), &config).unwrap();
        let consumed = consumed();
        let (errors, _switch) = handling(&[("errors.tolerance", "all")]);
        let apply = async |topic: &str| {
            let record = Record::new(topic, SchemaAndValue::NULL, SchemaAndValue::NULL);
            match chain.apply(record, Origin::Consumed(&consumed), &errors).await.unwrap() {
                Applied::Record(record) => record.topic,
                Applied::Dropped => "dropped".to_owned(),
                Applied::Failed => "failed".to_owned(),
            }
        };
        assert_eq!(apply("x").await, "x-a-b");
        assert_eq!(apply("y").await, "y-a-c");
        assert_eq!(apply("drop").await, "dropped");
        assert_eq!(apply("fail").await, "failed");
        let mut config = config;
        config.insert("transforms.b.type".to_owned(), "Nope".to_owned());
        let error = Chain::from_config(&plugins(), &config).err().unwrap();
        assert!(error.message().contains("transforms.b.type"), "{error}");
    }
}
