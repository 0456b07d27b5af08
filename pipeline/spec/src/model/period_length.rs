//! How long the periods of an indicator are.

use serde::Serialize;

use crate::period::{Period, PeriodKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodLength {
    Year,
    Tertial,
    Quarter,
    Month,
    /// Four quarters up to the end of each quarter.
    RollingYear,
}

impl PeriodLength {
    /// The kind of calendar period; `None` for windows that are none.
    pub fn kind(self) -> Option<PeriodKind> {
        match self {
            Self::Year => Some(PeriodKind::Year),
            Self::Tertial => Some(PeriodKind::Tertial),
            Self::Quarter => Some(PeriodKind::Quarter),
            Self::Month => Some(PeriodKind::Month),
            Self::RollingYear => None,
        }
    }

    /// Whether `period` is one of this length.
    pub(crate) fn is_of(self, period: Period) -> bool {
        let to_a_quarter = || {
            let last = period.end().yesterday().ok()?;
            Period::year_to(Period::of(PeriodKind::Quarter, last)?)
        };
        self.kind().map_or_else(|| to_a_quarter() == Some(period), |kind| period.kind() == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_of_a_length() {
        let is_of = |length: PeriodLength, period: &str| length.is_of(period.parse().expect("a period"));
        for (length, own) in [
            (PeriodLength::Year, "2025"),
            (PeriodLength::Tertial, "2025-T2"),
            (PeriodLength::Quarter, "2025-Q3"),
            (PeriodLength::Month, "2025-10"),
        ] {
            for period in ["2025", "2025-T2", "2025-Q3", "2025-10", "2025-04..2026-03"] {
                assert_eq!(is_of(length, period), period == own, "{length:?} {period}");
            }
        }
        // Four quarters, of which the calendar year is one.
        for period in ["2025-04..2026-03", "2024-10..2025-09", "2025"] {
            assert!(is_of(PeriodLength::RollingYear, period), "{period}");
        }
        for period in ["2025-03..2026-02", "2025-04..2025-12", "2025-Q1", "2025-T1", "2025-01"] {
            assert!(!is_of(PeriodLength::RollingYear, period), "{period}");
        }
    }
}
