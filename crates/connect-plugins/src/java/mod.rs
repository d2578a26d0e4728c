//! What Java's library does with regular expressions, dates and numbers in text, where users' settings and data depend
//! on it.

pub mod date_format;
pub mod numbers;
pub mod regex;
