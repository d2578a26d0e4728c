//! Fetch sessions (KIP-227): what a client wants to read, remembered between its requests.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::fetch_response::PartitionData;
use uuid::Uuid;

/// The epoch of a request outside of any session.
const FINAL_EPOCH: i32 = -1;
/// The epoch of a request that opens a session.
const INITIAL_EPOCH: i32 = 0;

/// A topic as the client names it: by name up to version 12, by id from 13 on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TopicKey {
    Name(String),
    Id(Uuid),
}

/// A partition that a client wants.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) topic: TopicKey,
    pub(crate) asked: FetchPartition,
    /// High watermark and log start as last told; `None`: never, or not without an error.
    told: Option<(i64, i64)>,
}

/// The sessions of a broker.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    last_id: i32,
    open: BTreeMap<i32, Session>,
}

#[derive(Debug)]
struct Session {
    next_epoch: i32,
    by_id: bool,
    partitions: Vec<Wanted>,
}

/// Subject of one request.
#[derive(Debug)]
pub(crate) struct Turn {
    /// 0: no session.
    pub(crate) session_id: i32,
    pub(crate) partitions: Vec<Wanted>,
    /// Only what is new is told.
    pub(crate) incremental: bool,
}

impl Sessions {
    /// Takes up a request. `slots`: how many sessions are kept.
    pub(crate) fn turn(
        &mut self,
        request: &FetchRequest,
        version: i16,
        slots: usize,
    ) -> Result<Turn, ResponseError> {
        let by_id = version >= 13;
        let (id, epoch) = (request.session_id, request.session_epoch);
        if version < 7 || epoch == FINAL_EPOCH || epoch == INITIAL_EPOCH {
            self.open.remove(&id);
            let partitions = wanted(request, by_id);
            let session_id = if version >= 7 && epoch == INITIAL_EPOCH && self.open.len() < slots {
                self.begin(by_id, partitions.clone())
            } else {
                0
            };
            return Ok(Turn { session_id, partitions, incremental: false });
        }
        let session = self.open.get_mut(&id).ok_or(ResponseError::FetchSessionIdNotFound)?;
        if session.next_epoch != epoch {
            return Err(ResponseError::InvalidFetchSessionEpoch);
        }
        if session.by_id != by_id {
            return Err(ResponseError::FetchSessionTopicIdError);
        }
        session.next_epoch = if epoch == i32::MAX { 1 } else { epoch + 1 };
        session.update(request);
        Ok(Turn { session_id: id, partitions: session.partitions.clone(), incremental: true })
    }

    fn begin(&mut self, by_id: bool, partitions: Vec<Wanted>) -> i32 {
        self.last_id += 1;
        self.open.insert(self.last_id, Session { next_epoch: 1, by_id, partitions });
        self.last_id
    }

    /// Remembers what is told; keeps of it what an incremental answer must have. Partitions with data go to
    /// the back, so that others come first next time.
    pub(crate) fn tell(
        &mut self,
        turn: &Turn,
        answers: Vec<PartitionData>,
    ) -> Vec<(TopicKey, PartitionData)> {
        let mut session = self.open.get_mut(&turn.session_id);
        let mut served = Vec::new();
        let mut out = Vec::new();
        for (wanted, answer) in turn.partitions.iter().zip(answers) {
            let key = (wanted.topic.clone(), wanted.asked.partition);
            let kept = session.as_mut().and_then(|s| s.find(&key));
            let has_data = answer.records.as_ref().is_some_and(|r| !r.is_empty());
            let news = (answer.high_watermark, answer.log_start_offset);
            let must = !turn.incremental
                || has_data
                || answer.error_code != 0
                || answer.preferred_read_replica.0 >= 0
                || answer.diverging_epoch.epoch >= 0
                || wanted.told != Some(news);
            if let Some(kept) = kept {
                kept.told = (answer.error_code == 0).then_some(news);
            }
            if has_data {
                served.push(key);
            }
            if must {
                out.push((wanted.topic.clone(), answer));
            }
        }
        if let Some(session) = session {
            let (back, front) = std::mem::take(&mut session.partitions)
                .into_iter()
                .partition::<Vec<_>, _>(|w| served.contains(&(w.topic.clone(), w.asked.partition)));
            session.partitions = front.into_iter().chain(back).collect();
        }
        out
    }
}

impl Session {
    fn find(&mut self, (topic, partition): &(TopicKey, i32)) -> Option<&mut Wanted> {
        self.partitions.iter_mut().find(|w| w.topic == *topic && w.asked.partition == *partition)
    }

    fn update(&mut self, request: &FetchRequest) {
        for forgotten in &request.forgotten_topics_data {
            let key = topic_key(&forgotten.topic, forgotten.topic_id, self.by_id);
            self.partitions.retain(|w| w.topic != key || !forgotten.partitions.contains(&w.asked.partition));
        }
        for new in wanted(request, self.by_id) {
            match self.find(&(new.topic.clone(), new.asked.partition)) {
                Some(known) => known.asked = new.asked,
                None => self.partitions.push(new),
            }
        }
    }
}

fn topic_key(name: &str, id: Uuid, by_id: bool) -> TopicKey {
    if by_id { TopicKey::Id(id) } else { TopicKey::Name(name.to_owned()) }
}

fn wanted(request: &FetchRequest, by_id: bool) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = Vec::new();
    for topic in &request.topics {
        let key = topic_key(&topic.topic, topic.topic_id, by_id);
        for asked in &topic.partitions {
            let new = Wanted { topic: key.clone(), asked: asked.clone(), told: None };
            // Of a partition that is named twice, the last counts.
            match all.iter_mut().find(|w| w.asked.partition == asked.partition && w.topic == key) {
                Some(known) => *known = new,
                None => all.push(new),
            }
        }
    }
    all
}
