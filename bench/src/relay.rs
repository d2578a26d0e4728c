//! The floor: as many bytes as a topic's segments hold, through a relay that knows nothing of Kafka.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::drain::{Drain, Measured, Prefilled};
use crate::lab::Lab;
use crate::meter::{Reading, peak_memory};
use crate::peers::{Peer, free_port, sibling};
use crate::process::Guarded;

/// Both ends use buffers of this size, so that they cost little beside the relay.
const END_BUFFER: usize = 256 << 10;

const LIMIT: Duration = Duration::from_secs(60);

/// Relays `source.wire_bytes` bytes.
///
/// # Errors
/// The relay ended early, or no byte moved for a minute.
pub(crate) fn relay(lab: &Lab, source: &Prefilled, peer: Peer, run: &str, round: u32) -> Result<Drain> {
    let folder = lab.run_folder(run)?;
    let sink = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let mut command = sibling("tcp-relay")?;
    command.args(["--listen", &address.to_string(), "--to", &sink.local_addr()?.to_string()]);
    command.args(["--buffer", &peer.relay_buffer().context("not a relay")?.to_string()]);

    let subjects = lab.subjects();
    let before = Reading::take(&subjects, None);
    let begun = Instant::now();
    let mut process = Guarded::start(peer.name(), &command, &folder)?;
    let pid = process.pid();
    let bytes = source.wire_bytes;
    let sender = connect(address, &mut process)?;
    let sending = std::thread::spawn(move || send(sender, bytes));
    let (mut receiver, _) = sink.accept()?;
    receiver.set_read_timeout(Some(LIMIT))?;
    let mut buffer = vec![0; END_BUFFER];
    let mut left = bytes.saturating_sub(receive(&mut receiver, &mut buffer, 1)?);
    let first_record = begun.elapsed();
    let at_first = Reading::take(&subjects, Some(pid));
    while left > 0 {
        left = left.saturating_sub(receive(&mut receiver, &mut buffer, END_BUFFER)?);
    }
    let end = Reading::take(&subjects, Some(pid));
    let measured = Measured {
        first_record,
        active: end.since(&at_first),
        whole: end.since(&before),
        peak_memory: peak_memory(pid).unwrap_or_default(),
    };
    // It waits for more until this end is closed.
    let _ = sending.join().ok().context("the sender panicked")??;
    Ok(source.figures(peer, round, &measured))
}

fn connect(address: SocketAddr, process: &mut Guarded) -> Result<TcpStream> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => return Ok(stream),
            Err(error) if Instant::now() > deadline => {
                return Err(error).context("the relay does not listen");
            }
            Err(_) => process.check()?,
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The stream is given back open: its end would let the relay end before it is measured.
fn send(mut stream: TcpStream, bytes: u64) -> Result<TcpStream> {
    stream.set_write_timeout(Some(LIMIT))?;
    let buffer = vec![b'x'; END_BUFFER];
    let mut left = bytes;
    while left > 0 {
        let count = left.min(END_BUFFER as u64) as usize;
        stream.write_all(&buffer[..count])?;
        left -= count as u64;
    }
    Ok(stream)
}

fn receive(stream: &mut TcpStream, buffer: &mut [u8], at_most: usize) -> Result<u64> {
    match stream.read(&mut buffer[..at_most]).context("the relay stalled")? {
        0 => bail!("the relay ended early"),
        count => Ok(count as u64),
    }
}
