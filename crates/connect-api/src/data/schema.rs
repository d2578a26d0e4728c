//! Schemas: Connect's types, with names for logical types. Cheap to clone, compared by content.

use std::fmt;
use std::sync::Arc;

use super::value::Value;
use crate::error::ConnectError;

/// Type of a value.
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

impl Type {
    /// Every type.
    pub const ALL: [Self; 12] = [
        Self::Int8,
        Self::Int16,
        Self::Int32,
        Self::Int64,
        Self::Float32,
        Self::Float64,
        Self::Boolean,
        Self::String,
        Self::Bytes,
        Self::Array,
        Self::Map,
        Self::Struct,
    ];

    /// Connect's name, upper case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Float32 => "FLOAT32",
            Self::Float64 => "FLOAT64",
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Bytes => "BYTES",
            Self::Array => "ARRAY",
            Self::Map => "MAP",
            Self::Struct => "STRUCT",
        }
    }

    /// The type that a value without schema has; `None` for null and for logical types, which have none.
    pub fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Boolean(_) => Self::Boolean,
            Value::Int8(_) => Self::Int8,
            Value::Int16(_) => Self::Int16,
            Value::Int32(_) => Self::Int32,
            Value::Int64(_) => Self::Int64,
            Value::Float32(_) => Self::Float32,
            Value::Float64(_) => Self::Float64,
            Value::String(_) => Self::String,
            Value::Bytes(_) => Self::Bytes,
            Value::Array(_) => Self::Array,
            Value::Map(_) => Self::Map,
            Value::Struct(_) => Self::Struct,
            Value::Null | Value::Decimal(_) | Value::Date(_) => return None,
        })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Schema of its values.
    pub schema: Schema,
}

/// A schema. Clones share one definition.
#[derive(Debug, Clone)]
pub struct Schema(pub(super) Arc<Definition>);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Definition {
    pub(super) kind: Type,
    pub(super) optional: bool,
    pub(super) default: Option<Value>,
    pub(super) name: Option<String>,
    pub(super) version: Option<i32>,
    pub(super) doc: Option<String>,
    pub(super) parameters: Parameters,
    pub(super) fields: Vec<Field>,
    pub(super) key: Option<Schema>,
    pub(super) value: Option<Schema>,
}

/// Properties in the order in which they were set; the order does not count in comparisons.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters(pub(super) Vec<(String, String)>);

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|pair| other.0.contains(pair))
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

/// As Java prints it: `Schema{INT8}`, `Schema{name:STRUCT}`.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "Schema{{{name}:{}}}", self.kind()),
            None => write!(f, "Schema{{{}}}", self.kind()),
        }
    }
}

impl Schema {
    /// Its type.
    pub fn kind(&self) -> Type {
        self.0.kind
    }

    /// True when null is allowed.
    pub fn is_optional(&self) -> bool {
        self.0.optional
    }

    /// Stands for a missing value.
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

    /// Further properties, such as the scale of a Decimal, in the order in which they were set.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.0.parameters.0
    }

    /// One of them.
    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.0.parameters.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Fields of a struct, in order; empty for other types.
    pub fn fields(&self) -> &[Field] {
        &self.0.fields
    }

    /// Fields of a struct, which it must be.
    ///
    /// # Errors
    /// If it is another type.
    pub fn fields_of_struct(&self) -> Result<&[Field], ConnectError> {
        match self.kind() {
            Type::Struct => Ok(self.fields()),
            _ => Err(ConnectError::data("Cannot list fields on non-struct type")),
        }
    }

    /// A field of a struct, which it must be.
    ///
    /// # Errors
    /// If it is another type.
    pub fn field_of_struct(&self, name: &str) -> Result<Option<&Field>, ConnectError> {
        match self.kind() {
            Type::Struct => Ok(self.field(name).map(|(_, field)| field)),
            _ => Err(ConnectError::data("Cannot look up fields on non-struct type")),
        }
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

    pub(super) fn from_definition(definition: Definition) -> Self {
        Self(Arc::new(definition))
    }
}
