//! Names at the destination: the `topic.rename.format` template, Kafka's rules for names, and collisions.
//! Pure: the topic monitor calls it with the names that matched.

use std::collections::BTreeMap;

/// Placeholder of the origin's name in `topic.rename.format`.
pub const PLACEHOLDER: &str = "${topic}";

/// Longest name that Kafka takes, in bytes.
pub const MAX_NAME_LENGTH: usize = 249;

/// Why a destination name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// The template has no place for the origin's name, or text that no topic name can hold.
    #[error("{0}")]
    Format(String),
    /// The name breaks Kafka's rules.
    #[error(
        "topic {origin} would be called {name:?} at the destination, which Kafka does not allow ({reason}); \
         change topic.rename.format or exclude it with topic.blacklist"
    )]
    InvalidName {
        /// Name at the origin.
        origin: String,
        /// Name that `topic.rename.format` gives.
        name: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// Two origin topics would be written into one.
    #[error(
        "topics {first} and {second} would both be written to {name} at the destination; \
         change topic.rename.format, or exclude one with topic.blacklist"
    )]
    Collision {
        /// One origin topic.
        first: String,
        /// The other origin topic.
        second: String,
        /// The destination name that they share.
        name: String,
    },
}

/// A checked `topic.rename.format`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameFormat(String);

impl RenameFormat {
    /// Checks `format`. Without `${topic}` it is a fixed name, which only one topic can take.
    ///
    /// # Errors
    /// If it is empty or holds characters that no topic name may hold.
    pub fn parse(format: &str) -> Result<Self, RenameError> {
        let fixed = format.replace(PLACEHOLDER, "");
        if format.is_empty() {
            return Err(RenameError::Format(format!("must not be empty; {PLACEHOLDER} keeps the name")));
        }
        match fixed.chars().find(|&c| !is_legal(c)) {
            Some(c) => Err(RenameError::Format(format!(
                "{c:?} cannot be part of a topic name; allowed are letters, digits, `.`, `_`, `-` and {PLACEHOLDER}"
            ))),
            None => Ok(Self(format.to_owned())),
        }
    }

    /// The name that origin topic `topic` gets.
    ///
    /// # Errors
    /// [`RenameError::InvalidName`] if Kafka does not allow it.
    pub fn apply(&self, topic: &str) -> Result<String, RenameError> {
        let name = self.0.replace(PLACEHOLDER, topic);
        match check_name(&name) {
            Ok(()) => Ok(name),
            Err(reason) => Err(RenameError::InvalidName { origin: topic.to_owned(), name, reason }),
        }
    }

    /// Names of all `origins`, as origin → destination.
    ///
    /// # Errors
    /// The first invalid name or collision, in the order of names.
    pub fn apply_all<'a>(
        &self,
        origins: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, String>, RenameError> {
        let mut names = BTreeMap::new();
        for origin in origins {
            names.insert(origin.to_owned(), self.apply(origin)?);
        }
        check_collisions(&names)?;
        Ok(names)
    }
}

/// Refuses two origins with one destination in a map of origin → destination.
///
/// # Errors
/// [`RenameError::Collision`] with both names.
pub fn check_collisions(names: &BTreeMap<String, String>) -> Result<(), RenameError> {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for (origin, name) in names {
        if let Some(first) = taken.insert(name, origin) {
            return Err(RenameError::Collision {
                first: first.to_owned(),
                second: origin.clone(),
                name: name.clone(),
            });
        }
    }
    Ok(())
}

fn is_legal(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Kafka's rules for a topic name.
///
/// # Errors
/// The rule that `name` breaks, in words.
pub fn check_name(name: &str) -> Result<(), String> {
    match name {
        "" => Err("it is empty".to_owned()),
        "." | ".." => Err("`.` and `..` are reserved".to_owned()),
        _ if name.len() > MAX_NAME_LENGTH => {
            Err(format!("it has {} characters, at most {MAX_NAME_LENGTH} are allowed", name.len()))
        }
        _ => match name.chars().find(|&c| !is_legal(c)) {
            Some(c) => Err(format!("{c:?} is not a letter, digit, `.`, `_` or `-`")),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_placeholder_is_replaced_wherever_it_stands() {
        for (format, expected) in
            [("${topic}", "a"), ("${topic}.replica", "a.replica"), ("eu-${topic}_${topic}", "eu-a_a")]
        {
            assert_eq!(RenameFormat::parse(format).unwrap().apply("a").unwrap(), expected);
        }
    }

    #[test]
    fn an_origin_name_is_not_taken_for_a_template() {
        // Not a legal topic name, but replacement must be single-pass for whatever the origin lists.
        let error = RenameFormat::parse("x.${topic}").unwrap().apply("${topic}").unwrap_err();
        assert!(matches!(error, RenameError::InvalidName { ref name, .. } if name == "x.${topic}"));
    }

    #[test]
    fn illegal_templates_are_refused() {
        for format in ["", "${Topic}", "${topic}/x", "a b"] {
            assert!(RenameFormat::parse(format).is_err(), "{format:?}");
        }
    }

    #[test]
    fn kafka_s_name_rules() {
        for name in ["a", "A.b_c-9", &"x".repeat(249)] {
            assert_eq!(check_name(name), Ok(()));
        }
        for name in ["", ".", "..", "ä", "a/b", &"x".repeat(250)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        let long = RenameFormat::parse("${topic}.replica").unwrap().apply(&"x".repeat(245)).unwrap_err();
        assert!(long.to_string().contains("253 characters"), "{long}");
        assert!(long.to_string().contains("topic.rename.format"), "{long}");
    }

    #[test]
    fn a_collision_names_both_origins() {
        let fixed = RenameFormat::parse("all").unwrap();
        assert_eq!(fixed.apply_all(["a"]).unwrap()["a"], "all");
        let error = fixed.apply_all(["a", "b"]).unwrap_err();
        let both = RenameError::Collision { first: "a".into(), second: "b".into(), name: "all".into() };
        assert_eq!(error, both);
        assert!(RenameFormat::parse("${topic}").unwrap().apply_all(["a", "b"]).is_ok());
    }
}
