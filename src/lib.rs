//! What the executables share: the command line, logging, the progress line, and the life of a process.

pub mod cli;
mod console;
pub mod demo;
mod progress;
pub mod run;
mod summary;
