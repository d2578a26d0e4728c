//! What a broker says no to: a batch, a position, a topic that is no more. One bad partition does not hold up others.

use std::time::Duration;

use kafka_clusters::Version;
use kafka_wire::batch::Codec;
use kafka_wire::cluster::Cluster;
use kafka_wire::fetch::{FetchProblem, FetchSettings, Fetcher, News};
use kafka_wire::produce::{ProduceEvent, Producer};

use crate::load::Load;
use crate::support::{
    Collected, Kafka, LIMIT, create, expect_numbers, fetch_settings, numbered, produce_settings, read, single,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_zookeeper_mode() {
    all(Version::V39Zk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_kraft_mode() {
    all(Version::V43).await;
}

async fn all(version: Version) {
    let kafka = Kafka::start(kafka_clusters::Cluster::builder().version(version)).await;
    let client = kafka.connected().await;
    a_batch_that_is_too_large(&kafka, &client).await;
    a_record_without_a_key(&client).await;
    a_merged_batch_that_is_too_large(&kafka, &client).await;
    a_position_outside_the_log(&kafka, &client).await;
    a_topic_that_is_created_again(&kafka, &client).await;
    memory_stays_within_the_budget(&client).await;
}

/// Waits for one event of a kind.
async fn event(producer: &mut Producer, wanted: impl Fn(&ProduceEvent) -> bool) -> ProduceEvent {
    let waiting = async {
        loop {
            if let Some(found) = producer.next().await.into_iter().find(|e| wanted(e)) {
                return found;
            }
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.expect("the producer does not tell")
}

async fn a_batch_that_is_too_large(kafka: &Kafka, client: &Cluster) {
    create(client, "small", 1, &[("max.message.bytes", "1000")]).await;
    create(client, "beside", 2, &[]).await;
    let mut load = Load::new(client, "beside", 2, None);
    let small = load.producer.open("small", 0);
    load.producer.enqueue(small, 7, single(Some(b"k"), &[b'x'; 2000]));
    load.fill(500);
    let stopped = event(&mut load.producer, |e| matches!(e, ProduceEvent::Stopped { .. })).await;
    let ProduceEvent::Stopped { partition, tag, reason } = stopped else { return };
    let reason = reason.to_string();
    assert_eq!((partition, tag), (small, 7));
    assert!(reason.contains("MESSAGE_TOO_LARGE") && reason.contains("max.message.bytes"), "{reason}");
    // Acknowledgements beside it were handed out with that event: count at the destination.
    let mut others = Load::new(client, "beside", 2, None);
    others.feeds.values_mut().for_each(|feed| feed.next = 0);
    let idle = async {
        while !load.producer.is_idle() {
            load.producer.next().await;
        }
    };
    tokio::time::timeout(LIMIT, idle).await.expect("others go on");
    expect_numbers(kafka, client, "beside", 2, 200).await;
}

async fn a_record_without_a_key(client: &Cluster) {
    create(client, "compacted", 1, &[("cleanup.policy", "compact")]).await;
    let mut producer = Producer::new(client.clone(), produce_settings(None));
    let partition = producer.open("compacted", 0);
    producer.enqueue(partition, 1, single(Some(b"k"), b"fine"));
    producer.enqueue(partition, 2, single(None, b"refused"));
    producer.enqueue(partition, 3, single(Some(b"k"), b"dropped"));
    let stopped = event(&mut producer, |e| matches!(e, ProduceEvent::Stopped { .. })).await;
    let ProduceEvent::Stopped { tag, reason, .. } = stopped else { return };
    let reason = reason.to_string();
    assert_eq!(tag, 2);
    assert!(reason.contains("INVALID_RECORD") && reason.contains("cleanup.policy"), "{reason}");
    assert!(producer.is_idle());
    read_count(client, "compacted", 1).await;
}

async fn read_count(client: &Cluster, topic: &str, count: i64) {
    assert_eq!(crate::support::end_offset(client, topic, 0).await, count);
}

async fn a_merged_batch_that_is_too_large(kafka: &Kafka, client: &Cluster) {
    create(client, "unmergeable", 1, &[("max.message.bytes", "2000")]).await;
    let mut load = Load::new(client, "unmergeable", 1, crate::support::MERGE);
    load.ahead = 2_000;
    load.write(3_000).await;
    assert!(load.rewinds.iter().any(|reason| reason.contains("unmerged")), "{:?}", load.rewinds);
    expect_numbers(kafka, client, "unmergeable", 1, 3_000).await;
}

/// Waits for a fetcher's next problem.
async fn problem(fetcher: &mut Fetcher) -> FetchProblem {
    let waiting = async {
        loop {
            for event in fetcher.next().await {
                if let News::Problem(problem) = event.news {
                    return problem;
                }
            }
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.expect("the fetcher does not tell")
}

async fn a_position_outside_the_log(kafka: &Kafka, client: &Cluster) {
    create(client, "shortened", 1, &[]).await;
    Load::new(client, "shortened", 1, None).write(100).await;
    kafka
        .run(|cluster| {
            let file = cluster.folder().join("delete.json");
            let what = r#"{"partitions":[{"topic":"shortened","partition":0,"offset":50}],"version":1}"#;
            std::fs::write(&file, what).unwrap();
            cluster
                .tool("kafka-delete-records", &["--offset-json-file", &file.display().to_string()])
                .unwrap();
        })
        .await;
    let mut fetcher = Fetcher::new(client.clone(), fetch_settings());
    fetcher.add(0, "shortened", 0, 10);
    assert_eq!(problem(&mut fetcher).await, FetchProblem::OutOfRange(10));
    let silence = tokio::time::timeout(Duration::from_secs(1), fetcher.next()).await;
    assert!(silence.is_err(), "told once: {silence:?}");
    fetcher.seek(0, 50);
    let events = tokio::time::timeout(LIMIT, fetcher.next()).await.unwrap();
    let News::Data(data) = &events[0].news else { panic!("{events:?}") };
    assert_eq!((data.position, data.log_start_offset, data.high_watermark), (50, 50, 100));
    fetcher.seek(0, 101);
    assert_eq!(problem(&mut fetcher).await, FetchProblem::OutOfRange(101));
}

async fn a_topic_that_is_created_again(kafka: &Kafka, client: &Cluster) {
    create(client, "again", 1, &[]).await;
    create(client, "stays", 1, &[]).await;
    Load::new(client, "again", 1, None).write(100).await;
    let settings = FetchSettings { lanes_per_broker: 1, ..fetch_settings() };
    let mut fetcher = Fetcher::new(client.clone(), settings);
    fetcher.add(0, "again", 0, 0);
    fetcher.add(1, "stays", 0, 0);
    let mut collected = Collected::default();
    collected.until(&mut fetcher, |c| c.count(0) == 100).await;

    kafka.run(|c| c.tool("kafka-topics", &["--delete", "--topic", "again"]).unwrap()).await;
    assert_eq!(problem(&mut fetcher).await, FetchProblem::Missing);
    // The same name may be refused until the old topic's files are gone.
    let created = kafka
        .run(|c| {
            (0..20).any(|_| {
                let arguments = ["--create", "--topic", "again", "--partitions", "1"];
                c.tool("kafka-topics", &arguments).is_ok()
            })
        })
        .await;
    assert!(created);
    let FetchProblem::Recreated { was, now } = problem(&mut fetcher).await else { panic!("not seen as new") };
    assert!(was != now && !now.is_nil());

    client.refresh(Some(&["again".to_owned()])).await.unwrap();
    Load::new(client, "again", 1, None).write(40).await;
    fetcher.seek(0, 0);
    let mut collected = Collected::default();
    collected.until(&mut fetcher, |c| c.count(0) == 40).await;
    Load::new(client, "stays", 1, None).write(10).await;
    collected.until(&mut fetcher, |c| c.count(1) == 10).await;
    assert!(collected.answers < 20, "no fetch goes round in circles: {} answers", collected.answers);
    let quiet = async {
        loop {
            for event in fetcher.next().await {
                collected.take(event);
            }
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(1), quiet).await.is_err());
    assert!(collected.answers < 30, "no fetch goes round in circles: {} answers", collected.answers);
}

async fn memory_stays_within_the_budget(client: &Cluster) {
    const BUDGET: usize = 400_000;
    create(client, "plenty", 4, &[]).await;
    let mut producer = Producer::new(client.clone(), produce_settings(None));
    let indexes: Vec<usize> = (0..4).map(|p| producer.open("plenty", p)).collect();
    for tag in 0..100 {
        let batch = |p: usize| numbered(Codec::None, p as i32, tag * 500, 500);
        indexes.iter().for_each(|index| producer.enqueue(*index, tag, batch(*index)));
    }
    while !producer.is_idle() {
        tokio::time::timeout(LIMIT, producer.next()).await.unwrap();
    }
    let settings = FetchSettings { budget_bytes: BUDGET, lane_buffer_bytes: 250_000, ..fetch_settings() };
    let mut fetcher = Fetcher::new(client.clone(), settings.clone());
    (0..4).for_each(|p| fetcher.add(p as usize, "plenty", p, 0));
    let mut held = Vec::new();
    let hoarding = async {
        loop {
            held.extend(fetcher.next().await);
            assert!(fetcher.held_bytes() <= BUDGET, "{} bytes are held", fetcher.held_bytes());
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(2), hoarding).await.is_err());
    assert!(fetcher.held_bytes() > BUDGET / 4, "{} bytes are held", fetcher.held_bytes());
    // Letting go is what makes it go on.
    let mut collected = Collected::default();
    held.drain(..).for_each(|event| collected.take(event));
    collected.until(&mut fetcher, |c| (0..4).all(|p| c.count(p) == 50_000)).await;
    collected.expect(4, 50_000);
    drop(fetcher);
    read(client, settings, "plenty", 4, 50_000).await;
}
