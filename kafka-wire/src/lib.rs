//! Placeholder head.

pub mod batch;
