//! One transactional id: its producer, and the states its transactions pass through. The rules are those of
//! Kafka's `TransactionMetadata` and `TransactionCoordinator`; nothing here knows a request or a log.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;

/// The last epoch that a producer is given; the next belongs to another producer id.
const LAST_EPOCH: i16 = i16::MAX - 1;

/// A state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Empty,
    Ongoing,
    PrepareCommit,
    PrepareAbort,
    CompleteCommit,
    CompleteAbort,
}

impl Phase {
    /// As answers and filters write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Ongoing => "Ongoing",
            Self::PrepareCommit => "PrepareCommit",
            Self::PrepareAbort => "PrepareAbort",
            Self::CompleteCommit => "CompleteCommit",
            Self::CompleteAbort => "CompleteAbort",
        }
    }
}

/// Names of all states that Kafka has; the last two are never seen here.
pub(crate) const PHASES: [&str; 8] = [
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
];

/// A producer id with its epoch.
pub(crate) type Identity = (i64, i16);

/// Outcome of a request to initialise.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Initialised {
    Ready,
    /// A transaction is under way and has to be aborted first.
    Ongoing,
}

/// Outcome of a request to end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Markers are to be written.
    Begun,
    /// It had been ended this way before.
    Done,
}

/// A transactional id.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    /// The id that had it before, if its epochs were used up.
    previous_id: i64,
    /// The id that will have it when the transaction has ended, as the epochs of this one are used up.
    next_id: i64,
    /// The epoch before, if its producer was told of the present one; else -1.
    last_epoch: i16,
    pub(crate) timeout_ms: i32,
    pub(crate) phase: Phase,
    pub(crate) partitions: BTreeSet<(String, i32)>,
    /// -1: none has begun.
    pub(crate) started_ms: i64,
    /// When it is aborted for its age.
    pub(crate) due_ms: i64,
    pub(crate) coordinator: i32,
    /// Number of times that another broker has become coordinator.
    pub(crate) coordinator_epoch: i32,
}

impl Transaction {
    pub(crate) fn new(producer_id: i64, coordinator: i32) -> Self {
        Self {
            producer_id,
            epoch: -1,
            previous_id: -1,
            next_id: -1,
            last_epoch: -1,
            timeout_ms: 0,
            phase: Phase::Empty,
            partitions: BTreeSet::new(),
            started_ms: -1,
            due_ms: i64::MAX,
            coordinator,
            coordinator_epoch: 0,
        }
    }

    /// A producer begins, or begins anew and says as whom (`expected`). `fresh` gives a new producer id,
    /// where epochs are used up.
    pub(crate) fn initialise(
        &mut self,
        expected: Option<Identity>,
        timeout_ms: i32,
        fresh: &mut dyn FnMut() -> i64,
    ) -> Result<Initialised, ResponseError> {
        let own = |(id, epoch): Identity| {
            self.epoch == -1 || id == self.producer_id || (id == self.previous_id && epoch >= LAST_EPOCH)
        };
        if !expected.is_none_or(own) {
            return Err(ResponseError::ProducerFenced);
        }
        match self.phase {
            Phase::PrepareCommit | Phase::PrepareAbort => return Err(ResponseError::ConcurrentTransactions),
            Phase::Ongoing => return Ok(Initialised::Ongoing),
            Phase::Empty | Phase::CompleteCommit | Phase::CompleteAbort => {}
        }
        let expected = expected.map(|(_, epoch)| epoch);
        if self.epoch >= LAST_EPOCH && expected.is_none_or(|epoch| epoch == self.epoch) {
            self.last_epoch = if expected.is_some() { self.epoch } else { -1 };
            self.previous_id = std::mem::replace(&mut self.producer_id, fresh());
            self.epoch = 0;
        } else {
            self.bump(expected)?;
        }
        (self.phase, self.timeout_ms, self.started_ms) = (Phase::Empty, timeout_ms, -1);
        Ok(Initialised::Ready)
    }

    fn bump(&mut self, expected: Option<i16>) -> Result<(), ResponseError> {
        match expected {
            None => (self.last_epoch, self.epoch) = (-1, self.epoch + 1),
            Some(epoch) if self.epoch == -1 || epoch == self.epoch => {
                (self.last_epoch, self.epoch) = (self.epoch, self.epoch + 1);
            }
            // The same request again: it gets the same answer.
            Some(epoch) if epoch == self.last_epoch => {}
            Some(_) => return Err(ResponseError::ProducerFenced),
        }
        Ok(())
    }

    /// Whether a producer is the present one and may add to its transaction.
    pub(crate) fn check(&self, (id, epoch): Identity) -> Result<(), ResponseError> {
        if id != self.producer_id {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        if epoch != self.epoch {
            return Err(ResponseError::ProducerFenced);
        }
        match self.ending() {
            Some(_) => Err(ResponseError::ConcurrentTransactions),
            None => Ok(()),
        }
    }

    /// Whether a partition is part of the transaction under way.
    pub(crate) fn holds(&self, partition: &(String, i32)) -> bool {
        self.phase == Phase::Ongoing && self.partitions.contains(partition)
    }

    /// Takes partitions in, and begins if no transaction is under way. `due_ms`: when it will be too old if
    /// it begins now.
    pub(crate) fn add(&mut self, partitions: impl Iterator<Item = (String, i32)>, now: i64, due_ms: i64) {
        if self.phase != Phase::Ongoing {
            (self.phase, self.started_ms, self.due_ms) = (Phase::Ongoing, now, due_ms);
        }
        self.partitions.extend(partitions);
    }

    /// Its producer ends it the first way (`EndTxn` up to version 4): the epoch stays.
    pub(crate) fn end_first(&mut self, (id, epoch): Identity, commit: bool) -> Result<Ending, ResponseError> {
        if id != self.producer_id {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        if epoch != self.epoch {
            return Err(ResponseError::ProducerFenced);
        }
        match self.phase {
            Phase::Ongoing => {
                self.prepare(commit);
                Ok(Ending::Begun)
            }
            phase => ended(phase, commit),
        }
    }

    /// Its producer ends it the second way (`EndTxn` from version 5 on): the epoch rises with every end, so
    /// that nothing of one transaction is ever taken for part of the next.
    pub(crate) fn end_second(
        &mut self,
        (id, epoch): Identity,
        commit: bool,
        fresh: &mut dyn FnMut() -> i64,
    ) -> Result<Ending, ResponseError> {
        let overflowed = self.previous_id == id && epoch == LAST_EPOCH && self.epoch == 0;
        let again = overflowed || i32::from(self.epoch) == i32::from(epoch) + 1;
        if id != self.producer_id && !overflowed {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        if epoch != self.epoch && !again {
            return Err(ResponseError::ProducerFenced);
        }
        match self.phase {
            Phase::Ongoing => {}
            // An abort of nothing is taken, and still raises the epoch.
            Phase::Empty | Phase::CompleteCommit | Phase::CompleteAbort if !commit && !again => {}
            Phase::CompleteCommit | Phase::CompleteAbort if !again => {
                return Err(ResponseError::InvalidTxnState);
            }
            phase => return ended(phase, commit),
        }
        if self.epoch >= LAST_EPOCH {
            self.next_id = fresh();
        }
        self.last_epoch = self.epoch;
        self.epoch = self.epoch.saturating_add(1);
        self.prepare(commit);
        Ok(Ending::Begun)
    }

    /// The coordinator aborts it; its producer is fenced.
    pub(crate) fn fence(&mut self) {
        self.epoch = self.epoch.saturating_add(1);
        self.last_epoch = -1;
        self.prepare(false);
    }

    fn prepare(&mut self, commit: bool) {
        self.phase = if commit { Phase::PrepareCommit } else { Phase::PrepareAbort };
    }

    /// Whether it waits for its markers to be written, and whether they say commit.
    pub(crate) fn ending(&self) -> Option<bool> {
        match self.phase {
            Phase::PrepareCommit => Some(true),
            Phase::PrepareAbort => Some(false),
            _ => None,
        }
    }

    /// All markers are written.
    pub(crate) fn complete(&mut self) {
        let committed = self.phase == Phase::PrepareCommit;
        self.phase = if committed { Phase::CompleteCommit } else { Phase::CompleteAbort };
        self.partitions.clear();
        if self.next_id >= 0 {
            self.previous_id = std::mem::replace(&mut self.producer_id, self.next_id);
            (self.next_id, self.epoch) = (-1, 0);
        }
    }

    /// As whom its producer goes on.
    pub(crate) fn identity(&self) -> Identity {
        match self.next_id {
            -1 => (self.producer_id, self.epoch),
            next => (next, 0),
        }
    }
}

/// A request to end what is no longer under way.
fn ended(phase: Phase, commit: bool) -> Result<Ending, ResponseError> {
    match (phase, commit) {
        (Phase::CompleteCommit, true) | (Phase::CompleteAbort, false) => Ok(Ending::Done),
        (Phase::PrepareCommit, true) | (Phase::PrepareAbort, false) => {
            Err(ResponseError::ConcurrentTransactions)
        }
        _ => Err(ResponseError::InvalidTxnState),
    }
}
