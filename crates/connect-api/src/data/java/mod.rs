//! What Java does with numbers, hashes, dates and `toString`, as far as Connect lets it be seen in bytes that leave a
//! worker. Pure functions; converters, transformations and sinks call them.

mod calendar;
mod hash;
mod numbers;
mod strings;
mod utf8;

pub use calendar::{DateTime, MILLIS_PER_DAY};
pub use hash::{hash_code, hash_order, in_hash_order, string_hash};
pub use numbers::{big_decimal_text, double_text, float_text};
pub use strings::{class_name, java_string};
pub use utf8::{utf8_mistake, utf8_text};
