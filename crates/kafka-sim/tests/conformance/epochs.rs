//! Leader epochs: fencing, divergence, and the ends of epochs. The topic in use had a leader of epoch 0 for offsets 0 and
//! 1, and another from there.

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, OffsetForLeaderEpochRequest};

use crate::support::{Ask, T, code, name, target};

const FENCED: &str = "74 FencedLeaderEpoch";
const UNKNOWN: &str = "75 UnknownLeaderEpoch";

/// Epochs relative to the present one, and what a request with them gets.
const CASES: [(&str, i32, &str); 4] =
    [("none", -1, "0"), ("the first", 0, FENCED), ("the present", 1, "0"), ("the next", 2, UNKNOWN)];

impl T<'_> {
    /// The present epoch of the topic that had two.
    fn present(&mut self) -> i32 {
        let epoch = self.metadata(target::ELECTED).partitions[0].leader_epoch;
        assert!(epoch > 0, "no election: {epoch}");
        epoch
    }
}

/// 0 and -1 stay, 1 is the present epoch, 2 the next.
fn real(epoch: i32, present: i32) -> i32 {
    if epoch < 1 { epoch } else { present + epoch - 1 }
}

fn relative(epoch: i32, present: i32) -> i32 {
    if epoch < present { epoch } else { epoch - present + 1 }
}

pub(crate) fn epochs_fence_fetches(t: &mut T<'_>) {
    let present = t.present();
    for (label, epoch, expected) in CASES {
        let ask = Ask::of(target::ELECTED, 0).with(|ask| ask.leader_epoch = real(epoch, present));
        let fetched = t.fetch_as(&ask);
        t.expect(format!("current epoch {label}"), fetched.code(), expected);
        let leaders: Vec<i32> =
            fetched.batches.iter().map(|s| relative(s.batch.leader_epoch, present)).collect();
        t.note(format!("current epoch {label}, epochs of the batches"), format!("{leaders:?}"));
        let leader = &fetched.partition.current_leader;
        let line = format!("{:?} {}", leader.leader_id.0, relative(leader.leader_epoch, present));
        t.note(format!("current epoch {label}, leader told"), line);
    }
    for (label, offset, epoch) in [
        ("at 2, last epoch the first", 2, 0),
        ("at 1, last epoch the first", 1, 0),
        ("at 3, last epoch the first", 3, 0),
        ("at 4, last epoch the present", 4, 1),
        ("at 4, last epoch the next", 4, 2),
    ] {
        let ask = Ask::of(target::ELECTED, offset).with(|ask| ask.last_epoch = real(epoch, present));
        let fetched = t.fetch_as(&ask);
        let diverging = &fetched.partition.diverging_epoch;
        let line = format!(
            "{} {} diverging {} end {}",
            fetched.code(),
            fetched.ranges(),
            relative(diverging.epoch, present),
            diverging.end_offset
        );
        t.note(label, line);
    }
}

pub(crate) fn epochs_fence_list_offsets(t: &mut T<'_>) {
    let present = t.present();
    for (label, epoch, expected) in CASES {
        for time in [-2, -1, 0] {
            let partition = ListOffsetsPartition::default()
                .with_current_leader_epoch(real(epoch, present))
                .with_timestamp(time);
            let topic =
                ListOffsetsTopic::default().with_name(name(target::ELECTED)).with_partitions(vec![partition]);
            let request =
                ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
            let answer = t.client.call(7, &request).topics.remove(0).partitions.remove(0);
            let label = format!("current epoch {label}, time {time}");
            t.expect(&label, code(answer.error_code), expected);
            let epoch = relative(answer.leader_epoch, present);
            t.note(format!("{label}, found"), format!("offset {} epoch {epoch}", answer.offset));
        }
    }
}

pub(crate) fn epochs_and_their_ends(t: &mut T<'_>) {
    let present = t.present();
    let ask = |t: &mut T<'_>, label: &str, topic: &str, partition: i32, current: i32, epoch: i32| {
        let partition = OffsetForLeaderPartition::default()
            .with_partition(partition)
            .with_current_leader_epoch(real(current, present))
            .with_leader_epoch(real(epoch, present));
        let topic = OffsetForLeaderTopic::default().with_topic(name(topic)).with_partitions(vec![partition]);
        let mut request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
        request.replica_id = BrokerId(-1);
        let answer = t.client.call(4, &request).topics.remove(0).partitions.remove(0);
        let epoch = relative(answer.leader_epoch, present);
        t.note(label, format!("{} epoch {epoch} end {}", code(answer.error_code), answer.end_offset));
    };
    for (label, epoch) in [("the first", 0), ("the present", 1), ("the next", 2), ("-1", -1)] {
        ask(t, &format!("end of {label}"), target::ELECTED, 0, -1, epoch);
    }
    for (label, epoch, _) in CASES {
        ask(t, &format!("current epoch {label}"), target::ELECTED, 0, epoch, 0);
    }
    ask(t, "unknown partition", target::ELECTED, 5, -1, 0);
    let fresh = t.topic("fresh");
    let unknown = t.unique("unknown");
    let fresh_end = |t: &mut T<'_>, label: &str, topic: &str, epoch: i32| {
        let partition =
            OffsetForLeaderPartition::default().with_current_leader_epoch(-1).with_leader_epoch(epoch);
        let topic = OffsetForLeaderTopic::default().with_topic(name(topic)).with_partitions(vec![partition]);
        let request =
            OffsetForLeaderEpochRequest::default().with_topics(vec![topic]).with_replica_id(BrokerId(-1));
        let answer = t.client.call(4, &request).topics.remove(0).partitions.remove(0);
        t.note(
            label,
            format!("{} epoch {} end {}", code(answer.error_code), answer.leader_epoch, answer.end_offset),
        );
    };
    fresh_end(t, "an empty log, epoch 0", &fresh, 0);
    fresh_end(t, "an empty log, epoch 1", &fresh, 1);
    t.put(&fresh, &crate::support::Batch::numbered(t.base, 3));
    fresh_end(t, "three records, epoch 0", &fresh, 0);
    fresh_end(t, "unknown topic", &unknown, 0);
}
