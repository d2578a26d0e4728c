//! Reading one partition's part of a fetch answer.

use kafka_protocol::messages::fetch_response::PartitionData;

use super::{FetchProblem, Fetched, News};
use crate::batch::{Entry, split};
use crate::error_code::ErrorCode;

/// Task that a partition's answer gives to the fetcher.
pub(super) enum Verdict {
    /// Tell the caller; data moves the position to `next`.
    Tell { news: News, next: Option<(i64, i32)> },
    /// The leader is elsewhere, or not ready: ask for metadata, then again.
    Refresh(ErrorCode),
    /// The topic's id is not what the broker has: look whether it was re-created.
    CheckTopicId,
}

fn refused(position: i64, code: ErrorCode) -> Verdict {
    use ErrorCode as E;
    let problem = match code {
        E::UnknownTopicId | E::InconsistentTopicId => return Verdict::CheckTopicId,
        E::UnknownTopicOrPartition
        | E::LeaderNotAvailable
        | E::NotLeaderOrFollower
        | E::BrokerNotAvailable
        | E::ReplicaNotAvailable
        | E::NetworkException
        | E::KafkaStorageError
        | E::ListenerNotFound
        | E::FencedLeaderEpoch
        | E::UnknownLeaderEpoch
        | E::OffsetNotAvailable => return Verdict::Refresh(code),
        E::OffsetOutOfRange => FetchProblem::OutOfRange(position),
        E::TopicAuthorizationFailed => FetchProblem::NotAuthorized,
        code => FetchProblem::Other { code },
    };
    Verdict::Tell { news: News::Problem(problem), next: None }
}

pub(super) fn judge(position: i64, data: PartitionData) -> Verdict {
    let problem = |problem| Verdict::Tell { news: News::Problem(problem), next: None };
    if let Some(code) = ErrorCode::try_from_code(data.error_code) {
        return refused(position, code);
    }
    if data.diverging_epoch.end_offset >= 0 {
        return problem(FetchProblem::Diverged {
            position,
            epoch: data.diverging_epoch.epoch,
            end_offset: data.diverging_epoch.end_offset,
        });
    }
    let mut entries = Vec::new();
    for entry in split(data.records.unwrap_or_default()) {
        match entry {
            // A broker may begin with a batch that ends before the position only if it is broken; never go
            // back.
            Ok(entry) if entry.next_offset() <= position => {}
            Ok(entry) => entries.push(entry),
            Err(error) if entries.is_empty() => return problem(FetchProblem::Unreadable(error)),
            // What is readable first; the rest is asked for again and then stands in front.
            Err(_) => break,
        }
    }
    let next = entries.last().map(|last| {
        let epoch = match last {
            Entry::Batch(batch) => batch.partition_leader_epoch(),
            Entry::Legacy(_) => -1,
        };
        (last.next_offset(), epoch)
    });
    let aborted = data.aborted_transactions.unwrap_or_default();
    let fetched = Fetched {
        entries,
        position,
        high_watermark: data.high_watermark,
        last_stable_offset: data.last_stable_offset,
        log_start_offset: data.log_start_offset,
        aborted: aborted.iter().map(|a| (a.producer_id.0, a.first_offset)).collect(),
    };
    Verdict::Tell { news: News::Data(fetched), next }
}
