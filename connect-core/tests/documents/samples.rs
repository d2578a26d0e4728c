//! The samples `config/connect-*` can be used as they are.

use std::path::{Path, PathBuf};

use connect_api::ConfigMap;
use connect_core::config::properties::Properties;
use connect_core::config::{Mode, WorkerConfig};
use connect_core::plugins::Plugins;

/// Settings of every connector.
const COMMON: [&str; 4] = ["connector.class", "name", "tasks.max", "topics"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config")
}

fn load(name: &str) -> ConfigMap {
    Properties::read(&folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}")).to_map()
}

/// The settings of a sample, those in comments too if they have a value.
fn shown(name: &str) -> ConfigMap {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    let commented = text.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
    let commented = commented.filter(|(key, value)| !key.contains(' ') && !value.is_empty());
    let commented = commented.map(|(key, value)| (key.to_owned(), value.to_owned()));
    load(name).into_iter().chain(commented).collect()
}

fn samples(end: &str) -> Vec<String> {
    let names = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    names.filter(|name| name.starts_with("connect-") && name.ends_with(end)).collect()
}

#[test]
fn every_connector_is_known_and_valid() {
    let plugins = Plugins::default().with(connect_plugins::all());
    let mut seen = 0;
    for name in samples(".properties") {
        let config = load(&name);
        let Some(class) = config.get("connector.class") else { continue };
        let definition =
            plugins.connector(class).unwrap_or_else(|error| panic!("{name}: {error}")).config_def();
        for value in definition.validate(&config) {
            assert!(value.errors.is_empty(), "{name}: {:?}", value.errors);
        }
        for key in shown(&name).into_keys() {
            assert!(definition.key(&key).is_some() || COMMON.contains(&key.as_str()), "{name}: {key}?");
        }
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn a_json_sample_says_the_same_as_the_properties() {
    let names = samples(".json");
    for name in &names {
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder().join(name)).unwrap()).unwrap();
        let mut config: ConfigMap = serde_json::from_value(json["config"].clone()).unwrap();
        config.insert("name".to_owned(), json["name"].as_str().unwrap().to_owned());
        assert_eq!(config, load(&name.replace(".json", ".properties")), "{name}");
    }
    assert_eq!(names.len(), 2);
}

#[test]
fn worker_samples_have_what_is_required() {
    let plugins = Plugins::default().with(connect_plugins::all());
    let common = ["bootstrap.servers", "key.converter", "value.converter"];
    let distributed =
        ["group.id", "offset.storage.topic", "config.storage.topic", "status.storage.topic"].as_slice();
    for (name, mode, required) in [
        ("connect-distributed.properties", Mode::Distributed, distributed),
        ("connect-standalone.properties", Mode::Standalone, &["offset.storage.file.filename"]),
    ] {
        let config = load(name);
        for key in common.iter().chain(required) {
            assert!(config.contains_key(*key), "{name}: {key}");
        }
        for (key, class) in config.iter().filter(|(key, _)| key.ends_with(".converter")) {
            let known = plugins.converter(class).unwrap_or_else(|| panic!("{name}: {key}={class}"));
            let prefix = format!("{key}.");
            let definition = (known.config_def)();
            for key in config.keys().filter_map(|key| key.strip_prefix(&prefix)) {
                assert!(definition.key(key).is_some(), "{name}: {prefix}{key}");
            }
        }
        let worker = WorkerConfig::new(mode, shown(name)).unwrap();
        assert_eq!(worker.unused(), Vec::<&str>::new(), "{name}");
    }
}
