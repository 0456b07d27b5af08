//! Which of two deliveries is the later one.
//!
//! A delivery's place is a text. Runs of digits in it are compared as numbers and everything else byte by byte, so that delivery 10
//! comes after delivery 9, as `2025-10` comes after `2025-9`; dates, times and counters of fixed width keep their order.

use std::cmp::Ordering;

use jiff::Timestamp;

/// A place for exports whose order is that of arrival.
pub fn arrival_sequence(delivered_at: Timestamp) -> String {
    format!("{delivered_at:.9}")
}

/// A total order: texts that differ are never equal, whatever their zeros.
pub fn cmp_places(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(first), Some(second)) = (left.first(), right.first()) {
        let order = if first.is_ascii_digit() && second.is_ascii_digit() {
            let (number, other) = (take_number(&mut left), take_number(&mut right));
            (number.len(), number).cmp(&(other.len(), other))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            first.cmp(second)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    (left.len(), a).cmp(&(right.len(), b))
}

/// A run of digits without its leading zeros.
fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(length);
    *text = rest;
    let zeros = number.iter().take_while(|byte| **byte == b'0').count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the earliest to the latest.
    const ORDERED: [&str; 12] = [
        "",
        "1",
        "9",
        "10",
        "2025-9",
        "2025-09-30",
        "2025-10",
        "2025-10-1",
        "2025-12-31T23:59:59.000",
        "2026-01",
        "delivery 9",
        "delivery 10",
    ];

    #[test]
    fn numbers_in_names_are_numbers() {
        for (place, earlier) in ORDERED.iter().enumerate() {
            assert_eq!(cmp_places(earlier, earlier), Ordering::Equal);
            for later in &ORDERED[place + 1..] {
                assert_eq!(cmp_places(earlier, later), Ordering::Less, "{earlier} {later}");
                assert_eq!(cmp_places(later, earlier), Ordering::Greater, "{earlier} {later}");
            }
        }
        assert_ne!(cmp_places("1", "01"), Ordering::Equal);
    }

    #[test]
    fn the_order_is_total() {
        let parts = ["0", "00", "1", "01", "10", "a", "-", "."];
        let texts: Vec<String> =
            parts.iter().flat_map(|a| parts.iter().flat_map(move |b| parts.map(|c| format!("{a}{b}{c}")))).collect();
        let mut sorted = texts.clone();
        sorted.sort_by(|a, b| cmp_places(a, b));
        for pair in sorted.windows(2) {
            assert_ne!(cmp_places(&pair[0], &pair[1]), Ordering::Greater, "{pair:?}");
        }
        for (place, early) in sorted.iter().enumerate() {
            for late in &sorted[place..] {
                assert_ne!(cmp_places(early, late), Ordering::Greater, "{early} {late}");
            }
        }
    }
}
