//! Sending: each lane that has room gets requests with one batch of every partition that has one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::ProduceRequest;
use tokio::time::Instant;

use super::lane::LaneId;
use super::producer::{Outcome, Producer, Sent};
use super::request::{Part, encode};
use crate::batch::OutgoingBatch;
use crate::error::WireError;
use crate::frame::Connection;

/// Pause before a closed gate is looked at again.
const GATE_PAUSE: Duration = Duration::from_millis(100);

impl Producer {
    /// Sends what may be sent now, on every lane that has room, unless the gate is closed.
    pub(super) fn dispatch(&mut self) {
        let now = Instant::now();
        let open = self.gate.as_ref().is_none_or(|is_open| is_open());
        self.held_until = (!open).then_some(now + GATE_PAUSE);
        if !open {
            return;
        }
        let ids: Vec<LaneId> =
            self.lanes.iter().filter(|(_, l)| l.has_room(now)).map(|(id, _)| *id).collect();
        for id in ids {
            self.dispatch_lane(id, now);
        }
    }

    fn dispatch_lane(&mut self, id: LaneId, now: Instant) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let Some(connection) = lane.connection.clone().filter(|c| !c.is_closed()) else {
            // Answers of a connection that ended come first: they decide what is sent again.
            if lane.under_way == 0 {
                lane.connecting = true;
                let cluster = self.cluster.clone();
                self.operations
                    .push(Box::pin(async move { Outcome::Connected(id, cluster.open_broker(id.0).await) }));
            }
            return;
        };
        while let Some(lane) = self.lanes.get_mut(&id).filter(|lane| lane.has_room(now)) {
            let mut turn = std::mem::take(&mut lane.ready);
            let sent = self.send(id, &connection, &mut turn);
            if let Some(lane) = self.lanes.get_mut(&id) {
                // Those that did not fit come first next time, those served go behind them.
                turn.append(&mut lane.ready);
                lane.ready = turn;
                lane.under_way += usize::from(sent);
            }
            if !sent {
                return;
            }
        }
    }

    /// Sends one request with one batch of each partition in `turn` while it fits. False: there was nothing.
    fn send(&mut self, id: LaneId, connection: &Arc<Connection>, turn: &mut VecDeque<usize>) -> bool {
        let mut taken: Vec<(usize, OutgoingBatch, i32)> = Vec::with_capacity(turn.len());
        let mut bytes = 0;
        while let Some(index) = turn.pop_front() {
            let partition = &mut self.partitions[index];
            // Listed elsewhere since, or here a second time: that place counts.
            if partition.listed != Some(id) {
                continue;
            }
            partition.listed = None;
            if partition.lane != Some(id) {
                continue;
            }
            let Some(unit) = partition.take(self.settings.merge) else { continue };
            bytes += unit.batch.size();
            taken.push((index, unit.batch.clone(), unit.sequence));
            if bytes >= self.settings.max_request_bytes {
                break;
            }
        }
        if taken.is_empty() {
            return false;
        }
        taken.iter().for_each(|(index, ..)| self.list(*index));
        let result = self.transmit(connection, &mut taken);
        let sent: Vec<Sent> = taken.iter().map(|(index, _, sequence)| (*index, *sequence)).collect();
        self.operations.push(match result {
            Ok((version, pending)) => {
                let connection = connection.clone();
                Box::pin(async move {
                    let result = match pending.await {
                        Ok(mut body) => connection.decode::<ProduceRequest>(&mut body, version),
                        Err(error) => Err(error),
                    };
                    Outcome::Answered(id, sent, result)
                })
            }
            Err(error) => Box::pin(async move { Outcome::Answered(id, sent, Err(error)) }),
        });
        true
    }

    fn transmit(
        &self,
        connection: &Connection,
        taken: &mut [(usize, OutgoingBatch, i32)],
    ) -> Result<(i16, impl Future<Output = Result<Bytes, WireError>> + use<>), WireError> {
        let version = connection.versions().pick::<ProduceRequest>(connection.address())?;
        let name = |index: usize| (&*self.partitions[index].topic, self.partitions[index].number);
        taken.sort_unstable_by(|a, b| name(a.0).cmp(&name(b.0)));
        let parts = taken.iter().map(|(index, batch, sequence)| {
            let (topic, partition) = name(*index);
            let identity = self.partitions[*index].identity.or(self.identity);
            let (producer_id, producer_epoch) = identity.map_or((-1, -1), |i| (i.producer_id, i.epoch));
            Part { topic, partition, batch, producer_id, producer_epoch, sequence: *sequence }
        });
        let parts: Vec<Part<'_>> = parts.collect();
        let frame =
            encode(&parts, version, self.settings.timeout.as_millis() as i32).with_gate(self.gate.clone());
        Ok((version, connection.send::<ProduceRequest>(version, frame)))
    }
}
