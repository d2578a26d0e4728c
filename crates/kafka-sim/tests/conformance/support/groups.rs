//! Coordinators, and members of classic groups.

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    FindCoordinatorRequest, GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, SyncGroupRequest,
};

use super::{Client, T, code, text};

/// Errors that pass: the coordinator is loading or not there yet.
const PASSING: [i16; 3] = [14, 15, 16];

/// A member of a group, on a connection of its own.
pub(crate) struct Member {
    pub(crate) client: Client,
    pub(crate) group: String,
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) generation: i32,
    pub(crate) kind: String,
    /// Name and metadata.
    pub(crate) protocols: Vec<(String, Bytes)>,
    pub(crate) session: i32,
    pub(crate) rebalance: i32,
}

impl Member {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn join_request(&self) -> JoinGroupRequest {
        let protocol = |(name, metadata): &(String, Bytes)| {
            JoinGroupRequestProtocol::default().with_name(text(name)).with_metadata(metadata.clone())
        };
        JoinGroupRequest::default()
            .with_group_id(GroupId(text(&self.group)))
            .with_session_timeout_ms(self.session)
            .with_rebalance_timeout_ms(self.rebalance)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text))
            .with_protocol_type(text(&self.kind))
            .with_protocols(self.protocols.iter().map(protocol).collect())
    }

    /// Joins, and waits for the answer.
    pub(crate) fn join(&mut self) -> JoinGroupResponse {
        self.start_join();
        self.joined()
    }

    pub(crate) fn start_join(&mut self) {
        let request = self.join_request();
        self.client.send(9, &request);
    }

    /// The answer to [`Self::start_join`]; the member is what it says.
    pub(crate) fn joined(&mut self) -> JoinGroupResponse {
        let answer = self.client.receive::<JoinGroupRequest>(9);
        if answer.error_code == 0 || answer.error_code == 79 {
            self.id = answer.member_id.to_string();
        }
        if answer.error_code == 0 {
            self.generation = answer.generation_id;
        }
        answer
    }

    /// Joins as a client does: once for an id, once with it.
    pub(crate) fn join_fully(&mut self) -> JoinGroupResponse {
        let answer = self.join();
        if answer.error_code == 79 { self.join() } else { answer }
    }

    pub(crate) fn start_sync(&mut self, assignments: &[(&str, &str)]) {
        let assignment = |(member, assignment): &(&str, &str)| {
            SyncGroupRequestAssignment::default()
                .with_member_id(text(member))
                .with_assignment(Bytes::copy_from_slice(assignment.as_bytes()))
        };
        let request = SyncGroupRequest::default()
            .with_group_id(GroupId(text(&self.group)))
            .with_generation_id(self.generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text))
            .with_protocol_type(Some(text(&self.kind)))
            .with_protocol_name(Some(text(&self.protocols[0].0)))
            .with_assignments(assignments.iter().map(assignment).collect());
        self.client.send(5, &request);
    }

    pub(crate) fn synced(&mut self) -> String {
        let answer = self.client.receive::<SyncGroupRequest>(5);
        format!("{} {:?}", code(answer.error_code), String::from_utf8_lossy(&answer.assignment))
    }

    pub(crate) fn sync(&mut self, assignments: &[(&str, &str)]) -> String {
        self.start_sync(assignments);
        self.synced()
    }

    /// Assigns to itself, as the only member does.
    pub(crate) fn sync_alone(&mut self, assignment: &str) -> String {
        let id = self.id.clone();
        self.sync(&[(&id, assignment)])
    }

    pub(crate) fn heartbeat(&mut self) -> String {
        let request = HeartbeatRequest::default()
            .with_group_id(GroupId(text(&self.group)))
            .with_generation_id(self.generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text));
        code(self.client.call(4, &request).error_code)
    }

    /// Its own and its member's code.
    pub(crate) fn leave(&mut self) -> String {
        let identity = MemberIdentity::default()
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text));
        let request = LeaveGroupRequest::default()
            .with_group_id(GroupId(text(&self.group)))
            .with_members(vec![identity]);
        let answer = self.client.call(5, &request);
        let members: Vec<String> = answer.members.iter().map(|m| code(m.error_code)).collect();
        format!("{} [{}]", code(answer.error_code), members.join(", "))
    }
}

impl T<'_> {
    /// Waits until a group (0) or a transactional id (1) has a coordinator: the first of either kind makes the broker
    /// create a topic.
    pub(crate) fn coordinator(&mut self, kind: i8, key: &str) {
        let request =
            FindCoordinatorRequest::default().with_key_type(kind).with_coordinator_keys(vec![text(key)]);
        self.until("a coordinator", |t| {
            let answer = t.client.call(4, &request);
            (answer.coordinators[0].error_code == 0).then_some(())
        });
    }

    /// The name of a group whose coordinator answers.
    pub(crate) fn group(&mut self, name: &str) -> String {
        let group = self.unique(name);
        self.coordinator(0, &group);
        let request = HeartbeatRequest::default().with_group_id(GroupId(text(&group)));
        self.until("a loaded coordinator", |t| {
            let error = t.client.call(4, &request).error_code;
            (!PASSING.contains(&error)).then_some(())
        });
        group
    }

    /// Somebody who may join a group of any protocol type.
    pub(crate) fn member(&self, group: &str) -> Member {
        Member {
            client: self.connect(),
            group: group.to_owned(),
            id: String::new(),
            instance: None,
            generation: -1,
            kind: "choir".to_owned(),
            protocols: vec![("part".to_owned(), Bytes::from_static(b"alto"))],
            session: 30_000,
            rebalance: 30_000,
        }
    }
}
