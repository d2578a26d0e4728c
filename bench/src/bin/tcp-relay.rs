//! The floor under every copier: reads from one connection, writes to another, one buffer.
//!
//! Started by the benchmark: `tcp-relay --listen 127.0.0.1:7001 --to 127.0.0.1:7002 --buffer 8192`. Ends with its input.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use anyhow::{Context, Result};
use clap::Parser;

/// Relays one TCP connection.
#[derive(Parser)]
struct Args {
    /// Address at which to accept the connection.
    #[arg(long)]
    listen: SocketAddr,
    /// Address to which its bytes go.
    #[arg(long)]
    to: SocketAddr,
    /// Bytes of the buffer between.
    #[arg(long, default_value_t = 8192)]
    buffer: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let listener =
        TcpListener::bind(args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
    let (mut from, _) = listener.accept()?;
    let mut to = TcpStream::connect(args.to).with_context(|| format!("cannot connect to {}", args.to))?;
    let mut buffer = vec![0; args.buffer.max(1)];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => to.write_all(&buffer[..count])?,
        }
    }
}
