//! Ports on 127.0.0.1 that stay ours from the moment they are chosen until the cluster is gone.
//!
//! They come from below the ephemeral range, because there a client that reconnects to a stopped broker's port can end
//! up connected to itself and keep the broker from coming back. Concurrent test processes exclude each other
//! by a locked file per port; the operating system frees the lock with the process.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::error::{Context, Error, Result, create_folder};

const FIRST: u16 = 15_000;
const LAST: u16 = 31_999;

/// A port reserved for one listener; given back on drop.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: Option<File>,
}

impl Port {
    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// A fixed port: free now, or [`Error::PortTaken`].
    pub(crate) fn fixed(number: u16) -> Result<Self> {
        if !is_free(number) {
            return Err(Error::PortTaken { port: number });
        }
        Ok(Self { number, _claim: None })
    }

    /// Any port that nobody listens on and no other test process has claimed.
    ///
    /// # Errors
    /// There is none, or the folder of claims cannot be written.
    pub fn any() -> Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let span = LAST - FIRST + 1;
        // Different processes start at different places, so that they seldom try each other's ports.
        let offset = (std::process::id() % u32::from(span)) as u16;
        for _ in 0..span {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            let number = FIRST + ((u32::from(offset) * 97 + u32::from(step)) % u32::from(span)) as u16;
            if let Some(claim) = claim(number)?
                && is_free(number)
            {
                return Ok(Self { number, _claim: Some(claim) });
            }
        }
        Err(Error::NoFreePort(FIRST, LAST))
    }
}

fn is_free(number: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok()
}

/// `None`: another process has the port, or another user owns the claim's file.
fn claim(number: u16) -> Result<Option<File>> {
    let folder = std::env::temp_dir().join("kafka-clusters-ports");
    create_folder(&folder)?;
    let path = folder.join(number.to_string());
    match File::create(&path) {
        Ok(file) => Ok(file.try_lock().is_ok().then_some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(None),
        Err(error) => Err(error).context(|| format!("cannot create {}", path.display())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_port_is_not_given_twice_and_a_listening_one_never() {
        let listening = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listening.local_addr().unwrap().port();
        assert!(matches!(Port::fixed(taken), Err(Error::PortTaken { port }) if port == taken));

        let first = Port::any().unwrap();
        assert!(claim(first.number()).unwrap().is_none());
        let number = first.number();
        drop(first);
        assert!(claim(number).unwrap().is_some());
    }
}
