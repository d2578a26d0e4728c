//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, of topics and brokers.

mod alter;
mod describe;
#[cfg(test)]
mod tests;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{RequestKind, ResponseKind};

use super::Context;
use crate::config::{ALL_BROKERS, TOPIC_SETTINGS};
use crate::state::State;

/// Why a resource is not described or changed: a code and a message.
type Refused = (ResponseError, String);

/// Owner of settings.
enum Resource {
    Topic(String),
    /// By id, or [`ALL_BROKERS`].
    Broker(i32),
    /// Something that can be described and has no settings here: loggers, client metrics, groups.
    Empty,
}

fn resource(context: &Context, state: &State, kind: i8, name: &str) -> Result<Resource, Refused> {
    match kind {
        2 => topic(state, name),
        4 if name.is_empty() => Ok(Resource::Broker(ALL_BROKERS)),
        4 => broker(context, name).map(Resource::Broker),
        8 => broker(context, name).map(|_| Resource::Empty),
        16 | 32 => Ok(Resource::Empty),
        _ => Err((ResponseError::InvalidRequest, format!("Unknown resource type {kind}"))),
    }
}

fn topic(state: &State, name: &str) -> Result<Resource, Refused> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > 249 || matches!(name, "." | "..") || !name.chars().all(legal) {
        let message = format!("Topic name is invalid: '{name}'");
        return Err((ResponseError::InvalidTopicException, message));
    }
    if state.topics.contains_key(name) {
        Ok(Resource::Topic(name.to_owned()))
    } else {
        Err((ResponseError::UnknownTopicOrPartition, format!("The topic '{name}' does not exist.")))
    }
}

fn broker(context: &Context, name: &str) -> Result<i32, Refused> {
    let refused = |message: String| (ResponseError::InvalidRequest, message);
    let id: i32 =
        name.parse().map_err(|_| refused(format!("Broker id must be an integer, but it is: {name}")))?;
    if id == context.broker {
        Ok(id)
    } else {
        let own = context.broker;
        Err(refused(format!("Unexpected broker id, expected {own} or empty string, but received {name}")))
    }
}

/// Whether a broker takes a new value of a setting while it runs, of those that are known here.
fn dynamic(name: &str) -> bool {
    TOPIC_SETTINGS.iter().any(|s| s.synonym == name) || name == "producer.id.expiration.ms"
}

/// Answers what is of this family; gives back what is not.
pub(super) fn handle(context: &Context, request: RequestKind) -> Result<ResponseKind, Box<RequestKind>> {
    use RequestKind as Q;
    use ResponseKind as A;
    Ok(match request {
        Q::DescribeConfigs(r) => A::DescribeConfigs(describe::describe(context, r)),
        Q::AlterConfigs(r) => A::AlterConfigs(alter::alter(context, r)),
        Q::IncrementalAlterConfigs(r) => A::IncrementalAlterConfigs(alter::change(context, r)),
        other => return Err(Box::new(other)),
    })
}
