//! Kafka's connectors for tests of workers, `org.apache.kafka.connect.tools`: the verifiable pair says on standard output
//! what it did, one JSON object a line; the schema source makes structs; the mock pair fails when told to.

mod mock;
mod output;
mod schema_source;
mod throttle;
mod verifiable_sink;
mod verifiable_source;

pub use mock::{MockSink, MockSinkTask, MockSource, MockSourceTask};
pub use schema_source::{SchemaSource, SchemaSourceTask};
pub use verifiable_sink::{VerifiableSink, VerifiableSinkTask};
pub use verifiable_source::{VerifiableSource, VerifiableSourceTask};

pub(super) use output::{now, plain_json};
pub(super) use throttle::Throttle;

use connect_api::{ConfigMap, ConnectError, SourceOffset, SourcePartition, SourceTaskContext, helpers};

/// A number among the settings of a task, required; `task` is the class that wants it.
fn number<T: std::str::FromStr>(config: &ConfigMap, key: &str, task: &str) -> Result<T, ConnectError> {
    let text = config.get(key).map(String::as_str);
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        let given = text.map_or("nothing".to_owned(), |text| format!("'{text}'"));
        let cause = ConnectError::of(
            "java.lang.NumberFormatException",
            format!("the setting `{key}` needs a number, {given} was given"),
        );
        ConnectError::new(format!("Invalid {task} configuration")).caused_by(cause)
    })
}

fn flag(config: &ConfigMap, key: &str) -> bool {
    config.get(key).is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// The sources number their records: partition `{"id":task}`, offset `{"seqno":number}`.
fn partition(id: i32) -> SourcePartition {
    SourcePartition(helpers::fields([("id", id.into())]))
}

fn offset(seqno: i64) -> SourceOffset {
    helpers::fields([("seqno", seqno.into())])
}

/// The number after the last one committed.
async fn next_seqno(context: &SourceTaskContext, partition: &SourcePartition) -> Result<i64, ConnectError> {
    let Some(offset) = helpers::committed_offset(context, partition).await? else {
        return Ok(0);
    };
    let seqno = offset.get("seqno").and_then(serde_json::Value::as_i64);
    seqno
        .map(|seqno| seqno + 1)
        .ok_or_else(|| ConnectError::new("the committed offset has no number `seqno`"))
}
