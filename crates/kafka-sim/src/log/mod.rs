//! One partition's log: batches as stored, producers, transactions, leader epochs. Replicas share it.

mod clean;
pub(crate) mod encode;
mod producers;
pub(crate) mod validate;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use kafka_wire::batch::{Batch, ControlType, control_type};

pub(crate) use self::clean::Cleaning;
use self::encode::{Header, Shape};
use self::producers::Verdict;
pub(crate) use self::producers::{Producer, Producers};
use self::validate::{Refusal, Rules, validate};

/// A transaction that was aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aborted {
    pub(crate) producer_id: i64,
    pub(crate) first_offset: i64,
    /// Offset of the marker.
    pub(crate) last_offset: i64,
}

/// Answer to a reader.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    pub(crate) records: Bytes,
    pub(crate) aborted: Vec<Aborted>,
}

/// Outcome of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    pub(crate) base_offset: i64,
    /// Time of the append, where the topic has it or the batch was there already; else -1.
    pub(crate) log_append_time_ms: i64,
}

/// A log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    batches: VecDeque<Batch>,
    start: i64,
    end: i64,
    bytes: usize,
    /// (epoch, offset at which its leader began).
    epochs: Vec<(i32, i64)>,
    producers: Producers,
    aborted: Vec<Aborted>,
}

impl Log {
    /// First offset that can be read.
    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    /// Next offset to be written; everything before is on all replicas, so this is the high watermark too.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// Offset up to which all transactions have ended.
    pub(crate) fn last_stable_offset(&self) -> i64 {
        self.producers.first_open().unwrap_or(self.end)
    }

    pub(crate) fn producers(&self) -> &Producers {
        &self.producers
    }

    /// The batches as stored.
    pub(crate) fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.batches.iter()
    }

    /// Appends what a producer sent, if it is to be taken. `zero_first`: see [`Producers::check`].
    pub(crate) fn append(
        &mut self,
        batch: &Batch,
        rules: &Rules,
        leader_epoch: i32,
        zero_first: bool,
    ) -> Result<Appended, Refusal> {
        let bytes = validate(batch, rules)?;
        match self.producers.check(batch, zero_first)? {
            Verdict::Duplicate(written) => {
                return Ok(Appended {
                    base_offset: written.base_offset,
                    log_append_time_ms: written.timestamp,
                });
            }
            Verdict::New => {}
        }
        let base_offset = self.end;
        let mut header = Header::of(&bytes);
        header.base_offset(base_offset);
        header.leader_epoch(leader_epoch);
        let stored = Batch::new(header.finish()).expect("a batch that was valid stays one batch");
        self.begin_epoch(leader_epoch);
        self.producers.stored(&stored);
        self.push(stored);
        Ok(Appended {
            base_offset,
            log_append_time_ms: if rules.log_append_time { rules.now_ms } else { -1 },
        })
    }

    /// Appends the end of a producer's transaction; gives back its offset.
    pub(crate) fn append_marker(
        &mut self,
        producer_id: i64,
        epoch: i16,
        coordinator_epoch: i32,
        commit: bool,
        leader_epoch: i32,
        now_ms: i64,
    ) -> i64 {
        let offset = self.end;
        let shape = Shape {
            base_offset: offset,
            leader_epoch,
            attributes: 0,
            last_offset_delta: 0,
            base_timestamp: now_ms,
            max_timestamp: now_ms,
            producer_id,
            producer_epoch: epoch,
            base_sequence: -1,
        };
        let marker =
            Batch::new(encode::marker(shape, commit, coordinator_epoch)).expect("a marker is one batch");
        self.begin_epoch(leader_epoch);
        let began = self.producers.ended(&marker, coordinator_epoch);
        if let Some(first_offset) = began.filter(|_| !commit) {
            self.aborted.push(Aborted { producer_id, first_offset, last_offset: offset });
        }
        self.push(marker);
        offset
    }

    /// Puts a batch at the end as it is, with offset and epoch of the log: for tests that need what no
    /// producer can write.
    pub(crate) fn append_raw(&mut self, batch: &Bytes, leader_epoch: i32) -> Option<i64> {
        let mut header = Header::of(batch);
        header.base_offset(self.end);
        header.leader_epoch(leader_epoch);
        let stored = Batch::new(header.finish()).ok()?;
        let offset = self.end;
        self.begin_epoch(leader_epoch);
        self.push(stored);
        Some(offset)
    }

    fn push(&mut self, batch: Batch) {
        self.end = batch.next_offset();
        self.bytes += batch.size();
        self.batches.push_back(batch);
    }

    /// A leader of this epoch begins to write.
    pub(crate) fn begin_epoch(&mut self, epoch: i32) {
        if self.epochs.last().is_none_or(|(last, _)| *last < epoch) {
            self.epochs.push((epoch, self.end));
        }
    }

    /// The newest epoch with an entry, -1 if none.
    pub(crate) fn latest_epoch(&self) -> i32 {
        self.epochs.last().map_or(-1, |(epoch, _)| *epoch)
    }

    /// End of an epoch: the largest epoch not above it, and the offset after its last record; (-1, -1) when
    /// that is not known.
    pub(crate) fn end_of_epoch(&self, epoch: i32) -> (i32, i64) {
        match self.epochs.last() {
            _ if epoch < 0 => return (-1, -1),
            Some((latest, _)) if *latest == epoch => return (epoch, self.end),
            Some((latest, _)) if *latest > epoch => {}
            _ => return (-1, -1),
        }
        let next = self.epochs.iter().position(|(e, _)| *e > epoch).unwrap_or(0);
        match next.checked_sub(1) {
            Some(found) => (self.epochs[found].0, self.epochs[next].1),
            None => (epoch, self.epochs[next].1),
        }
    }

    /// The epoch in which the record at an offset was written, -1 if that is not known.
    pub(crate) fn epoch_at(&self, offset: i64) -> i32 {
        self.epochs.iter().rev().find(|(_, start)| *start <= offset).map_or(-1, |(epoch, _)| *epoch)
    }

    /// Index of the batch with `offset` in it, or of the first after it.
    fn index_of(&self, offset: i64) -> usize {
        self.batches.partition_point(|batch| batch.last_offset() < offset)
    }

    /// Stored bytes from the batch with `offset` on, below `limit`, at most `max_bytes`, the last batch torn
    /// off where that ends; but the first batch whole where `whole_first`, and nothing where it does not fit.
    /// `aborted` lists transactions too.
    pub(crate) fn read(
        &self,
        offset: i64,
        limit: i64,
        max_bytes: usize,
        whole_first: bool,
        aborted: bool,
    ) -> Slice {
        let first = self.index_of(offset);
        let mut out = BytesMut::new();
        for batch in self.batches.range(first..).take_while(|batch| batch.base_offset() < limit) {
            let size = batch.size();
            let room = match (out.is_empty(), whole_first) {
                (true, true) => max_bytes.max(size),
                (true, false) if max_bytes < size => break,
                _ => max_bytes.saturating_sub(out.len()),
            };
            if out.is_empty() {
                let rest: usize = self.batches.range(first..).map(Batch::size).take(64).sum();
                out.reserve(rest.min(room));
            }
            out.extend_from_slice(&batch.bytes()[..size.min(room)]);
            if size >= room {
                break;
            }
        }
        let aborted =
            if aborted && !out.is_empty() { self.aborted_near(offset, first, out.len()) } else { Vec::new() };
        Slice { records: out.freeze(), aborted }
    }

    /// Bytes from `offset` to `limit`, counted up to `enough`.
    pub(crate) fn available(&self, offset: i64, limit: i64, enough: usize) -> usize {
        let mut bytes = 0;
        for batch in self.batches.range(self.index_of(offset)..).take_while(|b| b.base_offset() < limit) {
            bytes += batch.size();
            if bytes >= enough {
                break;
            }
        }
        bytes
    }

    /// The aborted transactions from `offset` on. Where the bytes that were read end, a broker knows from an
    /// index with an entry each 4 KiB, so it tells of some that are later, too.
    fn aborted_near(&self, offset: i64, first: usize, read: usize) -> Vec<Aborted> {
        let mut bytes = 0;
        let beyond = self.batches.range(first..).find(|batch| {
            bytes += batch.size();
            bytes > read + 4096
        });
        let upper = beyond.map_or(self.end, Batch::base_offset);
        let overlaps = |a: &&Aborted| a.last_offset >= offset && a.first_offset < upper;
        self.aborted.iter().filter(overlaps).copied().collect()
    }

    /// The first record not older than `timestamp`, as (timestamp, offset); below `limit`.
    pub(crate) fn first_since(&self, timestamp: i64, limit: i64) -> Option<(i64, i64)> {
        let readable = |b: &&Batch| b.last_offset() >= self.start && b.base_offset() < limit;
        let late = |b: &&Batch| b.max_timestamp() >= timestamp;
        for batch in self.batches.iter().filter(readable).filter(late) {
            let records = batch.records().into_iter().flatten().flatten();
            let found = records.filter(|r| r.offset >= self.start).find(|r| r.timestamp >= timestamp);
            if let Some(record) = found {
                return Some((record.timestamp, record.offset));
            }
        }
        None
    }

    /// The record with the largest timestamp, the first of several, as (timestamp, offset).
    pub(crate) fn newest(&self) -> Option<(i64, i64)> {
        let data = self.batches.iter().filter(|b| b.last_offset() >= self.start && b.count() > 0);
        let newest = data.map(Batch::max_timestamp).max()?;
        self.first_since(newest, i64::MAX)
    }

    /// Everything before `offset` is gone. Gives back the new start.
    pub(crate) fn delete_before(&mut self, offset: i64) -> i64 {
        self.start = self.start.max(offset);
        while self.batches.front().is_some_and(|batch| batch.last_offset() < self.start) {
            if let Some(batch) = self.batches.pop_front() {
                self.bytes -= batch.size();
            }
        }
        self.aborted.retain(|a| a.last_offset >= self.start);
        let at = self.epochs.iter().rposition(|(_, start)| *start <= self.start).unwrap_or(0);
        self.epochs.drain(..at);
        if let Some(first) = self.epochs.first_mut() {
            first.1 = first.1.max(self.start);
        }
        self.start
    }

    /// Drops batches that are too old or too many, but never the last for being too many. Gives back the new
    /// start.
    pub(crate) fn retain(&mut self, oldest_ms: Option<i64>, max_bytes: Option<usize>) -> i64 {
        let mut excess = max_bytes.map_or(0, |max| self.bytes.saturating_sub(max));
        let mut start = self.start;
        let last = self.batches.len().saturating_sub(1);
        for (index, batch) in self.batches.iter().enumerate() {
            let old = oldest_ms.is_some_and(|oldest| batch.max_timestamp() < oldest);
            if !old && (index == last || excess < batch.size()) {
                break;
            }
            excess = excess.saturating_sub(batch.size());
            start = batch.next_offset();
        }
        self.delete_before(start)
    }

    /// Everything from the batch with `offset` on is lost, as by an unclean election. Gives back the new end.
    pub(crate) fn truncate(&mut self, offset: i64) -> i64 {
        let keep = self.index_of(offset);
        let end = match self.batches.get(keep) {
            Some(batch) => batch.base_offset(),
            None => return self.end,
        };
        for batch in self.batches.drain(keep..) {
            self.bytes -= batch.size();
        }
        self.end = end;
        self.start = self.start.min(end);
        self.epochs.retain(|(_, start)| *start < end);
        self.aborted.retain(|a| a.last_offset < end);
        self.reload();
        end
    }

    /// Learns the producers anew from the batches, as a broker does that loads a log without a snapshot.
    fn reload(&mut self) {
        self.producers = Producers::default();
        for batch in &self.batches {
            match control_type(batch) {
                Some(ControlType::Abort | ControlType::Commit) => {
                    self.producers.ended(batch, 0);
                }
                Some(_) => {}
                None => self.producers.stored(batch),
            }
        }
    }

    /// A broker that starts forgets producers whose last record is older than `before_ms`.
    pub(crate) fn restarted(&mut self, before_ms: i64) {
        self.producers.expire(before_ms);
    }

    /// Damages the stored batch with `offset` in it: one bit of its last byte. False: there is none.
    pub(crate) fn corrupt(&mut self, offset: i64) -> bool {
        let index = self.index_of(offset);
        let Some(batch) = self.batches.get_mut(index) else { return false };
        let mut bytes = BytesMut::from(&batch.bytes()[..]);
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        match Batch::new(bytes.freeze()) {
            Ok(damaged) => *batch = damaged,
            Err(_) => return false,
        }
        true
    }
}
