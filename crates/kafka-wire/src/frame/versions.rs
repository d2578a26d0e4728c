//! Which version of each API to speak with a broker: the highest that the broker, the message structs and
//! this client's own code all know.

use std::collections::HashMap;

use kafka_protocol::messages::{ApiKey, ApiVersionsResponse};
use kafka_protocol::protocol::{Request, VersionRange};

use crate::error::WireError;

/// The versions that one broker offers.
#[derive(Debug, Clone, Default)]
pub struct Versions {
    offered: HashMap<i16, VersionRange>,
}

/// The highest version that this client's code was written for, where that is below what the structs have.
fn highest_used(key: i16) -> i16 {
    match ApiKey::try_from(key) {
        // v13 names topics by id alone; topics are addressed by name here.
        Ok(ApiKey::Produce) => 12,
        // v4 asks for several coordinators at once.
        Ok(ApiKey::FindCoordinator) => 3,
        // v8 asks for several groups at once.
        Ok(ApiKey::OffsetFetch) => 7,
        // v10 names topics by id.
        Ok(ApiKey::OffsetCommit) => 9,
        _ => i16::MAX,
    }
}

impl Versions {
    /// Reads a broker's answer to ApiVersions.
    pub fn from_response(response: &ApiVersionsResponse) -> Self {
        let offered = response
            .api_keys
            .iter()
            .map(|a| (a.api_key, VersionRange { min: a.min_version, max: a.max_version }))
            .collect();
        Self { offered }
    }

    /// The version to use for requests of type `R`.
    pub fn pick<R: Request>(&self, address: &str) -> Result<i16, WireError> {
        let ours = VersionRange { min: R::VERSIONS.min, max: R::VERSIONS.max.min(highest_used(R::KEY)) };
        let theirs = self.offered.get(&R::KEY);
        match theirs.map(|t| t.intersect(&ours)) {
            Some(common) if !common.is_empty() => Ok(common.max),
            _ => Err(WireError::Unsupported {
                address: address.to_owned(),
                api: api_name(R::KEY),
                offered: theirs.map_or("none".to_owned(), |t| t.to_string()),
                needed: ours.to_string(),
            }),
        }
    }

    /// The highest version of an API that the broker offers, -1 if none.
    pub fn highest(&self, key: ApiKey) -> i16 {
        self.offered.get(&(key as i16)).map_or(-1, |v| v.max)
    }
}

/// Kafka's name for an API key, for messages to people.
pub fn api_name(key: i16) -> &'static str {
    match ApiKey::try_from(key) {
        Ok(ApiKey::Produce) => "Produce",
        Ok(ApiKey::Fetch) => "Fetch",
        Ok(ApiKey::ListOffsets) => "ListOffsets",
        Ok(ApiKey::Metadata) => "Metadata",
        Ok(ApiKey::OffsetCommit) => "OffsetCommit",
        Ok(ApiKey::OffsetFetch) => "OffsetFetch",
        Ok(ApiKey::FindCoordinator) => "FindCoordinator",
        Ok(ApiKey::JoinGroup) => "JoinGroup",
        Ok(ApiKey::SyncGroup) => "SyncGroup",
        Ok(ApiKey::Heartbeat) => "Heartbeat",
        Ok(ApiKey::LeaveGroup) => "LeaveGroup",
        Ok(ApiKey::DescribeGroups) => "DescribeGroups",
        Ok(ApiKey::SaslHandshake) => "SaslHandshake",
        Ok(ApiKey::SaslAuthenticate) => "SaslAuthenticate",
        Ok(ApiKey::ApiVersions) => "ApiVersions",
        Ok(ApiKey::CreateTopics) => "CreateTopics",
        Ok(ApiKey::CreatePartitions) => "CreatePartitions",
        Ok(ApiKey::DescribeConfigs) => "DescribeConfigs",
        Ok(ApiKey::IncrementalAlterConfigs) => "IncrementalAlterConfigs",
        Ok(ApiKey::InitProducerId) => "InitProducerId",
        _ => "a request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::ProduceRequest;
    use kafka_protocol::messages::api_versions_response::ApiVersion;

    fn broker(key: ApiKey, min: i16, max: i16) -> Versions {
        let api = ApiVersion::default().with_api_key(key as i16).with_min_version(min).with_max_version(max);
        Versions::from_response(&ApiVersionsResponse::default().with_api_keys(vec![api]))
    }

    #[test]
    fn the_highest_common_version_is_used() {
        assert_eq!(broker(ApiKey::Produce, 0, 7).pick::<ProduceRequest>("b").ok(), Some(7));
        assert_eq!(broker(ApiKey::Produce, 0, 13).pick::<ProduceRequest>("b").ok(), Some(12));
    }

    #[test]
    fn nothing_in_common_names_both_ranges() {
        let error = broker(ApiKey::Produce, 0, 2).pick::<ProduceRequest>("b:1").err().map(|e| e.to_string());
        assert_eq!(error.as_deref(), Some("b:1 offers Produce in versions 0..2, this client needs 3..12"));
    }
}
