//! JAAS login configuration files: entries `Name { module flag options…; … };`. The entry `KafkaClient` is the login of Kafka
//! clients that have no `sasl.jaas.config`, as with Java's.

use std::fs;

use kafka_wire::settings::{LoginModule, parse_login_module};

use crate::api::{ConfigMap, ConnectError};

/// Option by which Java is told of the file.
pub(crate) const SYSTEM_PROPERTY: &str = "-Djava.security.auth.login.config=";

/// The same as a setting of the worker.
const SETTING: &str = "java.security.auth.login.config";

const CLIENT: &str = "KafkaClient";

/// Prefixes of the worker's settings of its clients: its own, and those of connectors.
const CLIENTS: [&str; 4] = ["", "producer.", "consumer.", "admin."];

/// The file that `KAFKA_OPTS` names.
pub(crate) fn file_of_environment() -> Option<String> {
    let options = std::env::var("KAFKA_OPTS").ok()?;
    let path = options.split_whitespace().find_map(|option| option.strip_prefix(SYSTEM_PROPERTY))?;
    Some(path.trim_matches('"').to_owned())
}

/// Adds the `sasl.jaas.config` of clients that use SASL and have none, from the file's entry `KafkaClient`.
///
/// # Errors
/// The file is needed, and is not readable or not in order. No entry is no error here: clients say what they miss.
pub(crate) fn complete(properties: &mut ConfigMap) -> Result<(), ConnectError> {
    let file = properties.get(SETTING).cloned().or_else(file_of_environment);
    let uses_sasl = |prefix: &&str| {
        let protocol = properties.get(&format!("{prefix}security.protocol"));
        protocol.is_some_and(|protocol| protocol.trim().to_ascii_uppercase().starts_with("SASL_"))
            && !properties.contains_key(&format!("{prefix}sasl.jaas.config"))
    };
    let missing: Vec<&str> = CLIENTS.into_iter().filter(uses_sasl).collect();
    let Some(file) = file.filter(|_| !missing.is_empty()) else { return Ok(()) };
    let wrong = |reason| ConnectError::config(format!("{SETTING}: {file}: {reason}"));
    let text = fs::read_to_string(&file).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    let Some(modules) = entry(&text, CLIENT).map_err(wrong)? else { return Ok(()) };
    if let Some(module) = modules.first() {
        for prefix in missing {
            properties.insert(format!("{prefix}sasl.jaas.config"), line(module));
        }
    }
    Ok(())
}

/// A login module as `sasl.jaas.config` has it.
fn line(module: &LoginModule) -> String {
    let quoted = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"");
    let options = module.options.iter().map(|(name, value)| format!(" {name}=\"{}\"", quoted(value)));
    format!("{} required{};", module.class, options.collect::<String>())
}

/// The login modules of an entry; `None` when the file has no such entry.
pub(crate) fn entry(text: &str, name: &str) -> Result<Option<Vec<LoginModule>>, String> {
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
    if bare(body)?.trim().is_empty() {
        Ok(modules)
    } else {
        Err("a login module does not end with a semicolon".to_owned())
    }
}

/// Places at which the character stands for itself: not in quotes, not in a comment.
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
    fn clients_without_a_login_have_the_one_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jaas");
        let text =
            "KafkaClient { a.PlainLoginModule required username=\"joe\" password=\"a\\\"b\\\\c;}\"; };";
        fs::write(&file, text).unwrap();
        let map = |more: &[(&str, &str)]| -> ConfigMap {
            let all = [(SETTING, file.to_str().unwrap()), ("security.protocol", "SASL_PLAINTEXT")];
            all.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let mut found =
            map(&[("producer.security.protocol", "sasl_ssl"), ("producer.sasl.jaas.config", "own")]);
        complete(&mut found).unwrap();
        let module = parse_login_module(&found["sasl.jaas.config"]).unwrap();
        assert_eq!(
            (module.class.as_str(), module.options["password"].as_str()),
            ("a.PlainLoginModule", "a\"b\\c;}")
        );
        assert_eq!(found["producer.sasl.jaas.config"], "own");
        assert!(!found.contains_key("consumer.sasl.jaas.config"));
        fs::remove_file(&file).unwrap();
        assert!(complete(&mut map(&[])).unwrap_err().message().contains("cannot be read"));
        complete(&mut map(&[("security.protocol", "SSL")])).unwrap();
    }

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
