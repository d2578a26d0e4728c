//! `java.util.regex` on top of `fancy_regex`: expressions in Java's dialect, compared with whole texts, and replacements
//! with `$1` and `${name}`.

mod error;
mod names;
mod replacement;
#[cfg(test)]
mod tests;
mod translate;

use std::fmt;

pub use error::RegexError;
pub use replacement::Replacement;

/// A regular expression in Java's dialect that is compared with whole names, as `Pattern.matches` does.
#[derive(Clone)]
pub struct JavaRegex {
    source: String,
    whole: fancy_regex::Regex,
    anywhere: fancy_regex::Regex,
}

impl JavaRegex {
    /// Compiles `source`.
    ///
    /// # Errors
    /// If Java would refuse it, or it uses a construct that has no counterpart here; the message names it.
    pub fn new(source: &str) -> Result<Self, RegexError> {
        let translated = translate::translate(source)?;
        let compile = |text: &str| fancy_regex::Regex::new(text).map_err(|e| RegexError(e.to_string()));
        let anywhere = compile(&translated)?;
        let whole = compile(&format!(r"\A(?:{translated})\z"))?;
        Ok(Self { source: source.to_owned(), whole, anywhere })
    }

    /// The expression as it was given.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the whole of `name` matches.
    ///
    /// # Errors
    /// If the expression backtracks without end on this name.
    pub fn is_match(&self, name: &str) -> Result<bool, RegexError> {
        self.whole.is_match(name).map_err(|error| RegexError(error.to_string()))
    }

    /// `Matcher.replaceFirst`: the first match anywhere in `text` replaced; the text itself without a match.
    ///
    /// # Errors
    /// If the expression backtracks without end, or the replacement names a group that the expression does not have.
    pub fn replace_first(&self, text: &str, replacement: &Replacement) -> Result<String, RegexError> {
        let found = self.anywhere.captures(text).map_err(|error| RegexError(error.to_string()))?;
        let Some(found) = found else { return Ok(text.to_owned()) };
        let all = found.get(0).map_or(0..0, |all| all.start()..all.end());
        let mut out = text[..all.start].to_owned();
        replacement.expand(&mut out, &self.anywhere, &found)?;
        out.push_str(&text[all.end..]);
        Ok(out)
    }
}

impl fmt::Debug for JavaRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JavaRegex({})", self.source)
    }
}
