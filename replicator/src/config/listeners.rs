//! `listeners`, and the older `rest.host.name` and `rest.port`.

use super::values::Values;

/// Addresses of the REST server, as the worker's `listeners`.
pub(super) fn read(values: &mut Values) -> String {
    if values.set("listeners").is_none()
        && (values.set("rest.port").is_some() || values.set("rest.host.name").is_some())
    {
        let host = values.text("rest.host.name");
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        return format!("http://{host}:{}", values.number::<u16>("rest.port"));
    }
    let listeners = values.list("listeners");
    for text in &listeners {
        if let Err(reason) = check(text) {
            values.problem("listeners", format!("{text}: {reason}"));
        }
    }
    listeners.join(",")
}

fn check(text: &str) -> Result<(), String> {
    const EXAMPLE: &str = "write http://:8083 for every interface, or http://localhost:8083";
    let Some((protocol, address)) = text.split_once("://") else {
        return Err(format!("a listener needs its protocol; {EXAMPLE}"));
    };
    match protocol.to_ascii_lowercase().as_str() {
        "http" | "https" => {}
        _ => return Err(format!("the protocol must be http or https; {EXAMPLE}")),
    }
    let address = address.trim_end_matches('/');
    let (_, port) = address.rsplit_once(':').ok_or_else(|| format!("a listener needs a port; {EXAMPLE}"))?;
    port.parse::<u16>().map_err(|_| format!("{port:?} is not a port; {EXAMPLE}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in ["http://:8083", "HTTP://0.0.0.0:18083/", "http://[::1]:0"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for (text, says) in [
            (":8083", "protocol"),
            ("ftp://:1", "http or https"),
            ("http://a", "port"),
            ("http://a:x", "\"x\""),
        ] {
            assert!(check(text).is_err_and(|reason| reason.contains(says)), "{text}");
        }
    }
}
