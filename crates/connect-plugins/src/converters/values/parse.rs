//! Values from texts.

use std::sync::LazyLock;

use bigdecimal::BigDecimal;
use connect_api::ConnectError;
use connect_api::data::{Map, Schema, SchemaAndValue, SchemaBuilder, Type, Value, logical};
use java::date_format::SimpleDateFormat;
use java::numbers::big_decimal_text;
use java::numbers::parse_big_decimal;

use super::convert;
use super::merge::Merged;
use super::tokens::{Tokens, trim};

/// Greatest depth of arrays and maps. Java knows no bound but its stack.
const MAX_DEPTH: usize = 200;

/// The value that a text says, with a schema that fits; without literal in it, the text itself as a string.
///
/// # Errors
/// If arrays and maps are nested more than 200 deep.
pub(crate) fn parse_string(text: &str) -> Result<SchemaAndValue, ConnectError> {
    if text.is_empty() {
        return Ok(string(text));
    }
    let mut parser = Parser { tokens: Tokens::new(text), depth: 0, too_deep: false };
    let parsed = parser.parse(false);
    match (parser.too_deep, parsed) {
        (true, _) => {
            Err(ConnectError::data(format!("Arrays and maps are nested more than {MAX_DEPTH} deep")))
        }
        (false, Ok(parsed)) => Ok(parsed.unwrap_or(SchemaAndValue::NULL)),
        (false, Err(NotALiteral)) => Ok(string(text)),
    }
}

fn string(text: &str) -> SchemaAndValue {
    SchemaAndValue::new(Schema::of(Type::String), Value::from(text))
}

/// Text that was begun as a literal and is none.
struct NotALiteral;

/// `None`: null, which has no schema.
type Parsed = Result<Option<SchemaAndValue>, NotALiteral>;

struct Parser<'a> {
    tokens: Tokens<'a>,
    depth: usize,
    too_deep: bool,
}

impl Parser<'_> {
    /// `embedded`: inside of an array or a map.
    fn parse(&mut self, embedded: bool) -> Parsed {
        if !self.tokens.has_next() {
            return Ok(None);
        }
        if embedded && self.tokens.consume("\"") {
            return Ok(Some(self.quoted()));
        }
        for (literal, value) in [("null", None), ("true", Some(true)), ("false", Some(false))] {
            if self.literal(embedded, literal) {
                return Ok(value.map(|b| SchemaAndValue::new(Schema::of(Type::Boolean), Value::Boolean(b))));
            }
        }
        let start = self.tokens.mark();
        let container = if self.tokens.consume("[") {
            Some(self.nested(Self::array))
        } else if self.tokens.consume("{") {
            Some(self.nested(Self::map))
        } else {
            None
        };
        match container {
            Some(Ok(value)) => return Ok(Some(value)),
            Some(Err(NotALiteral)) => self.tokens.rewind_to(start),
            None => {}
        }
        let token = self.tokens.take();
        match trim(token) {
            "" => Ok(Some(string(token))),
            token => self.scalar(embedded, token),
        }
    }

    fn nested(
        &mut self,
        parse: fn(&mut Self) -> Result<SchemaAndValue, NotALiteral>,
    ) -> Result<SchemaAndValue, NotALiteral> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.too_deep = true;
            return Err(NotALiteral);
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Takes a literal of one token; at the top it must be all there is.
    fn literal(&mut self, embedded: bool, literal: &str) -> bool {
        let start = self.tokens.mark();
        if self.tokens.consume(literal) && (embedded || !self.tokens.has_next()) {
            return true;
        }
        self.tokens.rewind_to(start);
        false
    }

    /// Dates and times first, then numbers.
    fn scalar(&mut self, embedded: bool, token: &str) -> Parsed {
        let digit = token.starts_with(|c: char| c.is_ascii_digit());
        if digit && let Some(temporal) = self.temporal_of_tokens(token) {
            return Ok(Some(temporal));
        }
        if (digit || token.starts_with(['+', '-']))
            && let Some(n) = parse_big_decimal(token)
        {
            return Ok(Some(number(n)));
        }
        if embedded { Err(NotALiteral) } else { Ok(Some(string(self.tokens.text()))) }
    }

    /// Colons delimit tokens, so a time is five of them.
    fn temporal_of_tokens(&mut self, token: &str) -> Option<SchemaAndValue> {
        let start = self.tokens.mark();
        if let Some(rest) = self.tokens.take_many(4)
            && let Some(found) = temporal(&format!("{token}{rest}"))
        {
            return Some(found);
        }
        self.tokens.rewind_to(start);
        temporal(token)
    }

    /// After the quote.
    fn quoted(&mut self) -> SchemaAndValue {
        let mut content = String::new();
        while self.tokens.has_next() && !self.tokens.consume("\"") {
            content.push_str(self.tokens.take());
        }
        temporal(&content).unwrap_or_else(|| string(&content))
    }

    /// After `[`.
    fn array(&mut self) -> Result<SchemaAndValue, NotALiteral> {
        let (mut items, mut schema) = (Vec::new(), Merged::default());
        while self.tokens.has_next() {
            if self.tokens.consume("]") {
                return array_value(schema.common(), items);
            }
            if self.tokens.consume(",") {
                return Err(NotALiteral);
            }
            let item = self.parse(true)?.unwrap_or(SchemaAndValue::NULL);
            schema.add(item.schema.as_ref());
            items.push(item.value);
            let after = self.tokens.mark();
            if self.tokens.consume("]") {
                self.tokens.rewind_to(after);
            } else if !self.tokens.consume(",") {
                return Err(NotALiteral);
            }
        }
        Err(NotALiteral)
    }

    /// After `{`. Commas between entries may be missing.
    fn map(&mut self) -> Result<SchemaAndValue, NotALiteral> {
        let (mut map, mut keys, mut values) = (Map::linked(), Merged::default(), Merged::default());
        while self.tokens.has_next() {
            if self.tokens.consume("}") {
                return map_value(keys.common(), values.common(), map);
            }
            if self.tokens.consume(",") {
                return Err(NotALiteral);
            }
            let key = self.parse(true)?.filter(|key| !key.value.is_null()).ok_or(NotALiteral)?;
            if !self.tokens.consume(":") {
                return Err(NotALiteral);
            }
            let value = self.parse(true)?.unwrap_or(SchemaAndValue::NULL);
            keys.add(key.schema.as_ref());
            values.add(value.schema.as_ref());
            map.put(key.value, value.value);
            self.tokens.consume(",");
        }
        Err(NotALiteral)
    }
}

fn array_value(element: Option<Schema>, items: Vec<Value>) -> Result<SchemaAndValue, NotALiteral> {
    Ok(match element {
        Some(element) => {
            let items = convert::array(parse_string, &element, items).map_err(|_| NotALiteral)?;
            SchemaAndValue::new(SchemaBuilder::array(element).build(), Value::Array(items))
        }
        None => SchemaAndValue::new(Schema::of(Type::Array), Value::Array(items)),
    })
}

fn map_value(keys: Option<Schema>, values: Option<Schema>, map: Map) -> Result<SchemaAndValue, NotALiteral> {
    let Some(keys) = keys else {
        return Ok(SchemaAndValue::new(Schema::of(Type::Map), Value::Map(map)));
    };
    let map = convert::map(parse_string, &keys, values.as_ref(), map).map_err(|_| NotALiteral)?;
    let schema = match values {
        Some(values) => SchemaBuilder::map(keys, values).build(),
        None => SchemaBuilder::map_of_nulls(keys).build(),
    };
    Ok(SchemaAndValue::new(schema, Value::Map(map)))
}

/// The smallest integer that holds a whole number, else the smallest float that is not infinite, else a decimal.
fn number(n: BigDecimal) -> SchemaAndValue {
    let found = |kind, value| SchemaAndValue::new(Schema::of(kind), value);
    let (_, scale) = n.as_bigint_and_exponent();
    if let Some(long) = convert::exact_long(&n) {
        return match (i8::try_from(long), i16::try_from(long), i32::try_from(long)) {
            (Ok(n), ..) => found(Type::Int8, Value::Int8(n)),
            (_, Ok(n), _) => found(Type::Int16, Value::Int16(n)),
            (.., Ok(n)) => found(Type::Int32, Value::Int32(n)),
            _ => found(Type::Int64, Value::Int64(long)),
        };
    }
    let text = big_decimal_text(&n);
    let (float, double) = (text.parse::<f32>().unwrap_or(f32::NAN), text.parse::<f64>().unwrap_or(f64::NAN));
    if scale != 0 && float.is_finite() {
        return found(Type::Float32, Value::Float32(float));
    }
    if scale != 0 && double.is_finite() {
        return found(Type::Float64, Value::Float64(double));
    }
    SchemaAndValue::new(logical::decimal(scale), Value::Decimal(n))
}

/// A date, time or timestamp, known by its length.
fn temporal(token: &str) -> Option<SchemaAndValue> {
    static FORMATS: LazyLock<[Option<SimpleDateFormat>; 3]> = LazyLock::new(|| {
        ["yyyy-MM-dd", "HH:mm:ss.SSS'Z'", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"]
            .map(|p| SimpleDateFormat::new(p).ok())
    });
    let token = token.replace("\\:", ":");
    let (format, schema) = match token.encode_utf16().count() {
        10 => (&FORMATS[0], logical::date()),
        13 => (&FORMATS[1], logical::time()),
        24 => (&FORMATS[2], logical::timestamp()),
        _ => return None,
    };
    let millis = format.as_ref()?.parse(&token)?;
    Some(SchemaAndValue::new(schema, Value::Date(millis)))
}
