//! The group as the broker describes it, read with librdkafka and decoded here: what the members say of themselves and whom the
//! last round made leader.

use std::time::Duration;

use kafka_clusters::Cluster;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

/// A group at one moment.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) state: String,
    /// The protocol of the last round: `sessioned`, `compatible` or `default`.
    pub(crate) protocol: String,
    /// URL of the leader.
    pub(crate) leader: Option<String>,
    /// URLs of the members.
    pub(crate) members: Vec<String>,
}

impl View {
    pub(crate) fn is_stable(&self) -> bool {
        self.state == "Stable"
    }
}

/// Empty while the broker does not answer or there is no such group.
pub(crate) fn view(cluster: &Cluster, group: &str) -> View {
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", cluster.bootstrap()).create().unwrap();
    let Ok(list) = client.fetch_group_list(Some(group), Duration::from_secs(5)) else {
        return View::default();
    };
    let Some(found) = list.groups().iter().find(|found| found.name() == group) else {
        return View::default();
    };
    assert!(
        found.protocol_type().is_empty() || found.protocol_type() == "connect",
        "{}",
        found.protocol_type()
    );
    let urls = found.members().iter().filter_map(|member| url_of_metadata(member.metadata()?));
    let leader = found.members().iter().find_map(|member| leader_of_assignment(member.assignment()?));
    View {
        state: found.state().to_owned(),
        protocol: found.protocol().to_owned(),
        leader,
        members: urls.collect(),
    }
}

/// Version, then the URL.
fn url_of_metadata(bytes: &[u8]) -> Option<String> {
    string(bytes.get(2..)?).map(|(url, _)| url)
}

/// Version, error, id of the leader, URL of the leader.
fn leader_of_assignment(bytes: &[u8]) -> Option<String> {
    let (_, rest) = string(bytes.get(4..)?)?;
    string(rest).map(|(url, _)| url)
}

/// Kafka's STRING: 16 bits of length, then UTF-8.
fn string(bytes: &[u8]) -> Option<(String, &[u8])> {
    let length = usize::from(u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?));
    let text = std::str::from_utf8(bytes.get(2..2 + length)?).ok()?;
    Some((text.to_owned(), &bytes[2 + length..]))
}

#[test]
fn sim_assignments_are_decoded() {
    let bytes = b"\0\x02\0\0\0\x03a-1\0\x09http://b/rest";
    assert_eq!(leader_of_assignment(bytes).as_deref(), Some("http://b/"));
    assert_eq!(url_of_metadata(b"\0\x01\0\x01x").as_deref(), Some("x"));
    assert_eq!(leader_of_assignment(&bytes[..9]), None);
}
