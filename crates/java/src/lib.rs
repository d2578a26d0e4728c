//! Behaviour of Java's library with text, orders of maps, numbers, dates, regular expressions, properties files and serialized
//! maps, where it can be seen in settings, in answers or in bytes that leave a process. Pure functions, held to Java by
//! vectors; knows no other crate of this project.

pub mod calendar;
pub mod date_format;
pub mod json;
pub mod numbers;
pub mod order;
pub mod properties;
pub mod regex;
pub mod serialized_map;
pub mod utf8;

pub use calendar::{DateTime, MILLIS_PER_DAY};
