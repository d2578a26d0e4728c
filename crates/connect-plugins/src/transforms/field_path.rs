//! Paths of fields: a name (V1), or names with dots between them (V2), in backticks where a name holds dots itself.

use connect_api::config_def::Validator;
use connect_api::data::{Field, Map, Schema, Struct, Value};
use connect_api::{ConfigKey, ConnectError, Importance, Type as ConfigType};

use super::support::{require_map, require_struct_or_null};

const PURPOSE: &str = "nested field access";

/// Name of the setting in [`syntax_key`].
pub(super) const SYNTAX: &str = "field.syntax.version";

/// The setting that chooses the syntax.
pub(super) fn syntax_key() -> ConfigKey {
    let text = "Version of the syntax of field paths. V1: the name of a field of the outermost struct or map. V2: names \
                with dots between them, for nested fields; a name that holds dots stands in backticks, such as \
                `foo.bar`.baz.";
    ConfigKey::new(SYNTAX, ConfigType::String, Importance::High, text)
        .default("V1")
        .validator(Validator::one_of_ignoring_case(&["V1", "V2"]))
}

/// A path of one step or more.
#[derive(Debug, PartialEq)]
pub(super) struct FieldPath(Vec<String>);

impl FieldPath {
    /// A path in the syntax of a version.
    pub(super) fn new(text: &str, version: &str) -> Result<Self, ConnectError> {
        if version.eq_ignore_ascii_case("V1") || text.is_empty() {
            return Ok(Self(vec![text.to_owned()]));
        }
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let (step, after) = match rest.strip_prefix('`') {
                Some(quoted) => {
                    let at = text.len() - rest.len();
                    quoted_step(quoted).ok_or_else(|| incomplete(text, at))?
                }
                None => match rest.split_once('.') {
                    Some((step, after)) => (step.to_owned(), Some(after)),
                    None => (rest.to_owned(), None),
                },
            };
            steps.push(step);
            match after {
                Some(after) => rest = after,
                None => return Ok(Self(steps)),
            }
        }
    }

    fn split(&self) -> (&[String], &str) {
        match self.0.split_last() {
            Some((last, before)) => (before, last),
            None => (&[], ""),
        }
    }

    /// The field of a schema.
    pub(super) fn field<'a>(&self, schema: &'a Schema) -> Result<Option<&'a Field>, ConnectError> {
        let (before, last) = self.split();
        let mut current = schema;
        for step in before {
            match current.field_of_struct(step)? {
                Some(field) => current = &field.schema,
                None => return Ok(None),
            }
        }
        current.field_of_struct(last)
    }

    /// The value in a struct; null where the path ends early.
    pub(super) fn in_struct(&self, data: &Struct, with_default: bool) -> Result<Value, ConnectError> {
        let (before, last) = self.split();
        let mut current = data;
        for step in before {
            let Ok(value) = current.get(step) else { return Ok(Value::Null) };
            match require_struct_or_null(value, PURPOSE)? {
                Some(inner) => current = inner,
                None => return Ok(Value::Null),
            }
        }
        let found = if with_default { current.get(last) } else { current.get_without_default(last) };
        Ok(found.cloned().unwrap_or(Value::Null))
    }

    /// The value in a map; null where the path ends early.
    pub(super) fn in_map(&self, map: &Map) -> Result<Value, ConnectError> {
        let (before, last) = self.split();
        let mut current = map;
        for step in before {
            match current.get_str(step) {
                None | Some(Value::Null) => return Ok(Value::Null),
                Some(value) => current = require_map(value, PURPOSE)?,
            }
        }
        Ok(current.get_str(last).cloned().unwrap_or(Value::Null))
    }
}

/// The step that a backtick began, and what comes after the dot behind it. The closing backtick stands before a dot or at
/// the end; a backslash before one that would close makes it part of the name. `None`: nothing closes.
fn quoted_step(quoted: &str) -> Option<(String, Option<&str>)> {
    let mut step = String::new();
    let mut start = 0;
    let mut from = 0;
    loop {
        let at = from + quoted[from..].find('`')?;
        let escaped = quoted[..at].ends_with('\\');
        let after = &quoted[at + 1..];
        match (after.strip_prefix('.'), after.is_empty(), escaped) {
            (_, true, true) => return None,
            (_, true, false) => {
                step.push_str(&quoted[start..at]);
                return Some((step, None));
            }
            (Some(after), _, false) => {
                step.push_str(&quoted[start..at]);
                return Some((step, Some(after)));
            }
            (Some(_), _, true) => {
                step.push_str(&quoted[start..at - 1]);
                step.push('`');
                start = at + 1;
            }
            (None, ..) => {}
        }
        from = at + 1;
    }
}

fn incomplete(path: &str, at: usize) -> ConnectError {
    ConnectError::config(format!(
        "Incomplete backtick pair in path: [{path}], consider adding a backslash before backtick at position {at} to \
         escape it"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        for (text, steps) in [
            ("a", &["a"][..]),
            ("a.b", &["a", "b"]),
            ("a.", &["a", ""]),
            (".a", &["", "a"]),
            ("`a.b`.c", &["a.b", "c"]),
            ("`a`b`", &["a`b"]),
            (r"`a\`.b`.c", &["a`.b", "c"]),
            ("a`b.c", &["a`b", "c"]),
            ("`a.b`.", &["a.b", ""]),
        ] {
            assert_eq!(FieldPath::new(text, "v2").unwrap().0, steps, "{text}");
        }
        assert_eq!(FieldPath::new("a.b", "V1").unwrap().0, ["a.b"]);
        for text in ["`a", "a.`b", r"`a\`"] {
            let error = FieldPath::new(text, "V2").unwrap_err();
            assert!(error.message().starts_with("Incomplete backtick pair"), "{text}");
        }
    }
}
