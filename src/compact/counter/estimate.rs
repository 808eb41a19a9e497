//! Tokens of a model whose vocabulary is not to be had, as a factor on one that is.
//!
//! The factor is what somebody measured on one day over texts like ours; a vendor changes its tokenizer with a model, so the day is part of
//! it. The margin lifts the estimate from the mean to where nearly all texts stay below it. Whole numbers throughout: the sum of rounded-up
//! parts must not come out below the rounded-up whole, and floating point does not promise that.

use std::fmt;

use super::super::tokens::Tokenizer;
use crate::tool::TokenCount;

/// Scales are kept in millionths.
const MILLION: u64 = 1_000_000;
/// Factors that any pair of vocabularies is known to have lie between .5 and 3; what is outside this is a slip.
const FACTORS: std::ops::RangeInclusive<f64> = 0.1..=10.0;
/// Past this the margin says that the factor is not known.
const MARGINS: std::ops::RangeInclusive<f64> = 0.0..=1.0;

/// A factor with its margin and day.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    base: Tokenizer,
    factor: f64,
    margin: f64,
    as_of: Day,
    /// `factor * (1 + margin)`, in millionths.
    scale: u64,
}

/// A number that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum EstimateError {
    /// The factor.
    #[error("factor is {0}, it must be {least} to {most}", least = FACTORS.start(), most = FACTORS.end())]
    Factor(f64),
    /// The margin.
    #[error("margin is {0}, it must be {least} to {most}", least = MARGINS.start(), most = MARGINS.end())]
    Margin(f64),
}

impl Estimate {
    /// `factor` is tokens of the model per token of `base`; `margin` is what is added, as a share.
    ///
    /// # Errors
    /// A number out of range, or none.
    pub fn new(base: Tokenizer, factor: f64, margin: f64, as_of: Day) -> Result<Self, EstimateError> {
        if !FACTORS.contains(&factor) {
            return Err(EstimateError::Factor(factor));
        }
        if !MARGINS.contains(&margin) {
            return Err(EstimateError::Margin(margin));
        }
        let scale = (factor * (1.0 + margin) * MILLION as f64).round() as u64;
        Ok(Self { base, factor, margin, as_of, scale })
    }

    /// The vocabulary that is scaled.
    #[must_use]
    pub fn base(&self) -> Tokenizer {
        self.base
    }

    /// The estimate for a text of `base` tokens, rounded up.
    #[must_use]
    pub fn of(&self, base: TokenCount) -> TokenCount {
        TokenCount(u32::try_from(self.of_total(u64::from(base.0))).unwrap_or(u32::MAX))
    }

    /// The same for a total of many texts.
    #[must_use]
    pub fn of_total(&self, base: u64) -> u64 {
        base.saturating_mul(self.scale).div_ceil(MILLION)
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}, margin {}, as of {}", self.base.name(), self.factor, self.margin, self.as_of)
    }
}

/// A day of the calendar, `2026-02-28`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day(Box<str>);

impl Day {
    /// Reads `YYYY-MM-DD`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |part: &str, width: usize| -> Option<u32> {
            (part.len() == width && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
        };
        let mut parts = text.split('-');
        let [year, month, day] = [digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?];
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if is_leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        (parts.next().is_none() && (1..=days).contains(&day)).then(|| Self(text.into()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day() -> Day {
        Day::parse("2026-02-28").unwrap()
    }

    #[test]
    fn days_exist() {
        for good in ["2026-02-28", "2024-02-29", "2026-12-31"] {
            assert_eq!(Day::parse(good).map(|day| day.to_string()).as_deref(), Some(good));
        }
        for bad in
            ["", "2026-02-29", "2026-13-01", "2026-00-01", "2026-04-31", "26-04-01", "2026-4-1", "2026-04-01-1", "2026-04-+1"]
        {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_that_cannot_be_meant_are_refused() {
        for factor in [0.0, -1.0, 0.05, 10.5, f64::NAN, f64::INFINITY] {
            let error = Estimate::new(Tokenizer::O200kBase, factor, 0.1, day()).unwrap_err().to_string();
            assert_eq!(error, format!("factor is {factor}, it must be 0.1 to 10"));
        }
        for margin in [-0.1, 1.5, f64::NAN] {
            let error = Estimate::new(Tokenizer::O200kBase, 1.0, margin, day()).unwrap_err().to_string();
            assert_eq!(error, format!("margin is {margin}, it must be 0 to 1"));
        }
    }

    proptest! {
        #[test]
        fn an_estimate_is_never_below_its_factor_and_parts_never_below_the_whole(
            factor in 0.1f64..10.0, margin in 0.0f64..1.0, parts in prop::collection::vec(0u32..100_000, 1..40)
        ) {
            let estimate = Estimate::new(Tokenizer::O200kBase, factor, margin, day()).unwrap();
            let whole: u64 = parts.iter().map(|part| u64::from(*part)).sum();
            let of_parts: u64 = parts.iter().map(|part| u64::from(estimate.of(TokenCount(*part)).0)).sum();
            prop_assert!(estimate.of_total(whole) <= of_parts);
            // A scale is rounded to a millionth.
            prop_assert!(whole as f64 * factor * (1.0 + margin) * (1.0 - 1e-5) <= estimate.of_total(whole) as f64);
            prop_assert!(estimate.of_total(whole) as f64 <= whole as f64 * factor * (1.0 + margin) * (1.0 + 1e-5) + 1.0);
        }
    }
}
