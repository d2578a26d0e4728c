//! `hashCode` of values. With it a map has Java's order, which can be seen in the bytes of schemaless JSON.

use java::order::string_hash;

use super::map::Map;
use super::structs::Struct;
use super::value::Value;

/// `hashCode` of the Java object that a value stands for. Where Java's is an identity (byte arrays, structs), it is one
/// of our own, over the content.
pub fn hash_code(value: &Value) -> i32 {
    match value {
        Value::Null => 0,
        Value::Boolean(true) => 1231,
        Value::Boolean(false) => 1237,
        Value::Int8(n) => i32::from(*n),
        Value::Int16(n) => i32::from(*n),
        Value::Int32(n) => *n,
        Value::Int64(n) | Value::Date(n) => folded(*n),
        Value::Float32(n) => (if n.is_nan() { 0x7fc0_0000 } else { n.to_bits() }) as i32,
        Value::Float64(n) => folded(if n.is_nan() { 0x7ff8_0000_0000_0000 } else { n.to_bits() as i64 }),
        Value::String(text) => string_hash(text),
        Value::Bytes(bytes) => sequence(bytes.iter().map(|byte| i32::from(*byte as i8))),
        Value::Array(items) => sequence(items.iter().map(hash_code)),
        Value::Map(map) => map_hash(map),
        Value::Struct(data) => struct_hash(data),
        Value::Decimal(n) => {
            let (unscaled, scale) = n.as_bigint_and_exponent();
            big_integer(&unscaled).wrapping_mul(31).wrapping_add(scale as i32)
        }
    }
}

fn folded(n: i64) -> i32 {
    (n ^ ((n as u64) >> 32) as i64) as i32
}

fn sequence(hashes: impl Iterator<Item = i32>) -> i32 {
    hashes.fold(1i32, |hash, item| hash.wrapping_mul(31).wrapping_add(item))
}

fn map_hash(map: &Map) -> i32 {
    map.iter().fold(0i32, |sum, (key, value)| sum.wrapping_add(hash_code(key) ^ hash_code(value)))
}

fn struct_hash(data: &Struct) -> i32 {
    sequence(data.values.iter().map(hash_code))
}

fn big_integer(n: &bigdecimal::num_bigint::BigInt) -> i32 {
    let (sign, digits) = n.to_u32_digits();
    let hash =
        digits.iter().rev().fold(0i32, |hash, digit| hash.wrapping_mul(31).wrapping_add(*digit as i32));
    if sign == bigdecimal::num_bigint::Sign::Minus { hash.wrapping_neg() } else { hash }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_javas() {
        assert_eq!(hash_code(&Value::Int64(-1)), 0);
        assert_eq!(hash_code(&Value::Int64(1 << 32)), 1);
        assert_eq!(hash_code(&Value::Float64(1.0)), 1_072_693_248);
        assert_eq!(hash_code(&Value::Decimal("1.50".parse().unwrap())), 31 * 150 + 2);
        assert_eq!(hash_code(&Value::Array(vec![Value::Int32(1), Value::Int32(2)])), 994);
    }
}
