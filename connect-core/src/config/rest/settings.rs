//! Settings of the REST interface, read from a worker's properties with Connect's words for what is wrong. The worker's
//! settings and executables read them, `rest` serves by them.

use connect_api::{ConfigDef, ParsedConfig, Setting};

use super::definition::define;
use super::headers::{HeaderRule, header_rules};
use super::listener::{AdminListeners, Listener, Scheme, listeners};
use crate::api::{ConfigMap, ConnectError};
use crate::config::keys::{prefixed, string_list};

/// Settings of the REST interface. The default listens on port 8083 of every interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestSettings {
    /// `listeners`; never empty.
    pub listeners: Vec<Listener>,
    /// `admin.listeners`.
    pub admin: AdminListeners,
    /// `rest.advertised.host.name`.
    pub advertised_host: Option<String>,
    /// `rest.advertised.port`.
    pub advertised_port: Option<u16>,
    /// `rest.advertised.listener`.
    pub advertised_listener: Option<Scheme>,
    /// `access.control.allow.origin`; empty: other origins are not allowed.
    pub allow_origin: Vec<String>,
    /// `access.control.allow.methods`; empty: GET, POST and HEAD.
    pub allow_methods: String,
    /// `response.http.headers.config`.
    pub response_headers: Vec<HeaderRule>,
    /// `rest.extension.classes`.
    pub extensions: Vec<String>,
    /// `java.security.auth.login.config`: the JAAS file of the basic-auth extension. Not a setting of Java's worker, where it
    /// is a system property.
    pub jaas_file: Option<String>,
    /// `ssl.*` of `listeners`: those of `listeners.https.*` when there is any, else the worker's own.
    pub ssl: ConfigMap,
    /// `ssl.*` of `admin.listeners`: those of `admin.listeners.https.*` when there is any, else the worker's own.
    pub admin_ssl: ConfigMap,
}

impl Default for RestSettings {
    fn default() -> Self {
        Self {
            listeners: vec![Listener { scheme: Scheme::Http, host: String::new(), port: 8083 }],
            admin: AdminListeners::Public,
            advertised_host: None,
            advertised_port: None,
            advertised_listener: None,
            allow_origin: Vec::new(),
            allow_methods: String::new(),
            response_headers: Vec::new(),
            extensions: Vec::new(),
            jaas_file: None,
            ssl: ConfigMap::new(),
            admin_ssl: ConfigMap::new(),
        }
    }
}

impl RestSettings {
    /// The listener whose address is given out: the first of `rest.advertised.listener`, else the first.
    pub fn advertised(&self) -> Option<&Listener> {
        match self.advertised_listener {
            Some(scheme) => self.listeners.iter().find(|listener| listener.scheme == scheme),
            None => self.listeners.first(),
        }
    }

    /// Reads a worker's properties.
    ///
    /// # Errors
    /// The first key of the interface that cannot be used.
    pub fn from_properties(properties: &ConfigMap) -> Result<Self, ConnectError> {
        Self::from_parsed(&define(ConfigDef::new()).parse(properties)?, properties)
    }

    /// From settings that were parsed by [`define`], and the properties they came from.
    pub(crate) fn from_parsed(parsed: &ParsedConfig, properties: &ConfigMap) -> Result<Self, ConnectError> {
        let text = |key: &str| parsed.str(key).unwrap_or_default().to_owned();
        let admin = match parsed.get("admin.listeners") {
            Setting::List(items) if items.iter().all(|item| item.trim().is_empty()) => AdminListeners::Off,
            Setting::List(items) => AdminListeners::Own(listeners(items)?),
            _ => AdminListeners::Public,
        };
        let rules = parsed.str("response.http.headers.config").unwrap_or_default();
        let settings = Self {
            listeners: listeners(parsed.list("listeners"))?,
            admin,
            advertised_host: parsed
                .str("rest.advertised.host.name")
                .filter(|h| !h.is_empty())
                .map(str::to_owned),
            advertised_port: advertised_port(parsed)?,
            advertised_listener: advertised_listener(parsed)?,
            allow_origin: string_list(&text("access.control.allow.origin")),
            allow_methods: text("access.control.allow.methods"),
            response_headers: header_rules(rules).map_err(ConnectError::config)?,
            extensions: parsed.list("rest.extension.classes").to_vec(),
            jaas_file: properties.get("java.security.auth.login.config").cloned(),
            ssl: ssl_of(properties, "listeners.https."),
            admin_ssl: ssl_of(properties, "admin.listeners.https."),
        };
        match settings.advertised() {
            Some(_) => Ok(settings),
            None => Err(ConnectError::config(
                "No listener of the protocol of rest.advertised.listener is configured",
            )),
        }
    }
}

fn advertised_port(parsed: &ParsedConfig) -> Result<Option<u16>, ConnectError> {
    let Some(port) = parsed.integer("rest.advertised.port") else { return Ok(None) };
    let wrong = |_| {
        ConnectError::config(format!(
            "Invalid value {port} for configuration rest.advertised.port: a port is between 0 and 65535"
        ))
    };
    u16::try_from(port).map(Some).map_err(wrong)
}

fn advertised_listener(parsed: &ParsedConfig) -> Result<Option<Scheme>, ConnectError> {
    let text = parsed.str("rest.advertised.listener").unwrap_or_default();
    match text.to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "http" => Ok(Some(Scheme::Http)),
        "https" => Ok(Some(Scheme::Https)),
        _ => Err(ConnectError::config(format!(
            "Invalid value {text} for configuration rest.advertised.listener: must be either http or https."
        ))),
    }
}

/// Settings with a prefix, the prefix removed, replace all of the same settings without it.
fn ssl_of(properties: &ConfigMap, prefix: &str) -> ConfigMap {
    let own = prefixed(properties, prefix);
    let all = if own.is_empty() { properties } else { &own };
    let ssl =
        |(key, value): (&String, &String)| key.starts_with("ssl.").then(|| (key.clone(), value.clone()));
    all.iter().filter_map(ssl).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<RestSettings, ConnectError> {
        let properties = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        RestSettings::from_parsed(&define(ConfigDef::new()).parse(&properties)?, &properties)
    }

    #[test]
    fn listeners_are_read() {
        let settings = read(&[("listeners", "HTTP://:1, https://[::1]:2,http://a-b.c:0")]).unwrap();
        let shown: Vec<_> =
            settings.listeners.iter().map(|l| (l.scheme.name(), l.host.as_str(), l.port)).collect();
        assert_eq!(shown, [("http", "", 1), ("https", "::1", 2), ("http", "a-b.c", 0)]);
        assert_eq!(read(&[]).unwrap(), RestSettings::default());
        assert!(read(&[("admin.listeners", "")]).unwrap().admin == AdminListeners::Off);
        for (value, says) in [
            ("", "at least one URL is expected"),
            ("a:1", "right format"),
            ("ftp://a:1", "either \"http\" or \"https\""),
            ("http://a:1,,http://b:2", "Empty URL"),
        ] {
            let error = read(&[("listeners", value)]).unwrap_err();
            assert!(error.message().contains(says), "{value}: {error}");
        }
    }

    #[test]
    fn the_advertised_listener_is_there() {
        let https = [("listeners", "http://a:1,https://b:2"), ("rest.advertised.listener", "HTTPS")];
        assert_eq!(read(&https).unwrap().advertised().unwrap().port, 2);
        assert!(read(&[("rest.advertised.listener", "https")]).is_err());
        assert!(read(&[("rest.advertised.listener", "ftp")]).is_err());
        assert!(read(&[("rest.advertised.port", "70000")]).is_err());
    }

    #[test]
    fn header_rules_are_read() {
        let text = r#"set X-A: b c, "add X-B: q,r", setDate D: 1000"#;
        let rules = read(&[("response.http.headers.config", text)]).unwrap().response_headers;
        let rule = |action, name: &str, value: &str| HeaderRule {
            action,
            name: name.to_owned(),
            value: value.to_owned(),
        };
        use super::super::headers::HeaderAction::{Add, Set, SetDate};
        assert_eq!(rules, [rule(Set, "X-A", "b c"), rule(Add, "X-B", "q,r"), rule(SetDate, "D", "1000")]);
        for (text, says) in [
            ("set", "Expected: '[action]"),
            ("put a:b", "Invalid header config action: 'put'"),
            ("set ab", "header value pair 'ab'"),
            ("set a b:c", "cannot contain whitespace"),
        ] {
            let error = read(&[("response.http.headers.config", text)]).unwrap_err();
            assert!(error.message().contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn prefixed_tls_settings_replace_all_others() {
        let own = read(&[("ssl.keystore.type", "PEM"), ("listeners.https.ssl.key.password", "x")]).unwrap();
        assert_eq!(own.ssl.keys().collect::<Vec<_>>(), ["ssl.key.password"]);
        assert_eq!(own.admin_ssl.keys().collect::<Vec<_>>(), ["ssl.keystore.type"]);
    }
}
