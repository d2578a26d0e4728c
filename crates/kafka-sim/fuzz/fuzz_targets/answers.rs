//! kafka-wire's decoders of brokers' answers: the first byte of the input picks the message, the second the version.
//! Nothing may panic them or make them reserve more than the input justifies.

#![no_main]

use bytes::Bytes;
use kafka_protocol::messages as m;
use kafka_protocol::protocol::{Decodable, HeaderVersion, Message};
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
        header,
    ];
    read[usize::from(*which) % read.len()](body, *version);
});

fn one<T: Decodable + Message + HeaderVersion>(mut body: Bytes, version: u8) {
    let version = picked::<T>(version);
    let _ = decode::<T>(&mut body, version, T::header_version(version) >= 1);
}

fn header(mut body: Bytes, version: u8) {
    let version = picked::<m::ResponseHeader>(version);
    let _ = decode::<m::ResponseHeader>(&mut body, version, false);
}

fn picked<T: Message>(version: u8) -> i16 {
    let range = T::VERSIONS;
    range.min + i16::from(version) % (range.max - range.min + 1)
}
