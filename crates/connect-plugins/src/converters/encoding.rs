//! Character sets by Java's names: bytes of texts and back. What has no counterpart becomes a question mark or U+FFFD.

use encoding_rs::EncoderResult;
use java::utf8::utf8_text;

/// A character set.
#[derive(Debug, Clone, Copy)]
pub(super) enum Encoding {
    Utf8,
    /// ISO-8859-1 and US-ASCII, with their number of characters.
    Single(u32),
    /// Big endian or not, and with or without a mark of that.
    Utf16 {
        big: bool,
        mark: bool,
    },
    /// windows-1252, Shift_JIS, GBK and others of the web.
    Legacy(&'static encoding_rs::Encoding),
}

impl Encoding {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Self::Utf8,
            "ISO-8859-1" | "ISO8859_1" | "ISO8859-1" | "LATIN1" => Self::Single(256),
            "US-ASCII" | "ASCII" => Self::Single(128),
            "UTF-16" | "UTF16" => Self::Utf16 { big: true, mark: true },
            "UTF-16BE" => Self::Utf16 { big: true, mark: false },
            "UTF-16LE" => Self::Utf16 { big: false, mark: false },
            _ => Self::Legacy(encoding_rs::Encoding::for_label_no_replacement(name.as_bytes())?),
        })
    }

    pub(super) fn encode(self, text: String) -> Vec<u8> {
        match self {
            Self::Utf8 => text.into_bytes(),
            Self::Single(size) => {
                let byte = |c: char| u8::try_from(c).ok().filter(|b| u32::from(*b) < size).unwrap_or(b'?');
                text.chars().map(byte).collect()
            }
            Self::Utf16 { big, mark } => {
                // An empty text has no mark, as in Java.
                let mark = mark && !text.is_empty();
                let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
                units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
            }
            Self::Legacy(encoding) => legacy(encoding, &text),
        }
    }

    pub(super) fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => utf8_text(bytes),
            Self::Single(size) => {
                let c =
                    |b: &u8| if u32::from(*b) < size { char::from(*b) } else { char::REPLACEMENT_CHARACTER };
                bytes.iter().map(c).collect()
            }
            Self::Utf16 { big, mark } => {
                let (big, bytes) = match bytes {
                    [0xfe, 0xff, rest @ ..] if mark => (true, rest),
                    [0xff, 0xfe, rest @ ..] if mark => (false, rest),
                    _ => (big, bytes),
                };
                let unit = |pair: &[u8]| match *pair {
                    [a, b] if big => u16::from_be_bytes([a, b]),
                    [a, b] => u16::from_le_bytes([a, b]),
                    // Half a character.
                    _ => 0xfffd,
                };
                let units: Vec<u16> = bytes.chunks(2).map(unit).collect();
                String::from_utf16_lossy(&units)
            }
            Self::Legacy(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        }
    }
}

fn legacy(encoding: &'static encoding_rs::Encoding, text: &str) -> Vec<u8> {
    let mut encoder = encoding.new_encoder();
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len()).unwrap_or(rest.len());
        // The last call may have to write the way back to ASCII.
        out.reserve(room + 16);
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
        rest = &rest[read..];
        match result {
            EncoderResult::InputEmpty => return out,
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(_) => out.push(b'?'),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Bytes as Java writes them.
    #[test]
    fn texts_go_there_and_back() {
        for (name, text, bytes) in [
            ("utf-8", "a\u{e9}", &b"a\xc3\xa9"[..]),
            ("ISO-8859-1", "a\u{e9}", b"a\xe9"),
            ("UTF-16", "a\u{e9}", b"\xfe\xff\0a\0\xe9"),
            ("UTF-16LE", "a\u{e9}", b"a\0\xe9\0"),
            ("windows-1252", "\u{20ac}\u{e9}", b"\x80\xe9"),
            ("ISO-8859-15", "\u{20ac}", b"\xa4"),
            ("Shift_JIS", "\u{3042}a", b"\x82\xa0a"),
            ("GBK", "\u{4e2d}", b"\xd6\xd0"),
        ] {
            let encoding = Encoding::named(name).unwrap();
            assert_eq!(encoding.encode(text.to_owned()), bytes, "{name}");
            assert_eq!(encoding.decode(bytes), text, "{name}");
        }
        assert!(Encoding::named("EBCDIC").is_none());
        assert_eq!(Encoding::named("windows-1252").unwrap().encode("a\u{4e2d}b".to_owned()), b"a?b");
        assert_eq!(Encoding::named("US-ASCII").unwrap().encode("a\u{e9}".to_owned()), b"a?");
        assert_eq!(Encoding::named("UTF-16BE").unwrap().decode(b"\0ab"), "a\u{fffd}");
    }
}
