//! Records as the oracle compares them, and batches as the workload writes them.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_wire::batch::{Batch, BatchBuilder, BatchError, Codec, Headers, Record};

/// Everything of a record that a copy must keep.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Content {
    /// Milliseconds since 1970, as a consumer sees it.
    pub timestamp: i64,
    /// Null differs from empty.
    pub key: Option<Bytes>,
    /// Null differs from empty.
    pub value: Option<Bytes>,
    /// The headers as encoded: order and duplicates count.
    pub headers: Bytes,
}

impl From<Record> for Content {
    fn from(record: Record) -> Self {
        let headers = record.headers.raw().clone();
        Self { timestamp: record.timestamp, key: record.key, value: record.value, headers }
    }
}

/// Position of the attributes in a batch, and of its checksum, which covers everything from the attributes on.
const CRC: usize = 17;
const ATTRIBUTES: usize = 21;

/// Who writes a batch.
#[derive(Debug, Clone, Copy)]
pub struct Author {
    /// Producer id and epoch.
    pub producer: (i64, i16),
    /// Sequence of the first record.
    pub sequence: i32,
    /// Part of a transaction.
    pub transactional: bool,
}

/// A batch as a producer would send it.
///
/// # Errors
/// When there is no record, or the codec fails.
pub fn encode(codec: Codec, records: &[Content], author: Author) -> Result<Bytes, BatchError> {
    let mut builder = BatchBuilder::new(codec);
    for record in records {
        let headers = Headers::from_raw(record.headers.clone())?;
        builder.push(record.timestamp, record.key.as_deref(), record.value.as_deref(), &headers)?;
    }
    let batch = builder.finish()?;
    let (id, epoch) = author.producer;
    let mut out = BytesMut::with_capacity(batch.size());
    out.put_slice(&batch.header_for(id, epoch, author.sequence));
    out.put_slice(batch.payload());
    if author.transactional {
        out[ATTRIBUTES + 1] |= 0x10;
        let crc = crc32c::crc32c(&out[ATTRIBUTES..]);
        out[CRC..ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
    }
    Ok(out.freeze())
}

/// The batches of a stored log from the one that holds `offset` on, with the records of each. A batch that cannot be
/// read has none (a plan corrupts some).
pub fn decode(stored: &[Bytes], offset: i64) -> Vec<(Batch, Vec<(i64, Content)>)> {
    let batches = stored.iter().filter_map(|bytes| Batch::new(bytes.clone()).ok());
    let with_records = |batch: Batch| {
        let records = batch.records().into_iter().flatten().map_while(Result::ok);
        let records = records.map(|record| (record.offset, record.into())).collect();
        (batch, records)
    };
    batches.filter(|batch| batch.last_offset() >= offset).map(with_records).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_transactional_batch_is_a_valid_one() {
        let content = Content {
            timestamp: 7,
            key: None,
            value: Some(Bytes::new()),
            headers: Headers::from_pairs([(b"a".as_slice(), None)]).raw().clone(),
        };
        let author = Author { producer: (3, 1), sequence: 9, transactional: true };
        let bytes = encode(Codec::Zstd, std::slice::from_ref(&content), author).unwrap();
        let read = decode(&[bytes], 0);
        assert!(read[0].0.crc_is_valid() && read[0].0.attributes().transactional());
        assert_eq!((read[0].0.producer_id(), read[0].0.base_sequence()), (3, 9));
        assert_eq!(read[0].1, [(0, content)]);
    }
}
