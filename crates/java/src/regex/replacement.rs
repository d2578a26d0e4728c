//! Replacement texts of `Matcher.replaceFirst`: `$1`, `${name}`, and a backslash before anything that means itself.

use fancy_regex::{Captures, Regex};

use super::error::RegexError;

/// A replacement text. Java looks at it only once there is something to replace, and so do we.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement(String);

impl Replacement {
    /// From its source.
    pub fn new(source: &str) -> Self {
        Self(source.to_owned())
    }

    pub(super) fn expand(
        &self,
        out: &mut String,
        regex: &Regex,
        found: &Captures<'_, str>,
    ) -> Result<(), RegexError> {
        let mut rest = self.0.as_str();
        while let Some(at) = rest.find(['\\', '$']) {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            rest = match rest.as_bytes()[at] {
                b'\\' => escaped(out, after)?,
                _ => group(out, after, regex, found)?,
            };
        }
        out.push_str(rest);
        Ok(())
    }
}

fn escaped<'a>(out: &mut String, after: &'a str) -> Result<&'a str, RegexError> {
    let mut chars = after.chars();
    let Some(c) = chars.next() else { return refuse("character to be escaped is missing".to_owned()) };
    out.push(c);
    Ok(chars.as_str())
}

/// After `$`. An unmatched group is nothing.
fn group<'a>(
    out: &mut String,
    after: &'a str,
    regex: &Regex,
    found: &Captures<'_, str>,
) -> Result<&'a str, RegexError> {
    if let Some(inside) = after.strip_prefix('{') {
        let (name, rest) = group_name(inside)?;
        if !regex.capture_names().flatten().any(|known| known == name) {
            return refuse(format!("No group with name {{{name}}}"));
        }
        out.push_str(found.name(name).map_or("", |text| text.as_str()));
        return Ok(rest);
    }
    let digit = |text: &str| text.chars().next().and_then(|c| c.to_digit(10));
    let Some(mut number) = digit(after) else {
        let missing = if after.is_empty() { ": group index is missing" } else { "" };
        return refuse(format!("Illegal group reference{missing}"));
    };
    let count = regex.captures_len() as u32 - 1;
    if number > count {
        return refuse(format!("No group {number}"));
    }
    let mut rest = &after[1..];
    // As many digits as name a group that exists.
    while let Some(longer) = digit(rest).map(|digit| number * 10 + digit).filter(|longer| *longer <= count) {
        number = longer;
        rest = &rest[1..];
    }
    out.push_str(found.get(number as usize).map_or("", |text| text.as_str()));
    Ok(rest)
}

/// The name before `}`, and what comes after it.
fn group_name(inside: &str) -> Result<(&str, &str), RegexError> {
    let (name, rest) = inside.split_at(inside.bytes().take_while(u8::is_ascii_alphanumeric).count());
    if name.is_empty() {
        return refuse("named capturing group has 0 length name".to_owned());
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return refuse(format!("capturing group name {{{name}}} starts with digit character"));
    }
    match rest.strip_prefix('}') {
        Some(rest) => Ok((name, rest)),
        None => refuse("named capturing group is missing trailing '}'".to_owned()),
    }
}

fn refuse<T>(text: String) -> Result<T, RegexError> {
    Err(RegexError(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::JavaRegex;
    use super::*;

    #[test]
    fn the_first_match_is_replaced() {
        for (regex, replacement, text, result) in [
            ("(.*)-(.*)", "$2-$1", "a-b", "b-a"),
            ("(?<left>.*)-.*", "${left}x\\$1", "a-b", "ax$1"),
            ("a|ab", "x", "ab", "xb"),
            ("(a)(b)?", "$1$2$11", "a", "aa1"),
            ("z", "$9", "a", "a"),
        ] {
            let replaced = JavaRegex::new(regex).unwrap().replace_first(text, &Replacement::new(replacement));
            assert_eq!(replaced.unwrap(), result, "{regex} {replacement}");
        }
        for (replacement, message) in [
            ("$2", "No group 2"),
            ("${x}", "No group with name {x}"),
            ("$", "Illegal group reference: group index is missing"),
            ("$a", "Illegal group reference"),
            ("\\", "character to be escaped is missing"),
        ] {
            let replaced = JavaRegex::new("(a)").unwrap().replace_first("a", &Replacement::new(replacement));
            assert_eq!(replaced.unwrap_err().to_string(), message);
        }
    }
}
