//! Reading and writing Kafka's old, big-endian types: STRING is an int16 length and UTF-8, an array an int32 count, BYTES
//! an int32 length. A reader takes nothing on trust: lengths beyond the end are errors, not allocations.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Why bytes of the group protocol cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The bytes end inside a field, or a length reaches beyond the end.
    #[error(
        "the {what} ends in its field '{field}'; is every member of the group a Connect worker (group.id)?"
    )]
    Truncated {
        /// `metadata` or `assignment`.
        what: &'static str,
        /// Name of the field.
        field: &'static str,
    },
    /// A field has a value that no worker writes.
    #[error(
        "the {what} has a bad field '{field}': {value}; is every member of the group a Connect worker (group.id)?"
    )]
    Invalid {
        /// `metadata` or `assignment`.
        what: &'static str,
        /// Name of the field.
        field: &'static str,
        /// The bytes that it holds.
        value: String,
    },
    /// A text is longer than the 32767 bytes that a STRING can hold.
    #[error("the field '{field}' has {length} bytes, more than the 32767 that the group protocol can hold")]
    TooLong {
        /// Name of the field.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// The broker named a leader whose metadata it did not send.
    #[error("the group's leader {leader} is not among its {members} members")]
    NoLeader {
        /// Member id.
        leader: String,
        /// Number of members.
        members: usize,
    },
}

/// Takes fields from the front.
pub(super) struct Reader {
    bytes: Bytes,
    what: &'static str,
}

impl Reader {
    pub(super) fn new(bytes: Bytes, what: &'static str) -> Self {
        Self { bytes, what }
    }

    pub(super) fn at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn i16(&mut self, field: &'static str) -> Result<i16, ProtocolError> {
        self.bytes.try_get_i16().map_err(|_| self.truncated(field))
    }

    pub(super) fn i32(&mut self, field: &'static str) -> Result<i32, ProtocolError> {
        self.bytes.try_get_i32().map_err(|_| self.truncated(field))
    }

    pub(super) fn i64(&mut self, field: &'static str) -> Result<i64, ProtocolError> {
        self.bytes.try_get_i64().map_err(|_| self.truncated(field))
    }

    pub(super) fn string(&mut self, field: &'static str) -> Result<String, ProtocolError> {
        let length = self.i16(field)?;
        let Ok(length) = usize::try_from(length) else { return Err(self.invalid(field, "null")) };
        let text = self.take(length, field)?;
        // As Java reads it: broken UTF-8 becomes the replacement character.
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Negative lengths are null.
    pub(super) fn nullable_bytes(&mut self, field: &'static str) -> Result<Option<Bytes>, ProtocolError> {
        match usize::try_from(self.i32(field)?) {
            Ok(length) => self.take(length, field).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// The number of elements that follow; null is none.
    pub(super) fn count(&mut self, field: &'static str) -> Result<usize, ProtocolError> {
        Ok(usize::try_from(self.i32(field)?).unwrap_or(0))
    }

    pub(super) fn invalid(&self, field: &'static str, value: impl ToString) -> ProtocolError {
        ProtocolError::Invalid { what: self.what, field, value: value.to_string() }
    }

    fn take(&mut self, length: usize, field: &'static str) -> Result<Bytes, ProtocolError> {
        if length <= self.bytes.len() { Ok(self.bytes.split_to(length)) } else { Err(self.truncated(field)) }
    }

    fn truncated(&self, field: &'static str) -> ProtocolError {
        ProtocolError::Truncated { what: self.what, field }
    }
}

pub(super) fn put_string(to: &mut BytesMut, text: &str, field: &'static str) -> Result<(), ProtocolError> {
    let length =
        i16::try_from(text.len()).map_err(|_| ProtocolError::TooLong { field, length: text.len() })?;
    to.put_i16(length);
    to.put_slice(text.as_bytes());
    Ok(())
}
