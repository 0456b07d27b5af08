//! Parts of a whole, compared with a declared share.
#![expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]

/// Whether `part` is more than `share` of `whole`.
pub(crate) fn exceeds(part: u64, share: f64, whole: u64) -> bool {
    part as f64 > share * whole as f64
}

/// Whether `part` is less than `share` of `whole`.
pub(crate) fn falls_short(part: u64, share: f64, whole: u64) -> bool {
    (part as f64) < share * whole as f64
}
