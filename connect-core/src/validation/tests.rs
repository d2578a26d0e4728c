#![allow(clippy::unwrap_used)]
//! Answers beside those recorded from a Java worker.

use futures::FutureExt;
use serde_json::Value;

use super::*;
use connect_api::ConnectError;

/// Recordings: `> plugin config`, then `< 200 "class" n errors | "name"=value [errors] | …`.
const RECORDED: &str = include_str!("../../../tests/connect/golden/validate.txt");

fn ask(config: &Properties) -> Result<ConfigInfos, HerderError> {
    let plugins = Plugins::default().with(connect_plugins::all());
    let rules = Rules {
        plugins: &plugins,
        group_id: Some("distributed-group"),
        exactly_once: false,
        forbidden: &|_, _| vec![],
        resolve: &|config| Ok(config.clone()),
    };
    now(validate(&rules, config))
}

/// The plugins that come along answer at once.
fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().unwrap()
}

fn properties(json: &str) -> Properties {
    let object: serde_json::Map<String, Value> = serde_json::from_str(json).unwrap();
    object.into_iter().map(|(key, value)| (key, value.as_str().map(str::to_owned))).collect()
}

/// As the recordings write an answer.
fn summary(infos: &ConfigInfos) -> String {
    let mut text = format!("200 {:?} {} errors", infos.name, infos.error_count);
    for info in infos.configs.iter().filter(|info| !info.value.errors.is_empty()) {
        let (name, value) = (&info.value.name, serde_json::to_string(&info.value.value).unwrap());
        let errors = serde_json::to_string(&info.value.errors).unwrap();
        text.push_str(&format!(" | {name:?}={value} {errors}"));
    }
    text
}

/// What cannot be as in Java.
fn is_known(request: &str) -> bool {
    // A build without transformations has nothing to say about them.
    let plugins = Plugins::default().with(connect_plugins::all());
    let transforms = plugins.list().iter().any(|plugin| plugin.kind == PluginKind::Transformation);
    if !transforms && (request.contains(".type\":\"") || request.contains("predicate")) {
        return true;
    }
    // The words for what is wrong with a regular expression, or without one, are the library's.
    let regex = request.contains("\"(\"") || request.contains("TopicNameMatches\"}");
    // Cast says what is wrong with a list of casts without the key.
    let cast = request.contains("Cast$Value\"}")
        || request.contains("spec\":\"\"")
        || request.contains("int8,int16");
    // Values of config providers are not shown.
    regex || cast || request.contains("${")
}

#[test]
fn answers_are_those_of_a_java_worker() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    let mut lines = RECORDED.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(request) = line.strip_prefix("> ") else { continue };
        let Some(expected) = lines.peek().and_then(|next| next.strip_prefix("< ")) else { continue };
        let json = request.split_once(' ').map(|(_, json)| json).filter(|json| json.starts_with('{'));
        let (Some(json), true) = (json, expected.starts_with("200 ")) else { continue };
        if is_known(request) {
            continue;
        }
        compared += 1;
        let ours = ask(&properties(json)).map_or_else(|e| e.to_string(), |infos| summary(&infos));
        if ours != expected {
            wrong.push(format!("{json}\n  Java {expected}\n  ours {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 100, "{compared}");
}

#[test]
fn what_config_providers_give_is_not_shown() {
    let plugins = Plugins::default().with(connect_plugins::all());
    let rules = Rules {
        plugins: &plugins,
        group_id: None,
        exactly_once: false,
        forbidden: &|_, _| vec![],
        resolve: &|config| {
            let secret = |value: &String| value.replace("${file:x:y}", "hunter2");
            Ok::<_, ConnectError>(config.iter().map(|(key, value)| (key.clone(), secret(value))).collect())
        },
    };
    let config = properties(
        r#"{"connector.class":"FileStreamSource","name":"n","topic":"${file:x:y}","batch.size":"${file:x:y}"}"#,
    );
    let answer = serde_json::to_string(&now(validate(&rules, &config)).unwrap()).unwrap();
    assert!(!answer.contains("hunter2"), "{answer}");
    assert!(answer.contains("Invalid value ${file:x:y} for configuration batch.size"), "{answer}");
}

#[test]
fn a_configuration_without_class_is_refused() {
    let error = ask(&properties(r#"{"name":"a"}"#)).unwrap_err();
    assert_eq!(error.to_string(), "Connector config {name=a} contains no connector type");
    assert_eq!(error.status(), 400);
    let error = ask(&properties(r#"{"connector.class":"Nope"}"#)).unwrap_err();
    assert_eq!(error.status(), 500);
}
