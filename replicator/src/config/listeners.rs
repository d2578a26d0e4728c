//! `listeners`, and the older `rest.host.name` and `rest.port`.

use super::values::Values;

/// Where the REST server listens: `(host, port)`, an empty host for every interface.
pub(super) fn read(values: &mut Values) -> Vec<(String, u16)> {
    if values.set("listeners").is_none()
        && (values.set("rest.port").is_some() || values.set("rest.host.name").is_some())
    {
        let host = values.text("rest.host.name");
        return vec![(host, values.listed_number("rest.port", 0..=u16::MAX))];
    }
    let mut listeners = Vec::new();
    for text in values.list("listeners") {
        match parse(&text) {
            Ok(listener) => listeners.push(listener),
            Err(reason) => values.problem("listeners", format!("{text}: {reason}")),
        }
    }
    listeners
}

fn parse(text: &str) -> Result<(String, u16), String> {
    const EXAMPLE: &str = "write http://:8083 for every interface, or http://localhost:8083";
    let Some((protocol, address)) = text.split_once("://") else {
        return Err(format!("a listener needs its protocol; {EXAMPLE}"));
    };
    match protocol.to_ascii_lowercase().as_str() {
        "http" | "https" => {}
        _ => return Err(format!("the protocol must be http or https; {EXAMPLE}")),
    }
    let address = address.trim_end_matches('/');
    let (host, port) =
        address.rsplit_once(':').ok_or_else(|| format!("a listener needs a port; {EXAMPLE}"))?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let port = port.parse().map_err(|_| format!("{port:?} is not a port; {EXAMPLE}"))?;
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, host, port) in [
            ("http://:8083", "", 8083),
            ("HTTP://0.0.0.0:18083/", "0.0.0.0", 18083),
            ("http://[::1]:0", "::1", 0),
        ] {
            assert_eq!(parse(text), Ok((host.to_owned(), port)), "{text}");
        }
        for (text, says) in [
            (":8083", "protocol"),
            ("ftp://:1", "http or https"),
            ("http://a", "port"),
            ("http://a:x", "\"x\""),
        ] {
            assert!(parse(text).is_err_and(|reason| reason.contains(says)), "{text}");
        }
    }
}
