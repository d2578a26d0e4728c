//! The `replicator` executable.
fn main() {}
