//! A herder's own requests to other workers of the group.

use axum::http::{HeaderValue, Method};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::future::BoxFuture;

use super::files::RestFiles;
use super::forward::{Forwarder, Request};
use crate::herder::distributed::{InternalClient, InternalRequest};

/// Speaks to the REST servers of other workers.
pub struct WorkerClient(Forwarder);

impl WorkerClient {
    /// With the certificates of this worker's own interface.
    pub fn new(files: &RestFiles) -> Self {
        Self(Forwarder::new(files.forwarding.clone()))
    }
}

impl InternalClient for WorkerClient {
    fn send(&self, request: InternalRequest) -> BoxFuture<'static, Result<(), (u16, String)>> {
        let forwarder = self.0.clone();
        let header = |text: String| HeaderValue::from_str(&text).ok();
        let signature = request.signature.and_then(|(signature, algorithm)| {
            Some((header(BASE64_STANDARD.encode(signature))?, header(algorithm)?))
        });
        let request = Request {
            method: if request.method == "PUT" { Method::PUT } else { Method::POST },
            url: request.url,
            authorization: None,
            signature,
            body: request.body,
        };
        Box::pin(async move {
            let answer = forwarder.send(request).await.map_err(|error| (0, error.message))?;
            if answer.status.is_success() {
                Ok(())
            } else {
                Err((answer.status.as_u16(), String::from_utf8_lossy(&answer.body).into_owned()))
            }
        })
    }
}
