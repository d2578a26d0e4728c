//! `BasicAuthSecurityRestExtension`: user names and passwords from a properties file, as the JAAS entry `KafkaConnect` names it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use axum::http::{HeaderMap, Method, StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tracing::warn;

use crate::config::Properties;
use crate::config::rest::RestSettings;
use crate::jaas::{self, SYSTEM_PROPERTY};
use crate::rest::RestError;

const ENTRY: &str = "KafkaConnect";
const MODULE: &str = "PropertyFileLoginModule";

/// Who may use the interface.
pub(in crate::rest) struct BasicAuth {
    /// Passwords by user; nobody there: everybody may.
    users: BTreeMap<String, String>,
}

/// 401 with a text that is no JSON, as Connect's.
type Refusal = (StatusCode, &'static str);

const REFUSAL: Refusal = (StatusCode::UNAUTHORIZED, "User cannot access the resource.");

impl BasicAuth {
    /// Reads the JAAS file (`java.security.auth.login.config` among the worker's settings, or in `KAFKA_OPTS` as Java's worker
    /// has it) and the file of users that its entry names.
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
        let module = modules
            .iter()
            .find(|module| module.class.rsplit('.').next() == Some(MODULE))
            .ok_or_else(|| format!("the entry {ENTRY} has no {MODULE}, the only one that is known"))?;
        let file = module.options.get("file").filter(|file| !file.is_empty());
        let file = file.ok_or_else(|| format!("the {MODULE} of {ENTRY} has no option file=\"…\""))?;
        let text = fs::read(file).map_err(|e| format!("the file {file} of {ENTRY} cannot be read: {e}"))?;
        let users = Properties::parse(Path::new(file), &text)
            .map_err(|e| format!("the file {file} of {ENTRY}: {e}"))?
            .to_map();
        if users.is_empty() {
            warn!("{file} names no users: everybody may use the REST interface");
        }
        Ok(Self { users })
    }

    /// Lets a request pass. What workers ask of each other is protected by signatures instead.
    pub(in crate::rest) fn check(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        if is_internal(method, path) || self.users.is_empty() {
            return Ok(());
        }
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (user, password) = given.and_then(credentials).ok_or(REFUSAL)?;
        match self.users.get(&user) {
            Some(expected) if same(expected.as_bytes(), password.as_bytes()) => Ok(()),
            _ => Err(REFUSAL),
        }
    }
}

/// Compares without telling by its time where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |found, (a, b)| found | (a ^ b)) == 0
}

fn credentials(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded =
        BASE64_STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
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

    fn headers(user: &str) -> HeaderMap {
        let value = format!("Basic {}", BASE64_STANDARD.encode(user));
        [(header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn users_of_the_file_may() {
        let folder = tempfile::tempdir().unwrap();
        let users = folder.path().join("users");
        fs::write(&users, "fred=a:b\nwilma = secret\n").unwrap();
        let jaas = folder.path().join("jaas");
        let entry = format!(
            "Other {{ X required; }};\nKafkaConnect {{\n org.apache.kafka.connect.rest.basic.auth.extension.{MODULE} required\n \
             file=\"{}\";\n}};\n",
            users.display()
        );
        fs::write(&jaas, entry).unwrap();
        let auth = BasicAuth::from_jaas_file(jaas.to_str().unwrap()).unwrap();
        let check = |user: &str| auth.check(&Method::GET, "/connectors", &headers(user)).is_ok();
        assert!(check("fred:a:b") && check("wilma:secret"));
        assert!(!check("fred:a") && !check("barney:a:b") && !check("wilma"));
        assert!(auth.check(&Method::GET, "/", &HeaderMap::new()).is_err());
        assert!(auth.check(&Method::POST, "/connectors/c/tasks", &HeaderMap::new()).is_ok());
        assert!(auth.check(&Method::PUT, "/connectors/c/fence/", &HeaderMap::new()).is_ok());
        assert!(auth.check(&Method::GET, "/connectors/c/tasks", &HeaderMap::new()).is_err());
        fs::write(&users, "").unwrap();
        let open = BasicAuth::from_jaas_file(jaas.to_str().unwrap()).unwrap();
        assert!(open.check(&Method::GET, "/", &HeaderMap::new()).is_ok());
    }
}
