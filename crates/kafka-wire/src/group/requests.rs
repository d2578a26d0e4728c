//! The requests of a member, in the form that the broker's version wants, and what their error codes mean.

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    FindCoordinatorRequest, HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::GroupSettings;
use super::state::Identity;
use crate::error_code::ErrorCode;

/// Longest reason that is sent (KIP-800).
const MAX_REASON: usize = 255;

/// Setting to look at when a broker refuses a member.
pub(super) fn hint(code: Option<ErrorCode>) -> &'static str {
    match code {
        Some(ErrorCode::InconsistentGroupProtocol) => {
            " (is the group used by consumers or by workers with another connect.protocol? See group.id)"
        }
        Some(ErrorCode::InvalidSessionTimeout) => {
            " (session.timeout.ms has to be between the broker's group.min.session.timeout.ms and \
             group.max.session.timeout.ms)"
        }
        Some(ErrorCode::GroupAuthorizationFailed) => " (the principal needs READ on the group: group.id)",
        Some(ErrorCode::GroupMaxSizeReached) => " (the broker's group.max.size)",
        _ => "",
    }
}

fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

fn reason(words: &str) -> StrBytes {
    let end = (0..=words.len().min(MAX_REASON)).rev().find(|end| words.is_char_boundary(*end));
    text(&words[..end.unwrap_or(0)])
}

fn millis(duration: std::time::Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

pub(super) fn find(settings: &GroupSettings) -> FindCoordinatorRequest {
    FindCoordinatorRequest::default().with_key(text(&settings.group_id))
}

pub(super) fn join(
    settings: &GroupSettings,
    member_id: &str,
    offers: Vec<(String, Bytes)>,
    why: &str,
) -> JoinGroupRequest {
    let protocol = |(name, metadata): (String, Bytes)| {
        JoinGroupRequestProtocol::default().with_name(StrBytes::from_string(name)).with_metadata(metadata)
    };
    JoinGroupRequest::default()
        .with_group_id(text(&settings.group_id).into())
        .with_session_timeout_ms(millis(settings.session_timeout))
        .with_rebalance_timeout_ms(millis(settings.rebalance_timeout))
        .with_member_id(text(member_id))
        .with_protocol_type(text(&settings.protocol_type))
        .with_protocols(offers.into_iter().map(protocol).collect())
        .with_reason(Some(reason(why)))
}

pub(super) fn sync(
    settings: &GroupSettings,
    identity: &Identity,
    protocol: &str,
    assignments: Vec<(String, Bytes)>,
) -> SyncGroupRequest {
    let one = |(member, assignment): (String, Bytes)| {
        let member = StrBytes::from_string(member);
        SyncGroupRequestAssignment::default().with_member_id(member).with_assignment(assignment)
    };
    SyncGroupRequest::default()
        .with_group_id(text(&settings.group_id).into())
        .with_generation_id(identity.generation)
        .with_member_id(text(&identity.member_id))
        .with_protocol_type(Some(text(&settings.protocol_type)))
        .with_protocol_name(Some(text(protocol)))
        .with_assignments(assignments.into_iter().map(one).collect())
}

pub(super) fn heartbeat(settings: &GroupSettings, identity: &Identity) -> HeartbeatRequest {
    HeartbeatRequest::default()
        .with_group_id(text(&settings.group_id).into())
        .with_generation_id(identity.generation)
        .with_member_id(text(&identity.member_id))
}

/// `version`: the one that will be used; before 3 a request is about one member.
pub(super) fn leave(settings: &GroupSettings, member_id: &str, why: &str, version: i16) -> LeaveGroupRequest {
    let request = LeaveGroupRequest::default().with_group_id(text(&settings.group_id).into());
    match version {
        ..3 => request.with_member_id(text(member_id)),
        _ => {
            let member =
                MemberIdentity::default().with_member_id(text(member_id)).with_reason(Some(reason(why)));
            request.with_members(vec![member])
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use kafka_protocol::protocol::Request;

    fn encodes<R: Request>(make: impl Fn(i16) -> R, from: i16) {
        for version in from..=R::VERSIONS.max {
            make(version).encode(&mut BytesMut::new(), version).unwrap();
        }
    }

    #[test]
    fn every_version_since_kafka_2_1_can_be_asked() {
        let settings = GroupSettings::new("g", "connect", "c");
        let identity = Identity { member_id: "m".to_owned(), generation: 3 };
        let given = || vec![("m".to_owned(), Bytes::from_static(b"x"))];
        encodes(|_| join(&settings, "m", given(), "because"), 3);
        encodes(|_| sync(&settings, &identity, "sessioned", given()), 2);
        encodes(|_| heartbeat(&settings, &identity), 2);
        encodes(|version| leave(&settings, "m", "because", version), 2);
    }

    #[test]
    fn reasons_are_cut_between_characters() {
        assert_eq!(reason("short").as_str(), "short");
        assert_eq!(reason(&"a".repeat(300)).len(), 255);
        assert_eq!(reason(&"ü".repeat(200)).len(), 254);
    }
}
