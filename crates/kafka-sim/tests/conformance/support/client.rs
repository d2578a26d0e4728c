//! A raw TCP client: one connection, one request at a time, no retries, nothing shared with the code under test.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

/// Longer than any wait that a case asks a broker for.
const LIMIT: Duration = Duration::from_secs(15);

pub(crate) struct Client {
    stream: TcpStream,
    correlation: i32,
    id: String,
}

impl Client {
    pub(crate) fn connect(address: &str) -> Self {
        let stream =
            TcpStream::connect(address).unwrap_or_else(|e| panic!("cannot connect to {address}: {e}"));
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, correlation: 0, id: "conformance".to_owned() }
    }

    /// Another `client.id` from now on.
    pub(crate) fn named(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.send(version, request);
        self.receive::<R>(version)
    }

    /// Sends without waiting.
    pub(crate) fn send<R: Request>(&mut self, version: i16, request: &R) {
        let mut body = BytesMut::new();
        request.encode(&mut body, version).unwrap_or_else(|e| panic!("request {} v{version}: {e}", R::KEY));
        self.send_raw(R::KEY, version, R::header_version(version), &body);
    }

    pub(crate) fn send_raw(&mut self, key: i16, version: i16, header_version: i16, body: &[u8]) {
        self.correlation += 1;
        let header = RequestHeader::default()
            .with_request_api_key(key)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation)
            .with_client_id(Some(StrBytes::from_string(self.id.clone())));
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        header.encode(&mut frame, header_version).unwrap();
        frame.extend_from_slice(body);
        let length = frame.len() as i32 - 4;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.stream.write_all(&frame).unwrap();
    }

    /// The answer to the last [`Self::send`].
    pub(crate) fn receive<R: Request>(&mut self, version: i16) -> R::Response {
        let header = <R::Response as HeaderVersion>::header_version(version);
        let mut frame =
            self.receive_raw().unwrap_or_else(|| panic!("closed instead of answering {}", R::KEY));
        let header = ResponseHeader::decode(&mut frame, header).unwrap();
        assert_eq!(header.correlation_id, self.correlation, "correlation id");
        let response = R::Response::decode(&mut frame, version)
            .unwrap_or_else(|e| panic!("answer to {} v{version} cannot be read: {e}", R::KEY));
        assert_eq!(frame.remaining(), 0, "trailing bytes in the answer to {} v{version}", R::KEY);
        response
    }

    /// The next frame without its length, or `None` where the broker closed the connection.
    pub(crate) fn receive_raw(&mut self) -> Option<Bytes> {
        let mut length = [0; 4];
        if !self.fill(&mut length) {
            return None;
        }
        let mut frame = vec![0; i32::from_be_bytes(length) as usize];
        assert!(self.fill(&mut frame), "closed inside an answer");
        Some(Bytes::from(frame))
    }

    fn fill(&mut self, buffer: &mut [u8]) -> bool {
        match self.stream.read_exact(buffer) {
            Ok(()) => true,
            Err(e) if matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => false,
            Err(e) => panic!("no answer: {e}"),
        }
    }
}
