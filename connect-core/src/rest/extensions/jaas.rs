//! JAAS login configuration files: entries `Name { module flag options…; … };`.

use kafka_wire::settings::{LoginModule, parse_login_module};

/// The login modules of an entry; `None` when the file has no such entry.
pub(super) fn entry(text: &str, name: &str) -> Result<Option<Vec<LoginModule>>, String> {
    let mut rest = text;
    while let Some(open) = find(rest, '{')? {
        let close = find(&rest[open + 1..], '}')?.ok_or("an entry is not closed with }")? + open + 1;
        if bare(&rest[..open])?.trim_matches(|c: char| c == ';' || c.is_whitespace()) == name {
            return modules(&rest[open + 1..close]).map(Some);
        }
        rest = &rest[close + 1..];
    }
    Ok(None)
}

fn modules(mut body: &str) -> Result<Vec<LoginModule>, String> {
    let mut modules = Vec::new();
    while let Some(end) = find(body, ';')? {
        modules.push(parse_login_module(&body[..=end])?);
        body = &body[end + 1..];
    }
    match bare(body)?.trim().is_empty() {
        true => Ok(modules),
        false => Err("a login module does not end with a semicolon".to_owned()),
    }
}

/// Where the character stands for itself: not in quotes, not in a comment.
fn find(text: &str, wanted: char) -> Result<Option<usize>, String> {
    let mut found = None;
    walk(text, |at, c| {
        if c == wanted && found.is_none() {
            found = Some(at);
        }
    })?;
    Ok(found)
}

/// The text without comments.
fn bare(text: &str) -> Result<String, String> {
    let mut out = String::new();
    walk(text, |_, c| out.push(c))?;
    Ok(out)
}

/// Calls `see` with every character that is neither quoted nor part of a comment. What is left open at the end of `text` is
/// no error: an entry behind it may be all right.
fn walk(text: &str, mut see: impl FnMut(usize, char)) -> Result<(), String> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                while let Some((_, c)) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '/' if chars.peek().is_some_and(|(_, next)| *next == '/') => {
                while chars.next_if(|(_, c)| *c != '\n').is_some() {}
            }
            '/' if chars.peek().is_some_and(|(_, next)| *next == '*') => {
                let body = &text[at + 2..];
                let end = body.find("*/").ok_or("a comment is not closed")? + at + 3;
                while chars.next_if(|(at, _)| *at <= end).is_some() {}
            }
            c => see(at, c),
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_name() {
        let text = "/* { */ A { X required; }; // KafkaConnect {\n\
                    KafkaConnect { a.B required file=\"/x;y}\" b=c; C optional; };";
        let modules = entry(text, "KafkaConnect").unwrap().unwrap();
        assert_eq!(modules.iter().map(|module| module.class.as_str()).collect::<Vec<_>>(), ["a.B", "C"]);
        assert_eq!(modules[0].options["file"], "/x;y}");
        assert!(entry(text, "B").unwrap().is_none());
        assert!(entry("K { A required }", "K").is_err());
        assert!(entry("K { A required;", "K").is_err());
    }
}
