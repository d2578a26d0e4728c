//! What the executables share: their command lines.

pub mod cli;
