//! Texts of values.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_api::data::Value;
use connect_api::data::java_string;
use java::{DateTime, MILLIS_PER_DAY};

/// The text of a value. Strings are quoted only inside of others.
pub(crate) fn to_text(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, false);
    out
}

fn write(out: &mut String, value: &Value, embedded: bool) {
    match value {
        Value::String(text) if embedded => quoted(out, &text.replace('\\', "\\\\").replace('"', "\\\"")),
        Value::Bytes(bytes) => match (embedded, STANDARD.encode(bytes)) {
            (true, text) => quoted(out, &text),
            (false, text) => out.push_str(&text),
        },
        Value::Array(items) => {
            joined(out, ['[', ']'], items.iter(), |out, item| write(out, item, true));
        }
        Value::Map(map) => joined(out, ['{', '}'], map.iter(), |out, (key, value)| {
            write(out, key, true);
            out.push(':');
            write(out, value, true);
        }),
        Value::Struct(data) => {
            let fields = data.schema.fields().iter().enumerate();
            joined(out, ['{', '}'], fields, |out, (index, field)| {
                write(out, &Value::from(field.name.as_str()), true);
                out.push(':');
                write(out, data.at(index), true);
            });
        }
        Value::Date(millis) => out.push_str(&date_text(*millis)),
        _ => out.push_str(&java_string(value)),
    }
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    out.push_str(text);
    out.push('"');
}

fn joined<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}

/// A date as a time if it is before 1970-01-02, else as a date if it is midnight, else with both.
pub(crate) fn date_text(millis: i64) -> String {
    let d = DateTime::from_millis(millis);
    let date = format!("{:04}-{:02}-{:02}", d.year_of_era(), d.month, d.day);
    let time = format!("{:02}:{:02}:{:02}.{:03}Z", d.hour, d.minute, d.second, d.milli);
    match millis {
        _ if millis < MILLIS_PER_DAY => time,
        _ if millis % MILLIS_PER_DAY == 0 => date,
        _ => format!("{date}T{time}"),
    }
}
