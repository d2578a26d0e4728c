//! What a client asks of any broker first: ApiVersions, DescribeCluster, FindCoordinator, producer ids.

use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, DescribeClusterRequest, DescribeProducersRequest,
    FindCoordinatorRequest,
};
use kafka_protocol::protocol::Decodable;

use crate::support::{Batch, T, code, name, text};

/// The requests that kafka-sim answers.
const KEYS: &[(i16, &str)] = &[
    (0, "Produce"),
    (1, "Fetch"),
    (2, "ListOffsets"),
    (3, "Metadata"),
    (8, "OffsetCommit"),
    (9, "OffsetFetch"),
    (10, "FindCoordinator"),
    (11, "JoinGroup"),
    (12, "Heartbeat"),
    (13, "LeaveGroup"),
    (14, "SyncGroup"),
    (15, "DescribeGroups"),
    (16, "ListGroups"),
    (18, "ApiVersions"),
    (19, "CreateTopics"),
    (20, "DeleteTopics"),
    (21, "DeleteRecords"),
    (22, "InitProducerId"),
    (23, "OffsetForLeaderEpoch"),
    (24, "AddPartitionsToTxn"),
    (25, "AddOffsetsToTxn"),
    (26, "EndTxn"),
    (28, "TxnOffsetCommit"),
    (32, "DescribeConfigs"),
    (33, "AlterConfigs"),
    (37, "CreatePartitions"),
    (42, "DeleteGroups"),
    (44, "IncrementalAlterConfigs"),
    (47, "OffsetDelete"),
    (60, "DescribeCluster"),
    (61, "DescribeProducers"),
];

pub(crate) fn api_versions(t: &mut T<'_>) {
    let request = |version: i16| {
        let request = ApiVersionsRequest::default();
        if version < 3 {
            return request;
        }
        request.with_client_software_name(text("conformance")).with_client_software_version(text("1.0"))
    };
    let newest = t.client.call(3, &request(3));
    for (key, name) in KEYS {
        let found = newest.api_keys.iter().find(|api| api.api_key == *key);
        let line =
            found.map_or("nothing".to_owned(), |api| format!("{} to {}", api.min_version, api.max_version));
        t.note(name, line);
    }
    for version in 0..=4 {
        let answer = t.client.call(version, &request(version));
        let same = answer.api_keys.len() == newest.api_keys.len();
        t.expect(format!("version {version}"), format!("{} {same}", code(answer.error_code)), "0 true");
    }
    let feature = |answer: &ApiVersionsResponse, name: &str| {
        let found = answer.finalized_features.iter().find(|feature| *feature.name == *name);
        found.map_or("nothing".to_owned(), |f| format!("{} to {}", f.min_version_level, f.max_version_level))
    };
    t.note("transaction.version", feature(&newest, "transaction.version"));
    let bad = request(3).with_client_software_name(text("-bad-"));
    let answer = t.client.call(3, &bad);
    t.expect("an impossible software name", code(answer.error_code), "42 InvalidRequest");
}

pub(crate) fn unsupported_versions(t: &mut T<'_>) {
    let mut client = t.connect();
    client.send_raw(18, 99, 2, &[1, 1, 0]);
    let mut frame = client.receive_raw().expect("an answer");
    let _correlation = frame.split_to(4);
    let answer = ApiVersionsResponse::decode(&mut frame, 0).expect("version 0");
    let keys: Vec<i16> = answer.api_keys.iter().map(|api| api.api_key).collect();
    t.expect("ApiVersions 99, code", code(answer.error_code), "35 UnsupportedVersion");
    t.note("ApiVersions 99, keys", format!("{keys:?}, {} bytes more", frame.len()));
    let answer = client.call(0, &ApiVersionsRequest::default());
    t.expect("the connection lives", code(answer.error_code), "0");
    for (label, key, version, header) in [
        ("Metadata 99", 3, 99, 2),
        ("Metadata -1", 3, -1, 1),
        ("a key that does not exist", 999, 0, 1),
        ("Produce 2", 0, 2, 1),
        ("Fetch 3", 1, 3, 1),
    ] {
        if key < 2 && !t.is_4_3() {
            continue;
        }
        let mut client = t.connect();
        client.send_raw(key, version, header, &[0; 64]);
        let closed = client.receive_raw().is_none();
        t.note(label, if closed { "closed" } else { "answered" });
    }
}

pub(crate) fn describe_cluster(t: &mut T<'_>) {
    let address = t.address();
    for version in 0..=t.by(1, 2) {
        let request = DescribeClusterRequest::default();
        let answer = t.client.call(version, &request);
        let brokers: Vec<String> = answer
            .brokers
            .iter()
            .map(|b| format!("{} {}", b.broker_id.0, format!("{}:{}", &*b.host, b.port) == address))
            .collect();
        let line = format!(
            "{} endpoints {} controller {} id of {} letters brokers {} operations {}",
            code(answer.error_code),
            answer.endpoint_type,
            answer.controller_id.0,
            answer.cluster_id.len(),
            brokers.join(", "),
            answer.cluster_authorized_operations,
        );
        t.note(format!("version {version}"), line);
    }
    let request = DescribeClusterRequest::default().with_include_cluster_authorized_operations(true);
    let answer = t.client.call(0, &request);
    t.note("operations", answer.cluster_authorized_operations);
    let answer = t.client.call(1, &DescribeClusterRequest::default().with_endpoint_type(2));
    t.note("endpoints of controllers", code(answer.error_code));
}

pub(crate) fn find_coordinator(t: &mut T<'_>) {
    let address = t.address();
    let (group, transaction) = (t.unique("group"), t.unique("transaction"));
    t.coordinator(0, &group);
    t.coordinator(1, &transaction);
    for version in 0..=3 {
        for kind in 0..=i8::from(version > 0) {
            let request = FindCoordinatorRequest::default().with_key(text(&group)).with_key_type(kind);
            let answer = t.client.call(version, &request);
            let right = format!("{}:{}", &*answer.host, answer.port) == address;
            let line = format!("{} node {} address right {right}", code(answer.error_code), answer.node_id.0);
            t.note(format!("version {version}, kind {kind}"), line);
        }
    }
    let many = |t: &mut T<'_>, label: &str, version: i16, kind: i8, keys: &[&str]| {
        let request = FindCoordinatorRequest::default()
            .with_key_type(kind)
            .with_coordinator_keys(keys.iter().map(|key| text(key)).collect());
        let answer = t.client.call(version, &request);
        let each: Vec<String> = answer
            .coordinators
            .iter()
            .map(|c| {
                let right = format!("{}:{}", &*c.host, c.port) == address;
                format!("{} {} node {} right {right}", &*c.key, code(c.error_code), c.node_id.0)
            })
            .collect();
        let line = if each.is_empty() { "nothing".to_owned() } else { each.join(", ") };
        t.note(label, line);
    };
    many(t, "version 4, two groups", 4, 0, &[&group, "other"]);
    many(t, "version 4, a transaction", 4, 1, &[&transaction]);
    many(t, "version 4, nothing", 4, 0, &[]);
    many(t, "version 6", t.by(5, 6), 0, &[&group]);
    many(t, "an empty group", 4, 0, &[""]);
    many(t, "an empty transaction", 4, 1, &[""]);
}

pub(crate) fn producer_ids(t: &mut T<'_>) {
    let (one, two) = (t.idempotent("P1"), t.idempotent("P2"));
    t.expect("epochs", format!("{} {}", one.epoch, two.epoch), "0 0");
    t.expect("ids differ", one.id != two.id, true);
    let answer = t.init(None, -1, (one.id, one.epoch));
    let line = format!(
        "{} own id {} epoch {}",
        code(answer.error_code),
        answer.producer_id.0 == one.id,
        answer.producer_epoch
    );
    t.note("with its id", line);
    let answer = t.init(Some(""), 1000, (-1, -1));
    t.note("an empty transactional id", code(answer.error_code));
    let id = t.unique("t");
    for (label, timeout) in [("0", 0), ("-1", -1), ("an hour", 3_600_000)] {
        let answer = t.init(Some(&id), timeout, (-1, -1));
        t.note(format!("a transaction timeout of {label}"), code(answer.error_code));
    }
}

pub(crate) fn describe_producers(t: &mut T<'_>) {
    let topic = t.topic("t");
    let call = |t: &mut T<'_>, topic: &str, partition: i32| {
        let topic = TopicRequest::default().with_name(name(topic)).with_partition_indexes(vec![partition]);
        let request = DescribeProducersRequest::default().with_topics(vec![topic]);
        let answer = t.client.call(0, &request).topics.remove(0).partitions.remove(0);
        let mut producers: Vec<String> = answer
            .active_producers
            .iter()
            .map(|p| {
                format!(
                    "{} epoch {} sequence {} time {} coordinator {} transaction from {}",
                    t.named(p.producer_id.0),
                    p.producer_epoch,
                    p.last_sequence,
                    t.time(p.last_timestamp),
                    p.coordinator_epoch,
                    p.current_txn_start_offset
                )
            })
            .collect();
        producers.sort();
        format!("{} {}", code(answer.error_code), producers.join(", "))
    };
    let line = call(t, &topic, 0);
    t.note("none", line);
    let own = t.idempotent("P1");
    t.put(&topic, &Batch::numbered(t.base, 3).by(own.id, 0, 0));
    let line = call(t, &topic, 0);
    t.note("an idempotent one", line);
    let other = t.transactional("P2");
    t.add_partition(&other, &topic, 0);
    t.send(&other.send(&topic, &other.batch(t.base, 0, 2)));
    let line = call(t, &topic, 0);
    t.note("one in a transaction", line);
    t.end_transaction(&other, true);
    t.until("the marker", |t| (t.end(&topic) == 6).then_some(()));
    let line = call(t, &topic, 0);
    t.note("after its end", line);
    let line = call(t, &topic, 4);
    t.note("unknown partition", line);
    let unknown = t.unique("unknown");
    let line = call(t, &unknown, 0);
    t.note("unknown topic", line);
}
