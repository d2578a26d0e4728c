//! Properties files as `java.util.Properties.load` reads them, keeping file, line and order.
//!
//! Guarantees the same keys and values as Java for every text: escapes, `\uXXXX`, continued lines, `#` and `!`
//! comments, `=`, `:` or blank as separator, CR, LF and CRLF. Text is taken as UTF-8, and as ISO-8859-1 if it is
//! not valid UTF-8. Callers are the executables, for every file a user writes,
//! and the file config provider.

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
        let mut logical = String::new();
        let mut start = 0;
        loop {
            let (number, line) = self.natural.next()?;
            let line = line.trim_start_matches(is_blank);
            if logical.is_empty() {
                if line.is_empty() || line.starts_with(['#', '!']) {
                    continue;
                }
                start = number;
            }
            logical.push_str(line);
            if !ends_in_odd_backslashes(&logical) {
                return Some((start, logical));
            }
            logical.pop();
            // At the end of the text Java drops the backslash, and takes what is left even if it is nothing.
            if self.natural.peek().is_none() {
                return Some((start, logical));
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
        // After a lone LF or CR Java notices the end of the text; after CRLF it sees one more, empty line.
        self.rest = (text.len() > end + 1).then(|| &text[after..]);
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: impl AsRef<[u8]>) -> Result<Properties, PropertiesError> {
        Properties::parse(Path::new("a.properties"), text.as_ref())
    }

    /// Each line `[text, map]`: what `java.util.Properties.load` makes of a text, `null` where it throws.
    const VECTORS: &str = include_str!("properties_vectors.jsonl");

    #[test]
    fn reads_what_java_reads() {
        let mut wrong = Vec::new();
        for line in VECTORS.lines() {
            let (text, expected): (String, Option<BTreeMap<String, String>>) =
                serde_json::from_str(line).unwrap();
            let ours = parse(&text).ok().map(|properties| properties.to_map());
            if ours != expected {
                wrong.push(format!("{text:?}: Java {expected:?}, we {ours:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(VECTORS.lines().count() > 700);
    }

    #[test]
    fn keeps_lines_and_order() {
        let properties = parse("# head\r\n\r\nb=1\ra=x\\\n  y\nc=3\nb=2\n").unwrap();
        let found: Vec<_> =
            properties.all.iter().map(|p| (p.line, p.key.as_str(), p.value.as_str())).collect();
        assert_eq!(found, [(3, "b", "1"), (4, "a", "xy"), (6, "c", "3"), (7, "b", "2")]);
        let effective: Vec<_> = properties.effective().iter().map(|p| p.line).collect();
        assert_eq!(effective, [4, 6, 7]);
        let repeated: Vec<_> = properties.repeated().iter().map(|(p, last)| (p.line, last.line)).collect();
        assert_eq!(repeated, [(3, 7)]);
        assert_eq!(properties.get("b"), Some("2"));
    }

    #[test]
    fn utf8_or_else_latin1() {
        assert_eq!(parse("a=é").unwrap().get("a"), Some("é"));
        assert_eq!(parse(b"a=\xe9").unwrap().get("a"), Some("é"));
        assert_eq!(parse("\u{feff}a=b").unwrap().get("a"), Some("b"));
    }

    #[test]
    fn a_broken_escape_names_the_line() {
        let error = parse("a=1\nb=c:\\users\n").unwrap_err();
        assert!(matches!(error, PropertiesError::UnicodeEscape { line: 2 }), "{error}");
    }
}
