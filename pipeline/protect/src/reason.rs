//! The texts of `suppression_reason`, part of the published contract.

/// A cell that is hidden only so that another one cannot be worked out.
pub const SECONDARY: &str = "secondary";

/// All reasons that a published table can hold: the plan's primary ones first.
pub const REASONS: [&str; 4] = ["few-respondents", "small-count", "small-complement", SECONDARY];

/// Whether `text` is one of the primary reasons.
pub(crate) fn is_primary(text: &str) -> bool {
    text != SECONDARY && REASONS.contains(&text)
}

#[cfg(test)]
mod tests {
    use prem_spec::PrimaryReason;

    use super::*;

    #[test]
    fn the_texts_are_the_plans() {
        let plan = [PrimaryReason::FewRespondents, PrimaryReason::SmallCount, PrimaryReason::SmallComplement];
        assert_eq!(plan.map(PrimaryReason::as_str), REASONS[..3]);
    }
}
