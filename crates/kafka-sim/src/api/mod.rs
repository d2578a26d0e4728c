//! Requests to answers, one file for each family.

pub(crate) mod cluster;
pub(crate) mod configs;
pub(crate) mod epochs;
pub(crate) mod fetch;
pub(crate) mod groups;
pub(crate) mod metadata;
pub(crate) mod offsets;
pub(crate) mod produce;
pub(crate) mod records;
pub(crate) mod sessions;
pub(crate) mod topics;
pub(crate) mod transactions;

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse, RequestKind, ResponseKind};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::Cluster;

/// Client and broker of a request.
pub(crate) struct Context {
    pub(crate) cluster: Cluster,
    /// The broker that is asked.
    pub(crate) broker: i32,
    pub(crate) client_id: String,
    /// Set when the connection must be closed without an answer.
    pub(crate) close: bool,
    /// The pause that the answer asks for, ms; the connection is not read meanwhile.
    muted_ms: AtomicI32,
}

impl Context {
    pub(crate) fn new(cluster: Cluster, broker: i32) -> Self {
        Self { cluster, broker, client_id: String::new(), close: false, muted_ms: AtomicI32::new(0) }
    }

    /// The error code that a test wants for a partition.
    pub(crate) fn injected(&self, api: ApiKey, topic: &str, partition: i32) -> Option<i16> {
        self.cluster.inner.faults.partition_error(self.broker, api, topic, partition)
    }

    /// The error code that a test wants for a request that names no partitions.
    pub(crate) fn injected_error(&self, api: ApiKey) -> Option<i16> {
        self.cluster.inner.faults.request_error(self.broker, api)
    }

    /// The pause that a test wants clients to make, ms.
    pub(crate) fn throttle_ms(&self, api: ApiKey) -> i32 {
        let pause = self.cluster.inner.faults.throttle_ms(self.broker, &self.client_id, api);
        self.muted_ms.fetch_max(pause, Ordering::Relaxed);
        pause
    }

    /// Time for which the connection is not to be read after this answer.
    pub(crate) fn take_pause(&self) -> Duration {
        Duration::from_millis(self.muted_ms.swap(0, Ordering::Relaxed).max(0) as u64)
    }
}

/// Kafka's number of an error.
pub(crate) fn code(error: ResponseError) -> i16 {
    error.code()
}

pub(crate) fn text(value: impl Into<String>) -> StrBytes {
    StrBytes::from_string(value.into())
}

/// Answers a request. `None`: it wants no answer, or the connection is to be closed.
pub(crate) async fn handle(
    context: &mut Context,
    request: RequestKind,
    version: i16,
) -> Option<ResponseKind> {
    use RequestKind as Q;
    use ResponseKind as A;
    let answer = match request {
        Q::ApiVersions(r) => A::ApiVersions(cluster::api_versions(context, &r, version)),
        Q::Metadata(r) => A::Metadata(metadata::metadata(context, r, version)),
        Q::DescribeCluster(r) => A::DescribeCluster(cluster::describe(context, &r)),
        Q::Produce(r) => return produce::produce(context, r, version).await.map(A::Produce),
        Q::Fetch(r) => A::Fetch(fetch::fetch(context, r, version).await),
        Q::ListOffsets(r) => A::ListOffsets(offsets::list(context, r, version)),
        Q::OffsetForLeaderEpoch(r) => A::OffsetForLeaderEpoch(epochs::end_offsets(context, r)),
        Q::DeleteRecords(r) => A::DeleteRecords(records::delete(context, r)),
        Q::DescribeProducers(r) => A::DescribeProducers(records::producers(context, r)),
        Q::CreateTopics(r) => A::CreateTopics(topics::create(context, r, version)),
        Q::DeleteTopics(r) => A::DeleteTopics(topics::delete(context, r, version)),
        Q::CreatePartitions(r) => A::CreatePartitions(topics::create_partitions(context, r)),
        other => return others(context, other, version).await,
    };
    Some(answer)
}

/// Settings, groups and transactions.
async fn others(context: &mut Context, request: RequestKind, version: i16) -> Option<ResponseKind> {
    match configs::handle(context, request) {
        Ok(answer) => Some(answer),
        Err(request) => match transactions::handle(context, *request, version).await {
            Ok(answer) => Some(answer),
            Err(request) => groups::handle(context, *request, version).await,
        },
    }
}

/// The answer to ApiVersions in a version that is not spoken: an error, with what is, in version 0.
pub(crate) fn unsupported_api_versions(context: &Context) -> ResponseKind {
    let all = cluster::offer(context);
    let own = all.api_keys.into_iter().filter(|api| api.api_key == ApiKey::ApiVersions as i16).collect();
    ResponseKind::ApiVersions(
        ApiVersionsResponse::default()
            .with_error_code(code(ResponseError::UnsupportedVersion))
            .with_api_keys(own),
    )
}
