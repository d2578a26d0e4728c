//! Members of groups, looked at and removed as an admin does.

use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::{DescribeGroupsRequest, LeaveGroupRequest};

use super::topics::text;
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::error_code::ErrorCode;

/// A member as its coordinator knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMemberInfo {
    /// Id that the coordinator gave it.
    pub member_id: String,
    /// Client id that it named.
    pub client_id: String,
    /// Address that it came from, after a slash.
    pub client_host: String,
}

impl Cluster {
    /// The members of a group; none for a group that does not exist.
    pub async fn group_members(&self, group: &str) -> Result<Vec<GroupMemberInfo>, WireError> {
        let request = DescribeGroupsRequest::default().with_groups(vec![text(group).into()]);
        let answer = self.call_coordinator(group, request).await?;
        let Some(described) = answer.groups.into_iter().next() else { return Ok(Vec::new()) };
        if let Some(code) = ErrorCode::try_from_code(described.error_code) {
            self.forget_coordinator(group);
            return Err(WireError::broker(format!("members of group {group}"), code));
        }
        let info = |member: kafka_protocol::messages::describe_groups_response::DescribedGroupMember| {
            GroupMemberInfo {
                member_id: member.member_id.to_string(),
                client_id: member.client_id.to_string(),
                client_host: member.client_host.to_string(),
            }
        };
        Ok(described.members.into_iter().map(info).collect())
    }

    /// Removes a member, as if it had left. Needs brokers of 2.4 or newer.
    pub async fn remove_group_member(
        &self,
        group: &str,
        member_id: &str,
        reason: &str,
    ) -> Result<(), WireError> {
        let member = MemberIdentity::default().with_member_id(text(member_id));
        let version = self
            .any_versions()
            .await
            .map_or(3, |versions| versions.highest(kafka_protocol::messages::ApiKey::LeaveGroup));
        let member = if version >= 5 { member.with_reason(Some(text(reason))) } else { member };
        let request =
            LeaveGroupRequest::default().with_group_id(text(group).into()).with_members(vec![member]);
        let answer = self.call_coordinator(group, request).await?;
        let codes = std::iter::once(answer.error_code).chain(answer.members.iter().map(|m| m.error_code));
        match codes.into_iter().find_map(ErrorCode::try_from_code) {
            None => Ok(()),
            Some(code) => Err(WireError::broker(format!("remove a member of group {group}"), code)),
        }
    }
}
