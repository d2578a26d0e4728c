//! `java.text.SimpleDateFormat` for English texts in UTC: every pattern letter, lenient parsing. Weeks begin on Sunday, as
//! in the United States. Zone names other than GMT and UTC are not read.

mod calendar;
mod format;
mod parse;
mod pattern;

use std::time::{SystemTime, UNIX_EPOCH};

use self::pattern::{Item, compile};
use crate::calendar::DateTime;

/// A pattern, ready for use.
#[derive(Debug, Clone)]
pub struct SimpleDateFormat {
    pattern: String,
    items: Vec<Item>,
    /// Years of two digits are at or after this time: 80 years before the format was made.
    century_start: i64,
}

impl SimpleDateFormat {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// If Java refuses it, in Java's words.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        let now = DateTime::from_millis(now);
        let century_start = DateTime { year: now.year - 80, ..now }.to_millis();
        Ok(Self { pattern: pattern.to_owned(), items: compile(pattern)?, century_start })
    }

    /// The pattern as it was given.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The text of a point in time, in milliseconds since the epoch.
    pub fn format(&self, millis: i64) -> String {
        format::format(&self.items, millis)
    }

    /// Milliseconds since the epoch from the beginning of a text; `None` if it does not match. What follows the match
    /// does not matter, and fields beyond their range carry over.
    pub fn parse(&self, text: &str) -> Option<i64> {
        parse::parse(&self.items, text, self.century_start)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_both_ways() {
        let millis = 1_577_934_245_006;
        for (pattern, text) in [
            ("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "2020-01-02T03:04:05.006Z"),
            ("EEE, d MMM yyyy HH:mm:ss.S z", "Thu, 2 Jan 2020 03:04:05.6 UTC"),
            ("yyyyMMddHHmmssSSSX", "20200102030405006Z"),
            ("h:mm:ss.SSS a 'o''clock' D yy ZZ XXX", "3:04:05.006 AM o'clock 2 20 +0000 Z"),
        ] {
            let format = SimpleDateFormat::new(pattern).unwrap();
            assert_eq!(format.format(millis), text);
            assert_eq!(format.parse(text), Some(millis), "{pattern}");
        }
    }

    #[test]
    fn two_digits_are_a_year_of_the_last_eighty_or_next_twenty() {
        let mut format = SimpleDateFormat::new("yy-MM-dd").unwrap();
        // 21 November 1946.
        format.century_start = -729_302_400_000;
        let year = |text: &str| format.parse(text).map(|millis| DateTime::from_millis(millis).year);
        let years = ["46-11-22", "46-11-20", "47-01-01", "45-12-31", "00-01-01", "5-01-01", "046-01-01"];
        assert_eq!(years.map(|text| year(text).unwrap()), [1946, 2046, 1947, 2045, 2000, 5, 46]);
    }

    #[test]
    fn parsing_is_lenient() {
        let format = SimpleDateFormat::new("yyyy-MM-dd").unwrap();
        assert_eq!(format.parse("2020-13-32 and more"), format.parse("2021-02-01"));
        assert_eq!(format.parse("2020/01/01"), None);
        assert_eq!(SimpleDateFormat::new("b").unwrap_err(), "Illegal pattern character 'b'");
        assert_eq!(SimpleDateFormat::new("'x").unwrap_err(), "Unterminated quote");
    }
}
