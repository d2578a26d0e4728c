//! Java's regular expression dialect rewritten for `fancy_regex`. What means the same in both passes through, what is
//! spelt differently is translated, what has no counterpart is refused by name. Used by [`super::JavaRegex`] only.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

use super::error::RegexError;
use super::names::unicode_class;

/// Rewrites `source`.
pub(super) fn translate(source: &str) -> Result<String, RegexError> {
    let mut translator =
        Translator { source, rest: source.chars().peekable(), out: String::new(), names: BTreeSet::new() };
    translator.expression()?;
    Ok(translator.out)
}

struct Translator<'a> {
    source: &'a str,
    rest: Peekable<Chars<'a>>,
    out: String,
    names: BTreeSet<String>,
}

fn refuse<T>(what: impl Into<String>) -> Result<T, RegexError> {
    Err(RegexError(what.into()))
}

/// Writes `c` so that it means itself inside and outside of brackets. An escaped `<` would be a word boundary.
fn literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && c != '_' {
        out.push_str(&format!(r"\x{{{:X}}}", u32::from(c)));
    } else {
        out.push(c);
    }
}

impl Translator<'_> {
    fn expression(&mut self) -> Result<(), RegexError> {
        let mut open = 0;
        // Whether what stands before can be repeated.
        let mut repeatable = false;
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => open += usize::from(self.group()?),
                ')' if open == 0 => return self.wrong("Unmatched closing ')'", self.index().checked_sub(2)),
                ')' => {
                    open -= 1;
                    self.out.push(c);
                }
                '*' | '+' | '?' if !repeatable => {
                    return self.wrong(&format!("Dangling meta character '{c}'"), Some(self.index() - 1));
                }
                '*' | '+' | '?' => self.repeated(&c.to_string()),
                '{' => self.repetition()?,
                // Java takes stray closers as they are.
                ']' | '}' => literal(&mut self.out, c),
                _ => self.out.push(c),
            }
            repeatable = !matches!(c, '(' | '|' | '*' | '+' | '?');
        }
        if open > 0 { self.wrong("Unclosed group", Some(self.index())) } else { Ok(()) }
    }

    /// A repetition, and whether it is reluctant or possessive.
    fn repeated(&mut self, times: &str) {
        self.out.push_str(times);
        if let Some(kind) = self.rest.next_if(|c| matches!(c, '?' | '+')) {
            self.out.push(kind);
        }
    }

    /// Number of characters read.
    fn index(&self) -> usize {
        self.source.chars().count() - self.rest.clone().count()
    }

    /// Refuses in the words of Java's `PatternSyntaxException`.
    fn wrong<T>(&self, what: &str, index: Option<usize>) -> Result<T, RegexError> {
        let source = self.source;
        let Some(index) = index else { return refuse(format!("{what}\n{source}")) };
        let inside = index < source.chars().count();
        let arrow = if inside { format!("\n{}^", " ".repeat(index)) } else { String::new() };
        refuse(format!("{what} near index {index}\n{source}{arrow}"))
    }

    /// `{n}`, `{n,}`, `{n,m}`: anything else is an error in Java, and a literal brace in Rust.
    fn repetition(&mut self) -> Result<(), RegexError> {
        let inside: String =
            self.until('}').ok_or_else(|| RegexError("unclosed counted closure `{`".into()))?;
        let (low, high) = inside.split_once(',').unwrap_or((&inside, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if low.is_empty() || !digits(low) || !digits(high) {
            return refuse(format!("illegal repetition `{{{inside}}}`; write `\\{{` for a brace"));
        }
        let bound = |text: &str| text.parse().unwrap_or(u32::MAX);
        if !high.is_empty() && bound(low) > bound(high) {
            return refuse(format!("illegal repetition range `{{{inside}}}`"));
        }
        if self.rest.peek() == Some(&'{') {
            return refuse(format!("`{{{inside}}}` may not be followed by another repetition"));
        }
        self.repeated(&format!("{{{inside}}}"));
        Ok(())
    }

    /// The text up to `end`, which is consumed too.
    fn until(&mut self, end: char) -> Option<String> {
        let mut inside = String::new();
        for c in self.rest.by_ref() {
            if c == end {
                return Some(inside);
            }
            inside.push(c);
        }
        None
    }

    /// After `(`: the group kinds of Java, and no others. False if nothing was opened.
    fn group(&mut self) -> Result<bool, RegexError> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(true);
        }
        self.out.push('?');
        match self.rest.peek() {
            // Not the start of a repetition.
            Some(':' | '=' | '!' | '>') => self.out.extend(self.rest.next()),
            Some('<') => self.angled_group()?,
            _ => return self.flags(),
        }
        Ok(true)
    }

    fn angled_group(&mut self) -> Result<(), RegexError> {
        self.rest.next();
        self.out.push('<');
        match self.rest.peek() {
            Some('=' | '!') => Ok(()),
            _ => {
                let name = self.until('>').unwrap_or_default();
                let legal = name.starts_with(|c: char| c.is_ascii_alphabetic())
                    && name.chars().all(|c| c.is_ascii_alphanumeric());
                if !legal || !self.names.insert(name.clone()) {
                    return refuse(format!(
                        "group name {name:?} must be letters and digits, start with a letter and be used once"
                    ));
                }
                self.out.push_str(&format!("{name}>"));
                Ok(())
            }
        }
    }

    /// `(?i)`, `(?i-s:`: `d`, `u` and `U` change nothing for topic names, which are ASCII.
    fn flags(&mut self) -> Result<bool, RegexError> {
        let (mut on, mut off, mut negative) = (String::new(), String::new(), false);
        let end = loop {
            match self.rest.next() {
                Some('-') if !negative => negative = true,
                Some('d' | 'u' | 'U') => {}
                Some(flag @ ('i' | 'm' | 's')) if negative => off.push(flag),
                Some(flag @ ('i' | 'm' | 's')) => on.push(flag),
                Some('x') => return refuse("comments mode `(?x)` is not supported"),
                Some(end @ (')' | ':')) => break end,
                Some(other) => return refuse(format!("unknown inline modifier or group kind `(?{other}`")),
                None => return refuse("unclosed group"),
            }
        };
        match (on.is_empty() && off.is_empty(), end) {
            // `(?)` is nothing at all, but a repetition may not follow it; an empty group takes its place.
            (true, ')') => self.out.push_str(":)"),
            (true, _) => self.out.push(':'),
            (false, _) if off.is_empty() => self.out.push_str(&format!("{on}{end}")),
            (false, _) => self.out.push_str(&format!("{on}-{off}{end}")),
        }
        Ok(end == ':')
    }

    /// After a backslash. `in_class`: between brackets, where anchors and references have no meaning.
    fn escape(&mut self, in_class: bool) -> Result<(), RegexError> {
        let Some(c) = self.rest.next() else {
            return refuse("the expression ends in a single backslash");
        };
        match c {
            'Q' => self.quoted(),
            'd' | 'D' | 's' | 'S' | 'w' | 'W' | 't' | 'n' | 'r' | 'f' | 'a' => self.out.extend(['\\', c]),
            'e' => self.out.push_str(r"\x1B"),
            'h' => self.out.push_str(r"[ \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]"),
            'H' => {
                self.out.push_str(r"[^ \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]")
            }
            'v' => self.out.push_str(r"[\n\x0B\f\r\x{85}\x{2028}\x{2029}]"),
            'V' => self.out.push_str(r"[^\n\x0B\f\r\x{85}\x{2028}\x{2029}]"),
            'p' | 'P' => self.property(c == 'P')?,
            'x' | 'u' | '0' | 'c' => self.code(c)?,
            _ if c.is_ascii_alphanumeric() && in_class => {
                return refuse(format!("illegal escape `\\{c}` between brackets"));
            }
            'b' if self.rest.peek() == Some(&'{') => return refuse("`\\b{g}` is not supported"),
            'b' | 'B' | 'A' | 'z' | 'Z' => self.out.extend(['\\', c]),
            // Nothing can match before the whole name's start, so the end of the previous match is the start.
            'G' => self.out.push_str(r"\A"),
            'R' => self.out.push_str(r"(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])"),
            'k' => self.named_reference()?,
            '1'..='9' => self.out.push_str(&format!(r"(?:\{c})")),
            _ if c.is_ascii_alphabetic() => return refuse(format!("illegal or unsupported escape `\\{c}`")),
            _ => literal(&mut self.out, c),
        }
        Ok(())
    }

    /// After `\Q`: literal text up to `\E` or the end.
    fn quoted(&mut self) {
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.peek() == Some(&'E') {
                self.rest.next();
                return;
            }
            literal(&mut self.out, c);
        }
    }

    fn named_reference(&mut self) -> Result<(), RegexError> {
        if self.rest.next() != Some('<') {
            return refuse("`\\k` must be followed by `<name>`");
        }
        let name = self.until('>').ok_or_else(|| RegexError("unclosed `\\k<`".into()))?;
        self.out.push_str(&format!(r"\k<{name}>"));
        Ok(())
    }

    /// `\xhh`, `\x{h…}`, `\uhhhh`, `\0nnn`, `\cX`.
    fn code(&mut self, kind: char) -> Result<(), RegexError> {
        let number = match kind {
            'x' if self.rest.peek() == Some(&'{') => {
                self.rest.next();
                self.until('}').and_then(|digits| u32::from_str_radix(&digits, 16).ok())
            }
            'x' => self.digits(2, 16),
            'u' => self.digits(4, 16),
            'c' => self.rest.next().map(|c| u32::from(c) ^ 64),
            _ => self.octal(),
        };
        match number.and_then(char::from_u32) {
            Some(c) => self.out.push_str(&format!(r"\x{{{:X}}}", u32::from(c))),
            None => return refuse(format!("illegal character code after `\\{kind}`")),
        }
        Ok(())
    }

    fn digits(&mut self, count: usize, radix: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some(value * radix + self.rest.next()?.to_digit(radix)?))
    }

    /// One to three octal digits, at most 0377.
    fn octal(&mut self) -> Option<u32> {
        let mut value = self.digits(1, 8)?;
        for _ in 0..2 {
            match self.rest.peek().and_then(|c| c.to_digit(8)) {
                Some(digit) if value * 8 + digit <= 0o377 => value = value * 8 + digit,
                _ => break,
            }
            self.rest.next();
        }
        Some(value)
    }

    /// After `\p` or `\P`: POSIX classes are ASCII in Java; categories and scripts carry over.
    fn property(&mut self, negated: bool) -> Result<(), RegexError> {
        let name = match self.rest.next() {
            Some('{') => self.until('}').ok_or_else(|| RegexError("unclosed `\\p{`".into()))?,
            Some(c) => c.to_string(),
            None => return refuse("`\\p` needs a name"),
        };
        let posix = match name.as_str() {
            "Lower" => "a-z",
            "Upper" => "A-Z",
            "ASCII" => r"\x00-\x7F",
            "Alpha" => "a-zA-Z",
            "Digit" => "0-9",
            "Alnum" => "a-zA-Z0-9",
            "Punct" => r"!-/:-@\[-`{-\x7E",
            "Graph" => "!-\\x7E",
            "Print" => " -\\x7E",
            "Blank" => " \\t",
            "Cntrl" => r"\x00-\x1F\x7F",
            "XDigit" => "0-9a-fA-F",
            "Space" => r" \t\n\x0B\f\r",
            _ => return self.unicode_property(&name, negated),
        };
        self.out.push_str(if negated { "[^" } else { "[" });
        self.out.push_str(posix);
        self.out.push(']');
        Ok(())
    }

    fn unicode_property(&mut self, name: &str, negated: bool) -> Result<(), RegexError> {
        let class = match unicode_class(name) {
            Some(class) => class,
            None if name.starts_with("java") || name.starts_with("In") || name.contains('=') => {
                return refuse(format!(
                    "`\\p{{{name}}}` is not supported; name the characters, for example `[a-z0-9]`"
                ));
            }
            None => format!(r"\p{{{}}}", name.strip_prefix("Is").unwrap_or(name)),
        };
        self.out.push_str(&format!("[{}{class}]", if negated { "^" } else { "" }));
        Ok(())
    }

    /// After `[`: Java knows union by nesting and `&&`; Rust also knows `--`, `~~` and `[:name:]`, which must
    /// not come about by accident.
    fn class(&mut self) -> Result<(), RegexError> {
        self.out.push('[');
        if self.rest.peek() == Some(&'^') {
            self.rest.next();
            self.out.push('^');
        }
        let mut before = Before::Nothing;
        loop {
            let Some(c) = self.rest.next() else {
                return self.wrong("Unclosed character class", Some(self.index() - 1));
            };
            match c {
                ':' if before == Before::Nothing => {
                    return refuse(
                        r"`[:` is not a character class in Java; write `\p{Alpha}` or put the colon last",
                    );
                }
                ']' if before != Before::Nothing => break,
                '[' => self.class()?,
                '\\' => {
                    before = if self.rest.peek().is_some_and(|&c| is_set(c)) {
                        Before::Set
                    } else {
                        Before::Character
                    };
                    self.escape(true)?;
                    continue;
                }
                '&' if self.rest.peek() == Some(&'&') => self.intersection(before),
                '-' => self.dash(before),
                _ => literal(&mut self.out, c),
            }
            before = if c == '[' { Before::Set } else { Before::Character };
        }
        self.out.push(']');
        Ok(())
    }

    /// `&&`; Java ignores it where one side is missing.
    fn intersection(&mut self, before: Before) {
        self.rest.next();
        if before != Before::Nothing && self.rest.peek() != Some(&']') {
            self.out.push_str("&&");
        }
    }

    /// A dash makes a range between two characters, and is itself anywhere else.
    fn dash(&mut self, before: Before) {
        match self.rest.peek() {
            Some('-') if before == Before::Character => {
                self.rest.next();
                self.out.push_str(r"-\x{2D}");
            }
            Some(']' | '[' | '&') | None => literal(&mut self.out, '-'),
            _ if before != Before::Character => literal(&mut self.out, '-'),
            _ => self.out.push('-'),
        }
    }
}

/// Whether an escape stands for several characters, so that it cannot start a range.
fn is_set(escape: char) -> bool {
    matches!(escape.to_ascii_lowercase(), 'd' | 's' | 'w' | 'h' | 'v' | 'p' | 'q')
}

/// Kind of what stands before a place between brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Character,
    Set,
}
