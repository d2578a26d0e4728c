//! `hashCode` and the order in which a `HashMap` yields its keys. The order can be seen: in the bytes of schemaless JSON
//! and of offset keys.

use super::super::{Map, Struct, Value};

/// `String.hashCode`: over UTF-16 units.
pub fn string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

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

/// The order in which a `HashMap` with these string keys, put one by one, yields them: indices into `keys`, which must
/// be distinct.
pub fn hash_order<'a>(keys: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let indexed = keys.into_iter().enumerate();
    let map: Map = indexed.map(|(index, key)| (Value::from(key), Value::Int64(index as i64))).collect();
    let indices = map.iter().filter_map(|(_, index)| match index {
        Value::Int64(index) => usize::try_from(*index).ok(),
        _ => None,
    });
    indices.collect()
}

/// A JSON object with its members in the order in which Java's worker writes an object that it has read: that of a
/// `HashMap`. Keys of the offset topic are compared by their bytes, so they need it.
pub fn in_hash_order(
    object: &serde_json::Map<String, serde_json::Value>,
) -> serde_json::Map<String, serde_json::Value> {
    let members: Vec<_> = object.iter().collect();
    let order = hash_order(members.iter().map(|(key, _)| key.as_str()));
    order.into_iter().map(|index| (members[index].0.clone(), members[index].1.clone())).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn objects_take_the_order_of_a_hash_map() {
        let object = serde_json::json!({"protocol": 1, "owner": 2, "db": 3, "table": {"b": 1, "a": 2}});
        let ordered = in_hash_order(object.as_object().unwrap());
        assert_eq!(
            serde_json::Value::from(ordered).to_string(),
            r#"{"owner":2,"protocol":1,"db":3,"table":{"b":1,"a":2}}"#
        );
    }

    #[test]
    fn hashes_are_javas() {
        assert_eq!(string_hash("filename"), -734_768_633);
        assert_eq!(string_hash("grüße \u{1F600}"), string_hash("grüße \u{1F600}"));
        assert_eq!(hash_code(&Value::Int64(-1)), 0);
        assert_eq!(hash_code(&Value::Int64(1 << 32)), 1);
        assert_eq!(hash_code(&Value::Float64(1.0)), 1_072_693_248);
        assert_eq!(hash_code(&Value::Decimal("1.50".parse().unwrap())), 31 * 150 + 2);
        assert_eq!(hash_code(&Value::Array(vec![Value::Int32(1), Value::Int32(2)])), 994);
    }
}
