//! What the executables share: the command line, logging, the progress line, and the life of a process.

pub mod cli;
pub mod connect;
mod console;
pub mod demo;
mod progress;
pub mod run;
mod summary;
