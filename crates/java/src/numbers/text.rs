//! Texts of numbers as Java writes them. Doubles and floats follow `Double.toString` of Java 19 and later, which is the
//! shortest text that reads back; older versions write a needless digit for a few values.

use bigdecimal::BigDecimal;

/// `Double.toString`: `1.0`, `1.0E21`, `NaN`, `Infinity`.
pub fn double_text(value: f64) -> String {
    match special(value) {
        Some(text) => text.to_owned(),
        None => written(&format!("{value:e}"), || format!("{value:.1e}")),
    }
}

/// `Float.toString`.
pub fn float_text(value: f32) -> String {
    match special(f64::from(value)) {
        Some(text) => text.to_owned(),
        None => written(&format!("{value:e}"), || format!("{value:.1e}")),
    }
}

fn special(value: f64) -> Option<&'static str> {
    match value {
        value if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        0.0 if value.is_sign_negative() => Some("-0.0"),
        0.0 => Some("0.0"),
        _ => None,
    }
}

/// Java's layout of Rust's shortest scientific text. Java shows two digits at least, and chooses the nearest of two.
fn written(shortest: &str, two_digits: impl Fn() -> String) -> String {
    let two;
    let text = if shortest.contains('.') {
        shortest
    } else {
        two = two_digits();
        &two
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    if !(-3..7).contains(&exponent) {
        return format!("{sign}{mantissa}E{exponent}");
    }
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    match usize::try_from(exponent) {
        Ok(exponent) => {
            let padded = format!("{digits:0<width$}", width = exponent + 2);
            format!("{sign}{}.{}", &padded[..=exponent], &padded[exponent + 1..])
        }
        Err(_) => {
            let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
            format!("{sign}0.{zeros}{digits}")
        }
    }
}

/// `BigDecimal.toString`: plain, or scientific such as `1E+3` and `1.5E-10`.
pub fn big_decimal_text(value: &BigDecimal) -> String {
    let (unscaled, scale) = value.as_bigint_and_exponent();
    let text = unscaled.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    if scale == 0 {
        return text;
    }
    let count = digits.len() as i64;
    let adjusted = count - 1 - scale;
    if scale > 0 && adjusted >= -6 {
        let point = count - scale;
        return match usize::try_from(point) {
            Ok(point) if point > 0 => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
            _ => format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        };
    }
    let fraction = match digits.len() {
        1 => String::new(),
        _ => format!(".{}", &digits[1..]),
    };
    match adjusted {
        0 => format!("{sign}{}{fraction}", &digits[..1]),
        _ => format!("{sign}{}{fraction}E{adjusted:+}", &digits[..1]),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_laid_out_as_java_does() {
        for (value, text) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e21, "1.0E21"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (123.456, "123.456"),
            (0.001, "0.001"),
            (0.000_99, "9.9E-4"),
            (100.0, "100.0"),
            (1.5e-10, "1.5E-10"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (5e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (-12_345.678, "-12345.678"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(double_text(value), text);
        }
        assert_eq!(float_text(3.4028235e38), "3.4028235E38");
        assert_eq!(float_text(0.1), "0.1");
        assert_eq!(float_text(f32::from_bits(1)), "1.4E-45");
    }

    #[test]
    fn decimals_are_laid_out_as_java_does() {
        for (unscaled, scale, text) in [
            (123, 0, "123"),
            (-123, 0, "-123"),
            (123, -1, "1.23E+3"),
            (123, -3, "1.23E+5"),
            (123, 1, "12.3"),
            (123, 5, "0.00123"),
            (123, 10, "1.23E-8"),
            (-123, 12, "-1.23E-10"),
            (0, 2, "0.00"),
            (0, -2, "0E+2"),
            (0, 7, "0E-7"),
            (1, 6, "0.000001"),
            (10, 1, "1.0"),
        ] {
            assert_eq!(big_decimal_text(&BigDecimal::new(unscaled.into(), scale)), text);
        }
    }
}
