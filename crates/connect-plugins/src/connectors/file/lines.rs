//! Text to lines, as Java's reader and Kafka's file source do it: UTF-8 with U+FFFD for what is malformed; a line ends with
//! `\n`, `\r\n` or a lone `\r`; what has no end yet stays until more comes. Positions count UTF-16 code units, because those
//! are what Kafka's file source stores.
//!
//! A `\r` that is the last character so far ends no line, because a `\n` may follow. The same goes for an incomplete
//! character: Java makes U+FFFD of it, here the rest is awaited.

use java::utf8::utf8_mistake;

/// Takes bytes, yields lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Bytes of a character that is not complete yet.
    incomplete: Vec<u8>,
    text: String,
    /// Begin of the next line in `text`.
    begin: usize,
    /// Up to where `text` is known to hold no end of a line.
    searched: usize,
    position: i64,
    /// Code units still to be dropped, because an earlier run delivered them.
    skip: i64,
}

impl Lines {
    /// For a file that is read from its beginning and was delivered up to `position` code units before.
    pub(super) fn resuming_at(position: i64) -> Self {
        Self { position, skip: position, ..Self::default() }
    }

    /// Position after the last line that was taken.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// Everything that has not become a line.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(self);
        rest.text.drain(..rest.begin);
        [rest.text.into_bytes(), rest.incomplete].concat()
    }

    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.text.drain(..self.begin);
        self.searched -= self.begin;
        self.begin = 0;
        let joined;
        let mut rest = bytes;
        if !self.incomplete.is_empty() {
            joined = [std::mem::take(&mut self.incomplete).as_slice(), bytes].concat();
            rest = &joined;
        }
        let before = self.text.len();
        while let Err(error) = std::str::from_utf8(rest) {
            let (valid, broken) = rest.split_at(error.valid_up_to());
            self.text.push_str(&String::from_utf8_lossy(valid));
            let Some(length) = utf8_mistake(broken, error) else {
                self.incomplete = broken.to_vec();
                rest = &[];
                break;
            };
            self.text.push(char::REPLACEMENT_CHARACTER);
            rest = &broken[length..];
        }
        self.text.push_str(&String::from_utf8_lossy(rest));
        self.drop_delivered(before);
    }

    /// Drops what an earlier run delivered from the text after `from`.
    fn drop_delivered(&mut self, from: usize) {
        let mut end = from;
        for c in self.text[from..].chars() {
            if self.skip <= 0 {
                break;
            }
            self.skip -= c.len_utf16() as i64;
            end += c.len_utf8();
        }
        self.text.drain(from..end);
    }

    /// The next line without its end; `None`: more bytes are needed.
    pub(super) fn next_line(&mut self) -> Option<String> {
        let text = self.text.as_bytes();
        let found = text[self.searched..].iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let Some(end) = found.map(|at| self.searched + at) else {
            self.searched = text.len();
            return None;
        };
        self.searched = end;
        let after = match text[end..] {
            [b'\n', ..] => end + 1,
            [b'\r'] => return None,
            [b'\r', b'\n', ..] => end + 2,
            _ => end + 1,
        };
        let line = &self.text[self.begin..end];
        self.position += (units(line) + after - end) as i64;
        let line = line.to_owned();
        self.begin = after;
        self.searched = after;
        Some(line)
    }
}

fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn take(lines: &mut Lines) -> Vec<(String, i64)> {
        std::iter::from_fn(|| lines.next_line().map(|line| (line, lines.position()))).collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        resume: Option<i64>,
        /// What was appended to the file, and the lines with their positions that came then.
        steps: Vec<(String, Vec<(String, i64)>)>,
    }

    /// What Kafka's own task (3.9.2) made of files that grew step by step.
    #[test]
    fn lines_and_positions_are_javas() {
        let mut seen = 0;
        for vector in include_str!("lines_vectors.jsonl").lines() {
            let vector: Vector = serde_json::from_str(vector).unwrap();
            let mut lines = Lines::resuming_at(vector.resume.unwrap_or(0));
            for (appended, expected) in vector.steps {
                lines.push(&bytes(&appended));
                assert_eq!(take(&mut lines), expected, "after {appended}");
                seen += expected.len();
            }
        }
        assert!(seen > 200, "{seen}");
    }

    #[test]
    fn bytes_may_come_one_by_one() {
        let text = "é😀\r\nb\r\rc\n€";
        let mut whole = Lines::default();
        whole.push(text.as_bytes());
        let expected = take(&mut whole);
        assert_eq!(expected.iter().map(|(line, _)| line.as_str()).collect::<Vec<_>>(), ["é😀", "b", "", "c"]);
        let mut single = Lines::default();
        let mut found = Vec::new();
        for byte in text.as_bytes() {
            single.push(&[*byte]);
            found.extend(take(&mut single));
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn a_position_beyond_the_first_plane_is_found_again() {
        let text = "😀é\nabc\ndef\n";
        let mut lines = Lines::default();
        lines.push(text.as_bytes());
        for (_, position) in take(&mut lines) {
            let mut again = Lines::resuming_at(position);
            for part in text.as_bytes().chunks(3) {
                again.push(part);
            }
            let rest: Vec<i64> = take(&mut again).into_iter().map(|(_, position)| position).collect();
            let expected: Vec<i64> = [4, 8, 12].into_iter().filter(|at| *at > position).collect();
            assert_eq!(rest, expected);
        }
    }
}
