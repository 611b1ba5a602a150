//! One count, as its window moves. It does not know who is counted, nor what is admitted by how many counts.

use super::amount::Amount;
use super::charge::Charge;
use crate::declared::WindowKind;
use std::collections::VecDeque;
use std::time::Duration;

/// What is used of one limit. Times are since the Unix epoch.
#[derive(Clone, Debug)]
pub(super) enum Count {
    /// Begins anew when its time is over: by the calendar, or from the first call that was admitted.
    Stretch {
        /// When it began.
        start: Duration,
        /// When it is over.
        end: Duration,
        /// What was taken since.
        used: Amount,
    },
    /// Each piece is forgotten after the same time: no span of that length holds more.
    Pieces {
        /// How long a piece counts.
        length: Duration,
        /// What was taken when, the oldest first.
        pieces: VecDeque<(Duration, Amount)>,
    },
    /// What was taken flows off steadily.
    Level {
        /// When it was looked at last.
        at: Duration,
        /// How high it stood then.
        used: Amount,
        /// So much flows off
        most: Amount,
        /// in so long a time.
        length: Duration,
    },
}

impl Count {
    /// An empty one, for a charge at that time.
    pub(super) fn begun(charge: &Charge, now: Duration) -> Self {
        let length = charge.window.length();
        let stretch = |start| Self::Stretch { start, end: start + length, used: Amount::default() };
        match charge.kind {
            WindowKind::Calendar => stretch(charge.window.start_by_the_clock(now)),
            WindowKind::Fixed => stretch(now),
            WindowKind::Sliding => Self::Pieces { length, pieces: VecDeque::new() },
            WindowKind::Bucket => Self::Level { at: now, used: Amount::default(), most: charge.max, length },
        }
    }

    /// What is used of it.
    pub(super) fn used(&self, now: Duration) -> Amount {
        match self {
            Self::Stretch { end, used, .. } if now < *end => *used,
            Self::Stretch { .. } => Amount::default(),
            Self::Pieces { length, pieces } => pieces
                .iter()
                .filter(|(at, _)| now < *at + *length)
                .fold(Amount::default(), |sum, (_, cost)| sum.plus(*cost)),
            Self::Level { at, used, most, length } => {
                used.minus(most.share(now.saturating_sub(*at), *length))
            }
        }
    }

    /// Whether nothing of it matters any more.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        match self {
            Self::Stretch { end, .. } => now >= *end,
            _ => self.used(now).is_zero(),
        }
    }

    /// How long it takes until that much fits; `None` where it never does.
    pub(super) fn fits_after(&self, cost: Amount, max: Amount, now: Duration) -> Option<Duration> {
        if cost > max || cost == Amount::LARGEST {
            return None;
        }
        if self.used(now).plus(cost) <= max {
            return Some(Duration::ZERO);
        }
        let when = match self {
            Self::Stretch { end, .. } => *end,
            Self::Pieces { length, pieces } => {
                let ends = pieces.iter().map(|(at, _)| *at + *length);
                ends.into_iter().find(|end| self.used(*end).plus(cost) <= max)?
            }
            Self::Level { at, used, most, length } => {
                *at + used.plus(cost).minus(max).time_of_share(*most, *length)
            }
        };
        Some(when.saturating_sub(now))
    }

    /// The mark by which what is taken now is known later.
    pub(super) fn mark(&self, now: Duration) -> Duration {
        match self {
            Self::Stretch { start, .. } => *start,
            _ => now,
        }
    }

    /// Takes that much.
    pub(super) fn take(&mut self, cost: Amount, now: Duration) {
        let level = self.used(now).plus(cost);
        match self {
            Self::Stretch { used, .. } => *used = used.plus(cost),
            Self::Pieces { length, pieces } => {
                pieces.retain(|(at, _)| now < *at + *length);
                pieces.push_back((now, cost));
            }
            // A clock that was set back does not fill it again.
            Self::Level { at, used, .. } => (*at, *used) = (now.max(*at), level),
        }
    }

    /// Gives back what was taken under that mark, as far as it still counts.
    pub(super) fn give_back(&mut self, cost: Amount, mark: Duration, now: Duration) {
        match self {
            Self::Stretch { start, .. } if *start != mark => {}
            Self::Stretch { used, .. } => *used = used.minus(cost),
            Self::Pieces { pieces, .. } => {
                if let Some(place) = pieces.iter().position(|piece| *piece == (mark, cost)) {
                    pieces.remove(place);
                }
            }
            // What has flowed off since is gone already.
            Self::Level { used, most, length, .. } => {
                *used = used.minus(cost.minus(most.share(now.saturating_sub(mark), *length)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::charge::{Holder, Key};
    use super::super::limits::Counters;
    use super::super::window::Window;
    use super::*;
    use proptest::prelude::*;

    const KINDS: [WindowKind; 4] =
        [WindowKind::Calendar, WindowKind::Fixed, WindowKind::Sliding, WindowKind::Bucket];

    fn charge(kind: WindowKind, max: u64) -> Charge {
        let window = Window::Seconds(60);
        let key = Key { counter: "a".into(), holder: Holder::Global, window };
        Charge { key, window, kind, max: Amount::whole(max), cost: Amount::ONE, rule: "/a".into() }
    }

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// For each time whether a call is admitted, or after how long it would be.
    fn story(kind: WindowKind, times: &[f64]) -> Vec<Result<(), f64>> {
        let (mut counters, charge) = (Counters::default(), charge(kind, 2));
        let call = |time: &f64| match counters.reserve(std::slice::from_ref(&charge), at(*time)) {
            Ok(_) => Ok(()),
            Err(limited) => Err(limited.retry_after.unwrap().as_secs_f64().round()),
        };
        times.iter().map(call).collect()
    }

    #[test]
    fn each_kind_admits_what_it_says() {
        let times = [95.0, 130.0, 140.0, 150.0, 156.0, 157.0];
        let (yes, after) = (Ok(()), Err::<(), f64>);
        assert_eq!(
            story(WindowKind::Calendar, &times),
            [yes, yes, yes, after(30.0), after(24.0), after(23.0)]
        );
        assert_eq!(story(WindowKind::Fixed, &times), [yes, yes, after(15.0), after(5.0), yes, yes]);
        assert_eq!(story(WindowKind::Sliding, &times), [yes, yes, after(15.0), after(5.0), yes, after(33.0)]);
        assert_eq!(story(WindowKind::Bucket, &times), [yes, yes, yes, after(10.0), after(4.0), after(3.0)]);
    }

    #[test]
    fn what_is_given_back_is_what_still_counts() {
        for kind in KINDS {
            let (mut counters, limit) = (Counters::default(), [charge(kind, 1)]);
            let first = counters.reserve(&limit, at(121.0)).unwrap();
            counters.release(first, at(122.0));
            let second = counters.reserve(&limit, at(123.0)).expect("it was given back");
            let third = counters.reserve(&limit, at(184.0)).expect("the window is over");
            counters.release(second, at(185.0));
            assert!(counters.reserve(&limit, at(186.0)).is_err(), "{kind:?}: what is over is not given back");
            counters.release(third, at(187.0));
            assert!(counters.reserve(&limit, at(188.0)).is_ok(), "{kind:?}");
        }
    }

    proptest! {
        #[test]
        fn no_kind_admits_more_and_every_hint_is_true(
            kind in prop::sample::select(&KINDS),
            max in 1u64..5,
            steps in prop::collection::vec((0u64..40_000, 1u64..3, any::<bool>()), 0..60),
        ) {
            let (mut counters, mut now) = (Counters::default(), Duration::from_secs(60));
            let mut admitted: Vec<(Duration, u64)> = Vec::new();
            for (millis, cost, waits) in steps {
                now += Duration::from_millis(millis);
                let limit = [Charge { cost: Amount::whole(cost), ..charge(kind, max) }];
                let mut reserved = counters.reserve(&limit, now);
                if let Err(limited) = &reserved && let Some(wait) = limited.retry_after.filter(|_| waits) {
                    let early = wait.saturating_sub(Duration::from_millis(1));
                    prop_assert!(early.is_zero() || counters.reserve(&limit, now + early).is_err(), "a late hint");
                    now += wait;
                    reserved = counters.reserve(&limit, now);
                    prop_assert!(reserved.is_ok(), "an early hint");
                }
                if reserved.is_ok() {
                    admitted.push((now, cost));
                }
            }
            for (from, _) in &admitted {
                let within = admitted.iter().filter(|(at, _)| from <= at && *at < *from + Duration::from_secs(60));
                let sum = within.map(|(_, cost)| cost).sum::<u64>();
                let most = if kind == WindowKind::Sliding { max } else { 2 * max };
                prop_assert!(sum <= most);
            }
        }
    }
}
