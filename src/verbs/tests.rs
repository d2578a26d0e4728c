//! Every quirk of the command line.
#![allow(clippy::unwrap_used)]

use std::ffi::OsString;
use std::path::PathBuf;

use replicator::config::Source;

use super::*;
use crate::process::log::LogFormat;

const REQUIRED: [&str; 6] = ["--consumer.config", "c", "--producer.config", "p", "--cluster.id", "id"];

fn run(args: &[&str], env: &[(&str, &str)], files: &[&str]) -> Result<Invocation, Exit> {
    let env = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let exists = |path: &Path| files.iter().any(|file| Path::new(file) == path);
    let args = std::iter::once("replicator").chain(args.iter().copied()).map(OsString::from);
    match parse(args, Surroundings { env: &env, exists: &exists })? {
        Verb::Copy(invocation) => Ok(*invocation),
        Verb::Demo(options) => panic!("a demo: {options:?}"),
    }
}

fn with(args: &[&str]) -> Result<Invocation, Exit> {
    run(&[&REQUIRED, args].concat(), &[], &[])
}

/// Value and source of one property.
fn setting(invocation: &Invocation, key: &str) -> Option<(String, Source)> {
    let found = invocation.sources.settings.iter().find(|setting| setting.key == key)?;
    Some((found.value.clone(), found.source.clone()))
}

fn flag(value: &str, name: &str) -> Option<(String, Source)> {
    Some((value.to_owned(), Source::Flag(name.to_owned())))
}

#[test]
fn blank_and_equals_separate() {
    for args in [&["--whitelist", "a,b"][..], &["--whitelist=a,b"]] {
        assert_eq!(setting(&with(args).unwrap(), "topic.whitelist"), flag("a,b", "whitelist"));
    }
    let invocation = run(
        &["--consumer.config=c", "--producer.config=p", "--cluster.id=replicator1", "--cluster.threads=3"],
        &[],
        &[],
    )
    .unwrap();
    assert_eq!(setting(&invocation, "cluster.id"), flag("replicator1", "cluster.id"));
    assert_eq!(setting(&invocation, "tasks.max"), flag("3", "cluster.threads"));
    assert_eq!(invocation.sources.consumer.unwrap().path, PathBuf::from("c"));
}

#[test]
fn booleans_bare_and_with_values() {
    for (args, value) in [
        (&["--topic.config.sync"][..], "true"),
        (&["--topic.config.sync", "true"], "true"),
        (&["--topic.config.sync", "false"], "false"),
        (&["--topic.config.sync=false"], "false"),
        (&["--topic.config.sync", "--topic.auto.create"], "true"),
        (&["--topic.config.sync", "--whitelist", "a"], "true"),
    ] {
        let invocation = with(args).unwrap();
        assert_eq!(setting(&invocation, "topic.config.sync"), flag(value, "topic.config.sync"), "{args:?}");
    }
    assert_eq!(setting(&with(&[]).unwrap(), "topic.config.sync"), None);
}

#[test]
fn repeated_parameters() {
    let invocation =
        with(&["--whitelist", "a", "--whitelist=b,c", "--topic.regex", "x", "--topic.regex", "y"]).unwrap();
    assert_eq!(setting(&invocation, "topic.whitelist"), flag("a,b,c", "whitelist"));
    assert_eq!(setting(&invocation, "topic.regex"), flag("y", "topic.regex"));
}

#[test]
fn no_arguments_lists_them() {
    let exit = run(&[], &[], &["/etc/replicator/consumer.properties"]).unwrap_err();
    assert_eq!((exit.code, exit.to_stdout), (code::NO_ARGUMENTS, true));
    for name in ["--consumer.config", "--topic.timestamp.type", "--confluent.license", "--dry-run"] {
        assert!(exit.text.contains(name), "{}", exit.text);
    }
}

#[test]
fn help_and_version_are_answers() {
    let exit = with(&["--help"]).unwrap_err();
    assert_eq!((exit.code, exit.to_stdout), (code::OK, true));
    for text in ["Examples:", "Exit codes:", "78", "${topic}.replica", "CONSUMER_CONFIG"] {
        assert!(exit.text.contains(text), "{}", exit.text);
    }
    let exit = run(&["--version"], &[], &[]).unwrap_err();
    assert_eq!((exit.code, exit.text), (code::OK, format!("replicator {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn unknown_flag_is_told_what_was_meant() {
    let exit = with(&["--whitlist", "a"]).unwrap_err();
    assert_eq!((exit.code, exit.to_stdout), (code::USAGE, false));
    assert!(exit.text.contains("unexpected argument '--whitlist'"), "{}", exit.text);
    assert!(exit.text.contains("'--whitelist'"), "{}", exit.text);
    let exit = with(&["--topic.config.snyc=false"]).unwrap_err();
    assert!(exit.text.contains("'--topic.config.sync'"), "{}", exit.text);
    assert_eq!(with(&["stray"]).unwrap_err().code, code::USAGE);
    assert_eq!(with(&["--whitelist"]).unwrap_err().code, code::USAGE);
}

#[test]
fn what_is_missing_is_named() {
    let exit = run(&["--whitelist", "a", "--consumer.config", "c"], &[], &[]).unwrap_err();
    assert_eq!(exit.code, code::USAGE);
    assert!(exit.text.contains("--producer.config <FILE>, --cluster.id <NAME>"), "{}", exit.text);
    assert!(!exit.text.contains("--consumer.config"), "{}", exit.text);
    let in_file =
        run(&["--consumer.config=c", "--producer.config=p", "--replication.config=r"], &[], &[]).unwrap();
    assert_eq!(setting(&in_file, "cluster.id"), None);
    assert_eq!(in_file.sources.default_cluster_id, None);
}

#[test]
fn environment_stands_in_for_absent_parameters() {
    let env = [("WHITELIST", "from-env"), ("CLUSTER_THREADS", "4"), ("TOPIC_AUTO_CREATE", "false")];
    let invocation = run(&[&REQUIRED[..], &["--whitelist", "given"]].concat(), &env, &[]).unwrap();
    assert_eq!(setting(&invocation, "topic.whitelist"), flag("given", "whitelist"));
    let from = |value: &str, name: &str| Some((value.to_owned(), Source::Env(name.to_owned())));
    assert_eq!(setting(&invocation, "tasks.max"), from("4", "CLUSTER_THREADS"));
    assert_eq!(setting(&invocation, "topic.auto.create"), from("false", "TOPIC_AUTO_CREATE"));
}

#[test]
fn a_container_needs_no_arguments() {
    let files = ["/etc/replicator/consumer.properties", "/etc/replicator/replication.properties"];
    let invocation = run(&[], &[("PRODUCER_CONFIG", "/p"), ("WHITELIST", "a")], &files).unwrap();
    let sources = invocation.sources;
    assert_eq!(sources.consumer.unwrap().path, Path::new(files[0]));
    let producer = sources.producer.unwrap();
    let named_by = Source::Env("PRODUCER_CONFIG".to_owned());
    assert_eq!((producer.path, producer.named_by), (PathBuf::from("/p"), named_by));
    assert_eq!(sources.replication.unwrap().named_by, Source::Default);
    assert_eq!(sources.producer_monitoring, None);
    assert_eq!(sources.default_cluster_id.as_deref(), Some("replicator"));
}

#[test]
fn well_known_files_are_left_alone_when_files_are_named() {
    let files = ["/etc/replicator/replication.properties"];
    assert_eq!(run(&REQUIRED, &[], &files).unwrap().sources.replication, None);
}

#[test]
fn logging() {
    let level = |args: &[&str], env: &[(&str, &str)]| {
        run(&[&REQUIRED[..], args].concat(), env, &[]).map(|invocation| invocation.log)
    };
    let plain = level(&[], &[]).unwrap();
    assert_eq!((plain.format, plain.filter.as_str()), (LogFormat::Text, "info"));
    let env = [("RUST_LOG", "kafka_wire=trace"), ("REPLICATOR_LOG4J_ROOT_LOGLEVEL", "WARN")];
    assert_eq!(level(&[], &env).unwrap().filter, "kafka_wire=trace");
    assert_eq!(level(&[], &env[1..]).unwrap().filter, "warn");
    let json = level(&["--log-format=json", "--log-level", "debug"], &env).unwrap();
    assert_eq!((json.format, json.filter.as_str()), (LogFormat::Json, "debug"));
    let exit = level(&["--log-level", "a=b=c"], &[]).unwrap_err();
    assert!(exit.text.contains("--log-level"), "{}", exit.text);
    assert_eq!(level(&["--log-format", "xml"], &[]).unwrap_err().code, code::USAGE);
}

#[test]
fn dry_run() {
    assert!(with(&["--dry-run"]).unwrap().dry_run);
    assert!(!with(&[]).unwrap().dry_run);
}

#[test]
fn a_verb_takes_none_of_upstreams_parameters() {
    let around = Surroundings { env: &|_| None, exists: &|_| false };
    let asked = |args: &[&str]| {
        parse(std::iter::once("replicator").chain(args.iter().copied()).map(OsString::from), around)
    };
    assert!(matches!(asked(&["demo", "--seconds", "5"]), Ok(Verb::Demo(_))));
    for args in [&["--whitelist", "a", "demo"][..], &["demo", "--whitelist", "a"], &["demo", "extra"]] {
        assert_eq!(asked(args).unwrap_err().code, code::USAGE, "{args:?}");
    }
    assert!(asked(&["--help"]).unwrap_err().text.contains("demo"));
}
