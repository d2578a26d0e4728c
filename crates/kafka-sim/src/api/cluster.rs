//! ApiVersions and DescribeCluster.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, DescribeClusterRequest, DescribeClusterResponse,
};

use super::{Context, code, text};
use crate::protocol::{Release, offered};

/// Features of 4.3 that change what clients send: name and highest level.
const FEATURES: &[(&str, i16)] = &[("metadata.version", 27), ("transaction.version", 2)];

/// Rights of everybody on a cluster, as bits: all there is.
pub(super) const OPERATIONS: i32 = 8096;

/// Which requests are spoken; an error for a client whose name could not be used in metrics.
pub(super) fn api_versions(
    context: &Context,
    request: &ApiVersionsRequest,
    version: i16,
) -> ApiVersionsResponse {
    let named = [&request.client_software_name, &request.client_software_version];
    let refused = version >= 3 && !named.iter().all(|name| is_software_name(name));
    if refused {
        ApiVersionsResponse::default().with_error_code(code(ResponseError::InvalidRequest))
    } else {
        offer(context)
    }
}

/// Letters and digits, inside also dots and hyphens.
fn is_software_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    name.chars().all(|c| plain(c) || matches!(c, '.' | '-'))
        && name.starts_with(plain)
        && name.ends_with(plain)
}

/// Which requests are spoken.
pub(super) fn offer(context: &Context) -> ApiVersionsResponse {
    let release = context.cluster.with(|state| state.release);
    let api = |(key, range): (ApiKey, kafka_protocol::protocol::VersionRange)| {
        ApiVersion::default().with_api_key(key as i16).with_min_version(range.min).with_max_version(range.max)
    };
    let answer = ApiVersionsResponse::default()
        .with_api_keys(offered(release).map(api).collect())
        .with_throttle_time_ms(context.throttle_ms(ApiKey::ApiVersions));
    if release == Release::V3_9 {
        return answer;
    }
    let supported = |(name, level): &(&'static str, i16)| {
        let key = SupportedFeatureKey::default().with_name(text(*name));
        key.with_min_version(i16::from(*name == "metadata.version")).with_max_version(*level)
    };
    let finalized = |(name, level): &(&'static str, i16)| {
        let key = FinalizedFeatureKey::default().with_name(text(*name));
        key.with_min_version_level(*level).with_max_version_level(*level)
    };
    answer
        .with_supported_features(FEATURES.iter().map(supported).collect())
        .with_finalized_features_epoch(1)
        .with_finalized_features(FEATURES.iter().map(finalized).collect())
}

pub(super) fn describe(context: &Context, request: &DescribeClusterRequest) -> DescribeClusterResponse {
    // Brokers are 1, controllers 2.
    if request.endpoint_type != 1 {
        return DescribeClusterResponse::default()
            .with_error_code(code(ResponseError::MismatchedEndpointType))
            .with_error_message(Some(text("Only a controller can tell where controllers are")));
    }
    context.cluster.with(|state| {
        let broker = |(id, broker): (&i32, &crate::state::Broker)| {
            DescribeClusterBroker::default()
                .with_broker_id((*id).into())
                .with_host(text(&*broker.host))
                .with_port(i32::from(broker.port))
                .with_rack(broker.rack.as_deref().map(text))
        };
        let operations = if request.include_cluster_authorized_operations { OPERATIONS } else { i32::MIN };
        DescribeClusterResponse::default()
            .with_cluster_id(text(&*state.cluster_id))
            .with_controller_id(state.controller().into())
            .with_brokers(state.brokers.iter().filter(|(_, b)| b.up).map(broker).collect())
            .with_cluster_authorized_operations(operations)
    })
}
