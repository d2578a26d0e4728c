//! The cases: five topics, each with one shape of record and batch.
//!
//! Called by everything else here; the list in [`CASES`] is the benchmark's definition of its load.

use kafka_wire::batch::Codec;

/// Partitions of every topic.
pub(crate) const PARTITIONS: i32 = 12;

/// Contents of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Random letters and digits: nothing to compress.
    Letters,
    /// JSON orders: what compresses as business data does.
    Orders,
}

/// One topic of the benchmark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// Name of the case and of its topic at the origin.
    pub(crate) name: &'static str,
    /// Description for people.
    pub(crate) about: &'static str,
    /// Codec of the batches.
    pub(crate) codec: Codec,
    /// Bytes of a record's value.
    pub(crate) record_bytes: usize,
    /// A batch is closed before it exceeds this many bytes uncompressed; 0: after every record.
    pub(crate) batch_bytes: usize,
    /// Records at scale 1.
    pub(crate) records: u64,
    /// Contents of the values.
    pub(crate) content: Content,
}

/// The compressed cases fill batches as a Java producer with `batch.size=65536` does, which estimates the compressed size:
/// 150 KB of these orders make about 58 KB of lz4, 230 KB about 58 KB of zstd.
pub(crate) const CASES: [Case; 5] = [
    Case {
        name: "u1k",
        about: "1 KB records, uncompressed, 16 KiB batches",
        codec: Codec::None,
        record_bytes: 1000,
        batch_bytes: 16 << 10,
        records: 2_000_000,
        content: Content::Letters,
    },
    Case {
        name: "l1k",
        about: "1 KB JSON records, lz4, 64 KiB batches",
        codec: Codec::Lz4,
        record_bytes: 1000,
        batch_bytes: 150_000,
        records: 2_000_000,
        content: Content::Orders,
    },
    Case {
        name: "z1k",
        about: "1 KB JSON records, zstd, 64 KiB batches",
        codec: Codec::Zstd,
        record_bytes: 1000,
        batch_bytes: 230_000,
        records: 2_000_000,
        content: Content::Orders,
    },
    Case {
        name: "u100",
        about: "100 B records, uncompressed, 16 KiB batches",
        codec: Codec::None,
        record_bytes: 100,
        batch_bytes: 16 << 10,
        records: 10_000_000,
        content: Content::Letters,
    },
    Case {
        name: "h1",
        about: "100 B records, uncompressed, one in each batch",
        codec: Codec::None,
        record_bytes: 100,
        batch_bytes: 0,
        records: 2_000_000,
        content: Content::Letters,
    },
];

/// The case with this name.
pub(crate) fn find(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

impl Case {
    /// Records at this scale, at least some thousands.
    pub(crate) fn records_at(&self, scale: f64) -> u64 {
        ((self.records as f64 * scale) as u64).max(12_000)
    }

    /// `batch.size` of a client that shall make batches as the source's; a client with one record in each is not asked for.
    pub(crate) fn client_batch_bytes(&self) -> usize {
        if self.batch_bytes <= 16 << 10 { 16 << 10 } else { 64 << 10 }
    }
}
