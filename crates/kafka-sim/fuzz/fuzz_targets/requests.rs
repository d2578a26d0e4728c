//! Frames to a kafka-sim broker: the first byte of the input picks the API, the second the version, the rest is the
//! body; what follows the first frame goes to the broker as it is. Nothing may panic it, and it must end.

#![no_main]

use std::cell::RefCell;

use bytes::{BufMut, BytesMut};
use kafka_sim::{ApiKey, Clock, Cluster, Release};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime without I/O needs nothing"),
    );
}

fuzz_target!(|data: &[u8]| {
    let [api, version, body @ ..] = data else { return };
    let Some(api) = ApiKey::iter().nth(usize::from(*api) % ApiKey::iter().count()) else { return };
    let range = api.valid_versions();
    let version = range.min + i16::from(*version) % (range.max - range.min + 1);
    let mut frame = BytesMut::new();
    frame.put_i16(api as i16);
    frame.put_i16(version);
    frame.put_i32(7);
    frame.put_i16(-1);
    if api.request_header_version(version) >= 2 {
        frame.put_u8(0);
    }
    frame.extend_from_slice(body);
    RUNTIME.with_borrow_mut(|runtime| runtime.block_on(converse(&frame, body)));
});

/// One connection to a fresh cluster; time is paused, so waits cost nothing.
async fn converse(frame: &[u8], tail: &[u8]) {
    let release = if frame.len() % 2 == 0 { Release::V4_3 } else { Release::V3_9 };
    let cluster =
        Cluster::builder().release(release).clock(Clock::tokio_from(1_700_000_000_000)).build();
    cluster.create_topic("t", 2, 1, &[]);
    let (mut client, server) = tokio::io::duplex(1 << 20);
    let talk = async {
        client.write_all(&(frame.len() as u32).to_be_bytes()).await.ok();
        client.write_all(frame).await.ok();
        client.write_all(tail).await.ok();
        client.shutdown().await.ok();
        let mut answers = Vec::new();
        client.read_to_end(&mut answers).await.ok();
    };
    tokio::join!(cluster.serve(1, server), talk);
}
