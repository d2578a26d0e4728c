//! The rate that kafka-sim takes: one client sends batches of 64 KiB over TCP to one broker, five requests under way, both on
//! the same single thread. Run it on one core, and what it prints is a lower bound of what the broker takes there:
//!
//!     taskset -c 0 target/release/sim-ingest [SECONDS] [none|lz4|zstd]

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse, TopicName};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use kafka_sim::Cluster;
use kafka_wire::batch::{BatchBuilder, Codec, Headers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TOPIC: &str = "ingest";
const PARTITIONS: i32 = 12;
const BATCH_BYTES: usize = 64 * 1024;
const WINDOW: usize = 5;
const VERSION: i16 = 9;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let seconds = args.next().as_deref().unwrap_or("5").parse().context("SECONDS is no number")?;
    let codec = match args.next().as_deref().unwrap_or("none") {
        "none" => Codec::None,
        "lz4" => Codec::Lz4,
        "zstd" => Codec::Zstd,
        other => bail!("codec {other}: none, lz4 and zstd exist"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(Duration::from_secs(seconds), codec))
}

async fn run(time: Duration, codec: Codec) -> Result<()> {
    let cluster = Cluster::builder().property("log.retention.bytes", "8388608").build();
    cluster.create_topic(TOPIC, PARTITIONS as usize, 1, &[]);
    cluster.listen(&[]).await?;
    let mut stream = TcpStream::connect(cluster.bootstrap()).await?;
    stream.set_nodelay(true)?;

    let batch = batch(codec)?;
    let frames: Vec<Bytes> = (0..PARTITIONS).map(|p| frame(p, &batch)).collect::<Result<_>>()?;
    let started = Instant::now();
    let (mut sent, mut answered) = (0, 0);
    while started.elapsed() < time {
        while sent - answered < WINDOW {
            stream.write_all(&frames[sent % frames.len()]).await?;
            sent += 1;
        }
        read_answer(&mut stream).await?;
        answered += 1;
        if answered % 512 == 0 {
            cluster.apply_retention();
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let bytes = (answered * batch.len()) as f64;
    println!(
        "{:.0} MB/s: {answered} batches of {} bytes ({codec}) in {seconds:.1} s, client included",
        bytes / seconds / 1e6,
        batch.len()
    );
    Ok(())
}

/// A batch of about 64 KiB of records of 1 KB.
fn batch(codec: Codec) -> Result<Bytes> {
    let mut builder = BatchBuilder::new(codec);
    let mut random = fastrand::Rng::with_seed(1);
    while builder.uncompressed_size() < BATCH_BYTES - 1100 {
        let value: Vec<u8> = (0..1000).map(|_| random.alphanumeric() as u8).collect();
        builder.push(1_700_000_000_000, Some(b"key"), Some(&value), &Headers::empty())?;
    }
    Ok(builder.finish()?.to_bytes())
}

fn frame(partition: i32, batch: &Bytes) -> Result<Bytes> {
    let data = PartitionProduceData::default().with_index(partition).with_records(Some(batch.clone()));
    let name = TopicName(StrBytes::from_static_str(TOPIC));
    let topic = TopicProduceData::default().with_name(name).with_partition_data(vec![data]);
    let request =
        ProduceRequest::default().with_acks(-1).with_timeout_ms(30_000).with_topic_data(vec![topic]);
    let mut out = BytesMut::new();
    out.put_i32(0);
    // API, version, correlation id, no client id, no tags.
    out.put_i16(0);
    out.put_i16(VERSION);
    out.put_i32(0);
    out.put_i16(-1);
    out.put_u8(0);
    request.encode(&mut out, VERSION)?;
    let length = (out.len() - 4) as u32;
    out[..4].copy_from_slice(&length.to_be_bytes());
    Ok(out.freeze())
}

async fn read_answer(stream: &mut TcpStream) -> Result<()> {
    let length = stream.read_u32().await? as usize;
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    let mut answer = Bytes::from(answer);
    answer.advance(5);
    let answer = ProduceResponse::decode(&mut answer, VERSION)?;
    let code = answer.responses.iter().flat_map(|t| &t.partition_responses).map(|p| p.error_code).max();
    ensure!(code == Some(0), "the broker answers with error {code:?}");
    Ok(())
}
