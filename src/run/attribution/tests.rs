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
            asks: vec![wanted(tool, true)],
            text: None,
            known: true,
            upstream: None,
            opened: self.at(from),
            closed: Some(self.at(to)),
            receipts: Vec::new(),
            claim: Claim::Unsure,
        }
    }

    /// A call without an id: no answer ends it.
    fn notification(&self, tool: &str, from: u64) -> Window {
        let asks = vec![wanted(tool, false)];
        Window { closed: None, text: Some(tool.into()), asks, ..self.window(tool, from, from) }
    }

    fn arrival(&self, tool: &str, at: u64) -> Arrived {
        Arrived {
            upstream: "ludus".into(),
            at: self.at(at),
            takes: vec![(tool.into(), Json::object())],
            bears_id: true,
            receipt: None,
        }
    }

    /// A frame without an id.
    fn note(&self, tool: &str, at: u64) -> Arrived {
        Arrived { bears_id: false, ..self.arrival(tool, at) }
    }
}

fn wanted(tool: &str, bears_id: bool) -> Wanted {
    Wanted { takes: vec![(tool.into(), Json::object())], bears_id }
}

fn story() -> Story {
    Story { start: Instant::now() }
}

/// The owners of arrivals, found to be the same in every order of them.
fn in_every_order(windows: &[Window], arrivals: &[Arrived]) -> Vec<Option<usize>> {
    let owners = attribute(windows, arrivals);
    for order in orders(arrivals.len()) {
        let reordered: Vec<Arrived> = order.iter().map(|place| arrivals[*place].clone()).collect();
        let expected: Vec<_> = order.iter().map(|place| owners[*place]).collect();
        assert_eq!(attribute(windows, &reordered), expected, "in the order {order:?}");
    }
    owners
}

fn orders(length: usize) -> Vec<Vec<usize>> {
    let Some(last) = length.checked_sub(1) else { return vec![Vec::new()] };
    let insert =
        |order: Vec<usize>| (0..=last).map(move |place| [&order[..place], &[last], &order[place..]].concat());
    orders(last).into_iter().flat_map(insert).collect()
}

#[test]
fn a_receipt_owns_its_arrival_even_after_the_window() {
    let story = story();
    let windows =
        [story.window("a", 0, 10), Window { receipts: vec!["r-7".into()], ..story.window("a", 0, 10) }];
    let arrival = Arrived { receipt: Some("r-7".into()), ..story.arrival("a", 30) };
    assert_eq!(in_every_order(&windows, &[arrival, story.arrival("a", 5)]), [Some(1), Some(0)]);
}

#[test]
fn identical_calls_are_judged_by_counts() {
    let story = story();
    let refused = Window { claim: Claim::Refused, ..story.window("a", 0, 10) };
    let windows = [refused.clone(), story.window("a", 0, 10), refused];
    let arrivals = [story.arrival("a", 1), story.arrival("a", 2)];
    assert_eq!(in_every_order(&windows, &arrivals[1..]), [Some(1)], "the unsure one first");
    let mut owners = in_every_order(&windows, &arrivals);
    owners.sort_unstable();
    assert_eq!(owners, [Some(0), Some(1)], "then a refused one");
    let owed = Window { claim: Claim::Owed, ..story.window("a", 0, 10) };
    let windows = [story.window("a", 0, 10), owed];
    assert_eq!(in_every_order(&windows, &arrivals[..1]), [Some(1)], "who was answered, something came of");
}

#[test]
fn a_call_sent_twice_is_one_call_with_two_arrivals() {
    let story = story();
    let windows = [story.window("a", 0, 10)];
    let arrivals = [story.arrival("a", 1), story.arrival("a", 2)];
    assert_eq!(in_every_order(&windows, &arrivals), [Some(0), Some(0)]);
}

#[test]
fn exact_arguments_come_before_the_tool_alone() {
    let story = story();
    let other = Window {
        asks: vec![Wanted { takes: vec![("a".into(), serde_json::json!({"x": 1}).into())], bears_id: true }],
        ..story.window("a", 0, 10)
    };
    let arrivals = [story.arrival("a", 1), story.arrival("a", 2)];
    let windows = [other.clone(), story.window("a", 0, 10)];
    assert_eq!(in_every_order(&windows, &arrivals[..1]), [Some(1)]);
    assert_eq!(in_every_order(&[other], &arrivals[..1]), [Some(0)], "changed arguments are still this call");
}

#[test]
fn what_is_late_or_strange_stays_unexplained() {
    let story = story();
    assert_eq!(attribute(&[story.window("a", 0, 10)], &[story.arrival("a", 11)]), [None]);
    assert_eq!(attribute(&[story.window("a", 0, 10)], &[story.arrival("c", 5)]), [None]);
    let elsewhere = Window { upstream: Some("office".into()), ..story.window("a", 0, 10) };
    assert_eq!(attribute(&[elsewhere], &[story.arrival("a", 5)]), [None]);
}

#[test]
fn a_name_that_was_folded_or_that_nobody_has_explains() {
    let story = story();
    let folded = story.window("Destroy_VM ", 0, 10);
    assert_eq!(attribute(&[folded], &[story.arrival("destroy_vm", 5)]), [Some(0)]);
    let strange = Window { known: false, ..story.window("ｄｅｓｔｒｏｙ_vm", 0, 10) };
    assert_eq!(attribute(&[strange], &[story.arrival("destroy_vm", 5)]), [Some(0)]);
}

#[test]
fn a_notification_owns_its_arrival_whenever_it_comes() {
    let story = story();
    let raw_call = |tool| Window { claim: Claim::Unsure, ..story.window(tool, 20, 25) };
    let windows = [story.notification("destroy_vm", 10), raw_call("list_hosts"), raw_call("whoami")];
    for when in [10, 15, 20, 22, 25, 30, 1_000] {
        let arrivals =
            [story.arrival("list_hosts", 21), story.arrival("destroy_vm", when), story.arrival("whoami", 22)];
        assert_eq!(in_every_order(&windows, &arrivals), [Some(1), Some(0), Some(2)], "after {when} ms");
    }
    assert_eq!(attribute(&windows, &[story.arrival("destroy_vm", 9)]), [None], "before it was sent");
}

#[test]
fn a_notification_does_not_take_what_an_equal_call_needs() {
    let story = story();
    let early = story.arrival("a", 25);
    let late = story.arrival("a", 90);
    for claim in [Claim::Owed, Claim::Unsure, Claim::Refused] {
        let windows = [story.notification("a", 10), Window { claim, ..story.window("a", 20, 30) }];
        let both = [early.clone(), late.clone()];
        assert_eq!(in_every_order(&windows, &both), [Some(1), Some(0)], "{claim:?}");
        assert_eq!(in_every_order(&windows, std::slice::from_ref(&late)), [Some(0)], "{claim:?}");
        let owner = if claim == Claim::Refused { 0 } else { 1 };
        assert_eq!(in_every_order(&windows, std::slice::from_ref(&early)), [Some(owner)], "{claim:?}");
    }
}

#[test]
fn what_bears_no_id_came_from_what_bore_none() {
    let story = story();
    // A batch that nothing answers, and then a notification of the same call.
    let batch = Window { closed: None, ..story.window("a", 0, 0) };
    for windows in [[batch.clone(), story.notification("a", 5)], [story.notification("a", 5), batch]] {
        let (batch, note) = if windows[0].asks[0].bears_id { (0, 1) } else { (1, 0) };
        let owners = |arrivals: &[Arrived]| in_every_order(&windows, arrivals);
        assert_eq!(owners(&[story.note("a", 9)]), [Some(note)], "the notification ran");
        assert_eq!(owners(&[story.arrival("a", 9)]), [Some(batch)], "the batch ran");
        assert_eq!(owners(&[story.note("a", 8), story.arrival("a", 9)]), [Some(note), Some(batch)]);
        assert_eq!(owners(&[story.note("a", 8), story.note("a", 9)]), [Some(note), Some(note)], "twice");
        assert_eq!(owners(&[story.arrival("a", 8), story.arrival("a", 9)]), [Some(batch), Some(note)]);
        assert_eq!(owners(&[story.note("a", 3)]), [Some(batch)], "before there was a notification");
    }
}

#[test]
fn a_batch_has_a_place_for_each_of_its_calls() {
    let story = story();
    let batch = Window { asks: vec![wanted("a", true), wanted("a", true)], ..story.window("a", 0, 10) };
    let windows = [batch, story.notification("a", 0)];
    let arrivals = [story.arrival("a", 1), story.arrival("a", 2), story.arrival("a", 30)];
    assert_eq!(in_every_order(&windows, &arrivals), [Some(0), Some(0), Some(1)]);
}

#[test]
fn raw_bytes_that_no_parser_reads_explain_the_tools_that_they_name() {
    let story = story();
    let opaque = |text: &str| Window { asks: Vec::new(), text: Some(text.into()), ..story.window("", 0, 10) };
    let windows = [opaque(r#"{"params":["destroy_vm"]}"#), opaque("call whoami")];
    let arrivals = [story.arrival("whoami", 3), story.arrival("destroy_vm", 4), story.arrival("git_sync", 5)];
    assert_eq!(in_every_order(&windows, &arrivals), [Some(1), Some(0), None]);
}
