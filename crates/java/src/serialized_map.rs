//! One serialized `java.util.HashMap` from byte arrays to byte arrays, in the stream format of the Java Object Serialization
//! Specification: the offsets file of Java's standalone worker. Nothing else is read.

use std::collections::BTreeMap;

use bytes::Bytes;

/// First bytes of such a stream.
pub const MAGIC: [u8; 4] = [0xac, 0xed, 0, 5];

const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const ARRAY: u8 = 0x75;
const BLOCK: u8 = 0x77;
const END: u8 = 0x78;

type Read<T> = Result<T, String>;

/// The entries; those without key or value are left out.
///
/// # Errors
/// If it is another stream, or cut off; the text continues a sentence about the file.
pub fn read(bytes: &[u8]) -> Result<BTreeMap<Bytes, Bytes>, String> {
    let mut stream = Stream { rest: bytes };
    stream.expect(&MAGIC, "the stream's header")?;
    stream.expect(&[OBJECT], "an object")?;
    stream.class("java.util.HashMap")?;
    // Its load factor and threshold.
    stream.take(8)?;
    stream.expect(&[BLOCK, 8], "the size of the map")?;
    stream.take(4)?;
    let size = stream.number()?;
    let mut entries = BTreeMap::new();
    for _ in 0..size {
        if let (Some(key), Some(value)) = (stream.byte_array()?, stream.byte_array()?) {
            entries.insert(key, value);
        }
    }
    stream.expect(&[END], "the end of the map")?;
    Ok(entries)
}

struct Stream<'a> {
    rest: &'a [u8],
}

impl<'a> Stream<'a> {
    fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("it ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Read<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn expect(&mut self, bytes: &[u8], what: &str) -> Read<()> {
        let found = self.take(bytes.len())? == bytes;
        found.then_some(()).ok_or_else(|| format!("it lacks {what}"))
    }

    fn number(&mut self) -> Read<usize> {
        let bytes = self.take(4)?;
        let number = i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        usize::try_from(number).map_err(|_| "it has a negative length".to_owned())
    }

    fn text(&mut self) -> Read<&'a [u8]> {
        let length = self.take(2)?;
        self.take(usize::from(u16::from_be_bytes([length[0], length[1]])))
    }

    /// The description of a class, or a reference to one that came before.
    fn class(&mut self, name: &str) -> Read<()> {
        match self.byte()? {
            REFERENCE => return self.take(4).map(drop),
            CLASS => {}
            _ => return Err("it lacks the description of a class".to_owned()),
        }
        let found = self.text()?;
        if found != name.as_bytes() {
            return Err(format!("it holds a {}, not a {name}", String::from_utf8_lossy(found)));
        }
        // Serial version and flags.
        self.take(9)?;
        let count = self.take(2)?;
        for _ in 0..u16::from_be_bytes([count[0], count[1]]) {
            match self.byte()? {
                b'F' | b'I' => self.text()?,
                _ => return Err("its class has unknown fields".to_owned()),
            };
        }
        self.expect(&[END, NULL], "a class without a parent")
    }

    fn byte_array(&mut self) -> Read<Option<Bytes>> {
        match self.byte()? {
            NULL => return Ok(None),
            ARRAY => {}
            _ => return Err("an entry is no array of bytes".to_owned()),
        }
        self.class("[B")?;
        let length = self.number()?;
        self.take(length).map(|bytes| Some(Bytes::copy_from_slice(bytes)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Written by Java 17: a map of `["c",{"filename":"/x"}]` to `{"position":3}` and of `k` to null.
    const WRITTEN: &str = include_str!("serialized_map.hex");

    fn written() -> Vec<u8> {
        let hex = WRITTEN.trim();
        (0..hex.len() / 2).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect()
    }

    #[test]
    fn what_java_wrote_is_read() {
        let expected = [(Bytes::from(r#"["c",{"filename":"/x"}]"#), Bytes::from(r#"{"position":3}"#))];
        assert_eq!(read(&written()).unwrap(), BTreeMap::from(expected));
    }

    #[test]
    fn whatever_is_cut_off_is_refused() {
        let whole = written();
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
    }
}
