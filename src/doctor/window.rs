//! Which kind of window fits what was admitted when. Each kind is a pure function of the calls' times; the one that
//! would have decided as the gateway did is what it has. What none of them explains is left open.

use crate::declared::WindowKind;
use std::time::Duration;

/// A call of a burst at a time (since the epoch), and whether it got through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Attempt {
    pub(super) burst: usize,
    pub(super) at: Duration,
    pub(super) passed: bool,
}

/// A limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) max: u32,
    pub(super) per: Duration,
}

const KINDS: [WindowKind; 4] =
    [WindowKind::Fixed, WindowKind::Calendar, WindowKind::Sliding, WindowKind::Bucket];

/// How many calls may be decided otherwise than a kind would have it, and by how many the next one has to be worse:
/// what falls on a boundary goes either way, and which call of a burst gets the drop in a bucket is the gateway's.
const NEAR: usize = 2;

/// What explains the attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// This kind does, better than all others.
    One(WindowKind),
    /// More than one does: another time of day would tell them apart.
    Several,
    /// None does.
    None,
}

/// Which kind explains the attempts.
pub(super) fn fit(attempts: &[Attempt], rate: Rate) -> Fit {
    let mut misses: Vec<(usize, WindowKind)> = KINDS.map(|kind| (missed(attempts, rate, kind), kind)).into();
    misses.sort_by_key(|(count, _)| *count);
    match misses[..] {
        [(best, _), ..] if best > NEAR => Fit::None,
        [(best, kind), (second, _), ..] if best + NEAR <= second => Fit::One(kind),
        _ => Fit::Several,
    }
}

/// How many calls of each burst that kind of window would have let through more, or less.
fn missed(attempts: &[Attempt], rate: Rate, kind: WindowKind) -> usize {
    let times: Vec<f64> = attempts.iter().map(|attempt| attempt.at.as_secs_f64()).collect();
    let decided = match kind {
        WindowKind::Fixed => counted(&times, rate, |now, begun| now - begun >= rate.per.as_secs_f64()),
        WindowKind::Calendar => {
            let number = |time: f64| (time / rate.per.as_secs_f64()).floor();
            counted(&times, rate, |now, begun| number(now) > number(begun))
        }
        WindowKind::Sliding => sliding(&times, rate),
        WindowKind::Bucket => bucket(&times, rate),
    };
    let passed = |decided: &[bool], burst| {
        attempts.iter().zip(decided).filter(|(attempt, passed)| attempt.burst == burst && **passed).count()
    };
    let observed: Vec<bool> = attempts.iter().map(|attempt| attempt.passed).collect();
    let bursts = attempts.last().map_or(0, |last| last.burst + 1);
    (0..bursts).map(|burst| passed(&decided, burst).abs_diff(passed(&observed, burst))).sum()
}

/// Counts within one window after the other; `over` says whether one that began then has ended.
fn counted(times: &[f64], rate: Rate, over: impl Fn(f64, f64) -> bool) -> Vec<bool> {
    let (mut begun, mut used) = (f64::NEG_INFINITY, 0);
    let decide = |now: &f64| {
        if over(*now, begun) {
            (begun, used) = (*now, 0);
        }
        used += 1;
        used <= rate.max
    };
    times.iter().map(decide).collect()
}

/// Counts what passed within the span before each call.
fn sliding(times: &[f64], rate: Rate) -> Vec<bool> {
    let mut passed: Vec<f64> = Vec::new();
    let decide = |now: &f64| {
        let recent = passed.iter().filter(|then| now - **then < rate.per.as_secs_f64()).count();
        let free = recent < rate.max as usize;
        if free {
            passed.push(*now);
        }
        free
    };
    times.iter().map(decide).collect()
}

/// Takes from what drips in steadily and holds no more than the maximum.
fn bucket(times: &[f64], rate: Rate) -> Vec<bool> {
    let (mut level, mut last) = (f64::from(rate.max), times.first().copied().unwrap_or_default());
    let decide = |now: &f64| {
        let dripped = (now - last) * f64::from(rate.max) / rate.per.as_secs_f64();
        (level, last) = ((level + dripped).min(f64::from(rate.max)), *now);
        let free = level >= 1.0;
        if free {
            level -= 1.0;
        }
        free
    };
    times.iter().map(decide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { max: 4, per: Duration::from_secs(4) };

    /// The attempts of the probe, begun at some time within a calendar window, as a gateway of that kind decides them.
    fn attempts(kind: WindowKind, phase: f64) -> Vec<Attempt> {
        let bursts = [(0.0, 1), (1.0, 5), (2.0, 5), (3.0, 5), (3.8, 5), (4.1, 5), (5.0, 5)];
        let time = |start: f64, nth: i32| 4_000.0 + phase + start + 0.013 * f64::from(nth);
        let open: Vec<Attempt> = bursts
            .iter()
            .enumerate()
            .flat_map(|(burst, (start, count))| (0..*count).map(move |nth| (burst, time(*start, nth))))
            .map(|(burst, time)| Attempt { burst, at: Duration::from_secs_f64(time), passed: true })
            .collect();
        let times: Vec<f64> = open.iter().map(|attempt| attempt.at.as_secs_f64()).collect();
        let decided = match kind {
            WindowKind::Fixed => counted(&times, RATE, |now, begun| now - begun >= 4.0),
            WindowKind::Calendar => {
                counted(&times, RATE, |now, begun| (now / 4.0).floor() > (begun / 4.0).floor())
            }
            WindowKind::Sliding => sliding(&times, RATE),
            WindowKind::Bucket => bucket(&times, RATE),
        };
        open.into_iter().zip(decided).map(|(attempt, passed)| Attempt { passed, ..attempt }).collect()
    }

    #[test]
    fn each_kind_is_told_from_the_others() {
        for kind in KINDS {
            for phase in [0.3, 1.1, 1.5, 2.7, 3.5] {
                assert_eq!(fit(&attempts(kind, phase), RATE), Fit::One(kind), "{kind:?} at {phase}");
            }
        }
    }

    #[test]
    fn a_bucket_may_give_its_drops_to_other_calls_of_a_burst() {
        // As the first gateway that was measured had it.
        let passed = [1, 4, 1, 1, 0, 1, 1];
        let open = attempts(WindowKind::Bucket, 1.5);
        let nth =
            |place: usize| open[..place].iter().filter(|other| other.burst == open[place].burst).count();
        let seen: Vec<Attempt> = (0..open.len())
            .map(|place| Attempt { passed: nth(place) < passed[open[place].burst], ..open[place] })
            .collect();
        assert_eq!(fit(&seen, RATE), Fit::One(WindowKind::Bucket));
    }

    #[test]
    fn what_fits_nothing_is_left_open() {
        let all = |passed| -> Vec<Attempt> {
            attempts(WindowKind::Fixed, 1.5).into_iter().map(|one| Attempt { passed, ..one }).collect()
        };
        assert_eq!(fit(&all(true), RATE), Fit::None, "no limit at all");
        assert_eq!(fit(&all(false), RATE), Fit::None);
        // A window that begins on the calendar's own boundary is both.
        assert_eq!(fit(&attempts(WindowKind::Fixed, 0.0), RATE), Fit::Several);
    }
}
