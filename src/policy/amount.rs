//! What a call costs and what a limit holds: exact decimal amounts, never doubles.

use crate::wire::Number;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A non-negative amount, counted in billionths. With doubles, small costs would vanish beside large sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u128);

const PLACES: i64 = 9;
const UNIT: u128 = 1_000_000_000;

impl Amount {
    /// One whole unit: the cost of a call that names none.
    pub const ONE: Self = Self(UNIT);

    /// What is too large to count: no limit admits it.
    pub const LARGEST: Self = Self(u128::MAX);

    /// So many whole units.
    pub fn whole(units: u64) -> Self {
        Self(u128::from(units) * UNIT)
    }

    /// The amount of a number, fractions beyond the ninth place rounded up; `None` for what is negative or not finite.
    /// What is too large to count is the largest amount there is, which no limit admits.
    pub fn of(number: &Number) -> Option<Self> {
        if !number.is_finite() {
            return None;
        }
        let canonical = number.canonical();
        let (digits, exponent) = canonical.split_once('e')?;
        if digits.starts_with('-') {
            return None;
        }
        let shift = exponent.parse::<i64>().ok()?.saturating_add(PLACES);
        if shift >= 0 {
            return Some(Self(scaled(digits, shift)));
        }
        let kept = usize::try_from(shift.unsigned_abs()).ok().and_then(|cut| digits.len().checked_sub(cut));
        let whole = kept.map_or("", |kept| &digits[..kept]);
        // The digits that are cut off are never all zero, so something always rounds up.
        Some(Self(scaled(if whole.is_empty() { "0" } else { whole }, 0).saturating_add(1)))
    }

    /// The sum; stays at the largest amount instead of wrapping.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; stays at nothing instead of wrapping.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// What flows off in that time where this much does in that length; nothing where that is too much to reckon.
    pub(super) fn share(self, elapsed: Duration, length: Duration) -> Self {
        let product = self.0.checked_mul(elapsed.as_nanos());
        Self(product.and_then(|product| product.checked_div(length.as_nanos())).unwrap_or(0))
    }

    /// How long it takes until this has flowed off, where that much does in that length.
    pub(super) fn time_of_share(self, most: Self, length: Duration) -> Duration {
        let product = self.0.checked_mul(length.as_nanos()).filter(|_| most.0 > 0);
        let nanos = product.map_or(u128::MAX, |product| product.div_ceil(most.0));
        u64::try_from(nanos).map_or(Duration::MAX / 4, Duration::from_nanos)
    }

    /// Whether it is nothing at all.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

fn scaled(digits: &str, zeros: i64) -> u128 {
    let power = u32::try_from(zeros).ok().and_then(|zeros| 10u128.checked_pow(zeros));
    if digits == "0" {
        return 0;
    }
    digits
        .parse::<u128>()
        .ok()
        .zip(power)
        .and_then(|(value, power)| value.checked_mul(power))
        .unwrap_or(u128::MAX)
}

impl fmt::Display for Amount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:09}", self.0 % UNIT);
        match fraction.trim_end_matches('0') {
            "" => write!(out, "{}", self.0 / UNIT),
            digits => write!(out, "{}.{digits}", self.0 / UNIT),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.0 / UNIT) {
            Ok(whole) if self.0.is_multiple_of(UNIT) => out.serialize_u64(whole),
            _ => out.serialize_f64(self.to_string().parse().unwrap_or(f64::MAX)),
        }
    }
}

struct AmountVisitor;

impl de::Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a non-negative number")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Amount, E> {
        Ok(Amount::whole(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Amount, E> {
        u64::try_from(value)
            .map(Amount::whole)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Amount, E> {
        Number::from_spelling(&value.to_string())
            .and_then(|number| Amount::of(&number))
            .ok_or_else(|| E::invalid_value(de::Unexpected::Float(value), &self))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(AmountVisitor)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(spelling: &str) -> Option<String> {
        Amount::of(&Number::from_spelling(spelling).unwrap()).map(|amount| amount.to_string())
    }

    #[test]
    fn spellings_of_one_value_are_one_amount() {
        for (spelling, shown) in [
            ("500", "500"),
            ("5e2", "500"),
            ("500.0", "500"),
            ("0.99", "0.99"),
            ("-0", "0"),
            ("0e400", "0"),
            ("1e19", "10000000000000000000"),
            ("1e-9", "0.000000001"),
            // Never rounded down: a thousand tiny costs are not free.
            ("1e-10", "0.000000001"),
            ("500.0000000000000001", "500.000000001"),
        ] {
            assert_eq!(amount(spelling).as_deref(), Some(shown), "{spelling}");
        }
    }

    #[test]
    fn what_is_negative_is_none_and_what_is_too_large_is_the_largest() {
        assert_eq!(amount("-1"), None);
        assert_eq!(amount("-1e-30"), None);
        assert_eq!(Amount::of(&Number::from_spelling("1e309").unwrap()), Some(Amount::LARGEST));
        assert_eq!(Amount::LARGEST.plus(Amount::ONE), Amount::LARGEST);
    }

    #[test]
    fn a_document_keeps_its_numbers() {
        for text in ["3", "0.5", "0", "10000000"] {
            let amount: Amount = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&amount).unwrap(), text);
        }
        for text in ["-1", "-0.5", "\"3\"", "true", "null"] {
            assert!(serde_json::from_str::<Amount>(text).is_err(), "{text}");
        }
    }
}
