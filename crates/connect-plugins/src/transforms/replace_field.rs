//! ReplaceField: leaves fields out, lets only some through, renames some.

use connect_api::config_def::{Setting, Validator};
use connect_api::data::{Map, Schema, SchemaAndValue, Struct, Type, Value};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};

use super::support::{
    REPLACE_NULL, SchemaCache, Side, copy_basics, def, replace_null_key, require_map, require_struct,
    required,
};

const PURPOSE: &str = "field replacement";

pub(super) fn config_def() -> ConfigDef {
    let list = |name: &str, importance, text: &str| required(name, ConfigType::List, importance, text);
    let empty = Vec::<String>::new;
    let validator = Validator::with_messages(|value| match value {
        Setting::List(items) => parse(items).map(|_| ()),
        _ => Ok(()),
    });
    def([
        list("exclude", Importance::Medium, "Fields to leave out; counts before the fields to include.")
            .default(empty()),
        list("blacklist", Importance::Low, "Deprecated name of exclude.").optional(),
        list("include", Importance::Medium, "If set, the only fields that stay.").default(empty()),
        list("whitelist", Importance::Low, "Deprecated name of include.").optional(),
        list("renames", Importance::Medium, "New names of fields, as old:new pairs.")
            .default(empty())
            .validator(validator),
        replace_null_key(),
    ])
}

/// `String.split(":")`: without empty parts at the end, but with one if there is nothing else.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(':').collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    // Of colons only, nothing is left in Java.
    if parts == [""] && !text.is_empty() { vec![] } else { parts }
}

/// Old and new names, in the order of Java's map.
type Renames = Vec<(String, String)>;

fn parse(items: &[String]) -> Result<Renames, String> {
    let mut renames = Map::new();
    for item in items {
        let [old, new] = split(item)[..] else {
            let all = items.join(", ");
            return Err(format!(
                "Invalid value [{all}] for configuration renames: Invalid rename mapping: {item}"
            ));
        };
        renames.put(old, Value::from(new));
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(renames.iter().map(|(old, new)| (text(old), text(new))).collect())
}

/// The transformation.
#[derive(Debug)]
pub(super) struct ReplaceField {
    side: Side,
    exclude: Vec<String>,
    include: Vec<String>,
    renames: Renames,
    replace_null: bool,
    schemas: SchemaCache,
}

impl ReplaceField {
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self, ConnectError> {
        let mut translated = config.clone();
        for (new, old) in [("include", "whitelist"), ("exclude", "blacklist")] {
            if let Some(value) = translated.remove(old) {
                translated.entry(new.to_owned()).or_insert(value);
            }
        }
        let config = config_def().parse(&translated)?;
        Ok(Self {
            side,
            exclude: config.list("exclude").to_vec(),
            include: config.list("include").to_vec(),
            renames: parse(config.list("renames")).map_err(ConnectError::config)?,
            replace_null: config.bool(REPLACE_NULL),
            schemas: SchemaCache::default(),
        })
    }

    fn stays(&self, field: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|name| name == field);
        !listed(&self.exclude) && (self.include.is_empty() || listed(&self.include))
    }

    fn renamed<'a>(&'a self, field: &'a str) -> &'a str {
        self.renames.iter().find(|(old, _)| old == field).map_or(field, |(_, new)| new)
    }

    fn original<'a>(&'a self, field: &'a str) -> &'a str {
        self.renames.iter().rfind(|(_, new)| *new == field).map_or(field, |(old, _)| old)
    }

    fn schemaless(&self, value: &Value) -> Result<Value, ConnectError> {
        let map = require_map(value, PURPOSE)?;
        let mut updated = Map::with_capacity(map.len());
        for (key, value) in map.iter() {
            let Value::String(name) = key else {
                return Err(ConnectError::of(
                    "java.lang.ClassCastException",
                    "A key of the map is not a string",
                ));
            };
            if self.stays(name) {
                updated.put(self.renamed(name), value.clone());
            }
        }
        Ok(Value::Map(updated))
    }

    fn with_schema(&self, value: &Value) -> Result<SchemaAndValue, ConnectError> {
        let data = require_struct(value, PURPOSE)?;
        let schema = self.schemas.get(&data.schema, || self.updated(&data.schema))?;
        let mut updated = Struct::new(&schema)?;
        for (index, field) in schema.fields().iter().enumerate() {
            let original = self.original(&field.name);
            let value =
                if self.replace_null { data.get(original)? } else { data.get_without_default(original)? };
            updated.put_at(index, value.clone())?;
        }
        Ok(SchemaAndValue::new(schema, updated.into()))
    }

    fn updated(&self, schema: &Schema) -> Result<Schema, ConnectError> {
        let mut builder = copy_basics(schema, Type::Struct);
        for field in schema.fields().iter().filter(|field| self.stays(&field.name)) {
            builder = builder.checked_field(self.renamed(&field.name), field.schema.clone())?;
        }
        Ok(builder.build())
    }
}

impl Transformation for ReplaceField {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let part = self.side.of(&mut record);
        if !part.value.is_null() {
            *part = match part.schema {
                None => SchemaAndValue::schemaless(self.schemaless(&part.value)?),
                Some(_) => self.with_schema(&part.value)?,
            };
        }
        Ok(Some(record))
    }
}
