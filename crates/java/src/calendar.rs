//! Dates in UTC as `GregorianCalendar` and `java.util.Date` see them: Julian before 15 October 1582.

/// Milliseconds of a day.
pub const MILLIS_PER_DAY: i64 = 86_400_000;

/// First day of the Gregorian calendar, in days since 1970-01-01.
const CUTOVER: i64 = -141_427;

/// A point in time, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// Year; 0 is 1 BC, -1 is 2 BC.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
    /// 0 to 999.
    pub milli: i64,
}

impl DateTime {
    /// From milliseconds since the epoch.
    pub fn from_millis(millis: i64) -> Self {
        let (days, rest) = (millis.div_euclid(MILLIS_PER_DAY), millis.rem_euclid(MILLIS_PER_DAY));
        let (year, month, day) = if days >= CUTOVER { gregorian(days) } else { julian(days) };
        Self {
            year,
            month,
            day,
            hour: rest / 3_600_000,
            minute: rest / 60_000 % 60,
            second: rest / 1000 % 60,
            milli: rest % 1000,
        }
    }

    /// Milliseconds since the epoch. Lenient: fields beyond their range carry over, as in Java. Wraps far beyond any
    /// date that Java can show.
    pub fn to_millis(self) -> i64 {
        let year = self.year.wrapping_add((self.month - 1).div_euclid(12));
        let month = (self.month - 1).rem_euclid(12) + 1;
        // The calendar is chosen by the date with the day that was asked for.
        let days = gregorian_days(year, month).wrapping_add(self.day - 1);
        let days = if days >= CUTOVER { days } else { julian_days(year, month).wrapping_add(self.day - 1) };
        days.wrapping_mul(MILLIS_PER_DAY)
            .wrapping_add(self.hour.wrapping_mul(3_600_000))
            .wrapping_add(self.minute.wrapping_mul(60_000))
            .wrapping_add(self.second.wrapping_mul(1000))
            .wrapping_add(self.milli)
    }

    /// Days since the epoch.
    pub fn days(self) -> i64 {
        self.to_millis().div_euclid(MILLIS_PER_DAY)
    }

    /// 0 is Sunday.
    pub fn weekday(self) -> i64 {
        (self.days() + 4).rem_euclid(7)
    }

    /// 1 to 366.
    pub fn day_of_year(self) -> i64 {
        self.days() - Self { month: 1, day: 1, ..self }.days() + 1
    }

    /// Year as people count it: never 0, without era.
    pub fn year_of_era(self) -> i64 {
        if self.year > 0 { self.year } else { 1 - self.year }
    }
}

/// Years are counted from March, so that the leap day is the last.
fn shifted(year: i64, month: i64) -> (i64, i64) {
    if month > 2 { (year, (153 * (month - 3) + 2) / 5) } else { (year - 1, (153 * (month + 9) + 2) / 5) }
}

fn month_and_day(year: i64, day_of_year: i64) -> (i64, i64, i64) {
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    if from_march < 10 { (year, from_march + 3, day) } else { (year + 1, from_march - 9, day) }
}

/// Days from the epoch to the first of a month in the Gregorian calendar.
fn gregorian_days(year: i64, month: i64) -> i64 {
    let (year, days) = shifted(year, month);
    365i64.wrapping_mul(year) + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + days
        - 719_468
}

/// The same in the Julian calendar.
fn julian_days(year: i64, month: i64) -> i64 {
    let (year, days) = shifted(year, month);
    365i64.wrapping_mul(year) + year.div_euclid(4) + days - 719_470
}

fn gregorian(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    month_and_day(era * 400 + year, day - (365 * year + year / 4 - year / 100))
}

fn julian(days: i64) -> (i64, i64, i64) {
    let days = days + 719_470;
    let (era, day) = (days.div_euclid(1461), days.rem_euclid(1461));
    let year = (day - day / 1460) / 365;
    month_and_day(era * 4 + year, day - 365 * year)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ymd(millis: i64) -> (i64, i64, i64) {
        let date = DateTime::from_millis(millis);
        (date.year, date.month, date.day)
    }

    #[test]
    fn the_calendar_changes_in_1582() {
        assert_eq!(ymd(0), (1970, 1, 1));
        assert_eq!(ymd(1_577_934_245_000), (2020, 1, 2));
        assert_eq!(ymd(CUTOVER * MILLIS_PER_DAY), (1582, 10, 15));
        assert_eq!(ymd((CUTOVER - 1) * MILLIS_PER_DAY), (1582, 10, 4));
        assert_eq!(ymd(-62_135_769_600_000), (1, 1, 1));
        assert_eq!(ymd(-62_135_769_600_001), (0, 12, 31));
    }

    #[test]
    fn taking_apart_and_putting_together_agree() {
        for day in (-1_000_000..1_000_000).step_by(37) {
            let millis = day * MILLIS_PER_DAY + 12_345_678;
            let date = DateTime::from_millis(millis);
            assert_eq!(date.to_millis(), millis, "{date:?}");
        }
        let lenient = DateTime { month: 13, day: 32, ..DateTime::from_millis(0) };
        assert_eq!(ymd(lenient.to_millis()), (1971, 2, 1));
        assert_eq!(DateTime::from_millis(0).weekday(), 4);
        assert_eq!(DateTime::from_millis(366 * MILLIS_PER_DAY).day_of_year(), 2);
    }
}
