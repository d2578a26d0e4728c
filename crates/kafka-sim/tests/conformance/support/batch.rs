//! Record batches written by hand, so that every wrong shape can be made, and read back field by field.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::codec;

/// Where the fields of a batch are.
const CRC_AT: usize = 17;
const ATTRIBUTES_AT: usize = 21;
const HEADER: usize = 61;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) delta: i32,
    /// Relative to the batch's base timestamp.
    pub(crate) time: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
}

/// A batch as a producer writes it; every field may be set to what no producer would write.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) base_offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) attributes: i16,
    pub(crate) last_offset_delta: i32,
    pub(crate) base_time: i64,
    pub(crate) max_time: i64,
    pub(crate) producer: (i64, i16, i32),
    pub(crate) count: i32,
    pub(crate) records: Vec<Record>,
    /// Replaces the encoded records.
    pub(crate) body: Option<Bytes>,
}

impl Batch {
    /// Values without keys, 1 ms apart, uncompressed.
    pub(crate) fn of(base_time: i64, values: &[&str]) -> Self {
        let record = |(at, value): (usize, &&str)| Record {
            delta: at as i32,
            time: at as i64,
            key: None,
            value: Some(value.as_bytes().to_vec()),
        };
        let records: Vec<_> = values.iter().enumerate().map(record).collect();
        let count = records.len() as i32;
        let last = count - 1;
        Self {
            base_offset: 0,
            leader_epoch: -1,
            attributes: 0,
            last_offset_delta: last,
            base_time,
            max_time: base_time + i64::from(last),
            producer: (-1, -1, -1),
            count,
            records,
            body: None,
        }
    }

    /// `n` records with short values.
    pub(crate) fn numbered(base_time: i64, n: usize) -> Self {
        let values: Vec<String> = (0..n).map(|i| format!("v{i}")).collect();
        Self::of(base_time, &values.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Keys and values; an empty value text is a tombstone.
    pub(crate) fn keyed(base_time: i64, records: &[(&str, &str)]) -> Self {
        let mut batch = Self::numbered(base_time, records.len());
        for (record, (key, value)) in batch.records.iter_mut().zip(records) {
            record.key = Some(key.as_bytes().to_vec());
            record.value = (!value.is_empty()).then(|| value.as_bytes().to_vec());
        }
        batch
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// One of `none`, `gzip`, `snappy`, `lz4`, `zstd`.
    pub(crate) fn codec(self, name: &str) -> Self {
        self.with(|batch| batch.attributes = (batch.attributes & !7) | codec::number(name))
    }

    pub(crate) fn by(self, id: i64, epoch: i16, sequence: i32) -> Self {
        self.with(|batch| batch.producer = (id, epoch, sequence))
    }

    pub(crate) fn transactional(self) -> Self {
        self.with(|batch| batch.attributes |= 0x10)
    }

    /// Gives the records these offset deltas, and the header what follows from them.
    pub(crate) fn deltas(self, deltas: &[i32]) -> Self {
        self.with(|batch| {
            for (record, delta) in batch.records.iter_mut().zip(deltas) {
                record.delta = *delta;
            }
        })
    }

    pub(crate) fn encode(&self) -> Bytes {
        let body = self.body.clone().unwrap_or_else(|| {
            let mut plain = BytesMut::new();
            self.records.iter().for_each(|record| put_record(&mut plain, record));
            codec::compress(self.attributes & 7, &plain)
        });
        let mut out = BytesMut::with_capacity(HEADER + body.len());
        out.put_i64(self.base_offset);
        out.put_i32((HEADER - 12 + body.len()) as i32);
        out.put_i32(self.leader_epoch);
        out.put_i8(2);
        out.put_u32(0);
        out.put_i16(self.attributes);
        out.put_i32(self.last_offset_delta);
        out.put_i64(self.base_time);
        out.put_i64(self.max_time);
        out.put_i64(self.producer.0);
        out.put_i16(self.producer.1);
        out.put_i32(self.producer.2);
        out.put_i32(self.count);
        out.extend_from_slice(&body);
        seal(&mut out);
        out.freeze()
    }
}

/// Writes the CRC that fits the bytes.
pub(crate) fn seal(batch: &mut [u8]) {
    let crc = crc32c::crc32c(&batch[ATTRIBUTES_AT..]);
    batch[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
}

fn put_record(out: &mut BytesMut, record: &Record) {
    let mut body = BytesMut::new();
    body.put_i8(0);
    put_varint(&mut body, record.time);
    put_varint(&mut body, i64::from(record.delta));
    for part in [&record.key, &record.value] {
        match part {
            None => put_varint(&mut body, -1),
            Some(bytes) => {
                put_varint(&mut body, bytes.len() as i64);
                body.extend_from_slice(bytes);
            }
        }
    }
    put_varint(&mut body, 0);
    put_varint(out, body.len() as i64);
    out.extend_from_slice(&body);
}

fn put_varint(out: &mut BytesMut, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.put_u8(rest as u8);
}

fn get_varint(from: &mut impl Buf) -> i64 {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let byte = from.get_u8();
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return ((value >> 1) as i64) ^ -((value & 1) as i64);
        }
        shift += 7;
    }
}

/// A batch as a broker gave it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) batch: Batch,
    pub(crate) crc_ok: bool,
    pub(crate) bytes: Bytes,
}

impl Stored {
    fn read(bytes: Bytes) -> Self {
        let crc_ok = crc32c::crc32c(&bytes[ATTRIBUTES_AT..]).to_be_bytes() == bytes[CRC_AT..ATTRIBUTES_AT];
        let mut from = bytes.clone();
        let base_offset = from.get_i64();
        from.advance(4);
        let leader_epoch = from.get_i32();
        assert_eq!(from.get_i8(), 2, "magic");
        from.advance(4);
        let mut batch = Batch {
            base_offset,
            leader_epoch,
            attributes: from.get_i16(),
            last_offset_delta: from.get_i32(),
            base_time: from.get_i64(),
            max_time: from.get_i64(),
            producer: (from.get_i64(), from.get_i16(), from.get_i32()),
            count: from.get_i32(),
            records: Vec::new(),
            body: Some(from.clone()),
        };
        let mut plain = codec::decompress(batch.attributes & 7, &from);
        batch.records = (0..batch.count).map(|_| get_record(&mut plain)).collect();
        Self { batch, crc_ok, bytes }
    }

    pub(crate) fn next_offset(&self) -> i64 {
        self.batch.base_offset + i64::from(self.batch.last_offset_delta) + 1
    }
}

fn get_record(from: &mut Bytes) -> Record {
    let length = get_varint(from) as usize;
    let mut body = from.split_to(length);
    body.advance(1);
    let time = get_varint(&mut body);
    let delta = get_varint(&mut body) as i32;
    let mut part = || match get_varint(&mut body) {
        -1 => None,
        length => Some(body.split_to(length as usize).to_vec()),
    };
    Record { delta, time, key: part(), value: part() }
}

/// The whole batches in a fetch's answer, and how many bytes of a cut one follow.
pub(crate) fn split(mut records: Bytes) -> (Vec<Stored>, usize) {
    let mut batches = Vec::new();
    while records.len() >= 12 {
        let length = 12 + i32::from_be_bytes(records[8..12].try_into().unwrap()) as usize;
        if records.len() < length {
            break;
        }
        batches.push(Stored::read(records.split_to(length)));
    }
    (batches, records.len())
}
