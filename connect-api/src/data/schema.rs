//! Schemas: Connect's types, with names for logical types. Cheap to clone, compared by content.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Value;

/// What a value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Type {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
    Bytes,
    Array,
    Map,
    Struct,
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub schema: Schema,
}

/// A schema. Clones share one definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema(Arc<Definition>);

#[derive(Debug, Clone, PartialEq)]
struct Definition {
    kind: Type,
    optional: bool,
    default: Option<Value>,
    name: Option<String>,
    version: Option<i32>,
    doc: Option<String>,
    parameters: BTreeMap<String, String>,
    fields: Vec<Field>,
    key: Option<Schema>,
    value: Option<Schema>,
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

    /// Its type.
    pub fn kind(&self) -> Type {
        self.0.kind
    }

    /// True when null is allowed.
    pub fn is_optional(&self) -> bool {
        self.0.optional
    }

    /// What stands for a missing value.
    pub fn default_value(&self) -> Option<&Value> {
        self.0.default.as_ref()
    }

    /// Its name; logical types are known by it.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Its version.
    pub fn version(&self) -> Option<i32> {
        self.0.version
    }

    /// Its documentation.
    pub fn doc(&self) -> Option<&str> {
        self.0.doc.as_deref()
    }

    /// Further properties, such as the scale of a Decimal.
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.0.parameters
    }

    /// Fields of a struct, in order; empty for other types.
    pub fn fields(&self) -> &[Field] {
        &self.0.fields
    }

    /// A struct's field with its index.
    pub fn field(&self, name: &str) -> Option<(usize, &Field)> {
        self.0.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }

    /// Schema of a map's keys.
    pub fn key_schema(&self) -> Option<&Schema> {
        self.0.key.as_ref()
    }

    /// Schema of a map's values or an array's elements.
    pub fn value_schema(&self) -> Option<&Schema> {
        self.0.value.as_ref()
    }

    /// A builder that begins with everything of this schema.
    pub fn to_builder(&self) -> SchemaBuilder {
        SchemaBuilder((*self.0).clone())
    }
}

/// Makes a schema.
#[derive(Debug, Clone)]
pub struct SchemaBuilder(Definition);

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
            parameters: BTreeMap::new(),
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

    /// What stands for a missing value.
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
        self.0.parameters.insert(key.into(), value.into());
        self
    }

    /// One more field of a struct.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, schema: Schema) -> Self {
        self.0.fields.push(Field { name: name.into(), schema });
        self
    }

    /// The schema.
    pub fn build(self) -> Schema {
        Schema(Arc::new(self.0))
    }
}
