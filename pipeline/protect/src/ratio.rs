//! Exact fractions for elimination: 128-bit, always in lowest terms, and never silently wrong.

use std::cmp::Ordering;

/// A fraction in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ratio {
    numerator: i128,
    denominator: i128,
}

/// A result did not fit in 128 bits. The systems here have coefficients 0 and ±1, so this is a guard, not a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overflow;

impl Ratio {
    pub(crate) const ZERO: Self = Self { numerator: 0, denominator: 1 };

    pub(crate) fn whole(value: i128) -> Self {
        Self { numerator: value, denominator: 1 }
    }

    pub(crate) fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// Nearly every number met here is: sums and products of these need no common divisor.
    fn is_whole(self) -> bool {
        self.denominator == 1
    }

    /// The value when it is a whole number.
    pub(crate) fn as_whole(self) -> Option<i128> {
        self.is_whole().then_some(self.numerator)
    }

    pub(crate) fn plus(self, other: Self) -> Result<Self, Overflow> {
        if self.is_whole() && other.is_whole() {
            return self.numerator.checked_add(other.numerator).map(Self::whole).ok_or(Overflow);
        }
        let left = self.numerator.checked_mul(other.denominator).ok_or(Overflow)?;
        let right = other.numerator.checked_mul(self.denominator).ok_or(Overflow)?;
        let denominator = self.denominator.checked_mul(other.denominator).ok_or(Overflow)?;
        Ok(lowest(left.checked_add(right).ok_or(Overflow)?, denominator))
    }

    pub(crate) fn times(self, other: Self) -> Result<Self, Overflow> {
        let numerator = self.numerator.checked_mul(other.numerator).ok_or(Overflow)?;
        if self.is_whole() && other.is_whole() {
            return Ok(Self::whole(numerator));
        }
        let denominator = self.denominator.checked_mul(other.denominator).ok_or(Overflow)?;
        Ok(lowest(numerator, denominator))
    }

    pub(crate) fn negated(self) -> Self {
        Self { numerator: -self.numerator, denominator: self.denominator }
    }

    /// `self / other`; dividing by zero is reported as an overflow.
    pub(crate) fn over(self, other: Self) -> Result<Self, Overflow> {
        match other.numerator.cmp(&0) {
            Ordering::Equal => Err(Overflow),
            Ordering::Greater => self.times(Self { numerator: other.denominator, denominator: other.numerator }),
            Ordering::Less => self.times(Self { numerator: -other.denominator, denominator: -other.numerator }),
        }
    }
}

fn lowest(numerator: i128, denominator: i128) -> Ratio {
    let (mut a, mut b) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let divisor = i128::try_from(a).unwrap_or(1).max(1);
    Ratio { numerator: numerator / divisor, denominator: denominator / divisor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_by_hand() {
        let third = Ratio::whole(1).over(Ratio::whole(3)).expect("fits");
        let sixth = Ratio::whole(-1).over(Ratio::whole(-6)).expect("fits");
        let half = third.plus(sixth).expect("fits");
        assert_eq!(half, Ratio { numerator: 1, denominator: 2 });
        assert_eq!(half.times(Ratio::whole(-4)), Ok(Ratio::whole(-2)));
        assert!(half.plus(half.negated()).expect("fits").is_zero());
        assert_eq!(Ratio::whole(1).over(Ratio::ZERO), Err(Overflow));
        assert_eq!(Ratio::whole(i128::MAX).times(Ratio::whole(2)), Err(Overflow));
    }
}
