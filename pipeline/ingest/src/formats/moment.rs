//! Dates and times of typed formats as canonical text, and local time for instants.

use std::fmt::Write;

use jiff::civil::Date;

use crate::columns::{SECONDS_PER_DAY, date_of, day_number};

/// Writes a day, or nothing and false where there is no such day.
pub(super) fn write_day(to: &mut String, day: i64) -> bool {
    date_of(day).is_some_and(|date| write!(to, "{date}").is_ok())
}

/// Writes local seconds from 1970-01-01 00:00: a day where they are midnight, else a time as well.
pub(super) fn write_seconds(to: &mut String, seconds: i64) -> bool {
    let (day, second) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
    if !write_day(to, day) {
        return false;
    }
    let (hour, minute) = (second / 3600, second / 60 % 60);
    second == 0 || write!(to, "T{hour:02}:{minute:02}:{:02}", second % 60).is_ok()
}

/// Seconds from 1970-01-01 00:00 UTC as Norwegian local time.
///
/// Summer time is from 01:00 UTC on the last Sunday of March to 01:00 UTC on the last Sunday of October (directive 2000/84/EC); until
/// 1995 it ended in September. Instants before 1981 are read as winter time. Stored times are local, as the registers write them.
pub(crate) fn norwegian_seconds(utc: i64) -> i64 {
    let year = date_of(utc.div_euclid(SECONDS_PER_DAY)).map_or(1970, Date::year);
    let last_month = if year <= 1995 { 9 } else { 10 };
    let is_summer = year >= 1981 && (last_sunday(year, 3)..last_sunday(year, last_month)).contains(&(utc - 3600));
    utc + if is_summer { 7200 } else { 3600 }
}

/// The beginning of a month's last Sunday, in seconds.
fn last_sunday(year: i16, month: i8) -> i64 {
    let Ok(last) = Date::new(year, month, 1).map(Date::last_of_month) else { return 0 };
    let day = i64::from(day_number(last));
    (day - i64::from(last.weekday().to_sunday_zero_offset())) * SECONDS_PER_DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: i64) -> String {
        let mut text = String::new();
        assert!(write_seconds(&mut text, seconds));
        text
    }

    #[test]
    fn canonical_texts() {
        assert_eq!(text(0), "1970-01-01");
        assert_eq!(text(-1), "1969-12-31T23:59:59");
        assert_eq!(text(1_738_239_300), "2025-01-30T12:15:00");
        assert!(!write_seconds(&mut String::new(), i64::MAX));
        assert!(!write_day(&mut String::new(), i64::MIN));
    }

    #[test]
    fn norwegian_time_by_hand() {
        let local = |utc: &str| {
            let utc: jiff::Timestamp = utc.parse().unwrap();
            text(norwegian_seconds(utc.as_second()))
        };
        assert_eq!(local("2025-01-31T23:30:00Z"), "2025-02-01T00:30:00");
        assert_eq!(local("2025-03-30T00:59:59Z"), "2025-03-30T01:59:59");
        assert_eq!(local("2025-03-30T01:00:00Z"), "2025-03-30T03:00:00");
        assert_eq!(local("2025-10-26T00:59:59Z"), "2025-10-26T02:59:59");
        assert_eq!(local("2025-10-26T01:00:00Z"), "2025-10-26T02:00:00");
        assert_eq!(local("2025-07-31T22:00:00Z"), "2025-08-01");
        assert_eq!(local("1990-10-01T12:00:00Z"), "1990-10-01T13:00:00");
    }
}
