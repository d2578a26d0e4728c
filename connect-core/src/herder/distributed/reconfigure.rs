//! Dividing a connector's work: its instance is asked for task configurations, and what is new is stored, by this worker if it
//! leads, otherwise by the leader, who gets a signed request. Whatever fails is tried again, ever more slowly.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::time::Instant;
use tracing::{debug, warn};

use super::Shared;
use super::core::Core;
use super::keys;
use crate::api::ConfigMap;
use crate::group::ConnectProtocol;
use crate::herder::reading::plain;
use crate::ids::TargetState;
use crate::storage::Properties;

const RETRY_MIN: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// A request to another worker of the group.
#[derive(Debug, Clone)]
pub struct InternalRequest {
    /// `POST` or `PUT`.
    pub method: &'static str,
    /// Whole URL.
    pub url: String,
    /// Body; empty for none.
    pub body: Bytes,
    /// `X-Connect-Authorization` (raw bytes) and `X-Connect-Request-Signature-Algorithm`.
    pub signature: Option<(Vec<u8>, String)>,
}

/// Sends requests to other workers.
pub trait InternalClient: Send + Sync {
    /// Sends a request; the error is the status and message of the answer, or why there was none (status 0).
    fn send(&self, request: InternalRequest) -> BoxFuture<'static, Result<(), (u16, String)>>;
}

/// Connectors whose work is to be divided, and how often that has failed.
#[derive(Debug, Default)]
pub(super) struct Reconfigurations {
    due: BTreeMap<String, Instant>,
    failures: BTreeMap<String, u32>,
}

impl Reconfigurations {
    pub(super) fn forget(&mut self, connectors: &[String]) {
        for name in connectors {
            self.due.remove(name);
            self.failures.remove(name);
        }
    }

    fn failed(&mut self, name: &str) -> Duration {
        let failures = self.failures.entry(name.to_owned()).or_default();
        let pause = RETRY_MIN.saturating_mul(1 << (*failures).min(10)).min(RETRY_MAX);
        *failures += 1;
        self.due.insert(name.to_owned(), Instant::now() + pause);
        pause
    }
}

impl Core {
    /// Has the connector, if it runs here, asked for task configurations.
    pub(super) fn reconfigure_soon(&mut self, name: &str) {
        self.reconfigurations.due.entry(name.to_owned()).or_insert_with(Instant::now);
    }

    /// Asks connectors whose time has come. The asking goes on beside the core: a connector may take its time.
    pub(super) fn reconfigure_due(&mut self) {
        let now = Instant::now();
        if !self.group.resolved {
            return;
        }
        let due: Vec<String> = self
            .reconfigurations
            .due
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(name, _)| name.clone())
            .collect();
        for name in due {
            self.reconfigurations.due.remove(&name);
            let config = self.state.connector(&name).map(plain);
            let (Some(config), true) = (config, self.worker.is_running(&name)) else { continue };
            if self.state.target(&name) == TargetState::Stopped {
                continue;
            }
            let (worker, shared) = (self.worker.clone(), self.shared.clone());
            tokio::spawn(async move {
                let configs = worker.connector_task_configs(&name, &config).await;
                shared.tell(move |core| {
                    Box::pin(async move {
                        match configs {
                            Ok(configs) => core.publish(&name, configs).await,
                            Err(reason) => core.reconfiguration_failed(&name, &reason),
                        }
                    })
                });
            });
        }
    }

    fn reconfiguration_failed(&mut self, name: &str, reason: &dyn std::fmt::Display) {
        if self.worker.is_running(name) {
            let pause = self.reconfigurations.failed(name);
            warn!(connector = %name, "cannot divide its work, trying again in {pause:?}: {reason}");
        }
    }

    /// Puts task configurations into force unless they are.
    async fn publish(&mut self, name: &str, configs: Vec<ConfigMap>) {
        let optional =
            |config: ConfigMap| config.into_iter().map(|(k, v)| (k, Some(v))).collect::<Properties>();
        let configs: Vec<Properties> = configs.into_iter().map(optional).collect();
        let state = self.configs.state();
        let applied = state.applied(name) == state.connector(name);
        if applied && state.tasks_are(name, &configs) {
            debug!(connector = %name, "its division of work is the one that is in force");
            self.reconfigurations.failures.remove(name);
            return;
        }
        if self.is_leader() {
            match self.write_tasks(name, &configs).await {
                Ok(()) => {
                    self.reconfigurations.failures.remove(name);
                }
                Err(reason) => self.reconfiguration_failed(name, &reason),
            }
        } else {
            self.send_to_leader(name, &configs);
        }
    }

    fn send_to_leader(&mut self, name: &str, configs: &[Properties]) {
        let Some(leader) = self.leader_url() else {
            return self.reconfiguration_failed(name, &"no leader is known");
        };
        let body = serde_json::to_vec(configs).expect("maps of strings are always JSON");
        let path = format!("connectors/{}/tasks", path_segment(name));
        let request = self.internal_request("POST", &leader, &path, body);
        let (shared, name) = (self.shared.clone(), name.to_owned());
        tokio::spawn(async move {
            let outcome = shared.client.send(request).await;
            shared.tell(move |core| {
                Box::pin(async move {
                    match outcome {
                        Ok(()) => {
                            core.reconfigurations.failures.remove(&name);
                        }
                        Err((status, message)) => {
                            if status == 403 {
                                // The key may have changed.
                                core.refresh().await;
                            }
                            core.reconfiguration_failed(
                                &name,
                                &format!("the leader answered {status}: {message}"),
                            );
                        }
                    }
                })
            });
        });
    }

    /// A request to another worker, signed if the group signs.
    pub(super) fn internal_request(
        &self,
        method: &'static str,
        base: &str,
        path: &str,
        body: Vec<u8>,
    ) -> InternalRequest {
        let algorithm = &self.shared.settings.signature_algorithm;
        let key =
            self.configs.state().session_key().filter(|_| self.group.protocol == ConnectProtocol::Sessioned);
        let signature = key.and_then(|key| keys::sign(key, algorithm, &body));
        InternalRequest {
            method,
            url: format!("{}/{path}", base.trim_end_matches('/')),
            body: Bytes::from(body),
            signature: signature.map(|signature| (signature, algorithm.clone())),
        }
    }
}

/// A name as one segment of a path.
pub(super) fn path_segment(name: &str) -> String {
    let mut segment = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => segment.push(byte as char),
            other => segment.push_str(&format!("%{other:02X}")),
        }
    }
    segment
}

/// Has a connector asked soon, from outside of the core.
pub(super) fn request(shared: &Arc<Shared>, name: &str) {
    let name = name.to_owned();
    shared.tell(move |core| Box::pin(async move { core.reconfigure_soon(&name) }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_segment() {
        assert_eq!(path_segment("a-b_c.d~9"), "a-b_c.d~9");
        assert_eq!(path_segment("a/b c%ü"), "a%2Fb%20c%25%C3%BC");
    }
}
