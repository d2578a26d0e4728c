//! Reads client, consumer and producer settings from flat maps of Java client properties.

use std::collections::BTreeMap;
use std::time::Duration;

use super::reader::{Reader, SettingError};
use super::{ClientSettings, ConsumerSettings, ProducerSettings, security};

impl ClientSettings {
    /// Reads what all clients share. Keys that are not known are left alone.
    ///
    /// Socket buffers that are not set are left to the system, which tunes them, where Java's clients fix
    /// them.
    ///
    /// # Errors
    /// The first property that is missing or cannot be used; files of PEM stores are read, so also theirs.
    pub fn from_properties(properties: &BTreeMap<String, String>) -> Result<Self, SettingError> {
        let reader = Reader(properties);
        Ok(Self {
            bootstrap_servers: bootstrap_servers(&reader)?,
            client_id: reader.text("client.id").unwrap_or_default().to_owned(),
            security: security::read(&reader)?,
            request_timeout: reader.millis("request.timeout.ms", 30_000)?,
            retry_backoff: reader.millis("retry.backoff.ms", 100)?,
            retry_backoff_max: reader.millis("retry.backoff.max.ms", 1_000)?,
            reconnect_backoff: reader.millis("reconnect.backoff.ms", 50)?,
            reconnect_backoff_max: reader.millis("reconnect.backoff.max.ms", 1_000)?,
            connections_max_idle: max_idle(&reader)?,
            metadata_max_age: reader.millis("metadata.max.age.ms", 300_000)?,
            connect_timeout: reader.millis("socket.connection.setup.timeout.ms", 10_000)?,
            send_buffer: buffer(&reader, "send.buffer.bytes")?,
            receive_buffer: buffer(&reader, "receive.buffer.bytes")?,
        })
    }
}

impl ConsumerSettings {
    /// Reads a consumer's properties.
    ///
    /// # Errors
    /// The first property that is missing or cannot be used.
    pub fn from_properties(properties: &BTreeMap<String, String>) -> Result<Self, SettingError> {
        let reader = Reader(properties);
        let isolation = [("read_committed", true), ("read_uncommitted", false)];
        let fetch_max_bytes = match reader.text("fetch.max.bytes") {
            Some(_) => Some(reader.int("fetch.max.bytes", 0, 1)?),
            None => None,
        };
        Ok(Self {
            client: ClientSettings::from_properties(properties)?,
            group_id: reader.text("group.id").map(str::to_owned),
            fetch_min_bytes: reader.int("fetch.min.bytes", 1, 0)?,
            fetch_max_wait: Duration::from_millis(u64::from(
                reader.int("fetch.max.wait.ms", 500, 0)?.unsigned_abs(),
            )),
            fetch_max_bytes,
            max_partition_fetch_bytes: reader.int("max.partition.fetch.bytes", 1_048_576, 1)?,
            read_committed: reader.choice("isolation.level", &isolation)?.unwrap_or(false),
            client_rack: reader.text("client.rack").unwrap_or_default().to_owned(),
        })
    }
}

impl ProducerSettings {
    /// Reads a producer's properties.
    ///
    /// # Errors
    /// The first property that is missing or cannot be used.
    pub fn from_properties(properties: &BTreeMap<String, String>) -> Result<Self, SettingError> {
        let max_request_size = Reader(properties).int("max.request.size", 1_048_576, 1)?;
        Ok(Self {
            client: ClientSettings::from_properties(properties)?,
            max_request_size: usize::try_from(max_request_size).unwrap_or(usize::MAX),
        })
    }
}

fn max_idle(reader: &Reader<'_>) -> Result<Option<Duration>, SettingError> {
    let millis = reader.number("connections.max.idle.ms", 540_000, i64::MIN..=i64::MAX)?;
    Ok(u64::try_from(millis).ok().map(Duration::from_millis))
}

fn buffer(reader: &Reader<'_>, key: &str) -> Result<Option<usize>, SettingError> {
    Ok(usize::try_from(reader.int(key, -1, -1)?).ok())
}

fn bootstrap_servers(reader: &Reader<'_>) -> Result<Vec<(String, u16)>, SettingError> {
    const KEY: &str = "bootstrap.servers";
    let mut servers = Vec::new();
    for address in reader.text(KEY).unwrap_or_default().split(',').map(str::trim).filter(|a| !a.is_empty()) {
        let server = host_and_port(address).ok_or_else(|| {
            reader.error(KEY, format!("{address:?} is not host:port; write host1:9092,host2:9092"))
        })?;
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    if servers.is_empty() {
        Err(reader.error(KEY, "names no broker; write host1:9092,host2:9092"))
    } else {
        Ok(servers)
    }
}

/// `host:port`, `[ipv6]:port`, each also behind `PROTOCOL://` as listeners are written.
fn host_and_port(address: &str) -> Option<(String, u16)> {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '%');
    let port: u16 = port.parse().ok().filter(|&port| port > 0)?;
    (!host.is_empty() && host.chars().all(legal)).then(|| (host.to_owned(), port))
}
