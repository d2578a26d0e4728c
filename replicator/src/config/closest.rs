//! Guesses at the name that was meant, for keys that nobody knows.

use kafka_wire::settings::{consumer_properties, producer_properties};

/// The client property that `key` may mean.
pub(super) fn closest(key: &str, origin: bool) -> Option<&'static str> {
    if origin {
        closest_of(key, consumer_properties().map(|property| property.name))
    } else {
        closest_of(key, producer_properties().map(|property| property.name))
    }
}

/// The candidate that differs least from `key`, if it differs by little.
pub(super) fn closest_of(key: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let key = key.to_ascii_lowercase().replace('_', ".");
    let allowed = (key.len() / 4).clamp(1, 4);
    candidates
        .map(|name| (strsim::damerau_levenshtein(&key, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}
