//! SASL over Kafka's own requests: SaslHandshake names the mechanism, SaslAuthenticate carries its tokens.

use bytes::Bytes;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

use super::scram::{Hash, Scram};
use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::frame::Connection;
use crate::settings::{SaslMechanism, SaslSettings};

/// Authenticates a fresh connection. A refusal is [`WireError::Authentication`], with the broker's words.
pub(crate) async fn authenticate(connection: &Connection, settings: &SaslSettings) -> Result<(), WireError> {
    handshake(connection, settings.mechanism.name()).await?;
    match settings.mechanism {
        SaslMechanism::Plain => {
            let token = format!("\0{}\0{}", settings.username, settings.password);
            exchange(connection, settings, token).await.map(drop)
        }
        SaslMechanism::ScramSha256 => scram(connection, settings, Hash::Sha256).await,
        SaslMechanism::ScramSha512 => scram(connection, settings, Hash::Sha512).await,
    }
}

async fn handshake(connection: &Connection, mechanism: &'static str) -> Result<(), WireError> {
    let request = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    let answer = connection.call(&request).await?;
    if answer.error_code == ErrorCode::IllegalSaslState.code() {
        let reason = "this port does not ask for SASL (security.protocol)";
        return Err(refused(connection, reason.to_owned()));
    }
    if answer.error_code != 0 {
        let offered: Vec<&str> = answer.mechanisms.iter().map(|m| m.as_str()).collect();
        return Err(refused(
            connection,
            format!("sasl.mechanism {mechanism} is not enabled there; it offers {}", offered.join(", ")),
        ));
    }
    Ok(())
}

async fn scram(connection: &Connection, settings: &SaslSettings, hash: Hash) -> Result<(), WireError> {
    let wrong = |reason: String| refused(connection, format!("{}: {reason}", settings.mechanism.name()));
    let scram = Scram::new(hash, settings).map_err(wrong)?;
    let server_first = exchange(connection, settings, scram.first()).await?;
    let (last, proven) = scram.prove(&server_first).map_err(wrong)?;
    let server_final = exchange(connection, settings, last).await?;
    proven.verify(&server_final).map_err(wrong)
}

/// One token there, one back.
async fn exchange(
    connection: &Connection,
    settings: &SaslSettings,
    token: String,
) -> Result<Bytes, WireError> {
    let request = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(token.into_bytes()));
    let answer = connection.call(&request).await?;
    if answer.error_code != 0 {
        let reason = answer.error_message.as_ref().map_or("no reason given", |m| m.as_str());
        let user = &settings.username;
        return Err(refused(connection, format!("{reason} (user \"{user}\"; see sasl.jaas.config)")));
    }
    Ok(answer.auth_bytes)
}

fn refused(connection: &Connection, reason: String) -> WireError {
    WireError::Authentication { address: connection.address().to_owned(), reason }
}
