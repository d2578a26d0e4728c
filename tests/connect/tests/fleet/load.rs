//! So many requests a second, over a few connections that are kept.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const CLIENTS: u32 = 8;

/// Requests with the statuses that are right for them.
const REQUESTS: [(&str, &str, &[u16]); 10] = [
    ("GET /", "", &[200]),
    ("GET /connectors", "", &[200]),
    ("GET /connectors?expand=status", "", &[200]),
    ("GET /connectors/lines-0/status", "", &[200]),
    ("GET /connectors/lines-0/config", "", &[200]),
    ("GET /connectors/none", "", &[404]),
    ("GET /none", "", &[404]),
    ("DELETE /connectors/none", "", &[404, 409]),
    ("POST /connectors", "{", &[400, 500]),
    (
        "PUT /connector-plugins/FileStreamSink/config/validate",
        "{\"connector.class\":\"FileStreamSink\"}",
        &[200],
    ),
];

/// Sends `rate` requests a second for `time`, asserts that each gets an answer that is right for it, and tells how it went.
pub(crate) fn load(address: &str, rate: u32, time: Duration) -> String {
    let started = Instant::now();
    let pace = Duration::from_secs(1) * CLIENTS / rate;
    let mut times = Vec::new();
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    std::thread::scope(|scope| {
        let client = |number: usize| move || client(address, number, pace, time);
        let clients: Vec<_> = (0..CLIENTS as usize).map(|number| scope.spawn(client(number))).collect();
        for one in clients {
            for (status, took) in one.join().unwrap() {
                times.push(took);
                *counts.entry(status).or_default() += 1;
            }
        }
    });
    let count: usize = counts.values().sum();
    assert_eq!(count as u128, u128::from(CLIENTS) * time.as_nanos().div_ceil(pace.as_nanos()));
    let rate = count as f64 / started.elapsed().as_secs_f64();
    times.sort_unstable();
    let of = |permille: usize| times[(times.len() - 1) * permille / 1000];
    let (median, slow, slowest) = (of(500), of(990), of(1000));
    format!(
        "{count} requests, {rate:.0} a second, {median:?} median, {slow:?} p99, {slowest:?} slowest, statuses {counts:?}"
    )
}

fn client(address: &str, number: usize, pace: Duration, time: Duration) -> Vec<(u16, Duration)> {
    let started = Instant::now();
    let mut connection = BufReader::new(TcpStream::connect(address).unwrap());
    connection.get_ref().set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    let mut answers = Vec::new();
    let mut due = Duration::ZERO;
    while due < time {
        // Never ahead of the plan; behind it, as fast as answers come.
        std::thread::sleep(due.saturating_sub(started.elapsed()));
        let (line, body, right) = REQUESTS[(number + answers.len()) % REQUESTS.len()];
        let asked = Instant::now();
        let status = exchange(&mut connection, line, body);
        assert!(right.contains(&status), "{line}: {status}");
        answers.push((status, asked.elapsed()));
        due += pace;
    }
    answers
}

fn exchange(connection: &mut BufReader<TcpStream>, line: &str, body: &str) -> u16 {
    let request = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.get_mut().write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    connection.read_line(&mut text).unwrap();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("{line}: {text:?}"));
    let (mut length, mut chunked) = (0, false);
    loop {
        text.clear();
        connection.read_line(&mut text).unwrap();
        let header = text.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        chunked |= header == "transfer-encoding: chunked";
    }
    loop {
        if chunked {
            text.clear();
            connection.read_line(&mut text).unwrap();
            length = usize::from_str_radix(text.trim(), 16).unwrap() + 2;
        }
        connection.read_exact(&mut vec![0; length]).unwrap();
        if !chunked || length == 2 {
            return status;
        }
    }
}
