//! The two loops of a connection: one writes requests, one reads answers. Whichever ends, ends the
//! connection, and whoever waits on it is told why.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::ResponseHeader;
use kafka_protocol::protocol::Decodable;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

use super::outbound::{Outbound, SendGate};
use super::waiting::{Shared, Waiting};
use crate::transport::BoxStream;

/// The largest answer that is taken from a broker. Nothing that Kafka sends with sane settings comes near it;
/// it keeps a wrong port (an HTTP answer read as a length) from allocating gigabytes.
const MAX_RESPONSE: usize = 512 * 1024 * 1024;

/// Fails the connection when a loop ends in whatever way, its runtime's end included.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.fail("the thread that served it ended");
    }
}

/// Sends requests in their order until the connection ends.
pub(super) async fn write_loop(
    mut stream: WriteHalf<BoxStream>,
    mut requests: mpsc::UnboundedReceiver<(Outbound, Waiting)>,
    shared: Arc<Shared>,
) {
    let _ending = Ending(shared.clone());
    while let Some((mut frame, waiting)) = requests.recv().await {
        shared.waiting().push_back(waiting);
        if shared.is_closed() {
            shared.fail("it had ended before");
            return;
        }
        match send_frame(&mut stream, &mut frame).await {
            Ok(true) => {}
            // The broker forgets a request that it has only a part of.
            Ok(false) => return shared.fail("a request may not be sent to its end any more"),
            Err(error) => return shared.fail(&error.to_string()),
        }
    }
}

/// Sends a frame; false when its gate closed meanwhile.
async fn send_frame(stream: &mut WriteHalf<BoxStream>, frame: &mut Outbound) -> io::Result<bool> {
    let gate = frame.gate();
    while frame.has_remaining() {
        match while_open(gate.as_ref(), stream.write_buf(frame)).await.transpose()? {
            None => return Ok(false),
            Some(0) => return Err(io::Error::other("the broker closed it")),
            Some(_) => {}
        }
    }
    Ok(while_open(gate.as_ref(), stream.flush()).await.transpose()?.is_some())
}

/// Does `work` while `gate` is open, which is asked whenever it can go on: a process that was suspended finds
/// room on its connections when it wakes.
async fn while_open<F: Future>(gate: Option<&SendGate>, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let go_on = poll_fn(|cx| {
        if gate.is_none_or(|is_open| is_open()) {
            work.as_mut().poll(cx).map(Some)
        } else {
            Poll::Ready(None)
        }
    });
    go_on.await
}

/// Reads answers and hands each to the request it belongs to, until the connection ends.
pub(super) async fn read_loop(stream: ReadHalf<BoxStream>, shared: Arc<Shared>) {
    let _ending = Ending(shared.clone());
    let mut stream = BufReader::with_capacity(4 * 1024, stream);
    let reason = loop {
        match read_answer(&mut stream).await {
            Ok(frame) => {
                if let Err(reason) = deliver(&shared, frame) {
                    break reason;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                break "the broker closed it (a refusal of TLS or SASL looks like this too: security.protocol)"
                    .to_owned();
            }
            Err(error) => break error.to_string(),
        }
    };
    shared.fail(&reason);
}

async fn read_answer(stream: &mut BufReader<ReadHalf<BoxStream>>) -> io::Result<Bytes> {
    let length = stream.read_u32().await? as usize;
    // A TLS alert or handshake (0x15 or 0x16, then 0x03 for the version) reads as a length, too.
    let is_tls = matches!(length >> 16, 0x1503 | 0x1603);
    if is_tls || !(4..=MAX_RESPONSE).contains(&length) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "an answer of {length} bytes is not Kafka's; does this port speak TLS (security.protocol)?"
            ),
        ));
    }
    // Grown as bytes arrive beyond the first 8 MiB, so that a wrong length allocates no more than was sent.
    let mut frame = BytesMut::with_capacity(length.min(8 * 1024 * 1024));
    while frame.len() < length {
        let missing = length - frame.len();
        if stream.read_buf(&mut (&mut frame).limit(missing)).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(frame.freeze())
}

fn deliver(shared: &Shared, mut frame: Bytes) -> Result<(), String> {
    let Some(waiting) = shared.waiting().pop_front() else {
        return Err("an answer came that nothing was waiting for".to_owned());
    };
    let header = ResponseHeader::decode(&mut frame, waiting.header_version);
    match header {
        Ok(header) if header.correlation_id == waiting.correlation_id => {
            drop(waiting.reply.send(Ok(frame)));
            Ok(())
        }
        Ok(_) => Err(format!("the answer to {} has another request's correlation id", waiting.api)),
        Err(error) => Err(format!("the answer to {} has no readable header: {error}", waiting.api)),
    }
}
