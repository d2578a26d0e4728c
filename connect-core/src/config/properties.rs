//! Properties files as `java.util.Properties.load` reads them, keeping file, line and order.
//!
//! Guarantees the same keys and values as Java for every text: escapes, `\uXXXX`, continued lines, `#` and `!`
//! comments, `=`, `:` or blank as separator, CR, LF and CRLF. Text is taken as UTF-8, and as ISO-8859-1 if it is
//! not valid UTF-8. Callers are the executables, for every file a user writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One key with its value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The key, unescaped.
    pub key: String,
    /// The value, unescaped; may be empty.
    pub value: String,
    /// Line on which the key starts, from 1.
    pub line: usize,
}

/// A properties file, in the order of its lines; a key may appear more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Properties {
    /// The file as it was named, for messages.
    pub path: PathBuf,
    /// Every property, repeated keys included.
    pub all: Vec<Property>,
}

/// Why a file could not be read. The message names neither the file nor the parameter that gave it: the caller
/// knows both.
#[derive(Debug, thiserror::Error)]
pub enum PropertiesError {
    /// The file could not be opened or read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// A `\u` escape without four hexadecimal digits; Java refuses the whole file too.
    #[error("line {line}: `\\u` needs four hexadecimal digits (write `\\\\u` for a backslash and a u)")]
    UnicodeEscape {
        /// The line of the key that holds it, from 1.
        line: usize,
    },
}

impl Properties {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, or Java would refuse it.
    pub fn read(path: &Path) -> Result<Self, PropertiesError> {
        Self::parse(path, &std::fs::read(path)?)
    }

    /// Parses `text` as the content of a file called `path`.
    ///
    /// # Errors
    /// If Java would refuse it.
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, PropertiesError> {
        let text = decode(text);
        let mut all = Vec::new();
        for (line, logical) in LogicalLines::new(&text) {
            let (key, value) = split(&logical);
            let broken = || PropertiesError::UnicodeEscape { line };
            all.push(Property {
                key: unescape(key).ok_or_else(broken)?,
                value: unescape(value).ok_or_else(broken)?,
                line,
            });
        }
        Ok(Self { path: path.to_path_buf(), all })
    }

    /// The properties that count, ordered by line: of a repeated key only the last.
    pub fn effective(&self) -> Vec<&Property> {
        let last: BTreeMap<&str, usize> =
            self.all.iter().enumerate().map(|(at, property)| (property.key.as_str(), at)).collect();
        let mut kept: Vec<usize> = last.into_values().collect();
        kept.sort_unstable();
        kept.into_iter().map(|at| &self.all[at]).collect()
    }

    /// Repeated keys: each overridden property with the one that overrides it (the last).
    pub fn repeated(&self) -> Vec<(&Property, &Property)> {
        let last: BTreeMap<&str, &Property> =
            self.all.iter().map(|property| (property.key.as_str(), property)).collect();
        self.all
            .iter()
            .filter_map(|property| Some((property, *last.get(property.key.as_str())?)))
            .filter(|(property, last)| property.line != last.line)
            .collect()
    }

    /// The value of `key`, if set.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.all.iter().rev().find(|property| property.key == key).map(|property| property.value.as_str())
    }

    /// Keys and values as a plain map.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.all.iter().map(|property| (property.key.clone(), property.value.clone())).collect()
    }
}

fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Java's white space inside a properties file.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

/// Joins continued lines, drops comments and blank lines; yields the number of the first natural line with each.
struct LogicalLines<'a> {
    natural: std::iter::Peekable<NaturalLines<'a>>,
}

impl<'a> LogicalLines<'a> {
    fn new(text: &'a str) -> Self {
        Self { natural: NaturalLines { rest: Some(text), number: 0 }.peekable() }
    }
}

impl Iterator for LogicalLines<'_> {
    type Item = (usize, String);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (number, line) = self.natural.next()?;
            let line = line.trim_start_matches(is_blank);
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let mut logical = line.to_owned();
            // A continued line may be a comment's look-alike or blank: Java takes both as they are.
            while ends_in_odd_backslashes(&logical) {
                logical.pop();
                match self.natural.next() {
                    Some((_, more)) => logical.push_str(more.trim_start_matches(is_blank)),
                    None => break,
                }
            }
            if !logical.is_empty() {
                return Some((number, logical));
            }
        }
    }
}

fn ends_in_odd_backslashes(line: &str) -> bool {
    line.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}

/// Lines ended by LF, CR or CRLF, numbered from 1.
struct NaturalLines<'a> {
    rest: Option<&'a str>,
    number: usize,
}

impl<'a> Iterator for NaturalLines<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.take()?;
        self.number += 1;
        let Some(end) = text.find(['\n', '\r']) else {
            return Some((self.number, text));
        };
        let after = if text[end..].starts_with("\r\n") { end + 2 } else { end + 1 };
        self.rest = Some(&text[after..]);
        Some((self.number, &text[..end]))
    }
}

/// Splits at the first separator that is not escaped; blanks around one `=` or `:` belong to the separator.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line
        .char_indices()
        .find(|&(_, c)| {
            let separates = !escaped && (is_blank(c) || matches!(c, '=' | ':'));
            escaped = c == '\\' && !escaped;
            separates
        })
        .map_or(line.len(), |(at, _)| at);
    let (key, rest) = line.split_at(end);
    let rest = rest.trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (key, value.trim_start_matches(is_blank))
}

/// Undoes escapes; `None` for a broken `\u`.
fn unescape(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return Some(text.to_owned());
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' { chars.next() } else { push(&mut units, c) };
        match c {
            None => {}
            Some('u') => units.push(code_unit(&mut chars)?),
            Some('t') => units.push(u16::from(b'\t')),
            Some('r') => units.push(u16::from(b'\r')),
            Some('n') => units.push(u16::from(b'\n')),
            Some('f') => units.push(0x0c),
            Some(other) => {
                push(&mut units, other);
            }
        }
    }
    // Java strings are UTF-16, so a character beyond the first plane may come as two `\u` escapes.
    Some(String::from_utf16_lossy(&units))
}

fn push(units: &mut Vec<u16>, c: char) -> Option<char> {
    units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    None
}

fn code_unit(chars: &mut std::str::Chars<'_>) -> Option<u16> {
    let mut unit = 0u16;
    for _ in 0..4 {
        let digit = chars.next()?.to_digit(16)?;
        unit = unit << 4 | u16::try_from(digit).ok()?;
    }
    Some(unit)
}
