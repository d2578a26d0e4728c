//! Which requests are spoken, in which versions, and frames to and from messages.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{self as m, ApiKey, RequestHeader, RequestKind, ResponseHeader, ResponseKind};
use kafka_protocol::protocol::HeaderVersion;
use kafka_protocol::protocol::{Encodable, VersionRange};
use kafka_wire::frame::decode as bounded;

/// Whose answers a cluster gives where Kafka's releases differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// Kafka 3.9, the last with ZooKeeper.
    V3_9,
    /// Kafka 4.3.
    V4_3,
}

/// Largest frame that is read, as `socket.request.max.bytes` has it by default.
pub(crate) const MAX_FRAME: usize = 100 * 1024 * 1024;

/// Versions that a release speaks; none where it does not have the API.
type Offer = Option<(i16, i16)>;

macro_rules! apis {
    ($($name:ident: $request:ty, $old:expr, $new:expr;)*) => {
        /// API, versions of 3.9, versions of 4.3. Versions that the message structs do not know are left out.
        const OFFERED: &[(ApiKey, Offer, Offer)] = &[$((ApiKey::$name, $old, $new),)*];

        fn decode_request(api: ApiKey, frame: &mut Bytes, version: i16) -> Result<RequestKind, String> {
            match api {
                $(ApiKey::$name => bounded::<$request>(frame, version, <$request as HeaderVersion>::header_version(version) >= 2).map(RequestKind::$name),)*
                _ => Err("there is no decoder for it".to_owned()),
            }
        }
    };
}

apis! {
    // 4.3 says 0, for old librdkafka looks at that, and closes the connection on anything below 3.
    Produce: m::ProduceRequest, Some((3, 11)), Some((0, 13));
    Fetch: m::FetchRequest, Some((4, 17)), Some((4, 18));
    ListOffsets: m::ListOffsetsRequest, Some((1, 9)), Some((1, 10));
    Metadata: m::MetadataRequest, Some((0, 12)), Some((0, 13));
    OffsetCommit: m::OffsetCommitRequest, Some((2, 9)), Some((2, 9));
    OffsetFetch: m::OffsetFetchRequest, Some((1, 9)), Some((1, 9));
    FindCoordinator: m::FindCoordinatorRequest, Some((0, 6)), Some((0, 6));
    JoinGroup: m::JoinGroupRequest, Some((0, 9)), Some((0, 9));
    Heartbeat: m::HeartbeatRequest, Some((0, 4)), Some((0, 4));
    LeaveGroup: m::LeaveGroupRequest, Some((0, 5)), Some((0, 5));
    SyncGroup: m::SyncGroupRequest, Some((0, 5)), Some((0, 5));
    DescribeGroups: m::DescribeGroupsRequest, Some((0, 5)), Some((0, 6));
    ListGroups: m::ListGroupsRequest, Some((0, 5)), Some((0, 5));
    ApiVersions: m::ApiVersionsRequest, Some((0, 4)), Some((0, 4));
    CreateTopics: m::CreateTopicsRequest, Some((2, 7)), Some((2, 7));
    DeleteTopics: m::DeleteTopicsRequest, Some((1, 6)), Some((1, 6));
    DeleteRecords: m::DeleteRecordsRequest, Some((0, 2)), Some((0, 2));
    InitProducerId: m::InitProducerIdRequest, Some((0, 5)), Some((0, 5));
    OffsetForLeaderEpoch: m::OffsetForLeaderEpochRequest, Some((2, 4)), Some((2, 4));
    AddPartitionsToTxn: m::AddPartitionsToTxnRequest, Some((0, 5)), Some((0, 5));
    AddOffsetsToTxn: m::AddOffsetsToTxnRequest, Some((0, 4)), Some((0, 4));
    EndTxn: m::EndTxnRequest, Some((0, 4)), Some((0, 5));
    TxnOffsetCommit: m::TxnOffsetCommitRequest, Some((0, 4)), Some((0, 5));
    DescribeConfigs: m::DescribeConfigsRequest, Some((1, 4)), Some((1, 4));
    AlterConfigs: m::AlterConfigsRequest, Some((0, 2)), Some((0, 2));
    CreatePartitions: m::CreatePartitionsRequest, Some((0, 3)), Some((0, 3));
    DeleteGroups: m::DeleteGroupsRequest, Some((0, 2)), Some((0, 2));
    IncrementalAlterConfigs: m::IncrementalAlterConfigsRequest, Some((0, 1)), Some((0, 1));
    OffsetDelete: m::OffsetDeleteRequest, Some((0, 0)), Some((0, 0));
    DescribeCluster: m::DescribeClusterRequest, Some((0, 1)), Some((0, 2));
    DescribeProducers: m::DescribeProducersRequest, Some((0, 0)), Some((0, 0));
    DescribeTransactions: m::DescribeTransactionsRequest, Some((0, 0)), Some((0, 0));
    ListTransactions: m::ListTransactionsRequest, Some((0, 1)), Some((0, 1));
}

/// All APIs of a release with their versions.
pub(crate) fn offered(release: Release) -> impl Iterator<Item = (ApiKey, VersionRange)> {
    OFFERED.iter().filter_map(move |(key, old, new)| {
        let range = match release {
            Release::V3_9 => old,
            Release::V4_3 => new,
        };
        range.map(|(min, max)| (*key, VersionRange { min, max }))
    })
}

/// A request as it came.
pub(crate) struct Incoming {
    pub(crate) api: ApiKey,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    pub(crate) client_id: String,
    /// `None`: ApiVersions in a version that is not spoken, which is answered in version 0.
    pub(crate) request: Option<RequestKind>,
}

/// Why a connection is closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a frame of {0} bytes; 8 to {MAX_FRAME} are taken")]
    Length(i64),
    #[error("API key {0} is not known")]
    Api(i16),
    #[error("{api:?} in version {version} is not spoken")]
    Version { api: ApiKey, version: i16 },
    #[error("a request that cannot be read: {0}")]
    Body(String),
    #[error("an answer that cannot be written: {0}")]
    Answer(String),
}

/// Reads one frame, its length already taken off.
pub(crate) fn decode(release: Release, mut frame: Bytes) -> Result<Incoming, Malformed> {
    if frame.len() < 8 {
        return Err(Malformed::Length(frame.len() as i64));
    }
    let key = i16::from_be_bytes([frame[0], frame[1]]);
    let version = i16::from_be_bytes([frame[2], frame[3]]);
    let correlation_id = i32::from_be_bytes([frame[4], frame[5], frame[6], frame[7]]);
    let api = ApiKey::try_from(key).map_err(|()| Malformed::Api(key))?;
    let range = offered(release).find(|(k, _)| *k == api).ok_or(Malformed::Api(key))?.1;
    if version < range.min || version > range.max {
        if api == ApiKey::ApiVersions {
            let client_id = String::new();
            return Ok(Incoming { api, version, correlation_id, client_id, request: None });
        }
        return Err(Malformed::Version { api, version });
    }
    let header_version = api.request_header_version(version);
    let header: RequestHeader = bounded(&mut frame, header_version, false).map_err(Malformed::Body)?;
    let request = decode_request(api, &mut frame, version).map_err(Malformed::Body)?;
    if frame.has_remaining() {
        return Err(Malformed::Body(format!("{} bytes follow the request", frame.remaining())));
    }
    let client_id = header.client_id.map(|id| id.to_string()).unwrap_or_default();
    Ok(Incoming { api, version, correlation_id, client_id, request: Some(request) })
}

/// Writes one frame, its length in front.
pub(crate) fn encode(
    correlation_id: i32,
    version: i16,
    response: &ResponseKind,
) -> Result<BytesMut, Malformed> {
    let failed = |error: &dyn std::fmt::Display| Malformed::Answer(error.to_string());
    let mut frame = BytesMut::with_capacity(256);
    frame.put_i32(0);
    let header = ResponseHeader::default().with_correlation_id(correlation_id);
    header.encode(&mut frame, response.header_version(version)).map_err(|e| failed(&e))?;
    response.encode(&mut frame, version).map_err(|e| failed(&e))?;
    let length = (frame.len() - 4) as i32;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}
