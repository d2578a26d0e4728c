//! Bytes that should be UTF-8 and are not, as Java reads them.

use std::str::Utf8Error;

/// The text of bytes as `new String(bytes, UTF_8)` makes it: one U+FFFD for each mistake. Unlike in Rust, half a surrogate
/// pair is one mistake, not three.
pub fn utf8_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                out.push_str(valid);
                return out;
            }
            Err(error) => {
                let (valid, broken) = rest.split_at(error.valid_up_to());
                out.push_str(&String::from_utf8_lossy(valid));
                out.push(char::REPLACEMENT_CHARACTER);
                rest = utf8_mistake(broken, error).map_or(&[], |length| &broken[length..]);
            }
        }
    }
}

/// Number of bytes at the beginning of `broken` that are one mistake to Java; `None`: a character that is not complete.
pub fn utf8_mistake(broken: &[u8], error: Utf8Error) -> Option<usize> {
    match broken {
        [0xed, 0xa0..=0xbf] => None,
        [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => Some(3),
        [0xed, 0xa0..=0xbf, ..] => Some(2),
        _ => error.error_len(),
    }
}
