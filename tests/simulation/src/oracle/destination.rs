//! What has arrived in a partition of the destination, read as Java's consumer reads: records below its position are
//! skipped, and the position follows the records and the batches' headers.

use std::collections::BTreeMap;

use kafka_sim::Cluster;

use super::origin::History;
use super::{Partition, Violation};
use crate::records::{Content, decode};

/// The arrivals of one partition.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    /// Position of the reader.
    position: i64,
    /// How often each record of the origin arrived, by index.
    times: BTreeMap<usize, u32>,
    newest: Option<usize>,
    /// Index of the last arrival from each producer.
    last: BTreeMap<(i64, i16), usize>,
    count: usize,
}

/// Where a record arrived, and who sent it.
struct Arrival<'a> {
    partition: &'a Partition,
    offset: i64,
    producer: (i64, i16),
}

impl Arrival<'_> {
    fn place(&self) -> String {
        format!("destination {}-{} at {}", self.partition.0, self.partition.1, self.offset)
    }
}

impl Delivered {
    /// Takes in what arrived since the last look.
    pub(super) fn look(
        &mut self,
        destination: &Cluster,
        partition: &Partition,
        history: &History,
        read_committed: bool,
    ) -> Result<(), Violation> {
        let (topic, number) = partition;
        let end = destination.offsets(topic, *number).map_or(0, |(_, _, end)| end);
        if end <= self.position {
            return Ok(());
        }
        for (batch, records) in decode(&destination.stored(topic, *number), self.position) {
            let producer = (batch.producer_id(), batch.producer_epoch());
            for (offset, content) in records {
                if offset >= self.position {
                    self.position = offset + 1;
                    let arrival = Arrival { partition, offset, producer };
                    self.arrived(&arrival, &content, history, read_committed)?;
                }
            }
            self.position = self.position.max(batch.next_offset());
        }
        Ok(())
    }

    fn arrived(
        &mut self,
        arrival: &Arrival<'_>,
        content: &Content,
        history: &History,
        read_committed: bool,
    ) -> Result<(), Violation> {
        let place = arrival.place();
        let Some(index) = history.find(content) else {
            return Err(match history.find_similar(content) {
                Some((offset, was)) => Violation::new(
                    "I3",
                    format!("{place}: {content:?}, but at the origin's {offset}: {was:?}"),
                ),
                None => Violation::new("I2", format!("{place}: {content:?} was never at the origin")),
            });
        };
        if read_committed && !history.is_committed(index) {
            let offset = history.offset(index);
            return Err(Violation::new(
                "I2",
                format!("{place}: the origin's {offset}, which is not committed"),
            ));
        }
        self.in_order(arrival, index, history)?;
        *self.times.entry(index).or_default() += 1;
        self.count += 1;
        self.newest = self.newest.max(Some(index));
        self.last.insert(arrival.producer, index);
        Ok(())
    }

    /// I4: a first occurrence comes behind all others. What one producer writes goes forward and leaves nothing out, so a
    /// duplicate is of a suffix that another producer sends again; the last request of one that was killed may come late.
    fn in_order(&self, arrival: &Arrival<'_>, index: usize, history: &History) -> Result<(), Violation> {
        let offset = history.offset(index);
        let wrong = |what: String| {
            Err(Violation::new("I4", format!("{}: the origin's {offset} {what}", arrival.place())))
        };
        if let Some(newest) = self.newest.filter(|newest| index < *newest && !self.has(index)) {
            return wrong(format!("comes behind {}", history.offset(newest)));
        }
        let Some(last) = self.last.get(&arrival.producer).copied() else { return Ok(()) };
        if index <= last {
            return wrong(format!("comes again after {} from the same producer", history.offset(last)));
        }
        // What cannot be read at the origin any more may be left out, what never arrived is missed elsewhere.
        let skipped = self.times.range(last + 1..index).find(|(skipped, _)| history.is_alive(**skipped));
        match skipped {
            Some((skipped, _)) => {
                wrong(format!("follows {} without {}", history.offset(last), history.offset(*skipped)))
            }
            None => Ok(()),
        }
    }

    /// True when the record arrived.
    pub(super) fn has(&self, index: usize) -> bool {
        self.times.contains_key(&index)
    }

    /// Arrivals.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Records that arrived more than once.
    pub(super) fn duplicates(&self) -> usize {
        self.times.values().filter(|times| **times > 1).count()
    }
}
