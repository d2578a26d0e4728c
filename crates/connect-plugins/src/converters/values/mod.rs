//! Connect's `Values`: the text form of values that headers have, and back. Texts that are no literal are strings.
//! SimpleHeaderConverter, InsertHeader, Cast and MaskField use it.

mod convert;
mod merge;
mod parse;
mod print;
mod tokens;

pub(crate) use convert::{to_double, to_long};
pub(crate) use parse::parse_string;
pub(crate) use print::{date_text, to_text};
