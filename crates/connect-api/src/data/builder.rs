//! The builder of schemas.

use super::schema::{Definition, Parameters};
use super::schema::{Field, Schema, Type};
use super::validate;
use super::value::Value;
use crate::error::ConnectError;

/// Class of errors in building a schema.
const SCHEMA_BUILDER: &str = "org.apache.kafka.connect.errors.SchemaBuilderException";

/// Makes a schema.
#[derive(Debug, Clone)]
pub struct SchemaBuilder(pub(super) Definition);

impl SchemaBuilder {
    /// Begins a required schema of a type.
    pub fn new(kind: Type) -> Self {
        Self(Definition {
            kind,
            optional: false,
            default: None,
            name: None,
            version: None,
            doc: None,
            parameters: Parameters::default(),
            fields: Vec::new(),
            key: None,
            value: None,
        })
    }

    /// An array of these.
    pub fn array(element: Schema) -> Self {
        let mut builder = Self::new(Type::Array);
        builder.0.value = Some(element);
        builder
    }

    /// A map.
    pub fn map(key: Schema, value: Schema) -> Self {
        let mut builder = Self::new(Type::Map);
        builder.0.key = Some(key);
        builder.0.value = Some(value);
        builder
    }

    /// A map whose values have no schema in common.
    pub fn map_of_nulls(key: Schema) -> Self {
        let mut builder = Self::new(Type::Map);
        builder.0.key = Some(key);
        builder
    }

    /// Null is allowed.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.0.optional = true;
        self
    }

    /// Null is not allowed.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.0.optional = false;
        self
    }

    /// Value that stands for a missing one.
    #[must_use]
    pub fn default_value(mut self, value: Option<Value>) -> Self {
        self.0.default = value;
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(mut self, name: Option<impl Into<String>>) -> Self {
        self.0.name = name.map(Into::into);
        self
    }

    /// Its version.
    #[must_use]
    pub fn version(mut self, version: Option<i32>) -> Self {
        self.0.version = version;
        self
    }

    /// Its documentation.
    #[must_use]
    pub fn doc(mut self, doc: Option<impl Into<String>>) -> Self {
        self.0.doc = doc.map(Into::into);
        self
    }

    /// One further property.
    #[must_use]
    pub fn parameter(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let (key, value) = (key.into(), value.into());
        match self.0.parameters.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => self.0.parameters.0.push((key, value)),
        }
        self
    }

    /// Value that stands for a missing one, checked against what was set before.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn checked_default(self, value: Value) -> Result<Self, ConnectError> {
        let checked = validate::validate_value(&self.clone().build(), &value);
        checked.map_err(|e| ConnectError::of(SCHEMA_BUILDER, "Invalid default value").caused_by(e))?;
        Ok(self.default_value(if value.is_null() { None } else { Some(value) }))
    }

    /// One more field of a struct, whose name must be new and not empty.
    ///
    /// # Errors
    /// If it is neither.
    pub fn checked_field(self, name: &str, schema: Schema) -> Result<Self, ConnectError> {
        let wrong = |text: String| Err(ConnectError::of(SCHEMA_BUILDER, text));
        if self.0.kind != Type::Struct {
            return wrong(format!("Cannot create fields on type {}", self.0.kind));
        }
        if name.is_empty() {
            return wrong("fieldName cannot be null.".to_owned());
        }
        if self.0.fields.iter().any(|field| field.name == name) {
            return wrong(format!("Cannot create field because of field name duplication {name}"));
        }
        Ok(self.field(name, schema))
    }

    /// One more field of a struct.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, schema: Schema) -> Self {
        self.0.fields.push(Field { name: name.into(), schema });
        self
    }

    /// The schema.
    pub fn build(self) -> Schema {
        Schema::from_definition(self.0)
    }
}

impl Schema {
    /// A required schema of a type without further properties.
    pub fn of(kind: Type) -> Self {
        SchemaBuilder::new(kind).build()
    }

    /// The same, optional.
    pub fn optional(kind: Type) -> Self {
        SchemaBuilder::new(kind).optional().build()
    }

    /// A builder that begins with everything of this schema.
    pub fn to_builder(&self) -> SchemaBuilder {
        SchemaBuilder((*self.0).clone())
    }
}
