//! The task as the worker knows it. Its configuration tells it everything: its connector may run in another process.

use std::sync::Arc;

use async_trait::async_trait;
use connect_core::api::{
    BatchEvent, BatchTask, BatchWriter, ConfigMap, ConnectError, RawBatch, SourceTaskContext, Trouble,
};
use futures::future::BoxFuture;

use super::opening::open;
use super::running::Running;
use super::settings::produce_settings;
use crate::context::Contexts;

/// A task of the replicator. Everything happens between `start` and `stop`.
pub(crate) struct CopyTask {
    contexts: Arc<Contexts>,
    running: Option<Running>,
}

impl CopyTask {
    /// A task that is not started.
    pub(crate) fn new(contexts: Arc<Contexts>) -> Self {
        Self { contexts, running: None }
    }
}

#[async_trait]
impl BatchTask for CopyTask {
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.running = Some(open(&self.contexts, config, context.offsets).await?);
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<RawBatch>, ConnectError> {
        match &mut self.running {
            Some(running) => running.poll().await,
            None => Err(ConnectError::new("the task was polled before it was started")),
        }
    }

    fn batch_writer(&self) -> Result<Option<BatchWriter>, ConnectError> {
        let Some(running) = &self.running else { return Ok(None) };
        let destination = running.context.destination().map_err(ConnectError::new)?;
        Ok(Some(BatchWriter { destination, produce: produce_settings(&running.context.config) }))
    }

    fn told(&mut self, partition: usize, event: BatchEvent) {
        if let Some(running) = &mut self.running {
            running.told(partition, event);
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        self.running.as_ref()?.trouble()
    }

    fn commit(&mut self) -> BoxFuture<'static, Result<(), ConnectError>> {
        match &self.running {
            Some(running) if running.context.config.offsets.commit_to_origin => running.commit(),
            _ => Box::pin(async { Ok(()) }),
        }
    }

    fn paused(&mut self, paused: bool) {
        let partitions = self.running.iter().flat_map(|running| &running.partitions);
        partitions.for_each(|partition| partition.figures.set_paused(paused));
    }

    async fn stop(&mut self) {
        // Connections close when the fetcher is dropped.
        self.running = None;
    }
}
