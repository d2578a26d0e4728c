//! Cuts the record set of a fetch answer into whole entries.
//!
//! Brokers cut record sets by bytes, not at batch borders: a torn tail is normal and ends the iteration
//! silently. A length or magic that cannot be is corruption and ends it with an error. Every byte sequence is
//! safe to hand over.

use bytes::Bytes;

use super::header::{LENGTH, LOG_OVERHEAD, MAGIC, field};
use super::{Batch, BatchError, LegacySet};

/// One entry of a record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A v2 batch.
    Batch(Batch),
    /// A message, or a compressed set of messages, of format 0 or 1 (written before Kafka 0.11).
    Legacy(LegacySet),
}

impl Entry {
    /// Offset to read on from after this entry.
    pub fn next_offset(&self) -> i64 {
        match self {
            Entry::Batch(batch) => batch.next_offset(),
            Entry::Legacy(set) => set.next_offset(),
        }
    }

    /// Bytes of the entry on the wire.
    pub fn size(&self) -> usize {
        match self {
            Entry::Batch(batch) => batch.size(),
            Entry::Legacy(set) => set.size(),
        }
    }
}

/// Iterates over the whole entries of `records`; entries share its memory.
pub fn split(records: Bytes) -> Split {
    Split { rest: records, position: 0 }
}

/// Iterator of [`split`]. After an error it yields nothing more.
#[derive(Clone, Debug)]
pub struct Split {
    rest: Bytes,
    position: usize,
}

impl Split {
    /// Bytes not yielded: the torn tail once the iteration has ended without an error.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Size and magic of the entry at the front; `None` when it is not there as a whole.
    fn front(&self) -> Result<Option<(usize, i8)>, BatchError> {
        let position = self.position;
        if self.rest.len() < LOG_OVERHEAD {
            return Ok(None);
        }
        let length = i32::from_be_bytes(field(&self.rest, LENGTH));
        if length < LegacySet::min_length(0) {
            return Err(BatchError::Length { position, length, minimum: LegacySet::min_length(0) });
        }
        if self.rest.len() <= MAGIC {
            return Ok(None);
        }
        let magic = self.rest[MAGIC] as i8;
        let minimum = match magic {
            0 | 1 => LegacySet::min_length(magic),
            2 => Batch::MIN_LENGTH,
            _ => return Err(BatchError::Magic { position, magic }),
        };
        if length < minimum {
            return Err(BatchError::Length { position, length, minimum });
        }
        let size = length as usize + LOG_OVERHEAD;
        Ok((size <= self.rest.len()).then_some((size, magic)))
    }
}

impl Iterator for Split {
    type Item = Result<Entry, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.front() {
            Ok(None) => None,
            Ok(Some((size, magic))) => {
                self.position += size;
                let bytes = self.rest.split_to(size);
                Some(Ok(match magic {
                    2 => Entry::Batch(Batch::from_checked(bytes)),
                    _ => Entry::Legacy(LegacySet::from_checked(bytes)),
                }))
            }
            Err(error) => {
                self.rest.clear();
                Some(Err(error))
            }
        }
    }
}
