//! Answers: what each brings for its partitions goes to the caller, or back to looking for a leader.

use std::time::Duration;

use kafka_protocol::messages::FetchResponse;
use kafka_protocol::messages::fetch_response::PartitionData;
use tokio::time::Instant;
use tracing::debug;

use super::answer::{Verdict, judge};
use super::fetcher::{Fetcher, PROBLEM_PAUSE};
use super::lane::LaneId;
use super::{FetchEvent, FetchProblem, News};
use crate::error::WireError;
use crate::error_code::{ErrorCode, code_name};

impl Fetcher {
    /// Takes note of what a lane's request brought.
    pub(super) fn answered(&mut self, id: LaneId, answer: FetchResponse) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.busy = false;
        if let Some(code) = ErrorCode::try_from_code(answer.error_code) {
            debug!("fetch session with broker {}: {}", id.0, code_name(code.code()));
            lane.session.reset();
            // The session is gone, out of step, or began without topic ids: a new one cures it at once.
            if !matches!(
                code,
                ErrorCode::FetchSessionIdNotFound
                    | ErrorCode::InvalidFetchSessionEpoch
                    | ErrorCode::FetchSessionTopicIdError
            ) {
                self.lane_failed(id, &WireError::broker(format!("fetch from broker {}", id.0), code));
            }
            return;
        }
        lane.healthy();
        if answer.throttle_time_ms > 0 {
            lane.not_before = Some(Instant::now() + Duration::from_millis(answer.throttle_time_ms as u64));
        }
        let asked = std::mem::take(&mut lane.session.sent);
        let mut served = Vec::new();
        for topic in answer.responses {
            let name = match topic.topic.as_str() {
                "" => self.by_id.get(&topic.topic_id).cloned().unwrap_or_default(),
                name => name.into(),
            };
            for data in topic.partitions {
                let key = self.by_name.get(&name).and_then(|n| n.get(&data.partition_index)).copied();
                let Some((key, ask)) = key.and_then(|key| Some((key, asked.get(&key)?))) else { continue };
                // An answer about an earlier topic of that name says nothing about this one.
                if !topic.topic_id.is_nil() && ask.topic_id != topic.topic_id {
                    continue;
                }
                if data.records.as_ref().is_some_and(|r| !r.is_empty()) {
                    served.push(key);
                }
                self.partition_answered(key, ask.offset, data);
            }
        }
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.session.sent = asked;
            lane.session.answered(answer.session_id, &served);
        }
    }

    fn partition_answered(&mut self, key: usize, asked_offset: i64, data: PartitionData) {
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        // Paused, stopped or sought elsewhere since the request was sent: this answer is about another
        // position.
        if partition.offset != asked_offset || partition.paused || partition.stopped {
            return;
        }
        let pointed = (data.error_code == 0).then_some(data.preferred_read_replica.0).filter(|id| *id >= 0);
        if pointed.is_some() || partition.near.is_some_and(|(_, until)| until <= Instant::now()) {
            let until = Instant::now() + self.cluster.settings().metadata_max_age;
            partition.near = pointed.map(|id| (id, until));
            self.leave_lane(key, Instant::now());
            return;
        }
        match judge(asked_offset, data) {
            // The replica may lag behind: let the leader say whether that is so.
            Verdict::Tell { news: News::Problem(FetchProblem::OutOfRange(_)), .. }
                if partition.near.take().is_some() =>
            {
                self.refresh(key);
            }
            Verdict::Tell { news, next } => {
                if let Some((offset, epoch)) = next {
                    partition.offset = offset;
                    partition.last_epoch = epoch;
                }
                match &news {
                    News::Problem(
                        problem @ (FetchProblem::NotAuthorized
                        | FetchProblem::Other { code: ErrorCode::UnknownServerError }),
                    ) => {
                        let known = partition.ailing.replace(problem.clone()).is_some();
                        self.leave_lane(key, Instant::now() + PROBLEM_PAUSE);
                        if known {
                            return;
                        }
                    }
                    News::Problem(_) => partition.stopped = true,
                    News::Data(_) | News::Recovered => self.answers_again(key),
                }
                self.ready.push(FetchEvent { key, news });
            }
            Verdict::Refresh(code) => {
                debug!(
                    "{}-{}: {}, looking for the leader",
                    partition.topic,
                    partition.number,
                    code_name(code.code())
                );
                self.away(key, &code_name(code.code()));
                self.refresh(key);
            }
            Verdict::CheckTopicId => self.refresh(key),
        }
    }

    fn refresh(&mut self, key: usize) {
        self.leave_lane(key, Instant::now() + self.cluster.settings().retry_backoff);
        if let Some(partition) = self.partitions.get_mut(&key) {
            partition.stale = true;
            partition.near = None;
        }
    }
}
