//! The encodings in which JSON comes: found out by its first bytes, as Java's parser does, whatever the content type says.

use bytes::Bytes;

use super::error::ApiError;

#[derive(Clone, Copy)]
enum Order {
    Big,
    Little,
}

enum Encoding {
    Utf8,
    Utf16(Order),
    Utf32(Order),
}

/// The body as UTF-8; one that is already is returned as it is.
pub(super) fn to_utf8(body: Bytes) -> Result<Bytes, ApiError> {
    let (encoding, mark) = detect(&body);
    let rest = &body[mark..];
    let text = match encoding {
        Encoding::Utf8 => return Ok(body.slice(mark..)),
        Encoding::Utf16(order) => utf16(rest, order),
        Encoding::Utf32(order) => utf32(rest, order),
    };
    let wrong =
        || ApiError::internal("The request body is not valid JSON: it is no UTF-16 or UTF-32 throughout");
    text.map(Bytes::from).ok_or_else(wrong)
}

/// The encoding, and the length of the byte order mark. Without a mark, the zeros around the first character tell.
fn detect(body: &[u8]) -> (Encoding, usize) {
    use Order::{Big, Little};
    match *body {
        [0, 0, 0xfe, 0xff, ..] => (Encoding::Utf32(Big), 4),
        [0xff, 0xfe, 0, 0, ..] => (Encoding::Utf32(Little), 4),
        [0xfe, 0xff, _, _, ..] => (Encoding::Utf16(Big), 2),
        [0xff, 0xfe, _, _, ..] => (Encoding::Utf16(Little), 2),
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0, 0, 0, _, ..] => (Encoding::Utf32(Big), 0),
        [_, 0, 0, 0, ..] => (Encoding::Utf32(Little), 0),
        [0, _, ..] => (Encoding::Utf16(Big), 0),
        [_, 0, ..] => (Encoding::Utf16(Little), 0),
        _ => (Encoding::Utf8, 0),
    }
}

fn utf16(bytes: &[u8], order: Order) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let unit = |bytes: &[u8; 2]| match order {
        Order::Big => u16::from_be_bytes(*bytes),
        Order::Little => u16::from_le_bytes(*bytes),
    };
    let text: Result<String, _> = char::decode_utf16(units.iter().map(unit)).collect();
    text.ok().filter(|_| rest.is_empty())
}

fn utf32(bytes: &[u8], order: Order) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<4>();
    let unit = |bytes: &[u8; 4]| match order {
        Order::Big => u32::from_be_bytes(*bytes),
        Order::Little => u32::from_le_bytes(*bytes),
    };
    let text: Option<String> = units.iter().map(|bytes| char::from_u32(unit(bytes))).collect();
    text.filter(|_| rest.is_empty())
}

/// Refuses an escape like `\ud800` that is half of a surrogate pair without the other: it stands for no character. Java keeps it.
/// `json` must be in order otherwise.
pub(super) fn refuse_halves(json: &str) -> Result<(), ApiError> {
    let mut rest = json;
    while let Some((at, unit)) = next_escape(rest) {
        let after = &rest[at + 6..];
        let low = next_escape(after).filter(|(at, unit)| *at == 0 && matches!(unit, 0xdc00..=0xdfff));
        rest = match unit {
            0xd800..=0xdbff if low.is_some() => &after[6..],
            0xd800..=0xdfff => {
                let escape = &rest[at..at + 6];
                return Err(ApiError::bad_request(format!(
                    "The request body has the escape {escape}, half of a surrogate pair: it stands for no character"
                )));
            }
            _ => after,
        };
    }
    Ok(())
}

/// Position of the next `\uXXXX`, and its value.
fn next_escape(json: &str) -> Option<(usize, u16)> {
    let mut from = 0;
    loop {
        let at = from + json[from..].find('\\')?;
        match json.as_bytes().get(at + 1)? {
            b'u' => return Some((at, u16::from_str_radix(json.get(at + 2..at + 6)?, 16).ok()?)),
            _ => from = at + 2,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn whole_pairs_pass_and_halves_are_named() {
        for json in [r#"{"a":"x"}"#, r#"{"a":"\ud83d\ude00\u00e9\n"}"#, r#"{"a":"\\ud800"}"#, r#""\\\\""#] {
            assert_eq!(refuse_halves(json), Ok(()), "{json}");
        }
        for (json, half) in [
            (r#"{"a":"\ud800"}"#, r"\ud800"),
            (r#"{"\uDC00":1}"#, r"\uDC00"),
            (r#""\u00e9\ud800x\udc00""#, r"\ud800"),
            (r#""\ud800\ud800\udc00""#, r"\ud800"),
            (r#""\\\udfff""#, r"\udfff"),
        ] {
            let error = refuse_halves(json).unwrap_err();
            assert!(
                error.status.as_u16() == 400 && error.message.contains(&format!("escape {half},")),
                "{json}"
            );
        }
    }

    #[test]
    fn what_is_cut_or_no_text_is_refused() {
        for body in [&b"\xfe\xff\0{\0"[..], b"\xfe\xff\0{\xd8\0\0}", b"\0\0\0{\0\x11\0\0", b"\0\0\0{\0"] {
            assert_eq!(to_utf8(Bytes::from_static(body)).unwrap_err().status.as_u16(), 500, "{body:?}");
        }
        assert_eq!(to_utf8(Bytes::from_static(b"\xef\xbb\xbf{}")).unwrap(), "{}");
        assert_eq!(to_utf8(Bytes::from_static(b"{\0")).unwrap(), "{");
        assert!(to_utf8(Bytes::new()).unwrap().is_empty());
    }
}
