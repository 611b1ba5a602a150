//! A JSON number in its own spelling, compared by exact decimal value: `5`, `5.0` and `5e0` are one number, and
//! `9007199254740993` is not `9007199254740992`.

use std::cmp::Ordering;

/// A number as it was spelled. Equality is that of the spelling; [`Number::compare`] is that of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(Box<str>);

/// The exact value: sign, significant digits without outer zeros, and the power of ten behind the last digit.
#[derive(PartialEq, Eq, Hash)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Default for Number {
    fn default() -> Self {
        Self("0".into())
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(value.to_string().into())
    }
}

impl Number {
    /// A number of that spelling, if it is one (RFC 8259 section 6).
    pub fn from_spelling(spelling: &str) -> Option<Self> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = spelling.strip_prefix('-').unwrap_or(spelling);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let sound = digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(digits)
            && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)));
        sound.then(|| Self(spelling.into()))
    }

    /// A word that stands where a number should: `NaN`, `Infinity`. Only lenient readers make these.
    pub(super) fn not_finite(word: &str) -> Self {
        Self(word.into())
    }

    /// The text as written.
    pub fn spelling(&self) -> &str {
        &self.0
    }

    /// Whether it is a number at all: `false` for the words that lenient readers let through.
    pub fn is_finite(&self) -> bool {
        self.0.starts_with(|first: char| first.is_ascii_digit() || first == '-') && !self.0.contains('I')
    }

    /// The nearest double; infinite where the value is beyond doubles.
    pub fn as_f64(&self) -> Option<f64> {
        self.is_finite().then(|| self.0.parse().ok())?
    }

    /// The integer, if the value is integral and fits.
    pub fn as_i64(&self) -> Option<i64> {
        let decimal = self.decimal()?;
        let zeros = usize::try_from(decimal.exponent).ok().filter(|zeros| *zeros < 20)?;
        let text =
            format!("{}{}{}", if decimal.negative { "-" } else { "" }, decimal.digits, "0".repeat(zeros));
        text.parse().ok()
    }

    /// Exact comparison by value; `None` where one of them is no finite number.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let (left, right) = (self.decimal()?, other.decimal()?);
        Some(match (left.negative, right.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => left.magnitude_cmp(&right),
            (true, true) => right.magnitude_cmp(&left),
        })
    }

    /// One spelling for each value: digits, `e`, power of ten. Words that are no numbers stay as they are.
    pub fn canonical(&self) -> String {
        match self.decimal() {
            Some(Decimal { negative, digits, exponent }) => {
                format!("{}{digits}e{exponent}", if negative { "-" } else { "" })
            }
            None => self.0.to_string(),
        }
    }

    fn decimal(&self) -> Option<Decimal> {
        if !self.is_finite() {
            return None;
        }
        let unsigned = self.0.strip_prefix('-').unwrap_or(&self.0);
        let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // An exponent beyond i64 is beyond any comparison that matters: saturate rather than refuse.
        let power = power.parse::<i64>().unwrap_or(if power.starts_with('-') { -(1 << 40) } else { 1 << 40 });
        let power = power.clamp(-(1 << 40), 1 << 40);
        let all = format!("{whole}{fraction}");
        let trimmed = all.trim_start_matches('0');
        let digits = trimmed.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Decimal { negative: false, digits: "0".into(), exponent: 0 });
        }
        let exponent = power - fraction.len() as i64 + (trimmed.len() - digits.len()) as i64;
        Some(Decimal { negative: self.0.starts_with('-'), digits: digits.to_owned(), exponent })
    }
}

impl Decimal {
    fn magnitude_cmp(&self, other: &Self) -> Ordering {
        let zero = |decimal: &Self| decimal.digits == "0";
        match (zero(self), zero(other)) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        let scale = |decimal: &Self| decimal.digits.len() as i64 + decimal.exponent;
        // With the same scale the digits compare as text: neither has leading or trailing zeros.
        scale(self).cmp(&scale(other)).then_with(|| self.digits.cmp(&other.digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(spelling: &str) -> Number {
        Number::from_spelling(spelling).unwrap()
    }

    #[test]
    fn one_value_has_one_canonical_spelling() {
        for group in
            [&["5", "5.0", "5e0", "0.5e1", "50E-1"][..], &["0", "-0", "0.0", "0e9"], &["-120", "-1.2e2"]]
        {
            for spelling in group {
                assert_eq!(number(spelling).canonical(), number(group[0]).canonical(), "{spelling}");
            }
        }
        assert_ne!(number("9007199254740993").canonical(), number("9007199254740992").canonical());
        assert_ne!(number("500.0000000000000001").canonical(), number("500").canonical());
    }

    #[test]
    fn comparison_is_exact() {
        for (less, more) in [
            ("1", "2"),
            ("-2", "-1"),
            ("-1", "0"),
            ("0", "0.1"),
            ("9", "10"),
            ("500", "500.0000000000000001"),
            ("1e18", "1e19"),
            ("1e308", "1e309"),
        ] {
            assert_eq!(number(less).compare(&number(more)), Some(Ordering::Less), "{less} {more}");
            assert_eq!(number(more).compare(&number(less)), Some(Ordering::Greater), "{more} {less}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for spelling in ["", "-", "01", "1.", ".5", "1e", "+1", "0x1", "NaN", "1 "] {
            assert!(Number::from_spelling(spelling).is_none(), "{spelling}");
        }
    }
}
