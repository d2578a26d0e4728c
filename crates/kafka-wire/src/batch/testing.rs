//! Batches for the module's tests: any header around any records.

use bytes::Bytes;
use proptest::prelude::*;

use super::record_headers::push_bytes;
use super::{Batch, BatchBuilder, Codec, Headers, OutgoingBatch, Record, codec, crc, varint};

pub(super) const CODECS: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

/// Every field of a stored batch; the length and a right CRC are added by [`Stored::bytes`].
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) base_offset: i64,
    pub(super) attributes: i16,
    pub(super) last_offset_delta: i32,
    pub(super) base_timestamp: i64,
    pub(super) max_timestamp: i64,
    pub(super) producer: (i64, i16, i32),
    pub(super) count: i32,
    pub(super) payload: Vec<u8>,
}

impl Stored {
    /// A batch at offset 1000 with a record at each of the deltas, `value` being the delta's number.
    pub(super) fn with_deltas(deltas: &[i32], last_offset_delta: i32, codec: Codec) -> Stored {
        let mut data = Vec::new();
        for &delta in deltas {
            push_record(&mut data, i64::from(delta) * 10, delta, None, Some(delta.to_string().as_bytes()));
        }
        Stored {
            base_offset: 1000,
            attributes: i16::from(codec.id()),
            last_offset_delta,
            base_timestamp: 5_000,
            max_timestamp: 9_000,
            producer: (-1, -1, -1),
            count: deltas.len() as i32,
            payload: codec::compress(codec, None, data).expect("compresses").to_vec(),
        }
    }

    pub(super) fn bytes(&self) -> Bytes {
        let mut covered = Vec::new();
        covered.extend_from_slice(&self.attributes.to_be_bytes());
        covered.extend_from_slice(&self.last_offset_delta.to_be_bytes());
        covered.extend_from_slice(&self.base_timestamp.to_be_bytes());
        covered.extend_from_slice(&self.max_timestamp.to_be_bytes());
        covered.extend_from_slice(&self.producer.0.to_be_bytes());
        covered.extend_from_slice(&self.producer.1.to_be_bytes());
        covered.extend_from_slice(&self.producer.2.to_be_bytes());
        covered.extend_from_slice(&self.count.to_be_bytes());
        covered.extend_from_slice(&self.payload);
        let mut out = self.base_offset.to_be_bytes().to_vec();
        out.extend_from_slice(&(covered.len() as i32 + 9).to_be_bytes());
        out.extend_from_slice(&77i32.to_be_bytes());
        out.push(2);
        out.extend_from_slice(&crc::crc32c(&covered).to_be_bytes());
        out.extend_from_slice(&covered);
        out.into()
    }

    pub(super) fn batch(&self) -> Batch {
        Batch::new(self.bytes()).expect("is one batch")
    }
}

/// Appends a record without headers.
pub(super) fn push_record(
    out: &mut Vec<u8>,
    timestamp_delta: i64,
    offset_delta: i32,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
) {
    let mut body = vec![0];
    varint::push(&mut body, timestamp_delta);
    varint::push(&mut body, i64::from(offset_delta));
    push_bytes(&mut body, key);
    push_bytes(&mut body, value);
    body.push(0);
    varint::push(out, body.len() as i64);
    out.extend_from_slice(&body);
}

/// Arbitrary records; their offsets are their indexes.
pub(super) fn records(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<Record>> {
    let bytes = || prop::option::of(prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from));
    let header = (
        prop::collection::vec(any::<u8>(), 0..5),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..5)),
    );
    let headers = prop::collection::vec(header, 0..4).prop_map(|pairs| {
        Headers::from_pairs(pairs.iter().map(|(key, value)| (key.as_slice(), value.as_deref())))
    });
    let timestamp = prop_oneof![1_700_000_000_000i64..1_700_000_100_000, Just(-1), any::<i64>(),];
    let record = (timestamp, bytes(), bytes(), headers).prop_map(|(timestamp, key, value, headers)| Record {
        offset: 0,
        timestamp,
        key,
        value,
        headers,
    });
    prop::collection::vec(record, count).prop_map(|mut records| {
        for (offset, record) in (0..).zip(&mut records) {
            record.offset = offset;
        }
        records
    })
}

pub(super) fn build(codec: Codec, records: &[Record]) -> OutgoingBatch {
    let mut builder = BatchBuilder::new(codec);
    for record in records {
        builder
            .push(record.timestamp, record.key.as_deref(), record.value.as_deref(), &record.headers)
            .expect("fits");
    }
    builder.finish().expect("is a batch")
}

/// The records of a batch to be produced, as its consumer would read them.
pub(super) fn read_back(batch: &OutgoingBatch) -> Vec<Record> {
    let batch = Batch::new(batch.to_bytes()).expect("is one batch");
    assert!(batch.crc_is_valid());
    assert!(batch.is_dense());
    assert_eq!(batch.base_offset(), 0);
    read(&batch)
}

pub(super) fn read(batch: &Batch) -> Vec<Record> {
    batch.records().expect("decompresses").collect::<Result<_, _>>().expect("records are well-formed")
}

/// The values as text.
pub(super) fn values(records: &[Record]) -> Vec<String> {
    let text =
        |record: &Record| String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
    records.iter().map(text).collect()
}
