//! JSON to Connect data and schemas.

use connect_api::ConnectError;
use connect_api::data::{Schema, SchemaBuilder, Struct, Type, Value, logical};
use java::MILLIS_PER_DAY;

use indexmap::IndexMap;

use super::Settings;
use super::node::Node;

const SCHEMA_BUILDER: &str = "org.apache.kafka.connect.errors.SchemaBuilderException";

/// The value that a node is. `None`: the member is absent, which counts as null.
pub(super) fn value(
    settings: &Settings,
    schema: Option<&Schema>,
    node: Option<&Node>,
) -> Result<Value, ConnectError> {
    let node = match (node, schema) {
        (None | Some(Node::Null), Some(schema)) => return null(settings, schema),
        (None, None) => return Ok(Value::Null),
        (Some(node), _) => node,
    };
    let Some(schema) = schema else { return schemaless(settings, node) };
    if let Some(name) = schema.name()
        && let Some(value) = logical_value(schema, name, node)
    {
        return value;
    }
    Ok(match schema.kind() {
        Type::Boolean => Value::Boolean(*node == Node::Boolean(true)),
        Type::Int8 => Value::Int8(node.long()? as i8),
        Type::Int16 => Value::Int16(node.long()? as i16),
        Type::Int32 => Value::Int32(node.long()? as i32),
        Type::Int64 => Value::Int64(node.long()?),
        Type::Float32 => Value::Float32(node.float()),
        Type::Float64 => Value::Float64(node.double()),
        Type::String => node.text().map_or(Value::Null, Value::from),
        Type::Bytes => bytes(node, "Invalid bytes field")?.map_or(Value::Null, |b| Value::Bytes(b.into())),
        Type::Array => array(settings, schema.value_schema(), node)?,
        Type::Map => map(settings, schema, node)?,
        Type::Struct => structure(settings, schema, node)?,
    })
}

fn null(settings: &Settings, schema: &Schema) -> Result<Value, ConnectError> {
    match schema.default_value() {
        Some(default) if settings.replace_null_with_default => Ok(default.clone()),
        _ if schema.is_optional() => Ok(Value::Null),
        _ => Err(ConnectError::data(format!("Invalid null value for required {} field", schema.kind()))),
    }
}

fn schemaless(settings: &Settings, node: &Node) -> Result<Value, ConnectError> {
    Ok(match node {
        Node::Missing | Node::Null => Value::Null,
        Node::Boolean(b) => Value::Boolean(*b),
        Node::Integer(_) | Node::BigInteger(_) => Value::Int64(node.long()?),
        Node::Fraction(_) => Value::Float64(node.double()),
        Node::Text(text) => Value::from(text.as_str()),
        Node::Array(_) => array(settings, None, node)?,
        Node::Object(members) => object(settings, None, members)?,
    })
}

fn array(settings: &Settings, element: Option<&Schema>, node: &Node) -> Result<Value, ConnectError> {
    let mut items = Vec::new();
    for item in node.elements() {
        items.push(value(settings, element, Some(item))?);
    }
    Ok(Value::Array(items))
}

fn object(
    settings: &Settings,
    values: Option<&Schema>,
    members: &IndexMap<String, Node>,
) -> Result<Value, ConnectError> {
    let mut entries = Vec::with_capacity(members.len());
    for (key, node) in members {
        entries.push((Value::from(key.as_str()), value(settings, values, Some(node))?));
    }
    Ok(Value::Map(entries.into()))
}

fn map(settings: &Settings, schema: &Schema, node: &Node) -> Result<Value, ConnectError> {
    let (keys, values) = (schema.key_schema(), schema.value_schema());
    let refuse = |text: String| Err(ConnectError::data(text));
    if keys.is_some_and(|keys| keys.kind() == Type::String) {
        let Node::Object(members) = node else {
            let found = node.kind();
            return refuse(format!(
                "Maps with string fields should be encoded as JSON objects, but found {found}"
            ));
        };
        return object(settings, values, members);
    }
    let Node::Array(pairs) = node else {
        let found = node.kind();
        return refuse(format!(
            "Maps with non-string fields should be encoded as JSON array of tuples, but found {found}"
        ));
    };
    let mut entries = Vec::with_capacity(pairs.len());
    for pair in pairs {
        match pair {
            Node::Array(pair) if pair.len() == 2 => {
                entries.push((value(settings, keys, pair.first())?, value(settings, values, pair.get(1))?));
            }
            Node::Array(pair) => {
                return refuse(format!(
                    "Found invalid map entry, expected length 2 but found :{}",
                    pair.len()
                ));
            }
            _ => return refuse(format!("Found invalid map entry instead of array tuple: {}", pair.kind())),
        }
    }
    Ok(Value::Map(entries.into()))
}

fn structure(settings: &Settings, schema: &Schema, node: &Node) -> Result<Value, ConnectError> {
    if !matches!(node, Node::Object(_)) {
        let found = node.kind();
        return Err(ConnectError::data(format!(
            "Structs should be encoded as JSON objects, but found {found}"
        )));
    }
    let mut data = Struct::new(schema)?;
    for (index, field) in schema.fields().iter().enumerate() {
        data.put_at(index, value(settings, Some(&field.schema), node.get(&field.name))?)?;
    }
    Ok(data.into())
}

fn bytes(node: &Node, problem: &str) -> Result<Option<Vec<u8>>, ConnectError> {
    node.binary().map_err(|e| {
        let cause = ConnectError::of("com.fasterxml.jackson.databind.exc.InvalidFormatException", e);
        ConnectError::data(problem).caused_by(cause)
    })
}

/// A value of a logical type; `None` if the name is not one of them.
fn logical_value(schema: &Schema, name: &str, node: &Node) -> Option<Result<Value, ConnectError>> {
    Some(match name {
        logical::DECIMAL => decimal(schema, node),
        logical::DATE => small(node, "Date").map(|days| Value::Date(i64::from(days) * MILLIS_PER_DAY)),
        logical::TIME => small(node, "Time").and_then(logical::time_from_millis).map(Value::Date),
        logical::TIMESTAMP => match node {
            Node::Integer(_) | Node::BigInteger(_) => node.long().map(Value::Date),
            _ => Err(ConnectError::data(format!(
                "Invalid type for Timestamp, underlying representation should be integral but was {}",
                node.kind()
            ))),
        },
        _ => return None,
    })
}

fn decimal(schema: &Schema, node: &Node) -> Result<Value, ConnectError> {
    const INVALID: &str = "Invalid bytes for Decimal field";
    if let Some(n) = node.decimal() {
        return Ok(Value::Decimal(n));
    }
    match bytes(node, INVALID)? {
        Some(bytes) => {
            let n = logical::decimal_from_bytes(schema, &bytes);
            n.map(Value::Decimal).map_err(|e| ConnectError::data(INVALID).caused_by(e))
        }
        None => Err(ConnectError::data(format!(
            "Invalid type for Decimal, underlying representation should be numeric or bytes but was {}",
            node.kind()
        ))),
    }
}

/// An integer of 32 bits.
fn small(node: &Node, kind: &str) -> Result<i32, ConnectError> {
    match node {
        Node::Integer(n) => i32::try_from(*n).map_err(|_| not_an_integer(node, kind)),
        _ => Err(not_an_integer(node, kind)),
    }
}

fn not_an_integer(node: &Node, kind: &str) -> ConnectError {
    let found = node.kind();
    ConnectError::data(format!(
        "Invalid type for {kind}, underlying representation should be integer but was {found}"
    ))
}

/// The schema that a node describes; `None` for null.
pub(super) fn schema(settings: &Settings, node: &Node) -> Result<Option<Schema>, ConnectError> {
    if *node == Node::Null {
        return Ok(None);
    }
    let Some(name) = node.get("type").and_then(Node::text) else {
        return Err(ConnectError::data("Schema must contain 'type' field"));
    };
    let Some(kind) = Type::ALL.into_iter().find(|kind| super::type_name(*kind) == name) else {
        return Err(ConnectError::data(format!("Unknown schema type: {name}")));
    };
    let builder = match kind {
        Type::Array => array_schema(settings, node)?,
        Type::Map => map_schema(settings, node)?,
        Type::Struct => struct_schema(settings, node)?,
        _ => SchemaBuilder::new(kind),
    };
    let builder = properties(builder, node)?;
    let Some(default) = node.get("default") else { return Ok(Some(builder.build())) };
    let default = value(settings, Some(&builder.clone().build()), Some(default))?;
    Ok(Some(builder.checked_default(default)?.build()))
}

fn array_schema(settings: &Settings, node: &Node) -> Result<SchemaBuilder, ConnectError> {
    let items = node.get("items").map_or(Ok(None), |items| schema(settings, items))?;
    let items = items.ok_or_else(|| ConnectError::data("Array schema did not specify the element type"))?;
    Ok(SchemaBuilder::array(items))
}

fn map_schema(settings: &Settings, node: &Node) -> Result<SchemaBuilder, ConnectError> {
    let part = |member: &str, name: &str| {
        let missing = || ConnectError::data(format!("Map schema did not specify the {name} type"));
        let part = schema(settings, node.get(member).ok_or_else(missing)?)?;
        let null = || ConnectError::of(SCHEMA_BUILDER, format!("{name}Schema cannot be null."));
        part.ok_or_else(null)
    };
    Ok(SchemaBuilder::map(part("keys", "key")?, part("values", "value")?))
}

fn struct_schema(settings: &Settings, node: &Node) -> Result<SchemaBuilder, ConnectError> {
    let Some(Node::Array(fields)) = node.get("fields") else {
        return Err(ConnectError::data("Struct schema's \"fields\" argument is not an array."));
    };
    let mut builder = SchemaBuilder::new(Type::Struct);
    for field in fields {
        let Some(name) = field.get("field").and_then(Node::text) else {
            return Err(ConnectError::data("Struct schema's field name not specified properly"));
        };
        // A field that has a name is an object, whose schema is never null.
        let Some(schema) = schema(settings, field)? else { continue };
        builder = builder.checked_field(name, schema)?;
    }
    Ok(builder)
}

fn properties(mut builder: SchemaBuilder, node: &Node) -> Result<SchemaBuilder, ConnectError> {
    if node.get("optional") == Some(&Node::Boolean(true)) {
        builder = builder.optional();
    }
    if let Some(name) = node.get("name").and_then(Node::text) {
        builder = builder.name(Some(name));
    }
    if let Some(version @ Node::Integer(_)) = node.get("version") {
        builder = builder.version(Some(version.long()? as i32));
    }
    if let Some(doc) = node.get("doc").and_then(Node::text) {
        builder = builder.doc(Some(doc));
    }
    if let Some(Node::Object(parameters)) = node.get("parameters") {
        for (key, text) in parameters {
            let Node::Text(text) = text else {
                return Err(ConnectError::data("Schema parameters must have string values."));
            };
            builder = builder.parameter(key, text);
        }
    }
    Ok(builder)
}
