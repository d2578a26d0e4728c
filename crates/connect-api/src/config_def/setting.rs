//! Parsed settings: what definitions have as defaults, validators judge and plugins read.

use java::numbers::double_text;

/// A parsed setting.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Setting {
    Null,
    Boolean(bool),
    String(String),
    Int(i32),
    Short(i16),
    Long(i64),
    Double(f64),
    List(Vec<String>),
    /// Name of a plugin's class.
    Class(String),
    Password(String),
}

impl Setting {
    /// Text of a string, class or password.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Class(text) | Self::Password(text) => Some(text),
            _ => None,
        }
    }

    /// Any number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(f64::from(*n)),
            Self::Short(n) => Some(f64::from(*n)),
            Self::Long(n) => Some(*n as f64),
            Self::Double(n) => Some(*n),
            _ => None,
        }
    }

    /// As `ConfigDef.convertToString` writes it; passwords are hidden; `None` for null.
    pub fn display(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(b) => b.to_string(),
            Self::String(text) | Self::Class(text) => text.clone(),
            Self::Int(n) => n.to_string(),
            Self::Short(n) => n.to_string(),
            Self::Long(n) => n.to_string(),
            Self::Double(n) => double_text(*n),
            Self::List(items) => items.join(","),
            Self::Password(_) => "[hidden]".to_owned(),
        })
    }
}

impl From<&str> for Setting {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<bool> for Setting {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i32> for Setting {
    fn from(value: i32) -> Self {
        Self::Int(value)
    }
}

impl From<i64> for Setting {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}

impl From<Vec<String>> for Setting {
    fn from(value: Vec<String>) -> Self {
        Self::List(value)
    }
}
