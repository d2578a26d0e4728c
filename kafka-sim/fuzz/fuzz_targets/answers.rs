//! kafka-wire's decoders of brokers' answers: the first byte of the input picks the message, the second the version.
//! Nothing may panic them or make them reserve more than the input justifies.

#![no_main]

use bytes::Bytes;
use kafka_protocol::messages as m;
use kafka_protocol::protocol::{Decodable, Message};
use kafka_wire::frame::decode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [which, version, body @ ..] = data else { return };
    let body = Bytes::copy_from_slice(body);
    let read = [
        one::<m::ApiVersionsResponse>,
        one::<m::MetadataResponse>,
        one::<m::FetchResponse>,
        one::<m::ProduceResponse>,
        one::<m::ListOffsetsResponse>,
        one::<m::OffsetForLeaderEpochResponse>,
        one::<m::FindCoordinatorResponse>,
        one::<m::OffsetFetchResponse>,
        one::<m::OffsetCommitResponse>,
        one::<m::InitProducerIdResponse>,
        one::<m::CreateTopicsResponse>,
        one::<m::CreatePartitionsResponse>,
        one::<m::DescribeConfigsResponse>,
        one::<m::IncrementalAlterConfigsResponse>,
        one::<m::SaslHandshakeResponse>,
        one::<m::SaslAuthenticateResponse>,
        one::<m::ResponseHeader>,
    ];
    read[usize::from(*which) % read.len()](body, *version);
});

fn one<T: Decodable + Message>(mut body: Bytes, version: u8) {
    let range = T::VERSIONS;
    let version = range.min + i16::from(version) % (range.max - range.min + 1);
    let _ = decode::<T>(&mut body, version);
}
