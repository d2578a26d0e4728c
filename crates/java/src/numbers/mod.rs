//! Numbers as texts and from texts.

mod parse;
mod text;

pub use parse::{low_bits, parse_big_decimal, parse_double, parse_float};
pub use text::{big_decimal_text, double_text, float_text};
