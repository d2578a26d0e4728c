//! The date that a set of calendar fields means, as `GregorianCalendar` resolves them: where they contradict each other, the
//! ones set last count; what is missing is that of 1970-01-01.

use crate::calendar::{DateTime, MILLIS_PER_DAY};

/// A field that a text can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    Year,
    WeekYear,
    Month,
    Day,
    DayOfYear,
    WeekOfYear,
    WeekOfMonth,
    Weekday,
    WeekdayInMonth,
    AmPm,
    Hour12,
    Hour24,
    Minute,
    Second,
    Milli,
    Offset,
}

/// Fields in the order in which they were set.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(Field, i64)>);

impl Fields {
    pub(super) fn set(&mut self, field: Field, value: i64) {
        self.0.retain(|(known, _)| *known != field);
        self.0.push((field, value));
    }

    fn get(&self, field: Field) -> Option<i64> {
        self.0.iter().find(|(known, _)| *known == field).map(|(_, value)| *value)
    }

    /// When a field was set; 0: never.
    fn stamp(&self, field: Field) -> usize {
        self.0.iter().position(|(known, _)| *known == field).map_or(0, |index| index + 1)
    }

    /// When the later of two was set; 0 unless both were.
    fn both(&self, one: Field, other: Field) -> usize {
        let stamps = [self.stamp(one), self.stamp(other)];
        if stamps.contains(&0) { 0 } else { stamps[0].max(stamps[1]) }
    }

    /// Milliseconds since the epoch.
    pub(super) fn to_millis(&self) -> i64 {
        let value = |field| self.get(field).unwrap_or(0);
        let day = self.days().wrapping_mul(MILLIS_PER_DAY);
        let time = self.hours() * 3_600_000 + value(Field::Minute) * 60_000 + value(Field::Second) * 1000;
        day.wrapping_add(time).wrapping_add(value(Field::Milli)).wrapping_sub(value(Field::Offset))
    }

    fn hours(&self) -> i64 {
        let twelve = match self.both(Field::Hour12, Field::AmPm) {
            0 if self.stamp(Field::Hour24) == 0 => self.stamp(Field::Hour12).max(self.stamp(Field::AmPm)),
            stamp => stamp,
        };
        match self.get(Field::Hour24) {
            Some(hour) if self.stamp(Field::Hour24) >= twelve => hour,
            _ => self.get(Field::Hour12).unwrap_or(0) + 12 * self.get(Field::AmPm).unwrap_or(0),
        }
    }

    fn days(&self) -> i64 {
        if self.stamp(Field::WeekYear) > self.stamp(Field::Year) {
            let first = first_of(self.get(Field::WeekYear).unwrap_or(1970), 1);
            return week(
                first,
                self.get(Field::WeekOfYear).unwrap_or(1),
                self.get(Field::Weekday).unwrap_or(0),
            );
        }
        let year = self.get(Field::Year).unwrap_or(1970);
        let year = if self.get(Field::Era) == Some(0) { 1 - year } else { year };
        let month = self.get(Field::Month).unwrap_or(1);
        let weekday = self.get(Field::Weekday).unwrap_or(0);
        match self.chosen() {
            Field::DayOfYear => first_of(year, 1) + self.get(Field::DayOfYear).unwrap_or(1) - 1,
            Field::WeekOfYear => week(first_of(year, 1), self.get(Field::WeekOfYear).unwrap_or(1), weekday),
            Field::WeekOfMonth => {
                week(first_of(year, month), self.get(Field::WeekOfMonth).unwrap_or(1), weekday)
            }
            Field::WeekdayInMonth => {
                nth_weekday(year, month, weekday, self.get(Field::WeekdayInMonth).unwrap_or(1))
            }
            _ => date(year, month, self.get(Field::Day).unwrap_or(1)),
        }
    }

    /// The field that says the day.
    fn chosen(&self) -> Field {
        let weeks = [
            (self.both(Field::WeekOfMonth, Field::Weekday), Field::WeekOfMonth),
            (self.both(Field::WeekdayInMonth, Field::Weekday), Field::WeekdayInMonth),
            (self.stamp(Field::DayOfYear), Field::DayOfYear),
            (self.both(Field::WeekOfYear, Field::Weekday), Field::WeekOfYear),
        ];
        let mut best = (self.stamp(Field::Day), Field::Day);
        for candidate in weeks {
            if candidate.0 > best.0 {
                best = candidate;
            }
        }
        if best.0 > 0 {
            return best.1;
        }
        // No combination is complete; a weekday alone is the first such day of the month.
        let alone = [
            (self.stamp(Field::WeekOfMonth), Field::WeekOfMonth),
            (self.stamp(Field::WeekdayInMonth).max(self.stamp(Field::Weekday)), Field::WeekdayInMonth),
            (self.stamp(Field::WeekOfYear), Field::WeekOfYear),
        ];
        alone
            .into_iter()
            .filter(|(stamp, _)| *stamp > 0)
            .max_by_key(|(stamp, _)| *stamp)
            .map_or(Field::Day, |f| f.1)
    }
}

fn date(year: i64, month: i64, day: i64) -> i64 {
    DateTime { year, month, day, hour: 0, minute: 0, second: 0, milli: 0 }.days()
}

fn first_of(year: i64, month: i64) -> i64 {
    date(year, month, 1)
}

/// Day of a week, counted from the one that holds `first`; 0 is Sunday.
fn week(first: i64, number: i64, weekday: i64) -> i64 {
    first - (first + 4).rem_euclid(7) + 7 * (number - 1) + weekday
}

/// The nth such weekday of a month; negative numbers count from its end.
fn nth_weekday(year: i64, month: i64, weekday: i64, number: i64) -> i64 {
    let on_or_before = |day: i64| day - (day + 4 - weekday).rem_euclid(7);
    let first = first_of(year, month);
    if number >= 0 {
        on_or_before(first + 7 * number - 1)
    } else {
        on_or_before(first_of(year, month + 1) + 7 * (number + 1) - 1)
    }
}
