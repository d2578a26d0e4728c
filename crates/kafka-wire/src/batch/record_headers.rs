//! The headers of one record, kept as the bytes they are.
//!
//! Keys may repeat and need not be UTF-8: a map of strings would lose both, so nothing is decoded before it
//! is asked for. A [`Headers`] is well-formed by construction.

use bytes::Bytes;

use super::{BatchError, varint};

/// A record's headers: a count and as many (key, value) pairs, in the encoding of record format v2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    raw: Bytes,
}

impl Headers {
    /// No headers.
    pub const fn empty() -> Headers {
        Headers { raw: Bytes::from_static(&[0]) }
    }

    /// Takes encoded headers: the count as varint, then length and bytes of key and value each.
    ///
    /// # Errors
    /// When they do not end exactly at the end of `raw`.
    pub fn from_raw(raw: Bytes) -> Result<Headers, BatchError> {
        check(&raw)?;
        Ok(Headers { raw })
    }

    /// Encodes pairs, in their order, duplicates included.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Headers {
        let mut count = 0;
        let mut body = Vec::new();
        for (key, value) in pairs {
            count += 1;
            push_bytes(&mut body, Some(key));
            push_bytes(&mut body, value);
        }
        let mut raw = Vec::with_capacity(body.len() + varint::len(count));
        varint::push(&mut raw, count);
        raw.extend_from_slice(&body);
        Headers { raw: raw.into() }
    }

    /// For the record parser, which has run [`check`].
    pub(super) fn from_checked(raw: Bytes) -> Headers {
        Headers { raw }
    }

    /// The encoded form.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Number of headers.
    pub fn len(&self) -> usize {
        varint::read_i32(&self.raw, 0).map_or(0, |(count, _)| count.max(0) as usize)
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pairs in their order; keys and values share the record's memory.
    pub fn iter(&self) -> HeaderIter {
        let position = varint::read_i32(&self.raw, 0).map_or(self.raw.len(), |(_, at)| at);
        HeaderIter { raw: self.raw.clone(), position, left: self.len() }
    }
}

impl Default for Headers {
    fn default() -> Self {
        Headers::empty()
    }
}

impl IntoIterator for &Headers {
    type Item = (Bytes, Option<Bytes>);
    type IntoIter = HeaderIter;

    fn into_iter(self) -> HeaderIter {
        self.iter()
    }
}

/// Iterator of [`Headers::iter`].
#[derive(Clone, Debug)]
pub struct HeaderIter {
    raw: Bytes,
    position: usize,
    left: usize,
}

impl HeaderIter {
    fn bytes(&mut self) -> Option<Option<Bytes>> {
        let (field, after) = read_bytes(&self.raw, self.position)?;
        self.position = after;
        Some(field.map(|(start, end)| self.raw.slice(start..end)))
    }
}

impl Iterator for HeaderIter {
    type Item = (Bytes, Option<Bytes>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let key = self.bytes()??;
        Some((key, self.bytes()?))
    }
}

/// Length (-1: null) and bytes.
pub(super) fn push_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::push(out, -1),
        Some(bytes) => {
            varint::push(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}

/// Start and end of bytes, and where reading goes on.
type Field = (Option<(usize, usize)>, usize);

/// Range of the bytes whose length stands at `at` (negative: null); `None` when they do not fit in `bytes`.
#[inline]
pub(super) fn read_bytes(bytes: &[u8], at: usize) -> Option<Field> {
    let (length, start) = varint::read_i32(bytes, at)?;
    if length < 0 {
        return Some((None, start));
    }
    let end = start.checked_add(length as usize)?;
    (end <= bytes.len()).then_some((Some((start, end)), end))
}

/// Walks over encoded headers; they must fill `raw` exactly.
pub(super) fn check(raw: &[u8]) -> Result<(), BatchError> {
    let malformed = |why| BatchError::Headers { why };
    let (count, mut at) = varint::read_i32(raw, 0).ok_or(malformed("no header count"))?;
    if count < 0 {
        return Err(malformed("negative header count"));
    }
    for _ in 0..count {
        let (key, after) = read_bytes(raw, at).ok_or(malformed("header key exceeds the record"))?;
        key.ok_or(malformed("null header key"))?;
        (_, at) = read_bytes(raw, after).ok_or(malformed("header value exceeds the record"))?;
    }
    if at == raw.len() { Ok(()) } else { Err(malformed("bytes after the last header")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn duplicates_nulls_and_bytes_beyond_utf8_survive() {
        let pairs: [(&[u8], Option<&[u8]>); 4] =
            [(b"a", Some(b"1")), (b"a", Some(b"2")), (&[0xff, 0xfe], None), (b"", Some(b""))];
        let headers = Headers::from_pairs(pairs);
        assert_eq!(headers.len(), 4);
        let read: Vec<_> = headers.iter().collect();
        let expected: Vec<_> = pairs
            .iter()
            .map(|(key, value)| (Bytes::copy_from_slice(key), value.map(Bytes::copy_from_slice)))
            .collect();
        assert_eq!(read, expected);
        assert_eq!(Headers::from_raw(headers.raw().clone()).unwrap(), headers);
        assert!(Headers::empty().is_empty());
    }

    #[test]
    fn malformed_headers_are_refused() {
        for (raw, why) in [
            (&[][..], "no header count"),
            (&[0x01], "negative header count"),
            (&[0x02, 0x01, 0x00], "null header key"),
            (&[0x02, 0x7e, 0x00], "header key exceeds the record"),
            (&[0x02, 0x00, 0x02], "header value exceeds the record"),
            (&[0x00, 0x00], "bytes after the last header"),
        ] {
            assert_eq!(Headers::from_raw(Bytes::from_static(raw)), Err(BatchError::Headers { why }));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_read_safely(raw in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(headers) = Headers::from_raw(raw.into()) {
                prop_assert_eq!(headers.iter().count(), headers.len());
            }
        }
    }
}
