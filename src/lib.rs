//! The executables: their command lines, verbs, and the life of their processes.

mod cli;
pub mod connect;
mod demo;
mod process;
mod progress;
mod start;
mod summary;
pub mod verbs;
