//! A JSON parser as permissive as Connect's Jackson: leading zeros, whatever follows the first value, UTF-8, UTF-16 and
//! UTF-32; and as strict: no comments, NaN or trailing commas, nesting to 1000 levels.

use bigdecimal::num_bigint::BigInt;
use connect_api::ConnectError;
use connect_api::error::class;
use indexmap::IndexMap;

use super::node::Node;

/// Jackson's limits.
const MAX_DEPTH: usize = 1000;
const MAX_NUMBER: usize = 1000;

const VALUES: &str = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'";

/// Parses the first value of a text; nothing at all is [`Node::Missing`].
///
/// # Errors
/// A `SerializationException` that says what is wrong and where.
pub(super) fn parse(bytes: &[u8]) -> Result<Node, ConnectError> {
    let text = decode(bytes).map_err(|e| failure("com.fasterxml.jackson.core.JsonParseException", &e))?;
    let mut parser = Parser { text: &text, at: 0, depth: 0 };
    parser.root().map_err(|problem| {
        let before = &text[..problem.at.min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        failure(problem.class, &format!("{} at line: {line}, column: {column}", problem.text))
    })
}

fn failure(jackson: &str, text: &str) -> ConnectError {
    ConnectError::of(class::SERIALIZATION, format!("{jackson}: {text}"))
}

/// Text of the bytes, in the encoding that RFC 4627 lets one guess.
fn decode(bytes: &[u8]) -> Result<String, String> {
    let wide = |unit: usize, little: bool| -> Vec<u32> {
        let units = bytes.chunks_exact(unit);
        units
            .map(|unit| {
                let join = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
                if little { unit.iter().rev().fold(0, join) } else { unit.iter().fold(0, join) }
            })
            .collect()
    };
    let utf32 = |little| {
        let chars: Option<String> = wide(4, little).into_iter().map(char::from_u32).collect();
        chars.ok_or_else(|| "Invalid UTF-32 character".to_owned())
    };
    let utf16 = |little| {
        let units: Vec<u16> = wide(2, little).into_iter().map(|unit| unit as u16).collect();
        String::from_utf16(&units).map_err(|e| e.to_string())
    };
    let text = match bytes {
        [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, _, ..] => utf32(false)?,
        [0xff, 0xfe, 0, 0, ..] | [_, 0, 0, 0, ..] => utf32(true)?,
        // Jackson looks for marks only where there are four bytes.
        [0xfe, 0xff, _, _, ..] | [0, _, ..] => utf16(false)?,
        [0xff, 0xfe, _, _, ..] | [_, 0, ..] => utf16(true)?,
        _ => String::from_utf8(bytes.to_vec()).map_err(|e| {
            let wrong = bytes.get(e.utf8_error().valid_up_to()).copied().unwrap_or(0);
            format!("Invalid UTF-8 start byte 0x{wrong:x}")
        })?,
    };
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

struct Problem {
    class: &'static str,
    text: String,
    at: usize,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, Problem>;

impl Parser<'_> {
    fn root(&mut self) -> Parsed<Node> {
        self.blanks();
        if self.peek().is_none() {
            return Ok(Node::Missing);
        }
        let number = matches!(self.peek(), Some(b'-' | b'0'..=b'9'));
        let node = self.value()?;
        match self.peek() {
            Some(c) if number && !matches!(c, b' ' | b'\t' | b'\r' | b'\n') => {
                self.unexpected("Expected space separating root-level values")
            }
            _ => Ok(node),
        }
    }

    fn value(&mut self) -> Parsed<Node> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Node::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Node::Boolean(true)),
            Some(b'f') => self.literal("false", Node::Boolean(false)),
            Some(b'n') => self.literal("null", Node::Null),
            Some(c) if c.is_ascii_alphabetic() || c == b'_' || c == b'$' => Err(self.unrecognized(self.at)),
            Some(_) => self.unexpected(&format!("expected a valid value ({VALUES})")),
            None => self.ended(),
        }
    }

    fn nested(&mut self, parse: fn(&mut Self) -> Parsed<Node>) -> Parsed<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let depth = self.depth;
            return self.limit(format!(
                "Document nesting depth ({depth}) exceeds the maximum allowed ({MAX_DEPTH})"
            ));
        }
        self.at += 1;
        let node = parse(self)?;
        self.depth -= 1;
        Ok(node)
    }

    /// After `[`.
    fn array(&mut self) -> Parsed<Node> {
        let mut items = Vec::new();
        if self.closes(b']') {
            return Ok(Node::Array(items));
        }
        loop {
            items.push(self.value()?);
            if self.closes(b']') {
                return Ok(Node::Array(items));
            }
            self.comma("Array")?;
        }
    }

    /// After `{`.
    fn object(&mut self) -> Parsed<Node> {
        let mut members = IndexMap::new();
        if self.closes(b'}') {
            return Ok(Node::Object(members));
        }
        loop {
            self.blanks();
            match self.peek() {
                Some(b'"') => {}
                Some(_) => return self.unexpected("was expecting double-quote to start field name"),
                None => return self.ended(),
            }
            let key = self.string()?;
            self.blanks();
            match self.peek() {
                Some(b':') => self.at += 1,
                Some(_) => return self.unexpected("was expecting a colon to separate field name and value"),
                None => return self.ended(),
            }
            let value = self.value()?;
            members.insert(key, value);
            if self.closes(b'}') {
                return Ok(Node::Object(members));
            }
            self.comma("Object")?;
        }
    }

    fn closes(&mut self, end: u8) -> bool {
        self.blanks();
        let closes = self.peek() == Some(end);
        self.at += usize::from(closes);
        closes
    }

    fn comma(&mut self, what: &str) -> Parsed<()> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => self.unexpected(&format!("was expecting comma to separate {what} entries")),
            None => self.ended(),
        }
    }

    fn literal(&mut self, literal: &str, node: Node) -> Parsed<Node> {
        let start = self.at;
        let goes_on = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        match self.text[start..].strip_prefix(literal) {
            Some(rest) if !rest.starts_with(goes_on) => {
                self.at += literal.len();
                Ok(node)
            }
            _ => Err(self.unrecognized(start)),
        }
    }

    fn number(&mut self) -> Parsed<Node> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        self.digits()?;
        let mut fraction = false;
        if self.peek() == Some(b'.') {
            fraction = true;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            fraction = true;
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        if text.len() > MAX_NUMBER {
            return self.limit(format!("Number value length ({}) exceeds the maximum allowed", text.len()));
        }
        if fraction {
            return Ok(Node::Fraction(text.to_owned()));
        }
        Ok(match text.parse() {
            Ok(n) => Node::Integer(n),
            Err(_) => {
                text.parse::<BigInt>().map_or_else(|_| Node::Fraction(text.to_owned()), Node::BigInteger)
            }
        })
    }

    fn digits(&mut self) -> Parsed<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match (self.at > start, self.peek()) {
            (true, _) => Ok(()),
            (false, Some(_)) => self.unexpected("a number needs a digit here"),
            (false, None) => self.ended(),
        }
    }

    /// At the opening quote.
    fn string(&mut self) -> Parsed<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.bytes().take_while(|c| !matches!(c, b'"' | b'\\' | 0..=0x1f)).count();
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(c) => {
                    return self.problem(format!(
                        "Illegal unquoted character ((CTRL-CHAR, code {c})): \
                         has to be escaped using backslash to be included in string value"
                    ));
                }
                None => return self.ended(),
            }
        }
    }

    /// At a backslash.
    fn escape(&mut self) -> Parsed<char> {
        self.at += 1;
        let Some(c) = self.peek() else { return self.ended() };
        self.at += 1;
        Ok(match c {
            b'"' | b'\\' | b'/' => char::from(c),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => {
                self.at -= 1;
                return self.problem("Unrecognized character escape".to_owned());
            }
        })
    }

    /// After `\u`. What has no character of its own, half a surrogate pair, becomes U+FFFD.
    fn unicode(&mut self) -> Parsed<char> {
        let first = self.unit()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.unit()?;
            if (0xdc00..0xe000).contains(&second) {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self) -> Parsed<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            match self.peek().map(|c| char::from(c).to_digit(16)) {
                Some(Some(digit)) => unit = unit << 4 | digit,
                Some(None) => return self.unexpected("expected a hex-digit for character escape sequence"),
                None => return self.ended(),
            }
            self.at += 1;
        }
        Ok(unit)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn unexpected<T>(&self, expected: &str) -> Parsed<T> {
        let c = self.text[self.at..].chars().next().unwrap_or_default();
        self.problem(format!("Unexpected character ('{c}' (code {})): {expected}", u32::from(c)))
    }

    fn unrecognized(&self, start: usize) -> Problem {
        let goes_on = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let token: String = self.text[start..].chars().take_while(goes_on).take(256).collect();
        Problem {
            class: "com.fasterxml.jackson.core.JsonParseException",
            text: format!("Unrecognized token '{token}': was expecting ({VALUES})"),
            at: start + token.len(),
        }
    }

    fn ended<T>(&self) -> Parsed<T> {
        Err(Problem {
            class: "com.fasterxml.jackson.core.io.JsonEOFException",
            text: "Unexpected end-of-input".to_owned(),
            at: self.at,
        })
    }

    fn limit<T>(&self, text: String) -> Parsed<T> {
        Err(Problem { class: "com.fasterxml.jackson.core.exc.StreamConstraintsException", text, at: self.at })
    }

    fn problem<T>(&self, text: String) -> Parsed<T> {
        Err(Problem { class: "com.fasterxml.jackson.core.JsonParseException", text, at: self.at })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_jackson_takes_is_taken() {
        let int = Node::Integer;
        for (text, node) in [
            ("", Node::Missing),
            (" \n", Node::Missing),
            ("007", int(7)),
            ("-0", int(0)),
            ("1 2", int(1)),
            ("[1] x", Node::Array(vec![int(1)])),
            ("nullnot"[..4].trim(), Node::Null),
            ("1.50", Node::Fraction("1.50".into())),
            (r#""a\u00e9\ud83d\ude00\ud800""#, Node::Text("aé\u{1F600}\u{fffd}".into())),
            ("\u{feff}true", Node::Boolean(true)),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap(), node, "{text}");
        }
        assert_eq!(parse(b"\0t\0r\0u\0e").unwrap(), Node::Boolean(true));
        let twice = parse(br#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!(twice.get("a"), Some(&int(3)));
    }

    #[test]
    fn what_jackson_refuses_is_refused() {
        for text in [
            "NaN",
            "+1",
            ".5",
            "1.",
            "1e",
            "-",
            "1,2",
            "1x",
            "nul",
            "nullx",
            "[1,]",
            "[,1]",
            "{a:1}",
            "{\"a\"}",
            "'a'",
            "\"a",
            "[1",
            "// x\n1",
            "\"\t\"",
            r#""\x""#,
            r#""\u12""#,
            "{\"a\":1,}",
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.class(), class::SERIALIZATION);
            assert!(error.message().contains("line: 1"), "{text}: {error}");
        }
        assert!(parse(&[b'"', 0xff, b'"']).unwrap_err().message().contains("0xff"));
        assert!(parse("[".repeat(1001).as_bytes()).unwrap_err().message().contains("nesting depth"));
        assert!(parse("[".repeat(1000).as_bytes()).unwrap_err().message().contains("end-of-input"));
    }
}
