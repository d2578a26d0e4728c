//! Kafka on one stream: a frame in, its answer out, then the next, as a broker does it.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::ResponseKind;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tracing::{debug, trace};

use crate::api::{self, Context};
use crate::cluster::Cluster;
use crate::faults::Action;
use crate::protocol::{self, Incoming, MAX_FRAME, Malformed};

/// Why a stream is not read any further.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("{0}")]
    Closed(&'static str),
}

impl Cluster {
    /// Answers as `broker` on one stream until the peer closes it, a fault cuts it, the broker is killed, or
    /// what comes is no Kafka request.
    pub async fn serve<S: AsyncRead + AsyncWrite + Send + Unpin>(&self, broker: i32, mut stream: S) {
        let Some(mut killed) = self.with(|state| state.broker(broker).and_then(|b| b.killed())) else {
            return;
        };
        let end = tokio::select! {
            biased;
            _ = killed.changed() => End::Closed("the broker was killed"),
            end = self.converse(broker, &mut stream) => end,
        };
        debug!(broker, "connection closed: {end}");
    }

    async fn converse<S: AsyncRead + AsyncWrite + Send + Unpin>(&self, broker: i32, stream: &mut S) -> End {
        let release = self.with(|state| state.release);
        let mut context = Context::new(self.clone(), broker);
        loop {
            let step = async {
                let frame = read_frame(stream).await?;
                self.inner.faults.inbound(broker, frame.len()).await;
                let incoming = protocol::decode(release, frame)?;
                self.answer(&mut context, incoming, stream).await?;
                let pause = context.take_pause();
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                Ok(())
            };
            if let Err(end) = step.await {
                return end;
            }
        }
    }

    async fn answer<S: AsyncWrite + Unpin>(
        &self,
        context: &mut Context,
        incoming: Incoming,
        stream: &mut S,
    ) -> Result<(), End> {
        let Incoming { api, version, correlation_id, client_id, request } = incoming;
        trace!(broker = context.broker, client = client_id, "{api:?} v{version}");
        context.client_id = client_id;
        let interruption = match &request {
            Some(request) => {
                let name = |id| self.with(|state| state.topic_by_id(id).map(|(name, _)| name.clone()));
                let (broker, client) = (context.broker, &context.client_id);
                self.inner.faults.interrupt(broker, client, api, request, name)
            }
            None => None,
        };
        match interruption {
            Some(Action::Disconnect) => return Err(End::Closed("a fault before the request was applied")),
            Some(Action::Delay(pause)) => tokio::time::sleep(pause).await,
            _ => {}
        }
        let (version, response) = match request {
            Some(request) => (version, api::handle(context, request, version).await),
            None => (0, Some(api::unsupported_api_versions(context))),
        };
        // Produce without acknowledgement.
        let Some(response) = response else {
            return if context.close {
                Err(End::Closed("a produce request without acknowledgements failed"))
            } else {
                Ok(())
            };
        };
        self.send(context.broker, interruption, correlation_id, version, &response, stream).await
    }

    async fn send<S: AsyncWrite + Unpin>(
        &self,
        broker: i32,
        interruption: Option<Action>,
        correlation_id: i32,
        version: i16,
        response: &ResponseKind,
        stream: &mut S,
    ) -> Result<(), End> {
        let mut frame = protocol::encode(correlation_id, version, response)?;
        match interruption {
            Some(Action::Drop) => return Ok(()),
            Some(Action::ApplyThenDisconnect) => {
                return Err(End::Closed("a fault after the request was applied"));
            }
            Some(Action::Truncate(bytes)) => {
                frame.truncate(bytes.min(frame.len()));
                stream.write_all(&frame).await?;
                stream.flush().await?;
                return Err(End::Closed("a fault in the middle of an answer"));
            }
            _ => {}
        }
        self.inner.faults.outbound(broker, frame.len()).await;
        stream.write_all(&frame).await?;
        stream.flush().await?;
        Ok(())
    }
}

async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Bytes, End> {
    let length = stream.read_i32().await?;
    let valid = usize::try_from(length).ok().filter(|n| (8..=MAX_FRAME).contains(n));
    let length = valid.ok_or(Malformed::Length(i64::from(length)))?;
    // Memory follows what has come, not what was announced.
    let mut frame = BytesMut::with_capacity(length.min(1024 * 1024));
    while frame.len() < length {
        let missing = length - frame.len();
        if frame.capacity() == frame.len() {
            frame.reserve(missing.min(frame.len()));
        }
        let mut limited = (&mut *stream).take(missing as u64);
        if limited.read_buf(&mut frame).await? == 0 {
            return Err(End::Closed("the peer ended in the middle of a frame"));
        }
    }
    Ok(frame.freeze())
}
