//! A text in tokens: delimiters, and what stands between them. A backslash takes the meaning from the next character.

/// Walks over the tokens of a text.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// Looked at, but not taken.
    next: Option<&'a str>,
}

fn is_blank(text: &str) -> bool {
    trim(text).is_empty()
}

/// `String.trim`.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, next: None }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Begin of the next token, to go back there.
    pub(super) fn mark(&self) -> usize {
        self.at - self.next.map_or(0, str::len)
    }

    pub(super) fn rewind_to(&mut self, mark: usize) {
        self.at = mark;
        self.next = None;
    }

    pub(super) fn has_next(&self) -> bool {
        self.next.is_some() || self.at < self.text.len()
    }

    /// The next token, an empty one at the end.
    pub(super) fn take(&mut self) -> &'a str {
        match self.next.take() {
            Some(token) => token,
            None => self.read(),
        }
    }

    /// The text of the next so many tokens; `None` if there are fewer.
    pub(super) fn take_many(&mut self, count: usize) -> Option<&'a str> {
        let start = self.mark();
        for _ in 0..count {
            if !self.has_next() {
                self.rewind_to(start);
                return None;
            }
            self.take();
        }
        Some(&self.text[start..self.at])
    }

    /// Takes the next token if it is this one; white space around it does not count.
    pub(super) fn consume(&mut self, expected: &str) -> bool {
        if self.next.is_none() {
            if !self.has_next() {
                return false;
            }
            self.next = Some(self.read());
        }
        while self.next.is_some_and(is_blank) && self.at < self.text.len() {
            self.next = Some(self.read());
        }
        let found = self.next.is_some_and(|token| trim(token) == expected);
        if found {
            self.next = None;
        }
        found
    }

    fn read(&mut self) -> &'a str {
        let start = self.at;
        let mut escaped = false;
        for (index, c) in self.text[start..].char_indices() {
            let delimits = matches!(c, ':' | ',' | '{' | '}' | '[' | ']' | '"');
            if delimits && !escaped {
                self.at = start + index.max(1);
                return &self.text[start..self.at];
            }
            escaped = c == '\\' && !escaped;
        }
        self.at = self.text.len();
        &self.text[start..]
    }
}
