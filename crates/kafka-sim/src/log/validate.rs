//! Rules by which a broker takes batches from a producer, and changes them: Kafka's
//! `ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords` and `LogValidator`, rule by rule
//! and in their order.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_wire::batch::{Batch, BatchError, Codec, Entry, Record, split};

use super::encode::{Header, Item, LOG_APPEND_TIME, Shape, encode};

/// Demands of a topic.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) max_message_bytes: i64,
    pub(crate) segment_bytes: i64,
    pub(crate) log_append_time: bool,
    pub(crate) before_max_ms: i64,
    pub(crate) after_max_ms: i64,
    pub(crate) compacted: bool,
    /// `compression.type`; `None`: as the producer has it.
    pub(crate) codec: Option<Codec>,
    pub(crate) now_ms: i64,
}

/// Why a batch is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: i16,
    pub(crate) message: Option<String>,
    /// Indexes of the records that are to blame, where that is known, with what is wrong.
    pub(crate) records: Vec<(i32, String)>,
    /// The log itself refused, and so the answer tells where it starts.
    pub(crate) by_log: bool,
}

impl Refusal {
    pub(crate) fn new(error: ResponseError, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::of(error.code()) }
    }

    /// An error without words.
    pub(crate) fn bare(error: ResponseError) -> Self {
        Self::of(error.code())
    }

    /// An error code without words.
    pub(crate) fn of(code: i16) -> Self {
        Self { code, message: None, records: Vec::new(), by_log: false }
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(ResponseError::InvalidRecord, message)
}

/// The one batch of a partition's records, judged as the request handler does.
pub(crate) fn only_batch(records: &Bytes, version: i16) -> Result<Batch, Refusal> {
    let mut entries = split(records.clone());
    let corrupt = |error: BatchError| Refusal::new(ResponseError::CorruptMessage, error.to_string());
    let batch = match entries.next().transpose().map_err(corrupt)? {
        Some(Entry::Batch(batch)) => batch,
        Some(Entry::Legacy(_)) => {
            return Err(invalid(format!(
                "Produce requests with version {version} are only allowed to contain record batches with magic version 2"
            )));
        }
        None => {
            return Err(invalid(format!(
                "Produce requests with version {version} must have at least one record batch per partition"
            )));
        }
    };
    if version < 7 && batch.attributes().codec() == Codec::Zstd {
        return Err(Refusal::bare(ResponseError::UnsupportedCompressionType));
    }
    match entries.next().transpose().map_err(corrupt)? {
        None => Ok(batch),
        Some(_) => Err(invalid(format!(
            "Produce requests with version {version} are only allowed to contain exactly one record batch per partition"
        ))),
    }
}

/// Judges a batch as the log does; gives it back ready to be stored, but for its offset and leader epoch.
pub(crate) fn validate(batch: &Batch, rules: &Rules) -> Result<Bytes, Refusal> {
    if batch.base_offset() != 0 {
        return Err(invalid(format!(
            "The baseOffset of the record batch in the append should be 0, but it is {}",
            batch.base_offset()
        )));
    }
    check_size(batch.size(), rules)?;
    if !batch.crc_is_valid() {
        return Err(Refusal::new(
            ResponseError::CorruptMessage,
            "Record is corrupt (its CRC does not match)",
        ));
    }
    check_header(batch)?;
    let bytes = match rules.codec {
        Some(codec) if codec != batch.attributes().codec() => rebuild(batch, codec, rules)?,
        _ => in_place(batch, rules)?,
    };
    check_size(bytes.len(), rules)?;
    if bytes.len() as i64 > rules.segment_bytes {
        return Err(Refusal::new(
            ResponseError::RecordListTooLarge,
            format!(
                "Message batch size is {} bytes, more than the segment size {}",
                bytes.len(),
                rules.segment_bytes
            ),
        ));
    }
    Ok(bytes)
}

fn check_size(size: usize, rules: &Rules) -> Result<(), Refusal> {
    if size as i64 <= rules.max_message_bytes {
        return Ok(());
    }
    Err(Refusal::new(
        ResponseError::MessageTooLarge,
        format!("The record batch size is {size} bytes, more than the maximum {}", rules.max_message_bytes),
    ))
}

fn check_header(batch: &Batch) -> Result<(), Refusal> {
    let span = i64::from(batch.last_offset_delta()) + 1;
    if span <= 0 {
        return Err(invalid(format!("Batch has an invalid offset range of {span} offsets")));
    }
    if batch.count() <= 0 {
        return Err(invalid(format!("Invalid reported count for record batch: {}", batch.count())));
    }
    if span != i64::from(batch.count()) {
        return Err(invalid(format!(
            "Inconsistent batch offset range of {span} offsets and count of records {}",
            batch.count()
        )));
    }
    if batch.attributes().control() {
        return Err(invalid("Clients are not allowed to write control records"));
    }
    if batch.producer_id() > -1 && batch.base_sequence() < 0 {
        return Err(invalid(format!("Invalid sequence number {}", batch.base_sequence())));
    }
    Ok(())
}

/// Walks over the records; `look` judges each. An unreadable payload is the error without a name, a malformed
/// record is an invalid one.
fn walk(batch: &Batch, mut look: impl FnMut(i32, &Record)) -> Result<(), Refusal> {
    let unreadable = |error: BatchError| match error {
        BatchError::Compression { .. } | BatchError::TooMuchData { .. } => {
            Refusal::bare(ResponseError::UnknownServerError)
        }
        other => invalid(other.to_string()),
    };
    for (index, record) in batch.records().map_err(unreadable)?.enumerate() {
        look(index as i32, &record.map_err(unreadable)?);
    }
    Ok(())
}

/// Judges single records and finds the largest timestamp.
struct Judge<'a> {
    rules: &'a Rules,
    stamped: bool,
    max_timestamp: i64,
    bad_times: Vec<(i32, String)>,
    bad_keys: Vec<(i32, String)>,
}

impl<'a> Judge<'a> {
    fn new(batch: &Batch, rules: &'a Rules) -> Self {
        let stamped = batch.attributes().log_append_time();
        Self { rules, stamped, max_timestamp: -1, bad_times: Vec::new(), bad_keys: Vec::new() }
    }

    fn look(&mut self, index: i32, record: &Record) {
        let rules = self.rules;
        if rules.compacted && record.key.is_none() {
            self.bad_keys.push((index, "Compacted topic cannot accept message without key.".to_owned()));
            return;
        }
        if rules.log_append_time {
            if self.stamped {
                let said = "Producers may not set LogAppendTime themselves: this topic's broker does";
                self.bad_times.push((index, said.to_owned()));
            }
            return;
        }
        let timestamp = record.timestamp;
        let age = rules.now_ms.saturating_sub(timestamp);
        if timestamp != -1 && (age > rules.before_max_ms || -age > rules.after_max_ms) {
            let low = rules.now_ms.saturating_sub(rules.before_max_ms);
            let high = rules.now_ms.saturating_add(rules.after_max_ms);
            let said = format!("Timestamp {timestamp} of message is out of range: [{low}, {high}]");
            self.bad_times.push((index, said));
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
    }

    /// The largest timestamp, or that of the append.
    fn verdict(self) -> Result<i64, Refusal> {
        let rejected = |error: ResponseError, mut records: Vec<(i32, String)>| {
            records.sort();
            let refusal = Refusal::new(error, "One or more records have been rejected");
            Refusal { records, ..refusal }
        };
        if !self.bad_times.is_empty() {
            let all = self.bad_times.into_iter().chain(self.bad_keys).collect();
            return Err(rejected(ResponseError::InvalidTimestamp, all));
        }
        if !self.bad_keys.is_empty() {
            return Err(rejected(ResponseError::InvalidRecord, self.bad_keys));
        }
        Ok(if self.rules.log_append_time { self.rules.now_ms } else { self.max_timestamp })
    }
}

/// The batch as it is, with the timestamps' type and maximum corrected.
fn in_place(batch: &Batch, rules: &Rules) -> Result<Bytes, Refusal> {
    let compressed = batch.attributes().codec() != Codec::None;
    let mut judge = Judge::new(batch, rules);
    let mut renumber = false;
    walk(batch, |index, record| {
        renumber |= compressed && record.offset != i64::from(index);
        judge.look(index, record);
    })?;
    let max_timestamp = judge.verdict()?;
    if renumber {
        // Kafka walks without reading keys and values, then finds that it must write the batch anew: it
        // cannot.
        return Err(Refusal::bare(ResponseError::UnknownServerError));
    }
    let mut header = Header::of(batch.bytes());
    header.attributes(with_time_type(batch.attributes().0, rules));
    header.max_timestamp(max_timestamp);
    Ok(header.finish())
}

/// The batch in another codec, renumbered.
fn rebuild(batch: &Batch, codec: Codec, rules: &Rules) -> Result<Bytes, Refusal> {
    let mut judge = Judge::new(batch, rules);
    let mut items = Vec::new();
    walk(batch, |index, record| {
        judge.look(index, record);
        items.push(Item {
            offset_delta: index,
            timestamp: record.timestamp,
            key: record.key.clone(),
            value: record.value.clone(),
            headers: record.headers.clone(),
        });
    })?;
    let max_timestamp = judge.verdict()?;
    let transactional = batch.attributes().0 & super::encode::TRANSACTIONAL;
    let attributes = with_time_type(i16::from(codec.id()) | transactional, rules);
    let base_timestamp =
        if rules.log_append_time { rules.now_ms } else { items.first().map_or(-1, |i| i.timestamp) };
    if rules.log_append_time {
        items.iter_mut().for_each(|item| item.timestamp = rules.now_ms);
    }
    let shape = Shape { attributes, base_timestamp, max_timestamp, ..Shape::of(batch) };
    encode(shape, &items).map_err(|_| Refusal::bare(ResponseError::UnknownServerError))
}

fn with_time_type(attributes: i16, rules: &Rules) -> i16 {
    if rules.log_append_time { attributes | LOG_APPEND_TIME } else { attributes & !LOG_APPEND_TIME }
}
