//! Settings as administrators meet them.
#![allow(clippy::unwrap_used)]

use kafka_protocol::messages::alter_configs_request as whole;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::incremental_alter_configs_request as single;
use kafka_protocol::messages::{
    AlterConfigsRequest, ApiKey, DescribeConfigsRequest, IncrementalAlterConfigsRequest,
};

use crate::api::groups::tests::{answer, ask};
use crate::api::text;
use crate::{Action, Cluster, Fault, Release};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

fn cluster() -> Cluster {
    let cluster = Cluster::builder().property("log.retention.bytes", "77").build();
    cluster.create_topic("t", 1, 1, &[("retention.ms", "1000")]);
    cluster
}

async fn describe(cluster: &Cluster, kind: i8, name: &str, version: i16) -> DescribeConfigsResult {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configuration_keys(None);
    let request =
        DescribeConfigsRequest::default().with_resources(vec![resource]).with_include_synonyms(true);
    answer!(DescribeConfigs, ask(cluster, 1, request, version).await).results.remove(0)
}

/// Value and source.
async fn value(cluster: &Cluster, kind: i8, name: &str, key: &str) -> Option<(String, i8)> {
    let described = describe(cluster, kind, name, 4).await;
    let config = described.configs.into_iter().find(|c| *c.name == *key)?;
    Some((config.value.unwrap().to_string(), config.config_source))
}

async fn change(cluster: &Cluster, kind: i8, name: &str, changes: &[(i8, &str, Option<&str>)]) -> i16 {
    let config = |(operation, key, value): &(i8, &str, Option<&str>)| {
        let config = single::AlterableConfig::default().with_name(text(*key));
        config.with_config_operation(*operation).with_value(value.map(text))
    };
    let resource = single::AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(changes.iter().map(config).collect());
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    answer!(IncrementalAlterConfigs, ask(cluster, 1, request, 1).await).responses[0].error_code
}

#[tokio::test]
async fn settings_say_where_they_come_from() {
    let cluster = cluster();
    for version in 1..=4 {
        let described = describe(&cluster, TOPIC, "t", version).await;
        assert_eq!((described.error_code, described.configs.len()), (0, 33));
    }
    let found = async |key| value(&cluster, TOPIC, "t", key).await.unwrap();
    assert_eq!(found("retention.ms").await, ("1000".to_owned(), 1));
    assert_eq!(found("retention.bytes").await, ("77".to_owned(), 4));
    assert_eq!(found("segment.ms").await, ("604800000".to_owned(), 5));
    assert_eq!(describe(&cluster, TOPIC, "unknown", 4).await.error_code, 3);
    assert_eq!(describe(&cluster, TOPIC, "a b", 4).await.error_code, 17);
    assert_eq!(describe(&cluster, BROKER, "2", 4).await.error_code, 42);
    assert_eq!(describe(&cluster, 77, "x", 4).await.error_code, 42);
    assert_eq!(value(&cluster, BROKER, "1", "broker.id").await, Some(("1".to_owned(), 4)));
    let old = Cluster::builder().release(Release::V3_9).build();
    old.create_topic("t", 1, 1, &[]);
    assert_eq!(describe(&old, TOPIC, "t", 4).await.configs.len(), 36);
}

#[tokio::test]
async fn changes_are_made_one_by_one() {
    let cluster = cluster();
    let found = async |key| value(&cluster, TOPIC, "t", key).await.unwrap();
    let changed = async |changes: &[(i8, &str, Option<&str>)]| change(&cluster, TOPIC, "t", changes).await;
    let both = [(0, "segment.ms", Some("5")), (1, "retention.ms", None)];
    assert_eq!(changed(&both).await, 0);
    assert_eq!(found("segment.ms").await, ("5".to_owned(), 1));
    assert_eq!(found("retention.ms").await, ("604800000".to_owned(), 5));
    assert_eq!(changed(&[(2, "cleanup.policy", Some("compact"))]).await, 0);
    assert_eq!(found("cleanup.policy").await, ("delete,compact".to_owned(), 1));
    assert_eq!(changed(&[(3, "cleanup.policy", Some("delete"))]).await, 0);
    assert_eq!(found("cleanup.policy").await, ("compact".to_owned(), 1));
    // One that is wrong keeps the others out.
    let mixed = [(0, "segment.ms", Some("6")), (0, "retention.ms", Some("x"))];
    assert_eq!(changed(&mixed).await, 40);
    assert_eq!(found("segment.ms").await, ("5".to_owned(), 1));
    assert_eq!(changed(&[(2, "retention.ms", Some("1"))]).await, 40);
    assert_eq!(changed(&[(0, "retention.ms", None)]).await, 42);
    assert_eq!(changed(&[(0, "segment.ms", Some("1")), (0, "segment.ms", Some("2"))]).await, 42);
    assert_eq!(changed(&[(9, "segment.ms", Some("1"))]).await, -1);
    let api = ApiKey::IncrementalAlterConfigs;
    cluster.faults().add(Fault::of(api, Action::Error(41)).times(1));
    assert_eq!(changed(&[(0, "segment.ms", Some("7"))]).await, 41);
    assert_eq!(found("segment.ms").await, ("5".to_owned(), 1));
}

#[tokio::test]
async fn all_settings_are_replaced_at_once() {
    let cluster = cluster();
    let alter = async |configs: &[(&str, Option<&str>)], dry: bool| {
        let config = |(key, value): &(&str, Option<&str>)| {
            whole::AlterableConfig::default().with_name(text(*key)).with_value(value.map(text))
        };
        let resource = whole::AlterConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(text("t"))
            .with_configs(configs.iter().map(config).collect());
        let request = AlterConfigsRequest::default().with_resources(vec![resource]).with_validate_only(dry);
        answer!(AlterConfigs, ask(&cluster, 1, request, 2).await).responses[0].error_code
    };
    let found = async |key| value(&cluster, TOPIC, "t", key).await.unwrap();
    assert_eq!(alter(&[("segment.ms", Some("5"))], true).await, 0);
    assert_eq!(found("retention.ms").await.1, 1);
    assert_eq!(alter(&[("segment.ms", Some("5"))], false).await, 0);
    assert_eq!((found("segment.ms").await.1, found("retention.ms").await.1), (1, 5));
    assert_eq!(alter(&[("segment.ms", None)], false).await, 42);
    assert_eq!(alter(&[("segment.ms", Some("0"))], false).await, 40);
}

#[tokio::test]
async fn brokers_take_some_changes_while_they_run() {
    let cluster = cluster();
    let set = async |name, key, value| change(&cluster, BROKER, name, &[(0, key, Some(value))]).await;
    assert_eq!(set("", "log.retention.bytes", "88").await, 0);
    assert_eq!(value(&cluster, TOPIC, "t", "retention.bytes").await, Some(("88".to_owned(), 3)));
    assert_eq!(set("1", "log.retention.bytes", "99").await, 0);
    assert_eq!(value(&cluster, TOPIC, "t", "retention.bytes").await, Some(("99".to_owned(), 2)));
    assert_eq!(value(&cluster, BROKER, "", "log.retention.bytes").await, Some(("88".to_owned(), 3)));
    for (name, key, wrong) in [("1", "num.partitions", "2"), ("2", "x", "1"), ("1", "log.roll.ms", "x")] {
        assert_eq!(set(name, key, wrong).await, 42, "{key}");
    }
    for name in ["1", ""] {
        assert_eq!(change(&cluster, BROKER, name, &[(1, "log.retention.bytes", None)]).await, 0);
    }
    assert_eq!(value(&cluster, TOPIC, "t", "retention.bytes").await, Some(("77".to_owned(), 4)));
}
