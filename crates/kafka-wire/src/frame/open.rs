//! Opening a connection: the stream, agreement on versions, SASL; and words for each way in which that is
//! refused.

use std::io;

use bytes::Buf;
use kafka_protocol::messages::ApiVersionsRequest;
use kafka_protocol::protocol::StrBytes;

use super::connection::Connection;
use super::versions::Versions;
use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::settings::ClientSettings;
use crate::transport::{SharedConnector, sasl};

impl Connection {
    /// Connects, agrees on versions and authenticates.
    pub async fn open(
        connector: &SharedConnector,
        settings: &ClientSettings,
        host: &str,
        port: u16,
    ) -> Result<Self, WireError> {
        let address = format!("{host}:{port}");
        let stream = connector.connect(host, port).await.map_err(|e| connect_error(address.clone(), &e))?;
        let mut connection = Self::start(stream, address, settings);
        connection.versions = connection.negotiate().await.map_err(late_refusal)?;
        if let Some(sasl) = &settings.security.sasl {
            sasl::authenticate(&connection, sasl).await?;
        }
        Ok(connection)
    }

    /// Asks with the highest ApiVersions version, and again with 0 where the broker is too old for it: such a
    /// broker answers in version 0 with UNSUPPORTED_VERSION.
    async fn negotiate(&self) -> Result<Versions, WireError> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("replicator"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let mut version = 3;
        loop {
            let frame = self.encode(&request, version)?;
            let mut body = self.send::<ApiVersionsRequest>(version, frame).await?;
            let code = body.get(..2).and_then(|mut b| ErrorCode::try_from_code(b.get_i16()));
            if code == Some(ErrorCode::UnsupportedVersion) && version > 0 {
                version = 0;
                continue;
            }
            let answer = self.decode::<ApiVersionsRequest>(&mut body, version)?;
            return match ErrorCode::try_from_code(answer.error_code) {
                None => Ok(Versions::from_response(&answer)),
                Some(code) => Err(WireError::broker(format!("ApiVersions from {}", self.address()), code)),
            };
        }
    }
}

fn connect_error(address: String, error: &io::Error) -> WireError {
    let reason = error.to_string();
    match error.kind() {
        // rustls reports what the peer's certificate lacks, or the peer's alert, as InvalidData.
        io::ErrorKind::InvalidData => {
            let see = tls_setting(&reason).map_or(String::new(), |setting| format!(" (see {setting})"));
            WireError::Authentication { address, reason: format!("TLS: {reason}{see}") }
        }
        // It may be stopping; or it does not understand TLS, for then it does the same.
        io::ErrorKind::UnexpectedEof => {
            let reason = "it was closed in the TLS handshake; does this port speak TLS (security.protocol)?";
            WireError::Connect { address, reason: reason.to_owned() }
        }
        _ => WireError::Connect { address, reason },
    }
}

/// In TLS 1.3 the broker judges this side's certificate when the handshake is over here already.
fn late_refusal(error: WireError) -> WireError {
    match error {
        WireError::Disconnected { address, reason } if reason.contains("received fatal alert") => {
            connect_error(address, &io::Error::new(io::ErrorKind::InvalidData, reason))
        }
        other => other,
    }
}

/// The settings to look at for what rustls says.
fn tls_setting(reason: &str) -> Option<&'static str> {
    let settings = [
        ("UnknownIssuer", "ssl.truststore.location, ssl.truststore.certificates"),
        ("BadSignature", "ssl.truststore.location: is it an older authority of the same name?"),
        ("not valid for name", "ssl.endpoint.identification.algorithm"),
        ("NotValidForName", "ssl.endpoint.identification.algorithm"),
        ("InvalidContentType", "security.protocol: does this port speak TLS?"),
        ("received fatal alert", "ssl.keystore.location, ssl.keystore.certificate.chain"),
    ];
    settings.into_iter().find(|(said, _)| reason.contains(said)).map(|(_, setting)| setting)
}
