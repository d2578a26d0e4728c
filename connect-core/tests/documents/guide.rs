//! What `docs/WRITING_CONNECTORS.md` shows is what compiles and runs.

#[path = "../../../crates/connect-plugins/examples/folder_connectors/sink.rs"]
mod sink;
#[path = "../../../crates/connect-plugins/examples/folder_connectors/source.rs"]
mod source;

use std::sync::Arc;

use connect_core::plugins::Plugins;
use sink::FolderSink;
use source::FolderSource;

fn plugins() -> Plugins {
    Plugins::default()
        .with(connect_plugins::all())
        .with_connector(Arc::new(FolderSource))
        .with_connector(Arc::new(FolderSink))
}

#[test]
fn plugins_of_ones_own_are_found() {
    for name in ["com.example.FolderSourceConnector", "FolderSourceConnector", "FolderSource", "FolderSink"] {
        assert!(plugins().connector(name).is_ok(), "{name}");
    }
}

#[test]
fn the_guide_shows_the_code_as_it_is() {
    let guide = include_str!("../../../docs/WRITING_CONNECTORS.md");
    let sources = [
        include_str!("../../../crates/connect-plugins/examples/folder_connectors/source.rs"),
        include_str!("../../../crates/connect-plugins/examples/folder_connectors/sink.rs"),
        include_str!("../../../examples/own_worker.rs"),
    ];
    let blocks: Vec<&str> =
        guide.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), sources.len());
    for block in &blocks {
        assert!(sources.iter().any(|source| source.contains(block)), "not in the code:\n{block}");
    }
    for whole in &sources[..2] {
        assert!(blocks.contains(whole), "the guide shows only a part of\n{whole}");
    }
}
