//! Events, one JSON line each, appended to a file that several tasks and processes share.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use connect_api::{ConfigMap, helpers};
use serde_json::Value as Json;

use crate::connectors::tools::now;

/// Setting: the file.
pub(super) const EVENTS_FILE: &str = "events.file";
/// Setting that the connector gives its tasks: their number.
pub(super) const TASK_ID: &str = "task.id";

/// Writes the events of one connector or task.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    file: Option<PathBuf>,
    connector: String,
    task: Option<String>,
}

impl Events {
    pub(super) fn of(config: &ConfigMap) -> Self {
        Self {
            file: config.get(EVENTS_FILE).map(PathBuf::from),
            connector: config.get("name").cloned().unwrap_or_default(),
            task: config.get(TASK_ID).cloned(),
        }
    }

    /// Appends `{"event":…,"connector":…,"task":…,"pid":…,"time_ms":…,…}`; `task` is null for connectors.
    pub(super) fn write<const N: usize>(&self, event: &str, more: [(&str, Json); N]) {
        let Some(file) = &self.file else {
            return;
        };
        let mut line = helpers::fields([
            ("event", event.into()),
            ("connector", self.connector.clone().into()),
            ("task", self.task.as_ref().and_then(|task| task.parse::<u32>().ok()).into()),
            ("pid", std::process::id().into()),
            ("time_ms", now().into()),
        ]);
        line.extend(helpers::fields(more));
        let line = format!("{}\n", Json::Object(line));
        let opened = OpenOptions::new().create(true).append(true).open(file);
        // One write: lines of several processes do not mix.
        if let Err(error) = opened.and_then(|mut file| file.write_all(line.as_bytes())) {
            tracing::error!(%error, file = %file.display(), "cannot write an event; see the setting `events.file`");
        }
    }
}
