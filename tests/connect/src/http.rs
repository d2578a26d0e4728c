//! One HTTP/1.1 exchange per connection, with the request as given: paths are not tidied, bodies not checked, headers not
//! added behind the scenario's back.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a worker may take for one answer: a bit more than Connect's own limit of 90 s.
const LIMIT: Duration = Duration::from_secs(100);

/// What is sent.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A request without body and with `Accept: application/json`, as Connect's own clients send it.
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        let headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        Self { method: method.to_owned(), path: path.into(), headers, body: None }
    }

    /// With a body and the content type of JSON.
    pub fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.body(body).header("Content-Type", "application/json")
    }

    /// With a body and nothing said of its type.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With a header in place of the one of that name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn bytes(&self, address: &str) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// The values of a header, in order.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = move |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.headers.iter().filter(of_name).map(|(_, value)| value.as_str())
    }
}

/// Sends a request to `address` (`host:port`) and reads the answer to its end.
pub fn send(address: &str, request: &Request) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(&request.bytes(address))?;
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    match parse(&bytes, request.method == "HEAD") {
        Some(answer) => Ok(answer),
        None => {
            end?;
            Err(std::io::Error::other(format!("no HTTP answer: {:?}", String::from_utf8_lossy(&bytes))))
        }
    }
}

/// `None`: the answer is not whole.
fn parse(bytes: &[u8], without_body: bool) -> Option<Answer> {
    let end = find(bytes, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut answer = Answer { status, headers, body: String::new() };
    let rest = &bytes[end + 4..];
    let chunked = answer.header("transfer-encoding").any(|value| value.eq_ignore_ascii_case("chunked"));
    let length = answer.header("content-length").next().and_then(|value| value.parse().ok());
    let body = match length {
        _ if without_body => Vec::new(),
        _ if chunked => dechunk(rest)?,
        Some(length) => rest.get(..length)?.to_vec(),
        None => rest.to_vec(),
    };
    answer.body = String::from_utf8_lossy(&body).into_owned();
    Some(answer)
}

fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(rest, b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let start = end + 2;
        body.extend_from_slice(rest.get(start..start + size)?);
        rest = rest.get(start + size + 2..)?;
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_answers_are_read_and_cut_ones_are_not() {
        let plain = b"HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a:2\r\nContent-Length: 2\r\n\r\n{}";
        let answer = parse(plain, false).unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (404, "{}"));
        assert_eq!(answer.header("x-a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(parse(&plain[..plain.len() - 2], true).unwrap().body, "");
        assert!(parse(&plain[..plain.len() - 1], false).is_none());
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        assert_eq!(parse(chunked, false).unwrap().body, "abcd");
        assert!(parse(&chunked[..chunked.len() - 10], false).is_none());
    }
}
