//! Why a place of residence has no catchment area.

/// The reasons, the better-known place first: where several apply, the first is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum NoArea {
    /// Trusts share the municipality, and the district is missing, 99, or in no row.
    DistrictUnknown,
    /// The number ended, its successors lie in areas of several units, and the district does not tell which is meant.
    Divided,
    /// Catchment rows have the numbers that were merged into this one, and they lie in areas of several units.
    Merged,
    /// There are rows for the place, but none on the day.
    Gap,
    /// No catchment row has the number, or one that it came from or became.
    Unknown,
    /// The place is not given.
    NoMunicipality,
}

impl NoArea {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DistrictUnknown => "district-unknown",
            Self::Divided => "municipality-divided",
            Self::Merged => "municipality-merged",
            Self::Gap => "area-gap",
            Self::Unknown => "area-unknown",
            Self::NoMunicipality => "no-municipality",
        }
    }
}

/// The unit that all parts agree on. `differing` where they do not, or where only some have one.
pub(super) fn agreed(parts: impl Iterator<Item = Result<u32, NoArea>>, differing: NoArea) -> Result<u32, NoArea> {
    let parts: Vec<Result<u32, NoArea>> = parts.collect();
    let units: Vec<u32> = parts.iter().filter_map(|part| part.ok()).collect();
    match units.first() {
        Some(first) if units.len() == parts.len() && units.iter().all(|unit| unit == first) => Ok(*first),
        Some(_) => Err(differing),
        None => Err(parts.into_iter().filter_map(Result::err).min().unwrap_or(NoArea::Unknown)),
    }
}

/// The first that has a unit, else the better-known reason.
pub(super) fn either(first: Result<u32, NoArea>, then: impl FnOnce() -> Result<u32, NoArea>) -> Result<u32, NoArea> {
    match first {
        // Who shares a municipality is settled by its own rows: older or newer numbers cannot tell more.
        Ok(_) | Err(NoArea::DistrictUnknown) => first,
        Err(reason) => then().map_err(|other| other.min(reason)),
    }
}
