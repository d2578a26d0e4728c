//! Which topics are copied, and what they are called at the destination.

pub mod filter;
mod java_regex;
pub mod rename;
