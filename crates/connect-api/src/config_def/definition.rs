//! The definition of a set of keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::setting::Setting;
use super::validators::Validator;

/// Type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Type {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
}

impl Type {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Boolean,
        Self::String,
        Self::Int,
        Self::Short,
        Self::Long,
        Self::Double,
        Self::List,
        Self::Class,
        Self::Password,
    ];

    /// As Connect's REST interface writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }
}

/// Importance of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Importance {
    High,
    Medium,
    Low,
}

impl Importance {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// As Connect's REST interface writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

/// Width of its field in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Width {
    None,
    Short,
    Medium,
    Long,
}

impl Width {
    /// As Connect's REST interface writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Short => "SHORT",
            Self::Medium => "MEDIUM",
            Self::Long => "LONG",
        }
    }
}

/// Proposes values for a setting and says whether it matters, given the others.
pub trait Recommender: Send + Sync {
    /// Values that would be valid.
    fn valid_values(&self, name: &str, config: &BTreeMap<String, Setting>) -> Vec<Setting>;

    /// False when the setting means nothing with these others.
    fn visible(&self, _name: &str, _config: &BTreeMap<String, Setting>) -> bool {
        true
    }
}

/// One key.
#[derive(Clone)]
pub struct ConfigKey {
    /// Name.
    pub name: String,
    /// Type.
    pub kind: Type,
    /// `None`: the setting is required.
    pub default: Option<Setting>,
    /// Checks of the parsed value.
    pub validator: Option<Validator>,
    /// Its importance.
    pub importance: Importance,
    /// Text that tells users its effect.
    pub documentation: String,
    /// Group in forms.
    pub group: Option<String>,
    /// Order inside the group; -1 without a group.
    pub order: i32,
    /// Width in forms.
    pub width: Width,
    /// Name in forms.
    pub display_name: String,
    /// Keys whose validity depends on this one.
    pub dependents: Vec<String>,
    /// Proposals.
    pub recommender: Option<Arc<dyn Recommender>>,
    /// False: not shown by REST.
    pub visible: bool,
}

impl std::fmt::Debug for ConfigKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ConfigKey({}: {})", self.name, self.kind.name())
    }
}

impl ConfigKey {
    /// A required key of low ceremony: further properties by the methods below.
    pub fn new(
        name: impl Into<String>,
        kind: Type,
        importance: Importance,
        documentation: impl Into<String>,
    ) -> Self {
        let name = name.into();
        Self {
            display_name: name.clone(),
            name,
            kind,
            default: None,
            validator: None,
            importance,
            documentation: documentation.into(),
            group: None,
            order: -1,
            width: Width::None,
            dependents: Vec::new(),
            recommender: None,
            visible: true,
        }
    }

    /// Its default; the key is no longer required.
    #[must_use]
    pub fn default(mut self, value: impl Into<Setting>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// Its default is null.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.default = Some(Setting::Null);
        self
    }

    /// A check of the parsed value.
    #[must_use]
    pub fn validator(mut self, validator: Validator) -> Self {
        self.validator = Some(validator);
        self
    }

    /// Its place in forms.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>, order: i32) -> Self {
        self.group = Some(group.into());
        self.order = order;
        self
    }

    /// Its look in forms.
    #[must_use]
    pub fn display(mut self, width: Width, name: impl Into<String>) -> Self {
        self.width = width;
        self.display_name = name.into();
        self
    }

    /// Keys whose validity depends on this one.
    #[must_use]
    pub fn dependents(mut self, names: &[&str]) -> Self {
        self.dependents = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Proposals.
    #[must_use]
    pub fn recommender(mut self, recommender: Arc<dyn Recommender>) -> Self {
        self.recommender = Some(recommender);
        self
    }

    /// Not shown by REST.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.visible = false;
        self
    }

    /// True when it has no default.
    pub fn is_required(&self) -> bool {
        self.default.is_none()
    }
}

/// A set of keys, in the order in which they were defined.
#[derive(Debug, Clone, Default)]
pub struct ConfigDef {
    keys: Vec<ConfigKey>,
}

impl ConfigDef {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more key. A key that exists already is replaced in its place.
    #[must_use]
    pub fn define(mut self, key: ConfigKey) -> Self {
        match self.keys.iter_mut().find(|known| known.name == key.name) {
            Some(known) => *known = key,
            None => self.keys.push(key),
        }
        self
    }

    /// With all keys of `other`, their names, groups and dependents prefixed as Connect embeds the settings of a plugin
    /// under an alias.
    #[must_use]
    pub fn embed(mut self, prefix: &str, group: &str, first_order: i32, other: &ConfigDef) -> Self {
        for (order, key) in (first_order..).zip(&other.keys) {
            let mut key = key.clone();
            key.name = format!("{prefix}{}", key.name);
            key.group = Some(match &key.group {
                Some(own) => format!("{group}: {own}"),
                None => group.to_owned(),
            });
            key.order = order;
            key.dependents = key.dependents.iter().map(|name| format!("{prefix}{name}")).collect();
            self = self.define(key);
        }
        self
    }

    /// All keys, in order.
    pub fn keys(&self) -> &[ConfigKey] {
        &self.keys
    }

    /// A key by name.
    pub fn key(&self, name: &str) -> Option<&ConfigKey> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The groups, in the order in which they first appear.
    pub fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = Vec::new();
        for group in self.keys.iter().filter_map(|key| key.group.as_ref()) {
            if !groups.contains(group) {
                groups.push(group.clone());
            }
        }
        groups
    }
}
