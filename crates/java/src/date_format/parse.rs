//! Points in time from texts.

use super::calendar::{Field, Fields};
use super::pattern::{Item, MONTHS, WEEKDAYS};
use crate::calendar::DateTime;

/// Milliseconds since the epoch; `None` if the text does not match.
pub(super) fn parse(items: &[Item], text: &str, century_start: i64) -> Option<i64> {
    let century = DateTime::from_millis(century_start).year;
    let mut parser =
        Parser { text: text.as_bytes(), at: 0, fields: Fields::default(), century, ambiguous: None };
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Literal(literal) => parser.literal(literal)?,
            Item::Field(letter, count) => {
                // Digits that touch the next field belong to it from the pattern's number of letters on.
                let touches =
                    matches!(items.get(index + 1), Some(Item::Field(next, n)) if is_numeric(*next, *n));
                parser.field(*letter, *count, touches.then_some(*count))?;
            }
        }
    }
    if parser.at == 0 {
        return None;
    }
    let millis = parser.fields.to_millis();
    match parser.ambiguous {
        Some(year) if millis < century_start => {
            parser.fields.set(Field::Year, year + 100);
            Some(parser.fields.to_millis())
        }
        _ => Some(millis),
    }
}

/// Whether a field of a pattern is digits.
fn is_numeric(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' => count <= 2,
        'G' | 'E' | 'a' | 'z' | 'Z' | 'X' => false,
        _ => true,
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    fields: Fields,
    /// Year from which on two-digit years are.
    century: i64,
    /// The two-digit year that may be of either century.
    ambiguous: Option<i64>,
}

impl Parser<'_> {
    fn literal(&mut self, literal: &str) -> Option<()> {
        self.text[self.at..].starts_with(literal.as_bytes()).then(|| self.at += literal.len())
    }

    fn field(&mut self, letter: char, count: usize, width: Option<usize>) -> Option<()> {
        let start = self.at;
        while matches!(self.text.get(self.at)?, b' ' | b'\t') {
            self.at += 1;
        }
        // Blanks may stand before numbers and zones, but not before names.
        let is_name = matches!(letter, 'G' | 'E' | 'a') || matches!(letter, 'M' | 'L') && count >= 3;
        if is_name && self.at > start {
            return None;
        }
        let (field, value) = match letter {
            'G' => (Field::Era, self.name(&["BC", "AD"], 2)?),
            'E' => (Field::Weekday, self.name(&WEEKDAYS, 3)?),
            'a' => (Field::AmPm, self.name(&["AM", "PM"], 2)?),
            'M' | 'L' if count >= 3 => (Field::Month, self.name(&MONTHS, 3)? + 1),
            'z' | 'Z' => (Field::Offset, self.zone()?),
            'X' => (Field::Offset, self.iso_zone(count)?),
            'y' | 'Y' => {
                let year = self.year(letter, count, width)?;
                (if letter == 'y' { Field::Year } else { Field::WeekYear }, year)
            }
            _ => {
                let value = self.number(width)?;
                match letter {
                    'M' | 'L' => (Field::Month, value),
                    'd' => (Field::Day, value),
                    'D' => (Field::DayOfYear, value),
                    'F' => (Field::WeekdayInMonth, value),
                    'w' => (Field::WeekOfYear, value),
                    'W' => (Field::WeekOfMonth, value),
                    'u' => (Field::Weekday, value.rem_euclid(7)),
                    'H' => (Field::Hour24, value),
                    'k' => (Field::Hour24, if value == 24 { 0 } else { value }),
                    'K' => (Field::Hour12, value),
                    'h' => (Field::Hour12, if value == 12 { 0 } else { value }),
                    'm' => (Field::Minute, value),
                    's' => (Field::Second, value),
                    _ => (Field::Milli, value),
                }
            }
        };
        self.fields.set(field, value);
        Some(())
    }

    /// An integer with an optional minus, of 32 bits as in Java; at most `width` characters.
    fn number(&mut self, width: Option<usize>) -> Option<i64> {
        let rest = &self.text[self.at..];
        let rest = match width {
            Some(width) => rest.get(..width)?,
            None => rest,
        };
        let minus = usize::from(rest.first() == Some(&b'-'));
        let digits = rest[minus..].iter().take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let text = std::str::from_utf8(&rest[..minus + digits]).ok()?;
        self.at += text.len();
        let saturated = if minus == 1 { i32::MIN } else { i32::MAX };
        Some(i64::from(text.parse::<i64>().map_or(saturated, |long| long as i32)))
    }

    /// Exactly two digits for a pattern of at most two letters are a year near today.
    fn year(&mut self, letter: char, count: usize, width: Option<usize>) -> Option<i64> {
        let start = self.at;
        let year = self.number(width)?;
        let two_digits = self.at - start == 2 && self.text[start] != b'-';
        if count > 2 || !two_digits {
            return Some(year);
        }
        let first = self.century.rem_euclid(100);
        let year = year + self.century - first + if year < first { 100 } else { 0 };
        if letter == 'y' && year == self.century {
            self.ambiguous = Some(year);
        }
        Some(year)
    }

    /// Index of the longest name, or its first `short` letters, that stands here in any case.
    fn name(&mut self, names: &[&str], short: usize) -> Option<i64> {
        let stands = |name: &str| {
            let here = self.text.get(self.at..self.at + name.len());
            here.is_some_and(|here| here.eq_ignore_ascii_case(name.as_bytes()))
        };
        let long = names.iter().position(|name| stands(name)).map(|index| (index, names[index].len()));
        let found = long.or_else(|| names.iter().position(|name| stands(&name[..short])).map(|i| (i, short)));
        let (index, length) = found?;
        self.at += length;
        Some(index as i64)
    }

    /// `+hhmm`, `GMT`, `GMT+hh:mm`, `UTC`.
    fn zone(&mut self) -> Option<i64> {
        if let Some(sign) = self.sign() {
            return self.offset(sign, 0, false);
        }
        if self.literal("Coordinated Universal Time").is_some() {
            return Some(0);
        }
        match (self.name(&["UTC", "GMT"], 3)?, self.text.get(self.at)) {
            (1, Some(b'+' | b'-')) => {
                let sign = self.sign()?;
                self.offset(sign, 0, true)
            }
            _ => Some(0),
        }
    }

    /// `Z`, or an offset in the form that the number of letters says.
    fn iso_zone(&mut self, count: usize) -> Option<i64> {
        if self.text.get(self.at) == Some(&b'Z') {
            self.at += 1;
            return Some(0);
        }
        let sign = self.sign()?;
        self.offset(sign, count, count == 3)
    }

    fn sign(&mut self) -> Option<i64> {
        let sign = match self.text.get(self.at)? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.at += 1;
        Some(sign)
    }

    /// Hours, and minutes unless the pattern has one letter, after a sign. In milliseconds.
    fn offset(&mut self, sign: i64, count: usize, colon: bool) -> Option<i64> {
        let mut hours = self.digit()?;
        match self.text.get(self.at).filter(|c| c.is_ascii_digit()) {
            Some(_) => hours = hours * 10 + self.digit()?,
            None if count > 0 || !colon => return None,
            None => {}
        }
        let mut minutes = 0;
        if count != 1 {
            if colon {
                self.literal(":")?;
            }
            minutes = self.digit()? * 10 + self.digit()?;
        }
        (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60_000)
    }

    fn digit(&mut self) -> Option<i64> {
        let digit = char::from(*self.text.get(self.at)?).to_digit(10)?;
        self.at += 1;
        Some(i64::from(digit))
    }
}
