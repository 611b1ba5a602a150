//! Which arrival belongs to which call.
//!
//! A reply that bears a receipt owns its arrival. The rest is matched on tool and arguments to calls whose window is
//! open, never on ids or progress tokens, which gateways renumber. What nothing explains is a finding.

use crate::wire::{Json, canonical};
use std::time::Instant;

/// The time in which arrivals of one call are explained by it.
#[derive(Clone, Debug)]
pub struct Window {
    /// The tool as the server knows it; `None` for raw bytes that name none.
    pub tool: Option<String>,
    /// The upstream it must land on; `None` where the scenario does not say.
    pub upstream: Option<String>,
    /// The arguments as sent.
    pub arguments: Json,
    /// When the first byte left.
    pub opened: Instant,
    /// When the answer was complete; `None` while no answer came.
    pub closed: Option<Instant>,
    /// The receipts in its replies.
    pub receipts: Vec<String>,
    /// Whether the agent was told that the call did not run.
    pub refused: bool,
}

/// One call in a ledger; careless readings of one frame may take it for several.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Where.
    pub upstream: String,
    /// When.
    pub at: Instant,
    /// Which tool with what, by each reading that differs.
    pub takes: Vec<(String, Json)>,
    /// The receipt that the mock put into its answer.
    pub receipt: Option<String>,
}

/// For each arrival, the window that explains it.
pub fn attribute(windows: &[Window], arrivals: &[Arrived]) -> Vec<Option<usize>> {
    let mut owners: Vec<Option<usize>> =
        arrivals.iter().map(|arrival| by_receipt(windows, arrival)).collect();
    let passes: [fn(&Window, &Arrived) -> bool; 3] = [exact, same_tool, similar_tool];
    for explains in passes {
        for (place, arrival) in arrivals.iter().enumerate() {
            if owners[place].is_none() {
                owners[place] =
                    choose(windows, &owners, |window| open(window, arrival) && explains(window, arrival));
            }
        }
    }
    for (place, arrival) in arrivals.iter().enumerate() {
        if owners[place].is_none() {
            owners[place] = sole_open(windows, arrival);
        }
    }
    owners
}

fn by_receipt(windows: &[Window], arrival: &Arrived) -> Option<usize> {
    let receipt = arrival.receipt.as_ref()?;
    windows.iter().position(|window| window.receipts.contains(receipt))
}

fn open(window: &Window, arrival: &Arrived) -> bool {
    window.opened <= arrival.at
        && window.closed.is_none_or(|closed| arrival.at <= closed)
        && window.upstream.as_ref().is_none_or(|upstream| *upstream == arrival.upstream)
}

fn exact(window: &Window, arrival: &Arrived) -> bool {
    let Some(tool) = &window.tool else { return false };
    arrival
        .takes
        .iter()
        .any(|(name, arguments)| name == tool && canonical::same(&window.arguments, arguments))
}

fn same_tool(window: &Window, arrival: &Arrived) -> bool {
    window.tool.as_ref().is_some_and(|tool| arrival.takes.iter().any(|(name, _)| name == tool))
}

/// A gateway that trims or folds a name before it forwards has still forwarded this call.
fn similar_tool(window: &Window, arrival: &Arrived) -> bool {
    window.tool.as_ref().is_some_and(|tool| arrival.takes.iter().any(|(name, _)| similar(name, tool)))
}

/// Whether a careless reader takes one name for the other.
pub(super) fn similar(name: &str, other: &str) -> bool {
    folded(name) == folded(other)
}

/// What a careless reader sees of a name: its letters and digits.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// Identical calls are judged by counts: an arrival goes to one that has none yet, first to one whose agent was told
/// nothing definite, then to one that was refused; only then to one that has its arrival already.
fn choose(windows: &[Window], owners: &[Option<usize>], fits: impl Fn(&Window) -> bool) -> Option<usize> {
    let owned = |place: usize| owners.contains(&Some(place));
    (0..windows.len())
        .filter(|place| fits(&windows[*place]))
        .min_by_key(|place| (owned(*place), windows[*place].refused, *place))
}

fn sole_open(windows: &[Window], arrival: &Arrived) -> Option<usize> {
    let mut candidates = (0..windows.len()).filter(|place| open(&windows[*place], arrival));
    let only = candidates.next()?;
    candidates.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    struct Story {
        start: Instant,
    }

    impl Story {
        fn at(&self, millis: u64) -> Instant {
            self.start + Duration::from_millis(millis)
        }

        fn window(&self, tool: &str, from: u64, to: u64) -> Window {
            Window {
                tool: Some(tool.into()),
                upstream: None,
                arguments: Json::object(),
                opened: self.at(from),
                closed: Some(self.at(to)),
                receipts: Vec::new(),
                refused: false,
            }
        }

        fn arrival(&self, tool: &str, at: u64) -> Arrived {
            Arrived {
                upstream: "ludus".into(),
                at: self.at(at),
                takes: vec![(tool.into(), Json::object())],
                receipt: None,
            }
        }
    }

    fn story() -> Story {
        Story { start: Instant::now() }
    }

    #[test]
    fn a_receipt_owns_its_arrival_even_after_the_window() {
        let story = story();
        let windows =
            [story.window("a", 0, 10), Window { receipts: vec!["r-7".into()], ..story.window("a", 0, 10) }];
        let arrival = Arrived { receipt: Some("r-7".into()), ..story.arrival("a", 30) };
        assert_eq!(attribute(&windows, &[arrival]), [Some(1)]);
    }

    #[test]
    fn identical_calls_are_judged_by_counts() {
        let story = story();
        let refused = Window { refused: true, ..story.window("a", 0, 10) };
        let windows = [refused.clone(), story.window("a", 0, 10), refused];
        let arrivals = [story.arrival("a", 1), story.arrival("a", 2)];
        assert_eq!(
            attribute(&windows, &arrivals),
            [Some(1), Some(0)],
            "the unsure one first, then a refused one"
        );
    }

    #[test]
    fn a_call_sent_twice_is_one_call_with_two_arrivals() {
        let story = story();
        let windows = [story.window("a", 0, 10)];
        assert_eq!(attribute(&windows, &[story.arrival("a", 1), story.arrival("a", 2)]), [Some(0), Some(0)]);
    }

    #[test]
    fn exact_arguments_come_before_the_tool_alone() {
        let story = story();
        let other = Window { arguments: serde_json::json!({"x": 1}).into(), ..story.window("a", 0, 10) };
        let arrival = story.arrival("a", 1);
        assert_eq!(
            attribute(&[other.clone(), story.window("a", 0, 10)], std::slice::from_ref(&arrival)),
            [Some(1)]
        );
        assert_eq!(attribute(&[other], &[arrival]), [Some(0)], "changed arguments are still this call");
    }

    #[test]
    fn what_is_late_or_strange_stays_unexplained() {
        let story = story();
        assert_eq!(attribute(&[story.window("a", 0, 10)], &[story.arrival("a", 11)]), [None]);
        let two = [story.window("a", 0, 10), story.window("b", 0, 10)];
        assert_eq!(attribute(&two, &[story.arrival("c", 5)]), [None]);
        let elsewhere = Window { upstream: Some("office".into()), ..story.window("a", 0, 10) };
        assert_eq!(attribute(&[elsewhere], &[story.arrival("a", 5)]), [None]);
    }

    #[test]
    fn a_name_that_was_folded_or_the_only_open_call_explains() {
        let story = story();
        assert_eq!(
            attribute(&[story.window("Destroy_VM ", 0, 10)], &[story.arrival("destroy_vm", 5)]),
            [Some(0)]
        );
        assert_eq!(attribute(&[story.window("a", 0, 10)], &[story.arrival("c", 5)]), [Some(0)]);
    }
}
