//! `connect.tools.TestSourceConnector`: numbered records, with the transactions that its settings want.
//!
//! Settings beside the common ones: `topic`; `throughput` (records a second, negative: no limit); `records.per.poll`;
//! `max.records` (of each task over all its runs; negative: no end); `exactly.once` (`supported`, `unsupported`, `unknown`:
//! what the connector says of itself); `boundaries` (`supported`, `unsupported`); `transaction.records` and
//! `transaction.abort.every` (with `transaction.boundary=connector`: how many records a transaction has, and that each
//! n-th is aborted).
//!
//! A record of task 2 is `key-2-17` → `value-2-17`; partition `{"task.id":"2"}`, offset `{"saved":17}`. Events: `start` (with
//! the number to begin with), `poll` (`first`, `last`), `commitRecord` (`seqno` and where it is, nulls if nowhere), `commit`,
//! `stop`.

use connect_api::config_def::ValidatedValue;
use connect_api::config_def::Validator;
use connect_api::data::Type as Kind;
use connect_api::helpers;
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Connector, ConnectorOffset, ConnectorPlugin,
    ConnectorTransactionBoundaries, ConnectorType, ExactlyOnceSupport, Importance, Record, RecordMetadata,
    Schema, SchemaAndValue, SourcePartition, SourceRecord, SourceTask, SourceTaskContext, Task,
    TransactionContext, Type, Value, async_trait,
};
use futures::future::BoxFuture;
use serde_json::Value as Json;

use super::connector::TestConnector;
use super::events::{Events, TASK_ID};
use super::fault::{Fault, common_definition};
use crate::connectors::tools::Throttle;

/// `connect.tools.TestSourceConnector`.
#[derive(Debug)]
pub struct TestSource;

fn definition() -> ConfigDef {
    let key = |name, kind, text| ConfigKey::new(name, kind, Importance::Low, text);
    let said = Validator::one_of(&["supported", "unsupported", "unknown"]);
    common_definition()
        .define(ConfigKey::new("topic", Type::String, Importance::High, "Topic to write to"))
        .define(key("throughput", Type::Long, "Records a second; negative: no limit").default(100i64))
        .define(key("records.per.poll", Type::Int, "Records of each poll").default(10))
        .define(key("max.records", Type::Long, "Records of each task; negative: no end").default(-1i64))
        .define(key("exactly.once", Type::String, "Its answer").default("supported").validator(said.clone()))
        .define(key("boundaries", Type::String, "Its answer").default("supported").validator(said))
        .define(key("transaction.records", Type::Int, "Records of a transaction").default(10))
        .define(key("transaction.abort.every", Type::Int, "Each n-th is aborted; 0: none").default(0))
}

#[async_trait]
impl ConnectorPlugin for TestSource {
    fn class(&self) -> &str {
        "connect.tools.TestSourceConnector"
    }

    fn task_class(&self) -> &str {
        "connect.tools.TestSourceTask"
    }

    fn kind(&self) -> ConnectorType {
        ConnectorType::Source
    }

    fn config_def(&self) -> ConfigDef {
        definition()
    }

    async fn validate(&self, config: &ConfigMap, values: &mut Vec<ValidatedValue>) {
        super::connector::validate(config, values);
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::<TestConnector>::default()
    }

    fn task(&self) -> Task {
        Task::Source(Box::<TestSourceTask>::default())
    }

    async fn exactly_once_support(&self, config: &ConfigMap) -> Option<ExactlyOnceSupport> {
        // An answer is wanted, not an error: of the faults only those that take time or panic make sense.
        let _ = Fault::of(config).map(|fault| fault.strike_now("exactlyOnceSupport"));
        match config.get("exactly.once").map_or("supported", String::as_str) {
            "supported" => Some(ExactlyOnceSupport::Supported),
            "unsupported" => Some(ExactlyOnceSupport::Unsupported),
            _ => None,
        }
    }

    async fn can_define_transaction_boundaries(&self, config: &ConfigMap) -> ConnectorTransactionBoundaries {
        match config.get("boundaries").map_or("supported", String::as_str) {
            "supported" => ConnectorTransactionBoundaries::Supported,
            _ => ConnectorTransactionBoundaries::Unsupported,
        }
    }

    async fn alter_offsets(
        &self,
        config: &ConfigMap,
        offsets: &[ConnectorOffset],
    ) -> Result<bool, ConnectError> {
        super::connector::alter_offsets(config, offsets).await
    }
}

/// `connect.tools.TestSourceTask`.
#[derive(Debug, Default)]
pub struct TestSourceTask {
    events: Events,
    fault: Fault,
    id: String,
    topic: String,
    per_poll: i64,
    /// `None`: no end.
    max: Option<i64>,
    next: i64,
    sent: u64,
    throttle: Option<Throttle>,
    transactions: Option<Transactions>,
}

/// Ends of transactions.
#[derive(Debug)]
struct Transactions {
    context: TransactionContext,
    records: i64,
    abort_every: i64,
    /// Records in the current one.
    open: i64,
    /// Those that ended.
    ended: i64,
}

impl Transactions {
    /// The record at `index` of the batch was added.
    fn record(&mut self, index: usize) {
        self.open += 1;
        if self.open < self.records {
            return;
        }
        self.open = 0;
        self.ended += 1;
        if self.abort_every > 0 && self.ended % self.abort_every == 0 {
            self.context.abort_transaction_after(index)
        } else {
            self.context.commit_transaction_after(index)
        }
    }
}

#[async_trait]
impl SourceTask for TestSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.events = Events::of(&config);
        self.fault = Fault::of(&config)?;
        self.fault.strike("start").await?;
        let parsed = definition().parse(&config)?;
        let integer = |key| parsed.integer(key).unwrap_or(0);
        self.id = config.get(TASK_ID).cloned().unwrap_or_default();
        self.topic = parsed.str("topic").unwrap_or_default().to_owned();
        self.per_poll = integer("records.per.poll").max(1);
        self.max = Some(integer("max.records")).filter(|max| *max >= 0);
        self.throttle = Some(Throttle::new(integer("throughput")));
        let (records, abort_every) = (integer("transaction.records"), integer("transaction.abort.every"));
        self.transactions = context.transaction.clone().map(|context| Transactions {
            context,
            records,
            abort_every,
            open: 0,
            ended: 0,
        });
        let committed = helpers::committed_offset(&context, &self.partition()).await?;
        let saved = committed.and_then(|offset| offset.get("saved").and_then(Json::as_i64));
        self.next = saved.map_or(0, |saved| saved + 1);
        self.events.write("start", [("next", self.next.into())]);
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, ConnectError> {
        self.fault.strike("poll").await?;
        let end = self.max.unwrap_or(i64::MAX).min(self.next.saturating_add(self.per_poll));
        if end <= self.next {
            std::future::pending::<()>().await;
        }
        if let Some(throttle) = &self.throttle {
            throttle.wait(self.sent).await;
        }
        let records: Vec<SourceRecord> = (self.next..end).map(|seqno| self.record(seqno)).collect();
        if let Some(transactions) = &mut self.transactions {
            (0..records.len()).for_each(|index| transactions.record(index));
        }
        self.events.write("poll", [("first", self.next.into()), ("last", (end - 1).into())]);
        self.next = end;
        self.sent += records.len() as u64;
        self.fault.handled(records.len());
        Ok(records)
    }

    fn commit_record(&mut self, record: &SourceRecord, metadata: Option<&RecordMetadata>) {
        let seqno = record.source_offset.as_ref().and_then(|offset| offset.get("saved").cloned());
        self.events.write(
            "commitRecord",
            [
                ("seqno", seqno.into()),
                ("topic", metadata.map(|at| at.topic.clone()).into()),
                ("partition", metadata.map(|at| at.partition).into()),
                ("offset", metadata.map(|at| at.offset).into()),
            ],
        );
        if let Err(error) = self.fault.strike_now("commitRecord") {
            tracing::warn!(%error, "commitRecord has no way to fail but a panic");
        }
    }

    fn commit(&mut self) -> BoxFuture<'static, Result<(), ConnectError>> {
        self.events.write("commit", []);
        let mut fault = self.fault.clone();
        Box::pin(async move { fault.strike("commit").await })
    }

    async fn stop(&mut self) {
        self.events.write("stop", []);
        if let Err(error) = self.fault.strike("stop").await {
            tracing::warn!(%error, "stop has no way to fail but a panic");
        }
    }
}

impl TestSourceTask {
    fn partition(&self) -> SourcePartition {
        SourcePartition(helpers::fields([(TASK_ID, self.id.clone().into())]))
    }

    fn record(&self, seqno: i64) -> SourceRecord {
        let text = |what: &str| {
            let text = Value::String(format!("{what}-{}-{seqno}", self.id));
            SchemaAndValue::new(Schema::of(Kind::String), text)
        };
        SourceRecord {
            record: Record::new(self.topic.clone(), text("key"), text("value")),
            source_partition: Some(self.partition()),
            source_offset: Some(helpers::fields([("saved", seqno.into())])),
        }
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
