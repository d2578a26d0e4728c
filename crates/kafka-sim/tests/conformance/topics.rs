//! CreateTopics, DeleteTopics, CreatePartitions, Metadata.

use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{
    BrokerId, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, MetadataRequest,
};
use uuid::Uuid;

use crate::support::topics::creatable;
use crate::support::{T, code, name};

fn described(result: &CreatableTopicResult) -> String {
    let configs = match &result.configs {
        None => "no configs".to_owned(),
        Some(configs) if configs.is_empty() => "empty configs".to_owned(),
        Some(_) => "configs".to_owned(),
    };
    format!(
        "{} partitions {} copies {} {configs} id {} message {}",
        code(result.error_code),
        result.num_partitions,
        result.replication_factor,
        if result.topic_id.is_nil() { "nil" } else { "there" },
        if result.error_message.is_some() { "there" } else { "none" },
    )
}

impl T<'_> {
    fn create_all(&mut self, topics: Vec<CreatableTopic>, validate_only: bool) -> Vec<CreatableTopicResult> {
        let request = CreateTopicsRequest::default()
            .with_topics(topics)
            .with_timeout_ms(20_000)
            .with_validate_only(validate_only);
        self.client.call(7, &request).topics
    }

    fn try_create(&mut self, label: &str, topic: CreatableTopic, expected: &str) {
        let results = self.create_all(vec![topic], false);
        self.expect(label, code(results[0].error_code), expected);
        self.note(format!("{label}, answer"), described(&results[0]));
    }
}

pub(crate) fn create_topics_results(t: &mut T<'_>) {
    let own = |t: &T<'_>, at: &str| t.unique(at);
    let plain = own(t, "plain");
    t.try_create("plain", creatable(&plain, 3, &[]), "0");
    let topic = creatable(&own(t, "defaults"), -1, &[]).with_replication_factor(-1);
    t.try_create("default partitions and copies", topic, "0");
    let assigned = |broker: i32, at: i32| {
        CreatableReplicaAssignment::default().with_partition_index(at).with_broker_ids(vec![BrokerId(broker)])
    };
    let by_hand = |t: &T<'_>, at: &str, assignments: Vec<CreatableReplicaAssignment>| {
        creatable(&own(t, at), -1, &[]).with_replication_factor(-1).with_assignments(assignments)
    };
    let topic = by_hand(t, "assigned", vec![assigned(1, 0), assigned(1, 1)]);
    t.try_create("assigned by hand", topic, "0");
    // With ZooKeeper, such a topic is made and never ready: the request waits in vain.
    if t.is_4_3() {
        let topic = by_hand(t, "unknown-broker", vec![assigned(9, 0)]);
        t.try_create("assigned to an unknown broker", topic, "39 InvalidReplicaAssignment");
    }
    let topic = by_hand(t, "not-consecutive", vec![assigned(1, 1)]);
    t.try_create("assigned from partition 1", topic, "39 InvalidReplicaAssignment");
    let topic = by_hand(t, "both", vec![assigned(1, 0)]).with_num_partitions(2).with_replication_factor(1);
    t.try_create("assigned and counted", topic, "42 InvalidRequest");
    let dry = own(t, "dry");
    let results = t.create_all(vec![creatable(&dry, 2, &[("retention.ms", "5000")])], true);
    t.note("validate only", described(&results[0]));
    let found = t.metadata(&dry).error_code;
    t.expect("validate only, found afterwards", code(found), "3 UnknownTopicOrPartition");
    let results = t.create_all(vec![creatable(&plain, 3, &[])], true);
    t.note("validate only, exists", described(&results[0]));
    let (one, two) = (own(t, "one"), own(t, "two"));
    let mut results = t
        .create_all(vec![creatable(&one, 1, &[]), creatable(&plain, 1, &[]), creatable(&two, 0, &[])], false);
    results.sort_by(|a, b| a.name.cmp(&b.name));
    let codes: Vec<String> = results.iter().map(|r| format!("{} {}", &*r.name, code(r.error_code))).collect();
    t.note("three at once", codes.join(", "));
    let twice = own(t, "twice");
    let results = t.create_all(vec![creatable(&twice, 1, &[]), creatable(&twice, 1, &[])], false);
    let codes: Vec<String> = results.iter().map(|r| code(r.error_code)).collect();
    t.note("the same name twice", codes.join(", "));
    let none = t.create_all(Vec::new(), false).len();
    t.note("no topic, answers", none);
}

pub(crate) fn create_topics_errors(t: &mut T<'_>) {
    let topic = t.topic("exists");
    t.try_create("exists", creatable(&topic, 1, &[]), "36 TopicAlreadyExists");
    let long = "x".repeat(250);
    for (label, name) in [
        ("empty name", ""),
        ("a dot", "."),
        ("two dots", ".."),
        ("a blank", "a b"),
        ("250 characters", &long),
    ] {
        t.try_create(label, creatable(name, 1, &[]), "17 InvalidTopicException");
    }
    let dotted = t.topic("a_b");
    let collides = dotted.replace("a_b", "a.b");
    let results = t.create_all(vec![creatable(&collides, 1, &[])], false);
    t.note("collides but for a dot", described(&results[0]));
    for copies in [0, 2, -2] {
        let topic = creatable(&t.unique("copies"), 1, &[]).with_replication_factor(copies);
        t.try_create(&format!("{copies} copies"), topic, "38 InvalidReplicationFactor");
    }
    for partitions in [0, -2] {
        let topic = creatable(&t.unique("partitions"), partitions, &[]);
        t.try_create(&format!("{partitions} partitions"), topic, "37 InvalidPartitions");
    }
    for (label, key, value) in [
        ("not a number", "retention.ms", "long"),
        ("out of range", "max.message.bytes", "-5"),
        ("not in the list", "cleanup.policy", "shred"),
        ("unknown codec", "compression.type", "brotli"),
        ("unknown key", "no.such.key", "1"),
        ("empty value", "retention.ms", ""),
        ("too small a segment", "segment.bytes", "13"),
        ("not a boolean", "unclean.leader.election.enable", "maybe"),
        ("timestamp type", "message.timestamp.type", "SomeTime"),
    ] {
        let topic = creatable(&t.unique("config"), 1, &[(key, value)]);
        t.try_create(&format!("config, {label}"), topic, "40 InvalidConfig");
    }
    let mut topic = creatable(&t.unique("null"), 1, &[("retention.ms", "1")]);
    topic.configs[0].value = None;
    let results = t.create_all(vec![topic], false);
    t.note("config, null", described(&results[0]));
    t.coordinator(0, "group");
    let answers = t.create_all(vec![creatable("__consumer_offsets", 1, &[])], true);
    t.note("an internal topic", code(answers[0].error_code));
}

pub(crate) fn delete_topics(t: &mut T<'_>) {
    let call = |t: &mut T<'_>, topics: Vec<DeleteTopicState>| {
        let request = DeleteTopicsRequest::default().with_topics(topics).with_timeout_ms(20_000);
        let answer = t.client.call(6, &request);
        let lines: Vec<String> = answer
            .responses
            .iter()
            .map(|r| {
                let named = r.name.as_ref().map_or("no name".to_owned(), |name| name.to_string());
                let id = if r.topic_id.is_nil() { "nil" } else { "there" };
                format!("{named} id {id} {}", code(r.error_code))
            })
            .collect();
        lines.join(", ")
    };
    let by_name = |topic: &str| DeleteTopicState::default().with_name(Some(name(topic)));
    let by_id = |id: Uuid| DeleteTopicState::default().with_name(None).with_topic_id(id);
    let (one, two) = (t.topic("one"), t.topic("two"));
    let id = t.topic_id(&two);
    let line = call(t, vec![by_name(&one)]);
    t.expect("by name", line, t.by("one id nil 0", "one id there 0"));
    let line = call(t, vec![by_id(id)]);
    t.expect("by id", line, "two id there 0");
    for topic in [&one, &two] {
        t.until("the end of a topic", |t| (t.metadata(topic).error_code == 3).then_some(()));
    }
    let line = call(t, vec![by_name(&one)]);
    t.note("deleted already", line);
    // With ZooKeeper an id is known until the last trace of its topic is gone.
    if t.is_4_3() {
        let line = call(t, vec![by_id(id)]);
        t.note("deleted already, by id", line);
    }
    let line = call(t, vec![by_name(&t.unique("unknown"))]);
    t.note("unknown name", line);
    let three = t.topic("three");
    let line = call(t, vec![by_name(&three), by_name(&three)]);
    t.note("twice in one request", line);
    let left = t.metadata(&three).error_code;
    t.note("twice in one request, afterwards", code(left));
}

pub(crate) fn create_partitions(t: &mut T<'_>) {
    let call = |t: &mut T<'_>, topic: CreatePartitionsTopic, validate_only: bool| {
        let request = CreatePartitionsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(20_000)
            .with_validate_only(validate_only);
        let answer = t.client.call(3, &request).results.remove(0);
        code(answer.error_code)
    };
    let to = |topic: &str, count: i32| {
        CreatePartitionsTopic::default().with_name(name(topic)).with_count(count).with_assignments(None)
    };
    let topic = t.topic("t");
    let answer = call(t, to(&topic, 3), true);
    t.expect("validate only", answer, "0");
    let count = t.metadata(&topic).partitions.len();
    t.expect("validate only, partitions afterwards", count, 1);
    let answer = call(t, to(&topic, 3), false);
    t.expect("to 3", answer, "0");
    t.until("three partitions", |t| (t.metadata(&topic).partitions.len() == 3).then_some(()));
    t.until("the leader of the third", |t| (t.list_offset(&topic, 2, -1).error_code == 0).then_some(()));
    for (label, count) in [("to 3 again", 3), ("to 2", 2), ("to 0", 0), ("to -1", -1)] {
        let answer = call(t, to(&topic, count), false);
        t.expect(label, answer, "37 InvalidPartitions");
    }
    let unknown = t.unique("unknown");
    let answer = call(t, to(&unknown, 3), false);
    t.expect("unknown topic", answer, "3 UnknownTopicOrPartition");
    let assigned = |brokers: &[i32]| {
        let each =
            |broker: &i32| CreatePartitionsAssignment::default().with_broker_ids(vec![BrokerId(*broker)]);
        Some(brokers.iter().map(each).collect())
    };
    let answer = call(t, to(&topic, 4).with_assignments(assigned(&[9])), false);
    t.note("assigned to an unknown broker", answer);
    let answer = call(t, to(&topic, 5).with_assignments(assigned(&[1])), false);
    t.note("two new, one assigned", answer);
    let answer = call(t, to(&topic, 4).with_assignments(assigned(&[1])), false);
    t.note("assigned", answer);
}

fn topic_line(topic: &MetadataResponseTopic) -> String {
    let name = topic.name.as_ref().map_or("no name".to_owned(), |name| name.to_string());
    let mut partitions: Vec<String> = topic
        .partitions
        .iter()
        .map(|p| {
            let ids = |ids: &[BrokerId]| ids.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(" ");
            format!(
                "{} {} leader {} epoch {} copies [{}] in sync [{}] offline [{}]",
                p.partition_index,
                code(p.error_code),
                p.leader_id.0,
                p.leader_epoch,
                ids(&p.replica_nodes),
                ids(&p.isr_nodes),
                ids(&p.offline_replicas)
            )
        })
        .collect();
    partitions.sort();
    let id = if topic.topic_id.is_nil() { "nil" } else { "there" };
    format!(
        "{name} {} internal {} id {id} | {}",
        code(topic.error_code),
        topic.is_internal,
        partitions.join(" | ")
    )
}

pub(crate) fn metadata_of_topics(t: &mut T<'_>) {
    let topic = t.topic_with("t", 2, &[]);
    let id = t.topic_id(&topic);
    let by_name = |topic: &str| MetadataRequestTopic::default().with_name(Some(name(topic)));
    let by_id = |id: Uuid| MetadataRequestTopic::default().with_name(None).with_topic_id(id);
    let call = |t: &mut T<'_>, version: i16, topics: Vec<MetadataRequestTopic>| {
        let mut request = MetadataRequest::default().with_topics(Some(topics));
        request.allow_auto_topic_creation = version < 4;
        let answer = t.client.call(version, &request);
        let lines: Vec<String> = answer.topics.iter().map(topic_line).collect();
        if lines.is_empty() { "nothing".to_owned() } else { lines.join(", ") }
    };
    for version in t.by(1..=12, 1..=13) {
        let line = call(t, version, vec![by_name(&topic)]);
        t.note(format!("version {version}"), line);
    }
    let unknown = t.unique("unknown");
    let line = call(t, 12, vec![by_name(&unknown)]);
    t.note("unknown name", line);
    let line = call(t, 1, vec![by_name(&unknown)]);
    t.note("unknown name, version 1, creation allowed", line);
    let line = call(t, 12, vec![by_name("a b")]);
    t.note("impossible name", line);
    let line = call(t, 12, vec![by_id(id)]);
    t.note("by id", line);
    let line = call(t, 12, vec![by_id(Uuid::from_u128(0x99))]);
    t.note("unknown id", line);
    let line = call(t, 12, vec![by_name(&topic), by_name(&unknown)]);
    t.note("two", line);
    let line = call(t, 12, vec![by_name(&topic), by_name(&topic)]);
    t.note("the same twice", line);
    let line = call(t, 12, Vec::new());
    t.expect("an empty list", line, "nothing");
    t.coordinator(0, "group");
    let internal = t.metadata("__consumer_offsets").is_internal;
    t.expect("__consumer_offsets is internal", internal, true);
    let all = t.client.call(12, &MetadataRequest::default().with_topics(None));
    let found = all.topics.iter().any(|found| found.name.as_ref() == Some(&name(&topic)));
    t.expect("a null list has every topic", found, true);
    let all = t.client.call(0, &MetadataRequest::default().with_topics(Some(Vec::new())));
    let found = all.topics.iter().any(|found| found.name.as_ref() == Some(&name(&topic)));
    t.expect("an empty list of version 0 has every topic", found, true);
}

pub(crate) fn metadata_of_the_cluster(t: &mut T<'_>) {
    let address = t.address();
    for version in [1, 5, 9, 12] {
        let request = MetadataRequest::default().with_topics(Some(Vec::new()));
        let answer = t.client.call(version, &request);
        let brokers: Vec<String> = answer
            .brokers
            .iter()
            .map(|b| {
                let same = format!("{}:{}", &*b.host, b.port) == address;
                format!(
                    "{} address right {same} rack {:?}",
                    b.node_id.0,
                    b.rack.as_ref().map(|r| r.to_string())
                )
            })
            .collect();
        let id = answer.cluster_id.as_ref().map_or(0, |id| id.len());
        let line = format!("{} controller {} id of {id} letters", brokers.join(", "), answer.controller_id.0);
        t.note(format!("version {version}"), line);
    }
    let topic = t.topic("t");
    let wanted = MetadataRequestTopic::default().with_name(Some(name(&topic)));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![wanted]))
        .with_include_topic_authorized_operations(true);
    let answer = t.client.call(12, &request);
    t.note("operations allowed on a topic", answer.topics[0].topic_authorized_operations);
    let answer = t.client.call(12, &request.with_include_topic_authorized_operations(false));
    t.note("operations not asked for", answer.topics[0].topic_authorized_operations);
    let request = MetadataRequest::default()
        .with_topics(Some(Vec::new()))
        .with_include_cluster_authorized_operations(true);
    let answer = t.client.call(10, &request);
    t.note("operations allowed on the cluster", answer.cluster_authorized_operations);
}
