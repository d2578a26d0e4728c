//! The schema that several values have in common.

use connect_api::data::{Schema, Type};

/// Collects schemas of elements.
#[derive(Debug, Default)]
pub(super) struct Merged {
    common: Option<Schema>,
    /// Two schemas had nothing in common.
    incompatible: bool,
}

impl Merged {
    pub(super) fn add(&mut self, schema: Option<&Schema>) {
        let Some(schema) = schema.filter(|_| !self.incompatible) else { return };
        self.common = match self.common.take() {
            None => Some(schema.clone()),
            Some(previous) => merge(previous, schema),
        };
        self.incompatible = self.common.is_none();
    }

    /// `None`: all were null, or they have no schema in common.
    pub(super) fn common(self) -> Option<Schema> {
        self.common
    }
}

/// Numbers widen; of two schemas of one type the later counts.
fn merge(previous: Schema, new: &Schema) -> Option<Schema> {
    if previous.kind() == new.kind() {
        return Some(new.clone());
    }
    match (width(previous.kind())?, width(new.kind())?) {
        (old, width) if width > old => Some(new.clone()),
        _ => Some(previous),
    }
}

fn width(kind: Type) -> Option<u8> {
    Some(match kind {
        Type::Int8 => 1,
        Type::Int16 => 2,
        Type::Int32 => 3,
        Type::Int64 => 4,
        Type::Float32 => 5,
        Type::Float64 => 6,
        _ => return None,
    })
}
