//! A source and a sink as `docs/WRITING_CONNECTORS.md` explains them, driven without a worker: copies the files of one
//! folder into another.
//!
//!     cargo run -p connect-plugins --example folder_connectors -- FROM TO

#![allow(clippy::print_stdout)]

mod sink;
mod source;

use connect_api::helpers::{self, MemoryOffsets};
use connect_api::{ConfigMap, ConnectError, ConnectorPlugin, SinkTaskContext, Task};

fn config(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ConnectError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        return Err(ConnectError::config("give two folders: FROM TO"));
    };
    let (Task::Source(mut source), Task::Sink(mut sink)) =
        (source::FolderSource.task(), sink::FolderSink.task())
    else {
        return Err(ConnectError::new("a source and a sink were expected"));
    };
    let offsets = MemoryOffsets::default();
    source.start(offsets.context(), config(&[("folders", from), ("topic", "files")])).await?;
    sink.start(SinkTaskContext::default(), config(&[("folder", to)])).await?;
    let mut offset = 0;
    // No further file for a while: done.
    let patience = std::time::Duration::from_millis(200);
    while let Ok(polled) = tokio::time::timeout(patience, source.poll()).await {
        for record in &polled? {
            sink.put(vec![helpers::sink_record("files", 0, offset, record.record.value.clone())]).await?;
            offsets.commit(record);
            offset += 1;
        }
        sink.flush(&Default::default()).await?;
    }
    source.stop().await;
    sink.stop().await;
    println!("{offset} files copied");
    Ok(())
}
