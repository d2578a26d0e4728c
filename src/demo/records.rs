//! The topics of the demo and plausible records for them: a shop.

use kafka_wire::batch::{BatchBuilder, BatchError, Codec, Headers, OutgoingBatch};

/// A topic of the demo.
pub(super) struct Topic {
    pub(super) name: &'static str,
    pub(super) partitions: usize,
    pub(super) config: &'static [(&'static str, &'static str)],
    pub(super) codec: Codec,
    /// Of a hundred records, how many are this topic's.
    pub(super) share: u32,
    make: fn(&mut fastrand::Rng, u64) -> (String, Option<String>),
}

/// All topics.
pub(super) const TOPICS: &[Topic] = &[
    Topic { name: "shop.clicks", partitions: 6, config: &[], codec: Codec::Lz4, share: 70, make: click },
    Topic { name: "shop.orders", partitions: 4, config: &[], codec: Codec::None, share: 15, make: order },
    Topic { name: "shop.payments", partitions: 2, config: &[], codec: Codec::Zstd, share: 10, make: payment },
    Topic {
        name: "shop.stock",
        partitions: 2,
        config: &[("cleanup.policy", "compact")],
        codec: Codec::None,
        share: 5,
        make: stock,
    },
];

const PAGES: &[&str] =
    &["/", "/search", "/bikes", "/bikes/gravel", "/helmets", "/basket", "/checkout", "/account"];
const ITEMS: &[&str] =
    &["gravel bike", "city bike", "helmet", "lock", "pump", "bell", "saddle", "chain", "tyre", "lamp"];
const CARRIERS: &[&str] = &["card", "transfer", "invoice", "wallet"];

impl Topic {
    /// A batch of `count` records, the first of which is the `first`th of its partition.
    pub(super) fn batch(
        &self,
        random: &mut fastrand::Rng,
        now_ms: i64,
        first: u64,
        count: u64,
    ) -> Result<OutgoingBatch, BatchError> {
        let mut builder = BatchBuilder::new(self.codec);
        for number in first..first + count {
            let (key, value) = (self.make)(random, number);
            let trace = format!("{:016x}", random.u64(..));
            let headers = Headers::from_pairs([(&b"trace-id"[..], Some(trace.as_bytes()))]);
            builder.push(now_ms, Some(key.as_bytes()), value.as_deref().map(str::as_bytes), &headers)?;
        }
        builder.finish()
    }
}

fn pick<'a>(random: &mut fastrand::Rng, from: &[&'a str]) -> &'a str {
    from[random.usize(..from.len())]
}

fn click(random: &mut fastrand::Rng, number: u64) -> (String, Option<String>) {
    let session = format!("s{:06}", random.u32(..20_000));
    let value = format!(
        r#"{{"session":"{session}","n":{number},"page":"{}","ms":{},"mobile":{}}}"#,
        pick(random, PAGES),
        random.u32(20..4000),
        random.bool()
    );
    (session, Some(value))
}

fn order(random: &mut fastrand::Rng, number: u64) -> (String, Option<String>) {
    let customer = format!("c{:05}", random.u32(..5_000));
    let quantity = random.u32(1..4);
    let value = format!(
        r#"{{"order":{number},"customer":"{customer}","item":"{}","quantity":{quantity},"total":{}.{:02}}}"#,
        pick(random, ITEMS),
        random.u32(5..900) * quantity,
        random.u32(..100)
    );
    (customer, Some(value))
}

fn payment(random: &mut fastrand::Rng, number: u64) -> (String, Option<String>) {
    let value = format!(
        r#"{{"order":{number},"by":"{}","amount":{}.{:02},"ok":{}}}"#,
        pick(random, CARRIERS),
        random.u32(5..2700),
        random.u32(..100),
        random.u32(..50) != 0
    );
    (format!("o{number}"), Some(value))
}

/// Stock of an item; a tombstone when it is no longer sold.
fn stock(random: &mut fastrand::Rng, _number: u64) -> (String, Option<String>) {
    let item = format!("{}-{}", pick(random, ITEMS).replace(' ', "-"), random.u32(..200));
    let value = format!(r#"{{"item":"{item}","pieces":{}}}"#, random.u32(..500));
    (item, (random.u32(..50) != 0).then_some(value))
}
