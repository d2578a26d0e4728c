//! JSON as Jackson's tree has it: integers and fractions apart, fractions exact, objects in order with the last of equal
//! keys.

use std::str::FromStr;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use connect_api::ConnectError;
use indexmap::IndexMap;
use java::numbers::low_bits;

/// As lenient as Jackson: bits after the last byte may be anything.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// There was no text.
    Missing,
    Null,
    Boolean(bool),
    Integer(i64),
    /// An integer beyond 64 bits.
    BigInteger(BigInt),
    /// A number with a point or an exponent, as it was written.
    Fraction(String),
    Text(String),
    Array(Vec<Node>),
    Object(IndexMap<String, Node>),
}

impl Node {
    /// The member of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Self::Object(members) => members.get(key),
            _ => None,
        }
    }

    /// Text of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Jackson's `getNodeType`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Missing => "MISSING",
            Self::Null => "NULL",
            Self::Boolean(_) => "BOOLEAN",
            Self::Integer(_) | Self::BigInteger(_) | Self::Fraction(_) => "NUMBER",
            Self::Text(_) => "STRING",
            Self::Array(_) => "ARRAY",
            Self::Object(_) => "OBJECT",
        }
    }

    /// Elements of an array, values of an object, nothing of anything else.
    pub(super) fn elements(&self) -> Box<dyn Iterator<Item = &Node> + '_> {
        match self {
            Self::Array(items) => Box::new(items.iter()),
            Self::Object(members) => Box::new(members.values()),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// The 64 bits of an integer, of a fraction without its part behind the point; 0 for what is no number. Java takes
    /// the low bits of integers beyond 64 bits, we refuse them.
    pub(super) fn long(&self) -> Result<i64, ConnectError> {
        match self {
            Self::Integer(n) => Ok(*n),
            Self::BigInteger(n) => {
                Err(ConnectError::data(format!("The integer {n} in the JSON does not fit into 64 bits")))
            }
            Self::Fraction(text) => Ok(BigDecimal::from_str(text).map_or(0, |n| low_bits(&n))),
            _ => Ok(0),
        }
    }

    /// The nearest double; 0 for what is no number.
    pub(super) fn double(&self) -> f64 {
        match self {
            Self::Integer(n) => *n as f64,
            Self::BigInteger(n) => n.to_string().parse().unwrap_or(0.0),
            Self::Fraction(text) => without_negative_zero(text).parse().unwrap_or(0.0),
            _ => 0.0,
        }
    }

    /// The nearest float; 0 for what is no number.
    pub(super) fn float(&self) -> f32 {
        match self {
            Self::Integer(n) => *n as f32,
            Self::BigInteger(n) => n.to_string().parse().unwrap_or(0.0),
            Self::Fraction(text) => without_negative_zero(text).parse().unwrap_or(0.0),
            _ => 0.0,
        }
    }

    /// The exact number; `None` for what is no number.
    pub(super) fn decimal(&self) -> Option<BigDecimal> {
        match self {
            Self::Integer(n) => Some(BigDecimal::from(*n)),
            Self::BigInteger(n) => Some(BigDecimal::new(n.clone(), 0)),
            Self::Fraction(text) => BigDecimal::from_str(text).ok(),
            _ => None,
        }
    }

    /// Bytes of a base64 text; `None` for what is no text. The error says what is wrong with the text.
    pub(super) fn binary(&self) -> Result<Option<Vec<u8>>, String> {
        let Some(text) = self.text() else { return Ok(None) };
        // White space may stand before each group of four.
        let mut groups = Vec::with_capacity(text.len());
        for c in text.bytes() {
            if c > b' ' || groups.len() % 4 != 0 {
                groups.push(c);
            }
        }
        BASE64.decode(groups).map(Some).map_err(|e| e.to_string())
    }
}

/// Java goes by way of a decimal, whose zero has no sign.
fn without_negative_zero(text: &str) -> &str {
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    if mantissa.bytes().any(|c| matches!(c, b'1'..=b'9')) { text } else { "0" }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_narrow_as_in_java() {
        for (text, long) in [
            ("1.9", 1),
            ("-1.9", -1),
            ("1e2", 100),
            ("18446744073709551617.0", 1),
            ("1e1000000", 0),
            ("1e-1000000", 0),
        ] {
            assert_eq!(Node::Fraction(text.to_owned()).long().unwrap(), long, "{text}");
        }
        let large = Node::BigInteger("12345678901234567890".parse().unwrap());
        assert!(large.long().unwrap_err().message().contains("12345678901234567890"));
        assert_eq!(large.double(), 12_345_678_901_234_567_890.0);
        assert_eq!(Node::Text("7".into()).long().unwrap(), 0);
    }

    #[test]
    fn base64_is_read_as_jackson_does() {
        let binary = |text: &str| Node::Text(text.to_owned()).binary();
        assert_eq!(binary(" AQI=").unwrap().unwrap(), [1, 2]);
        assert_eq!(binary("AQJ=").unwrap().unwrap(), [1, 2]);
        assert!(binary("AQI").is_err() && binary("A-_=").is_err());
        assert_eq!(Node::Null.binary(), Ok(None));
    }
}
