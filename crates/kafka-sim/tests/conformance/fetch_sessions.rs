//! Fetch sessions: what an incremental answer leaves out, and how a session ends.

use kafka_protocol::messages::FetchResponse;
use kafka_protocol::messages::fetch_request::ForgottenTopic;

use crate::support::{Ask, Batch, T, code, name};

impl T<'_> {
    /// Top-level error, whether there is a session, and what each partition holds.
    fn note_session(&mut self, label: &str, answer: &FetchResponse) {
        let mut line = code(answer.error_code);
        line += if answer.session_id == 0 { " no session" } else { " session" };
        for topic in &answer.responses {
            let known = topic.topic.to_string();
            let label = if known.is_empty() { "id".to_owned() } else { known };
            for p in &topic.partitions {
                let bytes = p.records.as_ref().map_or(0, |records| records.len());
                line += &format!(", {label}/{} {} {bytes}", p.partition_index, code(p.error_code));
            }
        }
        self.note(label, line);
    }
}

fn within(session: i32, epoch: i32, partitions: &[(String, i32, i64)]) -> Ask {
    Ask::of("", 0).with(|ask| (ask.session, ask.partitions) = ((session, epoch), partitions.to_vec()))
}

pub(crate) fn fetch_session_increments(t: &mut T<'_>) {
    let topic = t.topic_with("t", 3, &[]);
    t.put(&topic, &Batch::numbered(t.base, 1));
    let at = |partition: i32, offset: i64| (topic.clone(), partition, offset);
    let first = t.ask(&within(0, 0, &[at(0, 0), at(1, 0)]));
    t.note_session("opened", &first);
    let id = first.session_id;
    let answer = t.ask(&within(id, 1, &[]));
    t.note_session("nothing changed, position not advanced", &answer);
    let answer = t.ask(&within(id, 2, &[at(0, 1)]));
    t.note_session("position advanced to the end", &answer);
    let answer = t.ask(&within(id, 3, &[]));
    t.expect("idle answer, topics", answer.responses.len(), 0);
    t.note_session("idle", &answer);
    t.put(&topic, &Batch::numbered(t.base, 2));
    let answer = t.ask(&within(id, 4, &[]));
    t.note_session("after an append", &answer);
    let answer = t.ask(&within(id, 5, &[at(0, 3), at(2, 0)]));
    t.note_session("a partition added", &answer);
    let forget = vec![ForgottenTopic::default().with_topic(name(&topic)).with_partitions(vec![0])];
    let request = within(id, 6, &[]).request().with_forgotten_topics_data(forget);
    let answer = t.client.call(12, &request);
    t.note_session("a partition forgotten", &answer);
    t.put(&topic, &Batch::numbered(t.base, 2));
    let answer = t.ask(&within(id, 7, &[]));
    t.note_session("an append to the forgotten one", &answer);
    let answer = t.ask(&within(id, 8, &[at(1, 9)]));
    t.note_session("beyond the end", &answer);
    let answer = t.ask(&within(id, 9, &[]));
    t.note_session("the error comes again", &answer);
}

pub(crate) fn fetch_session_errors(t: &mut T<'_>) {
    let topic = t.topic("t");
    t.put(&topic, &Batch::numbered(t.base, 1));
    let all = [(topic.clone(), 0, 0)];
    let id = t.ask(&within(0, 0, &all)).session_id;
    let answer = t.ask(&within(id, 5, &[]));
    t.expect("wrong epoch, code", code(answer.error_code), "71 InvalidFetchSessionEpoch");
    t.note_session("wrong epoch", &answer);
    let answer = t.ask(&within(id, 1, &[]));
    t.note_session("the right epoch afterwards", &answer);
    let answer = t.ask(&within(id, 1, &[]));
    t.note_session("the same epoch again", &answer);
    let answer = t.ask(&within(id ^ 0x55, 1, &[]));
    t.expect("unknown id, code", code(answer.error_code), "70 FetchSessionIdNotFound");
    t.note_session("unknown id", &answer);
    let answer = t.ask(&within(0, 3, &all));
    t.note_session("id 0 with epoch 3", &answer);
    let answer = t.ask(&within(id, -1, &all));
    t.note_session("closed", &answer);
    let answer = t.ask(&within(id, 2, &[]));
    t.note_session("after it was closed", &answer);
    let answer = t.ask(&within(0, 0, &[]));
    t.note_session("opened without partitions", &answer);
    let id = t.ask(&within(0, 0, &all)).session_id;
    let answer = t.ask(&within(id, 0, &all));
    t.expect("opened anew, another id", answer.session_id != id, true);
    t.note_session("opened anew", &answer);
    let answer = t.ask(&within(id, 1, &[]));
    t.note_session("the old one", &answer);
    let unknown = t.unique("unknown");
    let answer = t.ask(&within(0, 0, &[(unknown, 0, 0)]));
    t.note_session("opened for an unknown topic", &answer);
    let answer = t.ask(&within(answer.session_id, 1, &[]));
    t.note_session("its next answer", &answer);
}

pub(crate) fn fetch_session_with_topic_ids(t: &mut T<'_>) {
    let topic = t.topic("t");
    t.put(&topic, &Batch::numbered(t.base, 1));
    let id = t.topic_id(&topic);
    let ask = |session: i32, epoch: i32, partitions: &[(String, i32, i64)]| {
        within(session, epoch, partitions).with(|ask| (ask.version, ask.id) = (15, id))
    };
    let answer = t.ask(&ask(0, 0, &[(topic.clone(), 0, 0)]));
    t.note_session("opened", &answer);
    let session = answer.session_id;
    let answer = t.ask(&ask(session, 1, &[(topic.clone(), 0, 1)]));
    t.note_session("advanced", &answer);
    let answer = t.ask(&ask(session, 2, &[]));
    t.note_session("idle", &answer);
    t.delete(&topic);
    let answer = t.until("the error of a deleted topic", |t| {
        let answer = t.ask(&ask(0, 0, &[(topic.clone(), 0, 1)]));
        let error = answer.responses.first().map(|topic| topic.partitions[0].error_code);
        (error == Some(100)).then_some(answer)
    });
    t.note_session("deleted, a new session", &answer);
    t.create(&topic, 1, &[]);
    let answer = t.ask(&ask(0, 0, &[(topic.clone(), 0, 1)]));
    t.note_session("re-created, the old id", &answer);
    let answer = t.ask(&within(session, 3, &[(topic, 0, 1)]));
    t.note_session("names in a session with ids", &answer);
}
