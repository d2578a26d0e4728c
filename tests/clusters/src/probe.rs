//! One hand-written Metadata request (version 4), to tell a broker that serves from a port that is merely open.
//!
//! Written out by hand on purpose: this crate tests the project's own Kafka client and must not depend on it.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(2);

/// What a broker knows of its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Ids of the brokers that are alive.
    pub brokers: Vec<i32>,
    /// The cluster's id.
    pub cluster_id: Option<String>,
    /// The controller as clients see it; −1 while there is none.
    pub controller: i32,
}

/// Asks the plaintext listener at `address`; at most 2 s per step.
///
/// # Errors
/// Nobody listens, no answer came in time, or it is not Kafka that answers.
pub fn metadata(address: SocketAddr) -> Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut request = Vec::from(17i32.to_be_bytes());
    request.extend([0, 3, 0, 4]); // Metadata, version 4
    request.extend([0, 0, 0, 7]); // correlation id
    request.extend([0, 2, b'u', b'p']); // client id
    request.extend([0, 0, 0, 0]); // no topics
    request.push(0); // create none
    stream.write_all(&request)?;

    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = i32::from_be_bytes(size);
    if !(0..1 << 20).contains(&size) {
        return Err(malformed());
    }
    let mut frame = vec![0; size as usize];
    stream.read_exact(&mut frame)?;
    parse(&frame).ok_or_else(malformed)
}

/// ZooKeeper's own probe: `ruok` is answered `imok`.
pub(crate) fn zookeeper(address: SocketAddr) -> Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(b"ruok")?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer)?;
    if &answer == b"imok" { Ok(()) } else { Err(malformed()) }
}

fn malformed() -> Error {
    Error::new(ErrorKind::InvalidData, "the answer is not the expected protocol's")
}

fn parse(frame: &[u8]) -> Option<Answer> {
    let mut reader = Reader(frame);
    if reader.int()? != 7 {
        return None;
    }
    reader.int()?; // throttle time
    let mut brokers = Vec::new();
    for _ in 0..reader.int()? {
        brokers.push(reader.int()?);
        reader.string()?; // host
        reader.int()?; // port
        reader.string()?; // rack
    }
    let cluster_id = reader.string()?;
    Some(Answer { brokers, cluster_id, controller: reader.int()? })
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn int(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// `None`: the frame is too short; `Some(None)`: a null string.
    #[allow(clippy::option_option)]
    fn string(&mut self) -> Option<Option<String>> {
        let length = i16::from_be_bytes(self.take(2)?.try_into().ok()?);
        match usize::try_from(length) {
            Ok(length) => Some(Some(String::from_utf8_lossy(self.take(length)?).into_owned())),
            Err(_) => Some(None),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_a_cut_one_refused() {
        let mut frame = vec![0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1];
        frame.extend([0, 0, 0, 3, 0, 1, b'h', 0, 0, 0x23, 0x84, 0xff, 0xff]);
        frame.extend([0, 2, b'i', b'd', 0, 0, 0, 3, 0, 0, 0, 0]);
        let answer = parse(&frame).unwrap();
        assert_eq!(answer, Answer { brokers: vec![3], cluster_id: Some("id".into()), controller: 3 });
        assert_eq!(parse(&frame[..20]), None);
    }
}
