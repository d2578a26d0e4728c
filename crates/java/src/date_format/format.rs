//! Texts from points in time.

use crate::calendar::DateTime;

use super::pattern::{Item, MONTHS, WEEKDAYS};

pub(super) fn format(items: &[Item], millis: i64) -> String {
    let date = DateTime::from_millis(millis);
    let mut out = String::new();
    for item in items {
        match item {
            Item::Literal(text) => out.push_str(text),
            Item::Field(letter, count) => field(&mut out, *letter, *count, &date),
        }
    }
    out
}

fn field(out: &mut String, letter: char, count: usize, date: &DateTime) {
    let number = match letter {
        'G' => return out.push_str(if date.year > 0 { "AD" } else { "BC" }),
        'y' => return year(out, date.year_of_era(), count),
        'Y' => return year(out, week_year(date).0, count),
        'M' | 'L' if count >= 3 => return name(out, MONTHS[date.month as usize - 1], count),
        'E' => return name(out, WEEKDAYS[date.weekday() as usize], count),
        'a' => return out.push_str(if date.hour < 12 { "AM" } else { "PM" }),
        'z' => return out.push_str(if count >= 4 { "Coordinated Universal Time" } else { "UTC" }),
        'Z' => return out.push_str("+0000"),
        'X' => return out.push('Z'),
        'M' | 'L' => date.month,
        'd' => date.day,
        'D' => date.day_of_year(),
        'F' => (date.day - 1) / 7 + 1,
        'w' => week_year(date).1,
        'W' => (date.day - 1 + first_of_month(date).weekday()) / 7 + 1,
        'u' => (date.weekday() + 6) % 7 + 1,
        'H' => date.hour,
        'k' => {
            if date.hour == 0 {
                24
            } else {
                date.hour
            }
        }
        'K' => date.hour % 12,
        'h' => {
            if date.hour % 12 == 0 {
                12
            } else {
                date.hour % 12
            }
        }
        'm' => date.minute,
        's' => date.second,
        _ => date.milli,
    };
    out.push_str(&format!("{number:0count$}"));
}

fn name(out: &mut String, name: &str, count: usize) {
    out.push_str(if count >= 4 { name } else { &name[..3] });
}

fn year(out: &mut String, year: i64, count: usize) {
    match count {
        2 => out.push_str(&format!("{:02}", year % 100)),
        _ => out.push_str(&format!("{year:0count$}")),
    }
}

fn first_of_month(date: &DateTime) -> DateTime {
    DateTime { day: 1, ..*date }
}

/// Year and number of the week: weeks begin on Sunday, the first of a year is the one with 1 January.
fn week_year(date: &DateTime) -> (i64, i64) {
    let first_day = |year: i64| {
        let january = DateTime { year, month: 1, day: 1, hour: 0, minute: 0, second: 0, milli: 0 };
        january.days() - january.weekday()
    };
    let days = date.days();
    let year = if days >= first_day(date.year + 1) { date.year + 1 } else { date.year };
    (year, (days - first_day(year)) / 7 + 1)
}
