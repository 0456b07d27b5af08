//! Episodes: contacts of one person that hang together in time.

use std::ops::Range;

/// Contacts with at most this gap are one stay, as health registers reckon: the journey between two hospitals ends no stay.
pub(crate) const EPISODE_GAP_HOURS_MAX: i64 = 8;
pub(crate) const SECONDS_PER_HOUR: i64 = 3600;

/// The rows of each episode, where rows are in the order of person and admission. An episode goes on while the next contact
/// of the person begins at most `gap_seconds_max` after all before it have ended. A contact without an end ends when it
/// begins; one without a beginning belongs to what came before.
pub(crate) fn episodes(
    persons: &[Option<&str>],
    admitted: &[Option<i64>],
    discharged: &[Option<i64>],
    gap_seconds_max: i64,
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut row = 0;
    while row < persons.len() {
        let (first, person) = (row, persons[row]);
        let mut end = i64::MIN;
        while row < persons.len() && persons[row] == person {
            let start = admitted[row].unwrap_or(i64::MIN);
            if row > first && start.saturating_sub(end) > gap_seconds_max {
                break;
            }
            end = end.max(discharged[row].unwrap_or(start));
            row += 1;
        }
        found.push(first..row);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contacts of (person, admitted, discharged), in hours.
    fn of(contacts: &[(&str, i64, Option<i64>)]) -> Vec<Range<usize>> {
        let persons: Vec<Option<&str>> = contacts.iter().map(|(person, ..)| Some(*person)).collect();
        let seconds = |hours: i64| hours * SECONDS_PER_HOUR;
        let admitted: Vec<Option<i64>> = contacts.iter().map(|(_, start, _)| Some(seconds(*start))).collect();
        let discharged: Vec<Option<i64>> = contacts.iter().map(|(.., end)| end.map(seconds)).collect();
        episodes(&persons, &admitted, &discharged, seconds(EPISODE_GAP_HOURS_MAX))
    }

    #[test]
    fn eight_hours_hang_together_and_nine_do_not() {
        assert_eq!(of(&[("a", 0, Some(10)), ("a", 18, Some(30)), ("a", 39, Some(40))]), [0..2, 2..3]);
    }

    #[test]
    fn another_person_is_another_episode() {
        assert_eq!(of(&[("a", 0, Some(10)), ("b", 5, Some(12)), ("b", 12, Some(13))]), [0..1, 1..3]);
    }

    #[test]
    fn a_short_contact_inside_a_long_one_does_not_end_it() {
        let found = of(&[("a", 0, Some(100)), ("a", 5, Some(6)), ("a", 105, Some(110))]);
        assert_eq!(found, std::slice::from_ref(&(0..3)));
    }

    #[test]
    fn who_is_still_in_ends_where_they_began() {
        assert_eq!(of(&[("a", 0, None), ("a", 8, Some(9)), ("a", 30, None)]), [0..2, 2..3]);
    }
}
