//! Whether what happened to a step's calls is what its file expects.

use super::verdict::meets;
use crate::scenario::{Amount, Tally, Verdict};

/// A verdict as it counts for an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fell {
    /// The verdict.
    pub verdict: Verdict,
    /// The session that made the call.
    pub session: String,
    /// Whether the call asked for no answer.
    pub notification: bool,
}

impl Fell {
    fn meets(&self, expected: Verdict) -> bool {
        meets(expected, self.verdict, self.notification)
    }
}

/// Every call has one of these verdicts.
pub fn each(calls: &[Fell], expected: &[Verdict]) -> bool {
    !calls.is_empty() && calls.iter().all(|call| expected.iter().any(|verdict| call.meets(*verdict)))
}

/// The calls, in order, are runs of these verdicts. Each run takes as many as it may.
pub fn runs(calls: &[Fell], expected: &[Tally]) -> bool {
    let mut rest = calls;
    for tally in expected {
        let most = tally.count.at_most.unwrap_or(u64::MAX);
        let length = rest.iter().take_while(|call| call.meets(tally.verdict)).count();
        let taken = length.min(usize::try_from(most).unwrap_or(usize::MAX));
        if !tally.count.meets(taken as u64) {
            return false;
        }
        rest = &rest[taken..];
    }
    rest.is_empty()
}

/// The calls, in whatever order, count up to these. A call that no tally names must at least be blocked: a leak is
/// never passed over.
pub fn counts(calls: &[Fell], expected: &[Tally]) -> bool {
    let named = |call: &Fell| expected.iter().any(|tally| call.meets(tally.verdict));
    expected.iter().all(|tally| {
        let count = calls.iter().filter(|call| call.meets(tally.verdict)).count();
        tally.count.meets(count as u64)
    }) && calls.iter().all(|call| named(call) || call.meets(Verdict::Blocked))
}

/// The verdicts in words: `allowed`, or `10 allowed, 1 leaked` in the order of their first appearance.
pub fn describe(calls: &[Fell]) -> String {
    let mut seen: Vec<(Verdict, usize)> = Vec::new();
    for call in calls {
        match seen.iter_mut().find(|(verdict, _)| *verdict == call.verdict) {
            Some((_, count)) => *count += 1,
            None => seen.push((call.verdict, 1)),
        }
    }
    match seen.as_slice() {
        [] => "no call".to_owned(),
        [(verdict, 1)] => verdict.word().to_owned(),
        several => {
            several.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Words of one of which a call must have.
pub fn words(expected: &[Verdict]) -> String {
    expected.iter().map(|verdict| verdict.word()).collect::<Vec<_>>().join(" or ")
}

/// Counts in words: `10 allowed, 30 rate_limited`.
pub fn tallies(expected: &[Tally]) -> String {
    let one = |tally: &Tally| format!("{} {}", amount(tally.count), tally.verdict);
    expected.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn amount(amount: Amount) -> String {
    amount.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(verdicts: &[(Verdict, usize)]) -> Vec<Fell> {
        let one = |verdict| Fell { verdict, session: "a".into(), notification: false };
        verdicts.iter().flat_map(|(verdict, count)| std::iter::repeat_n(one(*verdict), *count)).collect()
    }

    fn tally(verdict: Verdict, count: u64) -> Tally {
        Tally { verdict, count: Amount::exactly(count) }
    }

    #[test]
    fn runs_are_in_order_and_complete() {
        let expected = [tally(Verdict::Allowed, 2), tally(Verdict::RateLimited, 1)];
        assert!(runs(&calls(&[(Verdict::Allowed, 2), (Verdict::RateLimited, 1)]), &expected));
        assert!(!runs(&calls(&[(Verdict::RateLimited, 1), (Verdict::Allowed, 2)]), &expected));
        assert!(!runs(&calls(&[(Verdict::Allowed, 3)]), &expected));
        assert!(!runs(&calls(&[(Verdict::Allowed, 2), (Verdict::RateLimited, 2)]), &expected));
        assert!(!runs(&calls(&[(Verdict::Allowed, 1), (Verdict::RateLimited, 1)]), &expected));
    }

    #[test]
    fn counts_ignore_order_but_never_a_leak() {
        let expected = [tally(Verdict::Allowed, 2)];
        assert!(counts(&calls(&[(Verdict::RateLimited, 1), (Verdict::Allowed, 2)]), &expected));
        assert!(!counts(&calls(&[(Verdict::Leaked, 1), (Verdict::Allowed, 2)]), &expected));
        assert!(!counts(&calls(&[(Verdict::Failed, 1), (Verdict::Allowed, 2)]), &expected));
        assert!(!counts(&calls(&[(Verdict::Allowed, 3)]), &expected));
    }

    #[test]
    fn nothing_meets_an_expectation_of_calls() {
        assert!(!each(&[], &[Verdict::Denied]));
        assert!(each(&calls(&[(Verdict::Denied, 2)]), &[Verdict::Denied, Verdict::Refused]));
        assert!(each(&calls(&[(Verdict::Denied, 2)]), &[Verdict::Blocked]));
        assert!(!each(&calls(&[(Verdict::Denied, 1), (Verdict::Leaked, 1)]), &[Verdict::Blocked]));
    }

    #[test]
    fn verdicts_are_told_in_words() {
        assert_eq!(describe(&calls(&[(Verdict::Leaked, 1)])), "leaked");
        assert_eq!(describe(&calls(&[(Verdict::Allowed, 10), (Verdict::Leaked, 1)])), "10 allowed, 1 leaked");
        assert_eq!(tallies(&[tally(Verdict::Allowed, 10)]), "10 allowed");
    }
}
