//! Checks and edits of configurations before they are stored; the same for both kinds of herders.

use super::api::HerderResult;
use crate::answers::{ConfigInfos, HerderError};
use crate::storage::Properties;
use java::order::sort_as_copied_hash_map;

/// Refuses a configuration in which validation found errors, all of them in the message.
pub(super) fn refuse_errors(validated: &ConfigInfos) -> HerderResult<()> {
    if validated.error_count == 0 {
        return Ok(());
    }
    let errors = validated.configs.iter().flat_map(|config| &config.value.errors);
    let errors: String = errors.map(|error| format!("\n{error}")).collect();
    Err(HerderError::BadRequest(format!(
        "Connector configuration is invalid and contains the following {} error(s):{errors}\nYou can also find the above \
         list of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
        validated.error_count
    )))
}

/// A configuration with some keys changed, in the order of a hash map; a null removes its key.
pub(super) fn patched(config: &Properties, patch: Properties) -> Properties {
    let mut patched = config.clone();
    for (key, value) in patch {
        match value {
            Some(value) => drop(patched.insert(key, Some(value))),
            None => drop(patched.shift_remove(&key)),
        }
    }
    let mut patched: Vec<_> = patched.into_iter().collect();
    sort_as_copied_hash_map(&mut patched, config.len(), |(key, _)| key);
    patched.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_removes_a_key() {
        let config = |pairs: &[(&str, Option<&str>)]| -> Properties {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect()
        };
        let changed = patched(
            &config(&[("a", Some("1")), ("b", Some("2"))]),
            config(&[("b", None), ("c", Some("3")), ("d", None)]),
        );
        assert_eq!(changed, config(&[("a", Some("1")), ("c", Some("3"))]));
    }
}
