//! FindCoordinator.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{ApiKey, FindCoordinatorRequest, FindCoordinatorResponse};

use crate::api::{Context, text};
use crate::coordination::Coordinated;
use crate::internal_topics::ensure_topic;
use crate::state::State;

const API: ApiKey = ApiKey::FindCoordinator;

/// Address of a coordinator, or the reason why it is not known.
struct Found {
    id: i32,
    host: String,
    port: i32,
    error: i16,
}

impl Found {
    fn error(error: i16) -> Self {
        Self { id: -1, host: String::new(), port: -1, error }
    }

    /// Kafka's words beside the code.
    fn message(&self) -> String {
        match ResponseError::try_from_code(self.error) {
            None => "NONE".to_owned(),
            Some(error) => error.to_string(),
        }
    }
}

pub(super) fn find(
    context: &Context,
    request: &FindCoordinatorRequest,
    version: i16,
) -> FindCoordinatorResponse {
    let answer = FindCoordinatorResponse::default().with_throttle_time_ms(context.throttle_ms(API));
    if version < 4 {
        let found = find_one(context, request.key_type, &request.key);
        let message = (version >= 1).then(|| text(found.message()));
        return answer
            .with_error_code(found.error)
            .with_error_message(message)
            .with_node_id(found.id.into())
            .with_host(text(found.host))
            .with_port(found.port);
    }
    let one = |key: &kafka_protocol::protocol::StrBytes| {
        let found = find_one(context, request.key_type, key);
        Coordinator::default()
            .with_key(key.clone())
            .with_error_code(found.error)
            .with_error_message(Some(text(found.message())))
            .with_node_id(found.id.into())
            .with_host(text(found.host))
            .with_port(found.port)
    };
    answer.with_coordinators(request.coordinator_keys.iter().map(one).collect())
}

fn find_one(context: &Context, key_type: i8, key: &str) -> Found {
    if let Some(code) = context.injected_error(API) {
        return Found::error(code);
    }
    let what = match key_type {
        0 => Coordinated::Group,
        1 => Coordinated::Transaction,
        _ => return Found::error(ResponseError::InvalidRequest.code()),
    };
    context.cluster.with(|state| coordinator_of(state, what, key))
}

fn coordinator_of(state: &mut State, what: Coordinated, key: &str) -> Found {
    let id = match what {
        Coordinated::Group => state.groups.coordinator(&state.brokers, key),
        Coordinated::Transaction => state.transactions.coordinator(&state.brokers, key),
    };
    ensure_topic(state, what);
    match state.broker(id) {
        Some(broker) => Found { id, host: broker.host.clone(), port: i32::from(broker.port), error: 0 },
        None => Found::error(ResponseError::CoordinatorNotAvailable.code()),
    }
}
