//! Definitions of the keys of the REST interface, with Kafka's importance, defaults and checks.

use connect_api::config_def::Validator;
use connect_api::{ConfigDef, ConfigKey, Importance, Setting, Type};

use super::headers::header_rules;

/// Adds the keys of this interface.
pub(crate) fn define(def: ConfigDef) -> ConfigDef {
    let string = |name: &str, importance, text: &str| ConfigKey::new(name, Type::String, importance, text);
    let list = |name: &str, text: &str| ConfigKey::new(name, Type::List, Importance::Low, text);
    def.define(
        list(
            "rest.extension.classes",
            "Extensions of the REST interface, by class name, in the order of their calls",
        )
        .default(Vec::<String>::new()),
    )
    .define(
        list(
            "admin.listeners",
            "URIs of the admin REST API; not set: those of `listeners`; empty: switched off",
        )
        .optional()
        .validator(urls("admin.listeners", false)),
    )
    .define(
        list("listeners", "URIs on which the REST interface listens; http and https are known")
            .default(vec!["http://:8083".to_owned()])
            .validator(urls("listeners", true)),
    )
    .define(
        string("rest.advertised.host.name", Importance::Low, "Host name that is given to other workers")
            .optional(),
    )
    .define(
        ConfigKey::new(
            "rest.advertised.port",
            Type::Int,
            Importance::Low,
            "Port that is given to other workers",
        )
        .optional(),
    )
    .define(
        string(
            "rest.advertised.listener",
            Importance::Low,
            "Protocol (http or https) of the listener whose address is given to other workers",
        )
        .optional(),
    )
    .define(
        string("access.control.allow.origin", Importance::Low, "Origins of pages that may use the interface")
            .default(""),
    )
    .define(
        string(
            "access.control.allow.methods",
            Importance::Low,
            "Methods that pages of other origins may use",
        )
        .default(""),
    )
    .define(
        string("response.http.headers.config", Importance::Low, "Rules for headers of REST answers")
            .default("")
            .validator(Validator::new(|_, value| header_rules(value.as_str().unwrap_or_default()).map(drop))),
    )
    .define(
        string(
            "ssl.client.auth",
            Importance::Low,
            "Whether clients of https listeners must have a certificate",
        )
        .default("none")
        .validator(Validator::one_of(&["required", "requested", "none"])),
    )
}

fn urls(key: &'static str, required: bool) -> Validator {
    Validator::new(move |_, value| {
        let Setting::List(items) = value else { return Ok(()) };
        if items.is_empty() && required {
            return Err(format!(
                "Invalid value for {key}, at least one URL is expected, ex: http://localhost:8080,https://localhost:8443."
            ));
        }
        if items.iter().any(|item| item.trim().is_empty()) && items.len() > 1 {
            Err(format!("Empty URL found when parsing {key} list."))
        } else {
            Ok(())
        }
    })
}
