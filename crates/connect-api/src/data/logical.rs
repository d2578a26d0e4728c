//! Logical types: Decimal, Date, Time and Timestamp (`org.apache.kafka.connect.data.*`).

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use java::MILLIS_PER_DAY;

use super::builder::SchemaBuilder;
pub use super::names::{DATE, DECIMAL, TIME, TIMESTAMP};
use super::schema::{Schema, Type};
use crate::error::ConnectError;

/// Parameter of Decimal with the number of digits after the point.
const SCALE: &str = "scale";

fn named(kind: Type, name: &str) -> SchemaBuilder {
    SchemaBuilder::new(kind).name(Some(name)).version(Some(1))
}

/// Schema of Decimal with a scale.
pub fn decimal(scale: i64) -> Schema {
    named(Type::Bytes, DECIMAL).parameter(SCALE, scale.to_string()).build()
}

/// Builder of Date's schema.
pub fn date_builder() -> SchemaBuilder {
    named(Type::Int32, DATE)
}

/// Builder of Time's schema.
pub fn time_builder() -> SchemaBuilder {
    named(Type::Int32, TIME)
}

/// Builder of Timestamp's schema.
pub fn timestamp_builder() -> SchemaBuilder {
    named(Type::Int64, TIMESTAMP)
}

/// Schema of Date.
pub fn date() -> Schema {
    date_builder().build()
}

/// Schema of Time.
pub fn time() -> Schema {
    time_builder().build()
}

/// Schema of Timestamp.
pub fn timestamp() -> Schema {
    timestamp_builder().build()
}

/// Scale of a Decimal's schema.
///
/// # Errors
/// If the schema does not say it.
pub fn scale(schema: &Schema) -> Result<i64, ConnectError> {
    let Some(text) = schema.parameter(SCALE) else {
        return Err(ConnectError::data("Invalid Decimal schema: scale parameter not found."));
    };
    let parsed: Result<i32, _> = text.parse();
    parsed.map(i64::from).map_err(|_| {
        ConnectError::data("Invalid scale parameter found in Decimal schema: ").caused_by(ConnectError::of(
            "java.lang.NumberFormatException",
            format!("For input string: \"{text}\""),
        ))
    })
}

/// Bytes of a decimal: the unscaled number, big-endian, two's complement.
///
/// # Errors
/// If its scale is not that of the schema.
pub fn decimal_to_bytes(schema: &Schema, value: &BigDecimal) -> Result<Vec<u8>, ConnectError> {
    let (unscaled, found) = value.as_bigint_and_exponent();
    let expected = scale(schema)?;
    if expected != found {
        return Err(ConnectError::data(format!(
            "Decimal value has mismatching scale for given Decimal schema. \
             Schema has scale {expected}, value has scale {found}."
        )));
    }
    Ok(unscaled.to_signed_bytes_be())
}

/// The decimal that these bytes are.
///
/// # Errors
/// If the schema has no scale, or there are no bytes.
pub fn decimal_from_bytes(schema: &Schema, bytes: &[u8]) -> Result<BigDecimal, ConnectError> {
    if bytes.is_empty() {
        return Err(ConnectError::of("java.lang.NumberFormatException", "Zero length BigInteger"));
    }
    Ok(BigDecimal::new(BigInt::from_signed_bytes_be(bytes), scale(schema)?))
}

/// Days of a Date.
///
/// # Errors
/// If it is not midnight.
pub fn date_to_days(millis: i64) -> Result<i32, ConnectError> {
    if millis.rem_euclid(MILLIS_PER_DAY) != 0 {
        return Err(ConnectError::data(
            "Kafka Connect Date type should not have any time fields set to non-zero values.",
        ));
    }
    Ok((millis / MILLIS_PER_DAY) as i32)
}

/// Milliseconds of a Date.
pub fn date_from_days(days: i32) -> i64 {
    i64::from(days) * MILLIS_PER_DAY
}

/// Milliseconds of a Time.
///
/// # Errors
/// If it is not on the first day.
pub fn time_to_millis(millis: i64) -> Result<i32, ConnectError> {
    match i32::try_from(millis) {
        Ok(time) if (0..=MILLIS_PER_DAY).contains(&millis) => Ok(time),
        _ => Err(ConnectError::data(
            "Kafka Connect Time type should not have any date fields set to non-zero values.",
        )),
    }
}

/// A Time from its milliseconds.
///
/// # Errors
/// If they are not of one day.
pub fn time_from_millis(millis: i32) -> Result<i64, ConnectError> {
    if !(0..=MILLIS_PER_DAY).contains(&i64::from(millis)) {
        return Err(ConnectError::data(
            "Time values must use number of milliseconds greater than 0 and less than 86400000",
        ));
    }
    Ok(i64::from(millis))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_bytes_of_their_scale() {
        let schema = decimal(2);
        let value: BigDecimal = "-1.56".parse().unwrap();
        let bytes = decimal_to_bytes(&schema, &value).unwrap();
        assert_eq!(bytes, [0xff, 0x64]);
        assert_eq!(decimal_from_bytes(&schema, &bytes).unwrap(), value);
        assert_eq!(
            decimal_to_bytes(&schema, &"1.5".parse().unwrap()).unwrap_err().message(),
            "Decimal value has mismatching scale for given Decimal schema. \
             Schema has scale 2, value has scale 1."
        );
    }

    #[test]
    fn dates_and_times_keep_to_their_part() {
        assert_eq!(date_to_days(-MILLIS_PER_DAY).unwrap(), -1);
        assert!(date_to_days(1).is_err());
        assert_eq!(time_to_millis(MILLIS_PER_DAY).unwrap(), 86_400_000);
        assert!(time_to_millis(-1).is_err() && time_from_millis(86_400_001).is_err());
    }
}
