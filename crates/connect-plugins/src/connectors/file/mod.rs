//! Lines of a file as records, and values of records as lines of a file: the connectors that come with Kafka. Where they
//! behave better than Kafka's own, the module of the task says so.

mod lines;
mod sink;
mod source;

pub use sink::{FileStreamSink, FileStreamSinkTask};
pub use source::{FileStreamSource, FileStreamSourceTask};

/// Setting: name of the file; absent or empty: standard input or output.
const FILE: &str = "file";
