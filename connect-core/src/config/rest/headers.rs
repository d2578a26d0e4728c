//! Rules of `response.http.headers.config`, which add headers to answers.

/// Action of a rule of `response.http.headers.config`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum HeaderAction {
    Set,
    Add,
    SetDate,
    AddDate,
}

/// A rule of `response.http.headers.config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRule {
    /// Its action.
    pub action: HeaderAction,
    /// Name of the header.
    pub name: String,
    /// Its value; for dates the milliseconds from now.
    pub value: String,
}

/// Rules are separated by commas; one that holds a comma stands in double quotes.
pub(super) fn header_rules(text: &str) -> Result<Vec<HeaderRule>, String> {
    let rules = split_quoted(text);
    rules.iter().map(|rule| rule.trim()).filter(|rule| !rule.is_empty()).map(header_rule).collect()
}

fn split_quoted(text: &str) -> Vec<String> {
    let (mut parts, mut current, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => parts.push(std::mem::take(&mut current)),
            c => current.push(c),
        }
    }
    parts.push(current);
    parts
}

fn header_rule(rule: &str) -> Result<HeaderRule, String> {
    let Some((action, pair)) = rule.split_once(char::is_whitespace) else {
        return Err(format!(
            "Invalid format of header config '{rule}'. Expected: '[action] [header name]:[header value]'"
        ));
    };
    let action = match action {
        "set" => HeaderAction::Set,
        "add" => HeaderAction::Add,
        "setDate" => HeaderAction::SetDate,
        "addDate" => HeaderAction::AddDate,
        _ => {
            return Err(format!(
                "Invalid header config action: '{action}'. Expected one of [set, add, setDate, addDate]"
            ));
        }
    };
    let pair = pair.trim();
    let Some((name, value)) = pair.split_once(':') else {
        return Err(format!(
            "Invalid format of header name and header value pair '{pair}'. Expected: '[header name]:[header value]'"
        ));
    };
    let (name, value) = (name.trim(), value.trim());
    if name.contains(char::is_whitespace) {
        return Err(format!("Invalid header name '{name}'. The '[header name]' cannot contain whitespace"));
    }
    let usable =
        axum::http::HeaderName::try_from(name).is_ok() && axum::http::HeaderValue::from_str(value).is_ok();
    if usable {
        Ok(HeaderRule { action, name: name.to_owned(), value: value.to_owned() })
    } else {
        Err(format!("Invalid header config '{rule}'."))
    }
}
