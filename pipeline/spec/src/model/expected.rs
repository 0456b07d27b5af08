//! When deliveries of an export are expected, and which are missing on a given day.
//!
//! Pure reckoning in calendar days: whoever asks says what day it is.

use jiff::{
    ToSpan,
    civil::{Date, ISOWeekDate, Weekday},
};

use crate::period::{Period, PeriodKind};

/// How often deliveries come (`[expected]` of an export). A delivery covers one period or more, and is due some days after
/// the period's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    pub every: Every,
    /// The day after the period's end by which its delivery should have come; 1 is the first day after it.
    pub by_day: i64,
    /// Days after that in which it is awaited and not yet late.
    pub grace_days: i64,
    /// No period that begins before this day is expected.
    pub since: Date,
    /// How a file's name tells its period. Without one, a delivery covers every period that had ended when it came.
    pub name: Option<NamePattern>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Every {
    Day,
    /// From Monday.
    Week,
    Month,
    Quarter,
    Tertial,
    Year,
}

/// Literal text and date parts: `%Y` four digits, `%m` and `%d` two, `%V` the ISO week in two, `%q` and `%t` the quarter and the
/// tertial in one. It may stand anywhere in the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Literal(char),
    /// The letter of a date part, and its digits.
    Number(char, usize),
}

/// A period of a calendar of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub start: Date,
    /// Exclusive.
    pub end: Date,
    every: Every,
}

/// A delivery that was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival<'a> {
    /// Path in the inbox.
    pub file_name: &'a str,
    pub day: Date,
}

/// What is known of an export's deliveries on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlook {
    /// The latest period that a delivery covers.
    pub latest: Option<Span>,
    /// Periods whose delivery is past due and has not come, oldest first.
    pub missing: Vec<Missing>,
    /// The delivery that is due next, and when.
    pub next: Option<(Span, Date)>,
    /// Files whose name tells no period.
    pub nameless: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    pub period: Span,
    pub due: Date,
    /// Days since it was due.
    pub days: i64,
    /// The days of grace are over too.
    pub is_late: bool,
}

impl Every {
    fn kind(self) -> Option<PeriodKind> {
        match self {
            Self::Day | Self::Week => None,
            Self::Month => Some(PeriodKind::Month),
            Self::Quarter => Some(PeriodKind::Quarter),
            Self::Tertial => Some(PeriodKind::Tertial),
            Self::Year => Some(PeriodKind::Year),
        }
    }

    /// The period that holds `day`; `None` at the end of the calendar.
    pub fn of(self, day: Date) -> Option<Span> {
        let (start, end) = match self {
            Self::Day => (day, day.tomorrow().ok()?),
            Self::Week => {
                let back = i64::from(day.weekday().to_monday_zero_offset());
                let monday = day.checked_sub(back.days()).ok()?;
                (monday, monday.checked_add(1.week()).ok()?)
            }
            _ => {
                let period = Period::of(self.kind()?, day)?;
                (period.start(), period.end())
            }
        };
        Some(Span { start, end, every: self })
    }

    /// The date parts that a name must have to tell a period of this length.
    fn needs(self) -> &'static [&'static [char]] {
        match self {
            Self::Day => &[&['Y', 'm', 'd']],
            Self::Week => &[&['Y', 'V'], &['Y', 'm', 'd']],
            Self::Month => &[&['Y', 'm']],
            Self::Quarter => &[&['Y', 'q'], &['Y', 'm']],
            Self::Tertial => &[&['Y', 't'], &['Y', 'm']],
            Self::Year => &[&['Y']],
        }
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.every, self.every.kind().and_then(|kind| Period::of(kind, self.start))) {
            (_, Some(period)) => write!(f, "{period}"),
            (Every::Week, None) => {
                let week = self.start.iso_week_date();
                write!(f, "{:04}-W{:02}", week.year(), week.week())
            }
            _ => write!(f, "{}", self.start),
        }
    }
}

impl NamePattern {
    /// # Errors
    /// What is wrong with `text`, or what it lacks to tell a period of the length `every`.
    pub fn new(text: &str, every: Every) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '%' => match characters.next() {
                    Some('Y') => Part::Number('Y', 4),
                    Some(letter @ ('m' | 'd' | 'V')) => Part::Number(letter, 2),
                    Some(letter @ ('q' | 't')) => Part::Number(letter, 1),
                    _ => return Err("only %Y, %m, %d, %V, %q and %t are known here".to_owned()),
                },
                literal => Part::Literal(literal),
            });
        }
        let letters: Vec<char> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Number(letter, _) => Some(*letter),
                Part::Literal(_) => None,
            })
            .collect();
        if every.needs().iter().any(|needs| needs.iter().all(|letter| letters.contains(letter))) {
            return Ok(Self { parts });
        }
        let wanted: Vec<String> = every
            .needs()
            .iter()
            .map(|needs| needs.iter().map(|letter| format!("%{letter}")).collect::<Vec<_>>().join(" and "))
            .collect();
        Err(format!("to tell the period it needs {}", wanted.join(", or ")))
    }

    /// A day of the period that a name tells, at the first place where the pattern fits.
    pub fn day_in(&self, name: &str) -> Option<Date> {
        name.char_indices().find_map(|(at, _)| self.day_at(&name[at..]))
    }

    fn day_at(&self, mut text: &str) -> Option<Date> {
        let (mut year, mut month, mut day, mut week) = (None, 1_i16, 1_i16, None);
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text = text.strip_prefix(*literal)?,
                Part::Number(letter, length) => {
                    let digits = text.get(..*length).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
                    let number: i16 = digits.parse().ok()?;
                    text = &text[*length..];
                    match letter {
                        'Y' => year = Some(number),
                        'm' => month = number,
                        'd' => day = number,
                        'V' => week = Some(number),
                        'q' if (1..=4).contains(&number) => month = (number - 1) * 3 + 1,
                        't' if (1..=3).contains(&number) => month = (number - 1) * 4 + 1,
                        _ => return None,
                    }
                }
            }
        }
        if let Some(week) = week {
            let week = ISOWeekDate::new(year?, i8::try_from(week).ok()?, Weekday::Monday).ok()?;
            return Some(week.date());
        }
        Date::new(year?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    }
}

impl Expected {
    fn due(&self, period: Span) -> Option<Date> {
        period.end.checked_add((self.by_day - 1).days()).ok()
    }

    /// The periods from [`Expected::since`] on, one after the other.
    fn periods(&self) -> impl Iterator<Item = Span> {
        let first = self
            .every
            .of(self.since)
            .and_then(|period| if period.start < self.since { self.every.of(period.end) } else { Some(period) });
        let every = self.every;
        std::iter::successors(first, move |period| every.of(period.end))
    }

    /// What has come and what is missing on `today`, of `arrivals` in any order.
    pub fn outlook(&self, arrivals: &[Arrival<'_>], today: Date) -> Outlook {
        let mut outlook = Outlook::default();
        let mut covered: Vec<Date> = Vec::new();
        let latest_arrival = arrivals.iter().map(|arrival| arrival.day).max();
        if let Some(name) = &self.name {
            for arrival in arrivals {
                let file = arrival.file_name.rsplit('/').next().unwrap_or(arrival.file_name);
                match name.day_in(file).and_then(|day| self.every.of(day)) {
                    Some(period) => {
                        outlook.latest = outlook.latest.max(Some(period));
                        covered.push(period.start);
                    }
                    None => outlook.nameless += 1,
                }
            }
        }
        let is_covered = |period: Span| match &self.name {
            Some(_) => covered.contains(&period.start),
            None => latest_arrival.is_some_and(|day| day >= period.end),
        };
        for period in self.periods() {
            let Some(due) = self.due(period) else { break };
            let is_here = is_covered(period);
            if self.name.is_none() && is_here {
                outlook.latest = Some(period);
            }
            if due >= today {
                if !is_here {
                    outlook.next = Some((period, due));
                    break;
                }
                continue;
            }
            if !is_here {
                let days = i64::from((today - due).get_days());
                outlook.missing.push(Missing { period, due, days, is_late: days > self.grace_days });
            }
        }
        outlook
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn monthly(name: Option<&str>) -> Expected {
        let every = Every::Month;
        let name = name.map(|text| NamePattern::new(text, every).expect("a pattern"));
        Expected { every, by_day: 10, grace_days: 3, since: date(2025, 1, 15), name }
    }

    fn arrival(file_name: &str, day: Date) -> Arrival<'_> {
        Arrival { file_name, day }
    }

    fn missing(outlook: &Outlook) -> Vec<String> {
        let word = |missing: &Missing| if missing.is_late { "late" } else { "awaited" };
        outlook.missing.iter().map(|m| format!("{} {} {} {}", m.period, m.due, m.days, word(m))).collect()
    }

    #[test]
    fn a_month_is_due_on_its_day_awaited_in_grace_and_late_after() {
        let expected = monthly(Some("_%Y-%m"));
        let come = [arrival("a/answers_2025-02.csv", date(2025, 3, 4)), arrival("answers.csv", date(2025, 3, 4))];
        // February is the first whole month since the fifteenth of January; it is there, March is due on 10 April.
        let on = |month, day| expected.outlook(&come, date(2025, month, day));
        assert_eq!(on(4, 10).missing, []);
        let next = on(4, 10).next.map(|(period, due)| (period.to_string(), due));
        assert_eq!(next, Some(("2025-03".to_owned(), date(2025, 4, 10))));
        assert_eq!(missing(&on(4, 11)), ["2025-03 2025-04-10 1 awaited"]);
        assert_eq!(missing(&on(4, 13)), ["2025-03 2025-04-10 3 awaited"]);
        assert_eq!(missing(&on(4, 14)), ["2025-03 2025-04-10 4 late"]);
        assert_eq!(missing(&on(5, 11)), ["2025-03 2025-04-10 31 late", "2025-04 2025-05-10 1 awaited"]);
        assert_eq!(
            (on(5, 11).nameless, on(5, 11).latest.map(|span| span.to_string())),
            (1, Some("2025-02".to_owned()))
        );
    }

    #[test]
    fn a_gap_stays_a_gap_when_later_files_come() {
        let expected = monthly(Some("%Y%m"));
        let come = [arrival("x202502.csv", date(2025, 3, 1)), arrival("x202504.csv", date(2025, 5, 1))];
        let outlook = expected.outlook(&come, date(2025, 5, 20));
        assert_eq!(missing(&outlook), ["2025-03 2025-04-10 40 late"]);
        assert_eq!(outlook.next.map(|(period, _)| period.to_string()), Some("2025-05".to_owned()));
    }

    #[test]
    fn without_names_an_arrival_covers_what_had_ended() {
        let expected = monthly(None);
        assert_eq!(missing(&expected.outlook(&[], date(2025, 3, 20))), ["2025-02 2025-03-10 10 late"]);
        // On the last day of a month that month has not ended.
        let come = [arrival("whole.csv", date(2025, 4, 30))];
        let outlook = expected.outlook(&come, date(2025, 5, 11));
        assert_eq!(missing(&outlook), ["2025-04 2025-05-10 1 awaited"]);
        assert_eq!(outlook.latest.map(|span| span.to_string()), Some("2025-03".to_owned()));
        let come = [arrival("whole.csv", date(2025, 5, 1))];
        assert_eq!(expected.outlook(&come, date(2025, 5, 11)).missing, []);
    }

    #[test]
    fn weeks_days_and_years() {
        assert_eq!(Every::Week.of(date(2026, 1, 1)).map(|week| week.to_string()), Some("2026-W01".to_owned()));
        assert_eq!(Every::Week.of(date(2027, 1, 1)).map(|week| week.to_string()), Some("2026-W53".to_owned()));
        let weekly = NamePattern::new("-%Y-W%V", Every::Week).expect("a pattern");
        assert_eq!(weekly.day_in("beds-2026-W53.csv"), Some(date(2026, 12, 28)));
        assert_eq!(weekly.day_in("beds-2025-W53.csv"), None);
        let tertial = NamePattern::new("%YT%t", Every::Tertial).expect("a pattern");
        assert_eq!(tertial.day_in("2024_2025T3.csv"), Some(date(2025, 9, 1)));
        let day = NamePattern::new("%d.%m.%Y", Every::Day).expect("a pattern");
        assert_eq!(day.day_in("1 31.02.2025 28.02.2025"), Some(date(2025, 2, 28)));
        let daily = Expected { every: Every::Day, by_day: 1, grace_days: 0, since: date(2025, 3, 1), name: Some(day) };
        let come = [arrival("01.03.2025.csv", date(2025, 3, 2))];
        assert_eq!(missing(&daily.outlook(&come, date(2025, 3, 4))), ["2025-03-02 2025-03-03 1 late"]);
    }

    #[test]
    fn a_pattern_must_tell_the_period() {
        for (text, every) in [("%Y", Every::Month), ("%m", Every::Month), ("%Y-%m", Every::Day), ("%Y%m", Every::Week)]
        {
            assert!(NamePattern::new(text, every).is_err_and(|error| error.contains("needs %Y")), "{text}");
        }
        assert!(NamePattern::new("%Y-%B", Every::Year).is_err());
        assert!(NamePattern::new("%", Every::Year).is_err());
        for text in ["é2025-03", "2025-0", "2025-13", "", "x"] {
            let found = NamePattern::new("%Y-%m", Every::Month).expect("a pattern").day_in(text);
            assert_eq!(found.is_some(), text == "é2025-03", "{text}");
        }
    }
}
