//! The counts themselves: reserved before a call leaves, given back only to the window they were taken from.

use super::amount::Amount;
use super::charge::{Charge, Key};
use super::count::Count;
use std::collections::HashMap;
use std::time::Duration;

/// All counts of a gateway. Times are since the Unix epoch.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    counts: HashMap<Key, Count>,
    /// Expired counts are dropped when there are this many.
    sweep_at: usize,
}

/// What was taken for one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a reservation is kept or released"]
pub struct Reservation(Vec<Taken>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken {
    key: Key,
    /// Under which mark it was taken.
    mark: Duration,
    cost: Amount,
}

impl Reservation {
    /// What was taken from each count.
    pub fn into_parts(self) -> impl Iterator<Item = (Key, Amount)> {
        self.0.into_iter().map(|taken| (taken.key, taken.cost))
    }
}

/// A limit that does not admit a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Where the policy says so, a JSON pointer.
    pub rule: String,
    /// The counter's name.
    pub counter: String,
    /// When the same call could be admitted; `None` where it costs more than a whole window holds.
    pub retry_after: Option<Duration>,
}

impl Counters {
    /// Takes all charges, or none. Two charges to one count are one charge, of the larger cost, and both maxima bind.
    pub fn reserve(&mut self, charges: &[Charge], now: Duration) -> Result<Reservation, Limited> {
        let taken = merged(charges, |charge| self.current(charge, now).mark(now));
        let refusals = charges.iter().filter_map(|charge| {
            let cost = taken.iter().find(|one| one.key == charge.key).map_or(charge.cost, |one| one.cost);
            self.refusal(charge, cost, now)
        });
        // The longest wait is the true one; a call that fits no window at all never gets a hint.
        if let Some(limited) = refusals.max_by_key(|limited| limited.retry_after.unwrap_or(Duration::MAX)) {
            return Err(limited);
        }
        for charge in charges {
            let count = self.current(charge, now);
            self.counts.insert(charge.key.clone(), count);
        }
        for one in &taken {
            if let Some(count) = self.counts.get_mut(&one.key) {
                count.take(one.cost, now);
            }
        }
        self.sweep(now);
        Ok(Reservation(taken))
    }

    /// Gives back what was taken, at that time, where its window is still the current one.
    pub fn release(&mut self, reservation: Reservation, now: Duration) {
        for taken in reservation.0 {
            self.give_back(&taken, now);
        }
    }

    /// Lowers the count that runs, whichever window it is of.
    pub fn lower(&mut self, key: &Key, cost: Amount, now: Duration) {
        if let Some(mark) = self.counts.get(key).map(|count| count.mark(now)) {
            self.give_back(&Taken { key: key.clone(), mark, cost }, now);
        }
    }

    fn give_back(&mut self, taken: &Taken, now: Duration) {
        let Some(count) = self.counts.get_mut(&taken.key) else { return };
        count.give_back(taken.cost, taken.mark, now);
        // A fixed window begins with an *admitted* call; this one never was.
        if count.used(now).is_zero() {
            self.counts.remove(&taken.key);
        }
    }

    /// How much of a count is used now.
    pub fn used(&self, key: &Key, now: Duration) -> Amount {
        self.counts.get(key).map_or(Amount::default(), |count| count.used(now))
    }

    /// How many counts are kept.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The count of now: the one that runs (also where the clock was set back), or a new one.
    fn current(&self, charge: &Charge, now: Duration) -> Count {
        let running = self.counts.get(&charge.key).filter(|count| !count.is_over(now));
        running.cloned().unwrap_or_else(|| Count::begun(charge, now))
    }

    fn refusal(&self, charge: &Charge, cost: Amount, now: Duration) -> Option<Limited> {
        let retry_after = self.current(charge, now).fits_after(cost, charge.max, now);
        if retry_after == Some(Duration::ZERO) {
            return None;
        }
        Some(Limited { rule: charge.rule.clone(), counter: charge.key.counter.clone(), retry_after })
    }

    fn sweep(&mut self, now: Duration) {
        if self.counts.len() >= self.sweep_at.max(64) {
            self.counts.retain(|_, count| !count.is_over(now));
            self.sweep_at = self.counts.len() * 2;
        }
    }
}

fn merged(charges: &[Charge], mark: impl Fn(&Charge) -> Duration) -> Vec<Taken> {
    let mut taken: Vec<Taken> = Vec::with_capacity(charges.len());
    for charge in charges {
        match taken.iter_mut().find(|one| one.key == charge.key) {
            Some(one) => one.cost = one.cost.max(charge.cost),
            None => {
                taken.push(Taken { key: charge.key.clone(), mark: mark(charge), cost: charge.cost });
            }
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::super::charge::Holder;
    use super::super::window::Window;
    use super::*;
    use proptest::prelude::*;

    fn charge(counter: &str, window: Window, max: u64) -> Charge {
        let key = Key { counter: counter.into(), holder: Holder::Grant("alice".into()), window };
        Charge {
            key,
            window,
            kind: window.kind(),
            max: Amount::whole(max),
            cost: Amount::ONE,
            rule: format!("/{counter}"),
        }
    }

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn exactly_so_many_pass_and_the_hint_is_true() {
        let (mut counters, limit) = (Counters::default(), [charge("a", Window::Seconds(60), 2)]);
        assert!(counters.reserve(&limit, at(100.0)).is_ok());
        assert!(counters.reserve(&limit, at(140.0)).is_ok());
        let limited = counters.reserve(&limit, at(147.7)).unwrap_err();
        assert_eq!(limited.retry_after, Some(at(12.3)));
        assert!(counters.reserve(&limit, at(159.999)).is_err());
        assert!(counters.reserve(&limit, at(160.0)).is_ok());
        assert_eq!(counters.used(&limit[0].key, at(160.0)), Amount::ONE);
    }

    #[test]
    fn calendar_windows_end_on_the_clock() {
        let (mut counters, limit) = (Counters::default(), [charge("a", Window::Minute, 1)]);
        assert!(counters.reserve(&limit, at(119.0)).is_ok());
        assert_eq!(counters.reserve(&limit, at(119.5)).unwrap_err().retry_after, Some(at(0.5)));
        assert!(counters.reserve(&limit, at(120.0)).is_ok());
        // A clock that is set back opens no old window again.
        assert!(counters.reserve(&limit, at(60.0)).is_err());
    }

    #[test]
    fn a_refusal_by_one_takes_nothing_from_the_others() {
        let mut counters = Counters::default();
        let (wide, narrow) = (charge("wide", Window::Hour, 10), charge("narrow", Window::Minute, 1));
        let both = [wide.clone(), narrow];
        assert!(counters.reserve(&both, at(0.0)).is_ok());
        assert_eq!(counters.reserve(&both, at(1.0)).unwrap_err().counter, "narrow");
        assert_eq!(counters.used(&wide.key, at(1.0)), Amount::ONE);
    }

    #[test]
    fn what_is_given_back_goes_to_its_own_window_only() {
        let (mut counters, limit) = (Counters::default(), [charge("a", Window::Minute, 1)]);
        let early = counters.reserve(&limit, at(59.0)).unwrap();
        let late = counters.reserve(&limit, at(61.0)).unwrap();
        counters.release(early, at(61.5));
        assert!(counters.reserve(&limit, at(62.0)).is_err());
        counters.release(late, at(62.5));
        assert!(counters.reserve(&limit, at(63.0)).is_ok());
    }

    #[test]
    fn one_count_charged_twice_counts_once_and_both_maxima_bind() {
        let mut counters = Counters::default();
        let twice = [charge("a", Window::Hour, 9), charge("a", Window::Hour, 2)];
        assert!(counters.reserve(&twice, at(0.0)).is_ok());
        assert!(counters.reserve(&twice, at(0.0)).is_ok());
        assert!(counters.reserve(&twice, at(0.0)).is_err());
        assert!(counters.reserve(&twice[..1], at(0.0)).is_ok());
    }

    #[test]
    fn what_costs_more_than_a_window_holds_gets_no_hint() {
        let mut counters = Counters::default();
        let mut limit = charge("a", Window::Hour, 2);
        limit.cost = Amount::whole(3);
        assert_eq!(counters.reserve(&[limit], at(0.0)).unwrap_err().retry_after, None);
        assert!(counters.is_empty());
    }

    #[test]
    fn expired_counts_are_dropped() {
        let mut counters = Counters::default();
        for second in 0..10_000 {
            let limit = charge(&format!("c{second}"), Window::Seconds(1), 1);
            assert!(counters.reserve(&[limit], at(f64::from(second))).is_ok());
        }
        assert!(counters.len() < 200, "{}", counters.len());
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_its_max(
            max in 0u64..5,
            fixed in any::<bool>(),
            steps in proptest::collection::vec((0u64..40_000, 0u64..3, any::<bool>()), 0..60),
        ) {
            let window = if fixed { Window::Seconds(60) } else { Window::Minute };
            let (mut counters, mut now) = (Counters::default(), Duration::ZERO);
            let mut admitted: Vec<(Duration, Duration, u64)> = Vec::new();
            for (millis, cost, give_back) in steps {
                now += Duration::from_millis(millis);
                let mut limit = charge("a", window, max);
                limit.cost = Amount::whole(cost);
                let key = limit.key.clone();
                if let Ok(reservation) = counters.reserve(&[limit], now) {
                    let start = reservation.0[0].mark;
                    if give_back {
                        counters.release(reservation, now);
                    } else {
                        admitted.push((start, now, cost));
                    }
                }
                prop_assert!(counters.used(&key, now) <= Amount::whole(max));
            }
            for (start, _, _) in &admitted {
                let within = admitted.iter().filter(|(other, _, _)| other == start);
                prop_assert!(within.clone().all(|(start, at, _)| *start <= *at && *at < *start + window.length()));
                prop_assert!(within.map(|(_, _, cost)| cost).sum::<u64>() <= max);
            }
        }
    }
}
