//! SASL over Kafka's own requests: SaslHandshake names the mechanism, SaslAuthenticate carries its tokens.

use bytes::Bytes;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

use crate::error::WireError;
use crate::frame::Connection;
use crate::settings::{SaslMechanism, SaslSettings};

const ILLEGAL_SASL_STATE: i16 = 34;

/// Authenticates a fresh connection. A refusal is [`WireError::Authentication`], with the broker's words.
pub(crate) async fn authenticate(connection: &Connection, settings: &SaslSettings) -> Result<(), WireError> {
    let SaslMechanism::Plain { username, password } = &settings.mechanism;
    let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str("PLAIN"));
    let answer = connection.call(&handshake).await?;
    if answer.error_code == ILLEGAL_SASL_STATE {
        let reason = "this port does not ask for SASL (security.protocol)";
        return Err(refused(connection, reason.to_owned()));
    }
    if answer.error_code != 0 {
        let offered: Vec<&str> = answer.mechanisms.iter().map(|m| m.as_str()).collect();
        return Err(refused(
            connection,
            format!("sasl.mechanism PLAIN is not enabled there; it offers {}", offered.join(", ")),
        ));
    }
    let token = format!("\0{username}\0{password}");
    let request = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(token.into_bytes()));
    let answer = connection.call(&request).await?;
    if answer.error_code != 0 {
        let reason = answer.error_message.as_ref().map_or("no reason given", |m| m.as_str());
        return Err(refused(connection, format!("{reason} (user \"{username}\"; see sasl.jaas.config)")));
    }
    Ok(())
}

fn refused(connection: &Connection, reason: String) -> WireError {
    WireError::Authentication { address: connection.address().to_owned(), reason }
}
