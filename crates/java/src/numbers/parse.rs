//! Numbers from text, as Java's `parse…` methods and constructors take them.

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, ToPrimitive};

/// `new BigDecimal(text)`; `None` where Java throws.
pub fn parse_big_decimal(text: &str) -> Option<BigDecimal> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let scale = fraction.len() as i64 - i64::from(exponent);
    i32::try_from(scale).ok()?;
    Some(BigDecimal::new(format!("{sign}{digits}").parse().ok()?, scale))
}

/// `BigDecimal.longValue`: towards zero, the low 64 bits.
pub fn low_bits(n: &BigDecimal) -> i64 {
    let (unscaled, scale) = n.as_bigint_and_exponent();
    // 10^64 is a multiple of 2^64.
    if scale <= -64 || scale > unscaled.bits() as i64 {
        return 0;
    }
    let power = BigInt::from(10).pow(scale.unsigned_abs() as u32);
    let whole = if scale > 0 { unscaled / power } else { unscaled * power };
    let low = &whole & BigInt::from(u64::MAX);
    low.to_u64().map_or(0, |bits| bits as i64)
}

/// `Double.parseDouble`; `None` where Java throws. Hexadecimal numbers are not known here.
pub fn parse_double(text: &str) -> Option<f64> {
    match named(text)? {
        Named::Number(number) => number.parse().ok(),
        Named::Special(value) => Some(value),
    }
}

/// `Float.parseFloat`; as [`parse_double`].
pub fn parse_float(text: &str) -> Option<f32> {
    match named(text)? {
        Named::Number(number) => number.parse().ok(),
        Named::Special(value) => Some(value as f32),
    }
}

enum Named<'a> {
    Number(&'a str),
    Special(f64),
}

/// White space around is allowed, a type suffix as well, and the names of what is no number.
fn named(text: &str) -> Option<Named<'_>> {
    let text = text.trim_matches(|c| c <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        "NaN" => return Some(Named::Special(f64::NAN)),
        "Infinity" => return Some(Named::Special(sign * f64::INFINITY)),
        _ => {}
    }
    let number = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    let allowed = |c: u8| c.is_ascii_digit() || matches!(c, b'.' | b'e' | b'E' | b'+' | b'-');
    number.bytes().all(allowed).then_some(Named::Number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_as_java_takes_them() {
        for (text, unscaled, scale) in [
            ("1", 1, 0),
            ("+1.50", 150, 2),
            ("-.5", -5, 1),
            ("1.", 1, 0),
            ("12e-3", 12, 3),
            ("0012E2", 12, -2),
        ] {
            assert_eq!(
                parse_big_decimal(text).map(|n| n.into_bigint_and_exponent()),
                Some((unscaled.into(), scale))
            );
        }
        for text in ["", ".", "1_0", " 1", "1e", "1e99999999999", "--1", "1f", "0x1", "e5"] {
            assert_eq!(parse_big_decimal(text), None, "{text}");
        }
        assert_eq!(parse_double(" 1.5f\t"), Some(1.5));
        assert_eq!(parse_double("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_float("1e40"), Some(f32::INFINITY));
        for text in ["", "inf", "nan", "1ff", "infinity", "1_0", "f"] {
            assert_eq!(parse_double(text), None, "{text}");
        }
    }
}
