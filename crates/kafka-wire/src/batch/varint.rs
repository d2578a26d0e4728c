//! Variable-length integers as record format v2 has them: zigzag, seven bits a byte, least significant first.
//!
//! 32-bit and 64-bit values share one encoding, so one set of functions serves both; reading a 32-bit one
//! checks the range. Timestamp deltas must be read as 64-bit: after a cleaning they are relative to the
//! delete horizon.

/// Most bytes a value takes.
pub(super) const MAX_LEN: usize = 10;

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(raw: u64) -> i64 {
    ((raw >> 1) as i64) ^ -((raw & 1) as i64)
}

/// Bytes `value` takes when written, 1 to 10.
pub(super) fn len(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Writes `value` into `out` at `at`, returns the position after it. `out` has [`MAX_LEN`] bytes left.
pub(super) fn write(out: &mut [u8], at: usize, value: i64) -> usize {
    let mut rest = zigzag(value);
    let mut at = at;
    while rest >= 0x80 {
        out[at] = rest as u8 | 0x80;
        rest >>= 7;
        at += 1;
    }
    out[at] = rest as u8;
    at + 1
}

/// Appends `value` to `out`.
pub(super) fn push(out: &mut Vec<u8>, value: i64) {
    let mut bytes = [0; MAX_LEN];
    let end = write(&mut bytes, 0, value);
    out.extend_from_slice(&bytes[..end]);
}

/// Reads the value at `at`; returns it with the position after it, `None` past the end or when longer than 10
/// bytes.
#[inline]
pub(super) fn read(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let first = *bytes.get(at)?;
    if first < 0x80 {
        return Some((unzigzag(u64::from(first)), at + 1));
    }
    read_long(bytes, at, u64::from(first & 0x7f))
}

fn read_long(bytes: &[u8], at: usize, low: u64) -> Option<(i64, usize)> {
    let mut raw = low;
    for index in 1..MAX_LEN {
        let byte = *bytes.get(at + index)?;
        raw |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((unzigzag(raw), at + index + 1));
        }
    }
    None
}

/// Like [`read`], `None` as well when the value does not fit 32 bits.
#[inline]
pub(super) fn read_i32(bytes: &[u8], at: usize) -> Option<(i32, usize)> {
    let (value, at) = read(bytes, at)?;
    Some((i32::try_from(value).ok()?, at))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_encodings() {
        for (value, bytes) in [
            (0, vec![0x00]),
            (-1, vec![0x01]),
            (1, vec![0x02]),
            (63, vec![0x7e]),
            (-64, vec![0x7f]),
            (64, vec![0x80, 0x01]),
            (i64::from(i32::MAX), vec![0xfe, 0xff, 0xff, 0xff, 0x0f]),
            (i64::from(i32::MIN), vec![0xff, 0xff, 0xff, 0xff, 0x0f]),
            (i64::MIN, vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ] {
            let mut out = Vec::new();
            push(&mut out, value);
            assert_eq!(out, bytes, "{value}");
            assert_eq!(read(&out, 0), Some((value, bytes.len())));
        }
    }

    #[test]
    fn refuses_endless_truncated_and_too_wide_values() {
        assert_eq!(read(&[0x80; 20], 0), None);
        assert_eq!(read(&[0x80, 0x80], 0), None);
        assert_eq!(read(&[], 0), None);
        assert_eq!(read(&[0], 7), None);
        let mut wide = Vec::new();
        push(&mut wide, i64::from(i32::MAX) + 1);
        assert_eq!(read_i32(&wide, 0), None);
    }

    proptest! {
        #[test]
        fn round_trip(value: i64, shift in 0u32..64) {
            let value = value >> shift;
            let mut out = vec![0xaa];
            push(&mut out, value);
            prop_assert_eq!(out.len(), 1 + len(value));
            prop_assert_eq!(read(&out, 1).unwrap(), (value, out.len()));
        }
    }
}
