//! Transactions as clients of 3.9 make them: markers, aborted data, fencing, timeouts.

use std::time::{Duration, Instant};

use kafka_protocol::messages::FetchRequest;

use crate::support::batch::split;
use crate::support::topics::LATEST;
use crate::support::{Ask, Batch, Producer, T, code};

impl T<'_> {
    /// Adds the partition and appends `n` records; the base offset.
    fn transact(&mut self, producer: &Producer, topic: &str, sequence: i32, n: usize) -> i64 {
        let added = self.add_partition(producer, topic, 0);
        assert_eq!(added, "0", "adding {topic}");
        let answer = self.send(&producer.send(topic, &producer.batch(self.base, sequence, n)));
        assert_eq!(answer.0.error_code, 0, "{answer}");
        answer.base()
    }

    /// Ends a transaction and waits for its marker.
    fn finish(&mut self, producer: &Producer, topic: &str, commit: bool) {
        let end = self.end(topic);
        let ended = self.end_transaction(producer, commit);
        assert_eq!(ended, "0", "the end of a transaction");
        self.until("the marker", |t| (t.end(topic) > end).then_some(()));
    }

    /// What a reader of committed data gets: head, batches, aborted transactions.
    pub(crate) fn note_committed(&mut self, label: &str, topic: &str, offset: i64) {
        for (label, ask) in [
            (format!("{label}, committed"), Ask::of(topic, offset).committed()),
            (format!("{label}, uncommitted"), Ask::of(topic, offset)),
        ] {
            let fetched = self.fetch_as(&ask);
            let aborted = match &fetched.partition.aborted_transactions {
                None => "null".to_owned(),
                Some(list) => {
                    let mut each: Vec<String> = list
                        .iter()
                        .map(|a| format!("{} from {}", self.named(a.producer_id.0), a.first_offset))
                        .collect();
                    each.sort();
                    format!("[{}]", each.join(", "))
                }
            };
            self.note(label, format!("{} {} aborted {aborted}", fetched.head(), fetched.ranges()));
        }
    }
}

pub(crate) fn transaction_committed(t: &mut T<'_>) {
    let topic = t.topic("t");
    let own = t.transactional("P1");
    t.put(&topic, &Batch::numbered(t.base, 2));
    t.note_committed("before", &topic, 0);
    t.transact(&own, &topic, 0, 3);
    t.note_committed("open", &topic, 0);
    t.put(&topic, &Batch::numbered(t.base, 1));
    t.note_committed("open, and a plain batch", &topic, 0);
    for isolation in [0, 1] {
        let found = t.list_offset_as(7, isolation, &topic, 0, LATEST).offset;
        t.note(format!("latest offset, isolation {isolation}"), found);
    }
    let line = t.offset_line_as(7, 1, &topic, t.base + 2);
    t.note("offset of a time in the open transaction, isolation 1", line);
    t.finish(&own, &topic, true);
    t.note_committed("committed", &topic, 0);
    t.note_log("stored", &topic);
    let again = t.end_transaction(&own, true);
    t.expect("committed again", again, "0");
    let abort = t.end_transaction(&own, false);
    t.expect("aborted afterwards", abort, "48 InvalidTxnState");
    t.transact(&own, &topic, 3, 1);
    t.finish(&own, &topic, true);
    t.note_log("the second one", &topic);
}

pub(crate) fn transaction_aborted(t: &mut T<'_>) {
    let topic = t.topic("t");
    let (one, two) = (t.transactional("P1"), t.transactional("P2"));
    t.transact(&one, &topic, 0, 2);
    t.transact(&two, &topic, 0, 2);
    t.transact(&one, &topic, 2, 2);
    t.note_committed("both open", &topic, 0);
    t.finish(&two, &topic, false);
    t.note_committed("the second aborted", &topic, 0);
    t.finish(&one, &topic, false);
    t.note_committed("both aborted", &topic, 0);
    t.transact(&one, &topic, 4, 1);
    t.finish(&one, &topic, true);
    t.transact(&two, &topic, 2, 1);
    t.finish(&two, &topic, false);
    for offset in [0, 3, 6, 7, 8, 9, 11] {
        t.note_committed(&format!("from {offset}"), &topic, offset);
    }
    t.note_log("stored", &topic);
    let ask = Ask::of(&topic, 0).committed().with(|ask| ask.partition_max = 100);
    let fetched = t.fetch_as(&ask);
    let aborted = fetched.partition.aborted_transactions.as_ref().map_or(0, Vec::len);
    t.note("a small fetch", format!("{} aborted {aborted}", fetched.ranges()));
    let again = t.end_transaction(&two, false);
    t.expect("aborted again", again, "0");
}

pub(crate) fn transaction_errors(t: &mut T<'_>) {
    let topic = t.topic("t");
    let own = t.transactional("P1");
    let ended = t.end_transaction(&own, true);
    t.expect("commit of nothing", ended, "48 InvalidTxnState");
    let ended = t.end_transaction(&own, false);
    t.note("abort of nothing", ended);
    let unknown = Producer { transaction: t.unique("unknown"), id: own.id, epoch: own.epoch };
    t.coordinator(1, &unknown.transaction);
    let ended = t.end_transaction(&unknown, true);
    t.expect("unknown transactional id", ended, "49 InvalidProducerIdMapping");
    let added = t.add_partition(&unknown, &topic, 0);
    t.expect("add, unknown transactional id", added, "49 InvalidProducerIdMapping");
    let other = Producer { id: own.id + 7, ..own.clone() };
    let added = t.add_partition(&other, &topic, 0);
    t.expect("add, another producer id", added, "49 InvalidProducerIdMapping");
    let newer = Producer { epoch: own.epoch + 1, ..own.clone() };
    let added = t.add_partition(&newer, &topic, 0);
    t.note("add, a newer epoch", added);
    let ended = t.end_transaction(&newer, true);
    t.note("end, a newer epoch", ended);
    let missing = t.unique("missing");
    let added = t.add_partition(&own, &missing, 0);
    t.note("add, unknown topic", added);
    let added = t.add_partition(&own, &topic, 9);
    t.note("add, unknown partition", added);
    let added = t.add_partition(&own, &topic, 0);
    t.expect("add", added, "0");
    let added = t.add_partition(&own, &topic, 0);
    t.expect("add again", added, "0");
    let ended = t.end_transaction(&own, true);
    t.expect("commit without records", ended, "0");
    t.until("the marker", |t| (t.end(&topic) > 0).then_some(()));
    t.note_log("stored", &topic);
}

pub(crate) fn transaction_fencing(t: &mut T<'_>) {
    let topic = t.topic("t");
    let old = t.transactional("P1");
    t.transact(&old, &topic, 0, 2);
    let new = t.transactional_again(&old.transaction, "P1", 60_000);
    t.expect("the same producer id", new.id == old.id, true);
    t.note("epochs", format!("{} then {}", old.epoch, new.epoch));
    t.note_committed("the open one is aborted", &topic, 0);
    t.note_log("stored", &topic);
    let answer = t.send(&old.send(&topic, &old.batch(t.base, 2, 1)));
    t.note("the old one produces", answer);
    let added = t.add_partition(&old, &topic, 0);
    t.note("the old one adds a partition", added);
    let ended = t.end_transaction(&old, true);
    t.note("the old one commits", ended);
    let request = (old.id, old.epoch);
    let answer = t.init(Some(&old.transaction), 60_000, request);
    t.note("the old one asks for an epoch", code(answer.error_code));
    let answer = t.init(Some(&new.transaction), 60_000, (new.id, new.epoch));
    let line = format!("{} epoch {}", code(answer.error_code), answer.producer_epoch);
    t.note("the new one asks for an epoch", line);
    let answer = t.init(Some(&new.transaction), 60_000, (new.id + 5, new.epoch));
    t.note("another producer id asks for an epoch", code(answer.error_code));
    let latest = Producer { epoch: answer.producer_epoch.max(new.epoch + 1), ..new };
    t.transact(&latest, &topic, 0, 1);
    t.finish(&latest, &topic, true);
    let end = t.end(&topic);
    t.note("end", end);
}

pub(crate) fn transaction_timeout(t: &mut T<'_>) {
    let topic = t.topic("t");
    let transaction = t.unique("P1");
    let own = t.transactional_again(&transaction, "P1", 1000);
    t.transact(&own, &topic, 0, 2);
    t.note_committed("open", &topic, 0);
    let aborted = t.within(Duration::from_secs(15), |t| (t.end(&topic) == 3).then_some(()));
    t.expect("aborted in the end", aborted.is_some(), true);
    t.note_committed("timed out", &topic, 0);
    t.note_log("stored", &topic);
    let answer = t.send(&own.send(&topic, &own.batch(t.base, 2, 1)));
    t.note("the producer goes on", answer);
    let ended = t.end_transaction(&own, true);
    t.note("the producer commits", ended);
    let added = t.add_partition(&own, &topic, 0);
    t.note("the producer adds a partition", added);
    let new = t.transactional_again(&transaction, "P1", 60_000);
    t.note("epochs", format!("{} then {}", own.epoch, new.epoch));
    t.transact(&new, &topic, 0, 1);
    t.finish(&new, &topic, true);
    t.note_committed("after a new start", &topic, 0);
}

pub(crate) fn transaction_over_partitions(t: &mut T<'_>) {
    let (one, two) = (t.topic("one"), t.topic("two"));
    let own = t.transactional("P1");
    t.transact(&own, &one, 0, 2);
    t.transact(&own, &two, 0, 1);
    let ended = t.end_transaction(&own, true);
    t.expect("commit", ended, "0");
    t.until("both markers", |t| (t.end(&one) == 3 && t.end(&two) == 2).then_some(()));
    t.note_log("one", &one);
    t.note_log("two", &two);
    // A later transaction of one of them leaves the other alone.
    t.transact(&own, &two, 1, 1);
    t.finish(&own, &two, false);
    let ends = (t.end(&one), t.end(&two));
    t.note("ends", format!("{ends:?}"));
    t.note_committed("two", &two, 0);
}

pub(crate) fn transaction_holds_readers_back(t: &mut T<'_>) {
    let topic = t.topic("t");
    let own = t.transactional("P1");
    t.transact(&own, &topic, 0, 3);
    let ask = Ask::of(&topic, 0).committed().with(|ask| ask.wait = 600);
    let began = Instant::now();
    let fetched = t.fetch_as(&ask);
    let waited = began.elapsed() > Duration::from_millis(580);
    t.expect(
        "a reader of an open transaction waits",
        format!("{} {waited}", fetched.ranges()),
        "nothing true",
    );
    let mut reader = t.connect();
    let began = Instant::now();
    reader.send(12, &Ask::of(&topic, 0).committed().with(|ask| ask.wait = 12_000).request());
    std::thread::sleep(Duration::from_millis(100));
    t.finish(&own, &topic, true);
    let answer = reader.receive::<FetchRequest>(12);
    let early = began.elapsed() < Duration::from_secs(5);
    let (batches, _) = split(answer.responses[0].partitions[0].records.clone().unwrap_or_default());
    let last = batches.last().map_or(-1, |batch| batch.next_offset() - 1);
    t.expect("its end wakes the reader, up to", format!("{last} {early}"), "3 true");
}
