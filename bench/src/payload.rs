//! Values of records, fast and the same in every run.
//!
//! Called by the filler and by the latency generator.

use std::fmt::Write;

use crate::cases::Content;

/// A generator with a seed of its own; two with the same seed give the same values.
#[derive(Debug)]
pub(crate) struct Payload {
    state: u64,
    content: Content,
    bytes: usize,
    text: String,
    order: u64,
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const PRODUCTS: [&str; 16] = [
    "espresso machine",
    "desk lamp",
    "running shoes",
    "notebook A5 dotted",
    "usb-c cable 2m",
    "cast iron pan",
    "rain jacket",
    "garden hose",
    "coffee beans 1kg",
    "bicycle pump",
    "wool blanket",
    "office chair",
    "water bottle",
    "hiking backpack",
    "table tennis set",
    "wall clock",
];

const CITIES: [&str; 8] =
    ["Hamburg", "Porto", "Austin", "Osaka", "Montevideo", "Kraków", "Melbourne", "Nairobi"];

const STATES: [&str; 4] = ["CREATED", "PAID", "SHIPPED", "RETURNED"];

impl Payload {
    /// Values of `bytes` bytes.
    pub(crate) fn new(content: Content, bytes: usize, seed: u64) -> Self {
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { state, content, bytes, text: String::with_capacity(bytes * 2), order: seed << 32 }
    }

    /// Writes the next value over what `out` holds.
    pub(crate) fn next_into(&mut self, out: &mut Vec<u8>) {
        out.clear();
        match self.content {
            Content::Letters => self.letters(out),
            Content::Orders => self.order(out),
        }
    }

    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn letters(&mut self, out: &mut Vec<u8>) {
        while out.len() < self.bytes {
            let mut bits = self.random();
            for _ in 0..10.min(self.bytes - out.len()) {
                out.push(ALPHABET[(bits & 63) as usize]);
                bits >>= 6;
            }
        }
    }

    /// Field names and common words repeat; ids, amounts and a token do not.
    fn order(&mut self, out: &mut Vec<u8>) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        self.order += 1;
        let (order, customer) = (self.order, self.random() % 900_000);
        let (city, state) = (CITIES[self.pick(8)], STATES[self.pick(4)]);
        let created = 1_760_000_000_000 + order % (1 << 32) * 37;
        let _ = write!(
            text,
            "{{\"orderId\":\"ORD-{order:014}\",\"customerId\":{customer},\"status\":\"{state}\",\"createdAt\":{created},\
             \"currency\":\"EUR\",\"shipTo\":{{\"city\":\"{city}\",\"zip\":\"{:05}\",\"street\":\"{} Main Street\"}},\"items\":[",
            self.random() % 100_000,
            self.random() % 400,
        );
        let mut separator = "";
        while text.len() + LONGEST_LINE + SIGNATURE < self.bytes {
            let (product, price) = (PRODUCTS[self.pick(16)], self.random() % 50_000);
            let _ = write!(
                text,
                "{separator}{{\"sku\":\"SKU-{:06}\",\"name\":\"{product}\",\"quantity\":{},\"unitPrice\":{}.{:02}}}",
                self.random() % 500_000,
                1 + self.random() % 5,
                price / 100,
                price % 100,
            );
            separator = ",";
        }
        let _ = write!(text, "],\"traceId\":\"{:016x}\",\"signature\":\"", self.random());
        out.extend_from_slice(text.as_bytes());
        while out.len() + 2 < self.bytes {
            out.push(ALPHABET[self.pick(64)]);
        }
        out.extend_from_slice(b"\"}");
        self.text = text;
    }

    fn pick(&mut self, count: u64) -> usize {
        (self.random() % count) as usize
    }
}

/// Bytes that a line of an order may take.
const LONGEST_LINE: usize = 96;

/// Bytes left for trace id and signature.
const SIGNATURE: usize = 100;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use kafka_wire::batch::{BatchBuilder, Codec, Headers};

    fn ratio(codec: Codec, raw: usize) -> (f64, usize) {
        let mut payload = Payload::new(Content::Orders, 1000, 1);
        let (mut builder, mut value) = (BatchBuilder::new(codec), Vec::new());
        while builder.uncompressed_size() < raw {
            payload.next_into(&mut value);
            builder.push(0, None, Some(&value), &Headers::default()).unwrap();
        }
        let before = builder.uncompressed_size();
        let size = builder.finish().unwrap().size();
        (before as f64 / size as f64, size)
    }

    #[test]
    fn values_have_their_size_and_repeat_only_by_seed() {
        for content in [Content::Letters, Content::Orders] {
            let (mut one, mut same, mut other) = (
                Payload::new(content, 1000, 1),
                Payload::new(content, 1000, 1),
                Payload::new(content, 1000, 2),
            );
            let (mut a, mut b, mut c) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..100 {
                one.next_into(&mut a);
                same.next_into(&mut b);
                other.next_into(&mut c);
                assert_eq!(a.len(), 1000);
                assert_eq!(a, b);
                assert_ne!(a, c);
            }
        }
    }

    #[test]
    fn orders_are_json_and_compress_as_the_cases_say() {
        let mut payload = Payload::new(Content::Orders, 1000, 3);
        let mut value = Vec::new();
        payload.next_into(&mut value);
        serde_json::from_slice::<serde_json::Value>(&value).unwrap();
        for (codec, raw, between) in [(Codec::Lz4, 150_000, 2.2..3.0), (Codec::Zstd, 230_000, 3.4..4.6)] {
            let (ratio, size) = ratio(codec, raw);
            assert!(between.contains(&ratio), "{codec}: {ratio}");
            assert!((50_000..66_000).contains(&size), "{codec}: {size}");
        }
    }
}
