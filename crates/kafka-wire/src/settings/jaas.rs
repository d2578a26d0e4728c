//! The line of `sasl.jaas.config`: `module flag name="value" … ;`, tokenized as Kafka's `JaasConfig` does it.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// One login module with its options.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginModule {
    /// Class name.
    pub class: String,
    /// False when a login may do without it: `optional` and `sufficient`.
    pub required: bool,
    /// Options; values may be secret, so this type has no `Debug`.
    pub options: BTreeMap<String, String>,
}

/// Reads `line`. An error says what is wrong without repeating any of it, as it may hold a password.
pub fn parse(line: &str) -> Result<LoginModule, String> {
    let mut tokens = Tokens { chars: line.chars().peekable() };
    let class = tokens.word("the login module's class name")?;
    let flag = tokens.word("a control flag after the class name: required")?;
    let required = match flag.to_ascii_lowercase().as_str() {
        "required" | "requisite" => true,
        "sufficient" | "optional" => false,
        _ => return Err("the second word must be a control flag: required".to_owned()),
    };
    let mut options = BTreeMap::new();
    loop {
        match tokens.next()? {
            Token::Symbol(';') => break,
            Token::Word(name) => {
                // The name is not repeated: it may be the rest of a password that needed quotes.
                if !matches!(tokens.next()?, Token::Symbol('=')) {
                    return Err("an option has no value; write name=\"value\"".to_owned());
                }
                let value = tokens.word("a value after name=")?;
                options.insert(name, value);
            }
            Token::Symbol(_) => return Err("options must be written name=\"value\"".to_owned()),
            Token::End => return Err("it must end with a semicolon".to_owned()),
        }
    }
    match tokens.next()? {
        Token::End => Ok(LoginModule { class, required, options }),
        _ => Err("only one login module is allowed, and nothing may follow its semicolon".to_owned()),
    }
}

enum Token {
    Word(String),
    Symbol(char),
    End,
}

struct Tokens<'a> {
    chars: Peekable<Chars<'a>>,
}

impl Tokens<'_> {
    fn word(&mut self, what: &str) -> Result<String, String> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            _ => Err(format!(
                "expected {what}; values with other characters than letters and digits need quotes"
            )),
        }
    }

    fn next(&mut self) -> Result<Token, String> {
        loop {
            match self.chars.next() {
                None => return Ok(Token::End),
                Some(c) if c.is_whitespace() || c.is_control() => {}
                Some('/') => self.comment()?,
                Some(quote @ ('"' | '\'')) => return self.quoted(quote),
                // What starts like a number is one for Java, and never a value.
                Some(c) if is_word(c) && !matches!(c, '0'..='9' | '.' | '-') => {
                    return Ok(self.rest_of_word(c));
                }
                Some(c) => return Ok(Token::Symbol(c)),
            }
        }
    }

    fn rest_of_word(&mut self, first: char) -> Token {
        let mut word = String::from(first);
        while let Some(c) = self.chars.next_if(|&c| is_word(c)) {
            word.push(c);
        }
        Token::Word(word)
    }

    /// After a slash: `//` to the end of the line, `/* … */`; a lone slash starts a comment in Java too.
    fn comment(&mut self) -> Result<(), String> {
        if self.chars.next_if_eq(&'*').is_none() {
            while self.chars.next_if(|&c| c != '\n' && c != '\r').is_some() {}
            return Ok(());
        }
        let mut star = false;
        for c in self.chars.by_ref() {
            if star && c == '/' {
                return Ok(());
            }
            star = c == '*';
        }
        Err("a comment is not closed".to_owned())
    }

    fn quoted(&mut self, quote: char) -> Result<Token, String> {
        let mut text = String::new();
        loop {
            match self.chars.next() {
                None => return Err("a quotation mark is not closed".to_owned()),
                // Java closes it silently.
                Some('\n' | '\r') => return Ok(Token::Word(text)),
                Some('\\') => text.push(self.escaped()?),
                Some(c) if c == quote => return Ok(Token::Word(text)),
                Some(c) => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, String> {
        let c = self.chars.next().ok_or("it ends in a backslash")?;
        Ok(match c {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '0'..='7' => self.octal(c),
            other => other,
        })
    }

    /// Up to three octal digits, the third only after 0 to 3.
    fn octal(&mut self, first: char) -> char {
        let longest = if first <= '3' { 3 } else { 2 };
        let mut value = u32::from(first) - u32::from('0');
        for _ in 1..longest {
            match self.chars.next_if(|c| matches!(c, '0'..='7')) {
                Some(digit) => value = value * 8 + (u32::from(digit) - u32::from('0')),
                None => break,
            }
        }
        char::from_u32(value).unwrap_or('\u{fffd}')
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '$') || u32::from(c) >= 0xa0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Each line `[line, [class, options]]`: what Kafka's `JaasContext` makes of a line, `null` where it
    /// throws.
    const VECTORS: &str = include_str!("jaas_vectors.jsonl");

    #[test]
    fn reads_what_kafka_reads() {
        let mut wrong = Vec::new();
        for vector in VECTORS.lines() {
            type Case = (String, Option<(String, BTreeMap<String, String>)>);
            let (line, expected): Case = serde_json::from_str(vector).unwrap();
            let ours = parse(&line).ok().map(|module| (module.class, module.options));
            if ours != expected {
                wrong.push(format!("{line:?}: Kafka {expected:?}, we {ours:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(VECTORS.lines().count() > 400);
    }

    #[test]
    fn errors_say_what_without_the_password() {
        for (line, says) in [
            (r#"M required p="hunter2""#, "semicolon"),
            (r#"M required p="hunter2"; N required;"#, "one login module"),
            (r#"M required p="hunter2"#, "not closed"),
            (r#"M p="hunter2";"#, "control flag"),
            ("M required hunter2;", "no value"),
            ("M required p=;", "a value after name="),
            ("", "class name"),
        ] {
            let error = parse(line).err().unwrap();
            assert!(error.contains(says), "{line}: {error}");
            assert!(!error.contains("hunter2"), "{line}: {error}");
        }
    }
}
