//! `BasicAuthSecurityRestExtension`: user names and passwords from a properties file, as the JAAS entry `KafkaConnect` names it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use kafka_wire::settings::LoginModule;
use tracing::warn;

use crate::config::Properties;
use crate::config::rest::RestSettings;
use crate::jaas::{self, SYSTEM_PROPERTY};
use crate::rest::RestError;
use crate::rest::error::ApiError;

const ENTRY: &str = "KafkaConnect";
const MODULE: &str = "PropertyFileLoginModule";

/// As Java decodes it: padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Users of the interface, with their passwords.
pub(in crate::rest) struct BasicAuth {
    /// Passwords by user, of each file. Nobody in one of them: everybody may.
    files: Vec<BTreeMap<String, String>>,
}

/// Why a request may not pass.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::rest) enum Refusal {
    /// Nobody says who asks, or it is not true.
    Stranger,
    /// The header is of the right kind and cannot be read.
    Malformed(String),
}

impl IntoResponse for Refusal {
    /// 401 with a text that is no JSON, as Connect's, whatever its header says.
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        match self {
            Self::Stranger => {
                (StatusCode::UNAUTHORIZED, kind, "User cannot access the resource.").into_response()
            }
            Self::Malformed(why) => ApiError::internal(why).into_response(),
        }
    }
}

impl BasicAuth {
    /// Reads the JAAS file (`java.security.auth.login.config` among the worker's settings, or in `KAFKA_OPTS` as Java's worker
    /// has it) and the files of users that its entry names. Java's worker starts whatever is wrong with them, and lets nobody in.
    pub(super) fn load(settings: &RestSettings) -> Result<Self, RestError> {
        let path = settings.jaas_file.clone().or_else(jaas::file_of_environment).ok_or_else(|| {
            RestError::Extension(format!(
                "the basic-auth extension needs a JAAS file with an entry {ENTRY}; name it in \
                 java.security.auth.login.config, in the worker's settings or as {SYSTEM_PROPERTY} in KAFKA_OPTS"
            ))
        })?;
        Self::from_jaas_file(&path).map_err(|reason| RestError::Extension(format!("{path}: {reason}")))
    }

    fn from_jaas_file(path: &str) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("cannot be read: {e}"))?;
        let modules = jaas::entry(&text, ENTRY)?.ok_or_else(|| format!("has no entry {ENTRY}"))?;
        let mut files = Vec::new();
        for module in modules {
            if module.class.rsplit('.').next() == Some(MODULE) {
                files.push(users(&module)?);
            } else if module.required {
                // Whoever does not satisfy it may not pass, and here nobody can.
                return Err(format!("the entry {ENTRY} requires {}; only {MODULE} is known", module.class));
            } else {
                warn!("{path}: {} of {ENTRY} is not known and asked for nothing", module.class);
            }
        }
        if files.is_empty() {
            Err(format!("the entry {ENTRY} has no {MODULE}, the only one that is known"))
        } else {
            Ok(Self { files })
        }
    }

    /// Lets a request pass. What workers ask of each other is protected by signatures instead.
    pub(in crate::rest) fn check(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        if is_internal(method, path) {
            return Ok(());
        }
        let given = credentials(headers)?;
        let knows = |users: &BTreeMap<String, String>| match &given {
            _ if users.is_empty() => true,
            Some((user, password)) => {
                users.get(user).is_some_and(|expected| same(expected.as_bytes(), password.as_bytes()))
            }
            None => false,
        };
        // A module that does not know someone leaves the decision to the others, whatever its flag.
        if self.files.iter().any(knows) { Ok(()) } else { Err(Refusal::Stranger) }
    }
}

/// The users of a module's file.
fn users(module: &LoginModule) -> Result<BTreeMap<String, String>, String> {
    let file = module.options.get("file").filter(|file| !file.trim().is_empty());
    let file = file.ok_or_else(|| format!("the {MODULE} of {ENTRY} has no option file=\"…\""))?;
    let text = fs::read(file).map_err(|e| format!("the file {file} of {ENTRY} cannot be read: {e}"))?;
    let users = Properties::parse(Path::new(file), &text)
        .map_err(|e| format!("the file {file} of {ENTRY}: {e}"))?
        .to_map();
    if users.is_empty() {
        warn!("{file} names no users: everybody may use the REST interface");
    }
    Ok(users)
}

/// Compares without telling by its time where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |found, (a, b)| found | (a ^ b)) == 0
}

/// User and password; `None` when there are none, or of another scheme. Java sees several headers as one, with commas.
fn credentials(headers: &HeaderMap) -> Result<Option<(String, String)>, Refusal> {
    let values = headers.get_all(header::AUTHORIZATION).iter();
    let texts: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let all = texts.join(",");
    let Some((_, encoded)) = all.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
    else {
        return Ok(None);
    };
    let decoded = BASE64.decode(encoded).map_err(|error| {
        Refusal::Malformed(format!("The credentials of the header Authorization are no base64: {error}"))
    })?;
    let text = String::from_utf8_lossy(&decoded);
    let parts = text.split_once(':').filter(|(user, _)| !user.is_empty());
    Ok(parts.map(|(user, password)| (user.to_owned(), password.to_owned())))
}

fn is_internal(method: &Method, path: &str) -> bool {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts[..] {
        ["connectors", _, "tasks"] => method == Method::POST,
        ["connectors", _, "fence"] => method == Method::PUT,
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        [(header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect()
    }

    fn auth(modules: &str, users: &str) -> Result<BasicAuth, String> {
        let folder = tempfile::tempdir().unwrap();
        let (jaas, file) = (folder.path().join("jaas"), folder.path().join("users"));
        fs::write(&file, users).unwrap();
        let module = format!("org.apache.kafka.connect.rest.basic.auth.extension.{MODULE}");
        let modules = modules.replace("FILE", &file.display().to_string()).replace("MODULE", &module);
        fs::write(&jaas, format!("Other {{ X required; }};\nKafkaConnect {{ {modules} }};\n")).unwrap();
        BasicAuth::from_jaas_file(jaas.to_str().unwrap())
    }

    #[test]
    fn users_of_the_file_may() {
        let auth = auth("MODULE required file=\"FILE\";", "fred=a:b\nwilma = secret\n").unwrap();
        let check = |user: &str| {
            let value = format!("Basic {}", BASE64.encode(user));
            auth.check(&Method::GET, "/connectors", &headers(&value)).is_ok()
        };
        assert!(check("fred:a:b") && check("wilma:secret"));
        assert!(!check("fred:a") && !check("barney:a:b") && !check("wilma") && !check(":a:b"));
        assert!(auth.check(&Method::GET, "/", &HeaderMap::new()).is_err());
        assert!(auth.check(&Method::POST, "/connectors/c/tasks", &HeaderMap::new()).is_ok());
        assert!(auth.check(&Method::PUT, "/connectors/c/fence/", &HeaderMap::new()).is_ok());
        assert!(auth.check(&Method::GET, "/connectors/c/tasks", &HeaderMap::new()).is_err());
    }

    #[test]
    fn headers_are_read_as_java_reads_them() {
        let auth = auth("MODULE required file=\"FILE\";", "fred=a\n").unwrap();
        let check = |value: &str| auth.check(&Method::GET, "/", &headers(value));
        assert_eq!(check("bAsIc ZnJlZDph"), Ok(()));
        assert_eq!(check("Bearer ZnJlZDph"), Err(Refusal::Stranger));
        assert!(matches!(check("Basic  ZnJlZDph"), Err(Refusal::Malformed(_))));
        let mut twice = headers("Basic ZnJlZDph");
        twice.append(header::AUTHORIZATION, "Basic ZnJlZDph".parse().unwrap());
        assert!(matches!(auth.check(&Method::GET, "/", &twice), Err(Refusal::Malformed(_))));
    }

    #[test]
    fn modules_that_are_not_there_let_nobody_pass_who_needs_them() {
        let error = |modules: &str| auth(modules, "fred=a\n").err().unwrap();
        assert!(error("a.Other required; MODULE sufficient file=\"FILE\";").contains("requires a.Other"));
        assert!(error("a.Other optional;").contains("has no PropertyFileLoginModule"));
        assert!(error("MODULE required file=\" \";").contains("no option file"));
        let both = auth("a.Other optional; MODULE required file=\"FILE\";", "").unwrap();
        assert!(both.check(&Method::GET, "/", &HeaderMap::new()).is_ok(), "nobody is named, everybody may");
    }
}
