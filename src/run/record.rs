//! The gateway's own record of what it decided, held against what really happened (requirements AUD-…).

use super::judge::{Asked, Judged};
use super::outcome::StepOutcome;
use crate::gateway::{Profile, Recorded};
use crate::scenario::{Amount, Kind, Scenario, Verdict};
use crate::transcript::Ended;
use crate::wire::{Json, apart};
use indexmap::IndexMap;

/// What a gateway wrote down.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// All of it, as text.
    pub(super) text: String,
    /// What it says of each call, in our words; `None` where its word is not known.
    pub(super) decisions: Vec<Option<Recorded>>,
    /// Each record, member by member.
    pub(super) entries: Vec<IndexMap<String, Json>>,
}

/// Why a record clears nobody: it could not be read, or it is empty although there were calls to be recorded.
pub(super) fn doubt(read: &Result<Kept, String>, calls: usize, profile: &Profile) -> Option<String> {
    match read {
        Err(why) => Some(format!("the gateway's own record (`audit` of its profile) cannot be read: {why}")),
        Ok(kept) if kept.entries.is_empty() && calls > 0 => {
            let place = match profile.is_embedded() {
                true => String::new(),
                false => format!(" (`{}`)", profile.record_place()),
            };
            Some(format!("the gateway's own record{place} holds nothing, and {calls} calls were made"))
        }
        Ok(_) => None,
    }
}

/// Every kind of decision, in the order of the complaint.
const KINDS: [(Recorded, &str); 5] = [
    (Recorded::Allow, "allowed"),
    (Recorded::Deny, "denied"),
    (Recorded::Limit, "limited"),
    (Recorded::Pending, "pending"),
    (Recorded::Error, "failed"),
];

/// Whether a scenario has to look into the record.
pub(super) fn reads(scenario: &Scenario) -> bool {
    is_about(scenario) || scenario.steps.iter().any(|step| matches!(step.kind, Kind::Records(_)))
}

/// Judges the steps that look for records.
pub(super) fn look(scenario: &Scenario, kept: &Kept, outcomes: &mut [StepOutcome]) {
    for (step, outcome) in scenario.steps.iter().zip(outcomes) {
        let Kind::Records(records) = &step.kind else { continue };
        let is_like = |entry: &&IndexMap<String, Json>| {
            records.like.iter().all(|(member, pattern)| pattern.meets(entry.get(member)).is_ok())
        };
        let found = kept.entries.iter().filter(is_like).count();
        outcome.met = records.count.meets(found as u64);
        outcome.expected = format!("{} records like that", records.count);
        outcome.was = format!("{found} of {}", kept.entries.len());
    }
}

/// Whether a scenario is about the record.
pub(super) fn is_about(scenario: &Scenario) -> bool {
    scenario.requirements.iter().any(|requirement| requirement.value.starts_with("AUD-"))
}

/// One record for each call, and each of them true; as a step at the scenario's requirement.
pub(super) fn compare(scenario: &Scenario, calls: &[(&Asked, &Judged)], kept: &Kept) -> Option<StepOutcome> {
    let requirement =
        scenario.requirements.iter().find(|requirement| COUNTED.contains(&requirement.value.as_str()))?;
    let (mut owed, mut more) = (Vec::new(), Vec::new());
    for (asked, judged) in calls {
        owed.extend(records_of(asked, judged));
        more.extend(records_beside(asked, judged));
    }
    let of = |records: &[Recorded], kind| records.iter().filter(|record| **record == kind).count() as u64;
    let expected = |kind| {
        let least = of(&owed, kind);
        Amount { at_least: Some(least), at_most: Some(least + of(&more, kind)) }
    };
    let found = |kind| kept.decisions.iter().filter(|decision| **decision == kind).count() as u64;
    let met = KINDS.iter().all(|(kind, _)| expected(*kind).meets(found(Some(*kind)))) && found(None) == 0;
    let words = |counts: Vec<(bool, String)>| {
        let words: Vec<String> = counts.into_iter().filter(|(some, _)| *some).map(|(_, word)| word).collect();
        if words.is_empty() { "no records".to_owned() } else { format!("records of {}", words.join(", ")) }
    };
    let wanted =
        KINDS.map(|(kind, word)| (expected(kind).at_most != Some(0), format!("{} {word}", expected(kind))));
    let known = KINDS.map(|(kind, word)| (Some(kind), word)).into_iter();
    let there = known.chain([(None, "in words that the profile does not know")]);
    let there = there.map(|(kind, word)| (found(kind) > 0, format!("{} {word}", found(kind))));
    let (expected, was) = (words(wanted.into()), words(there.collect()));
    let line = requirement.spot.line as usize;
    Some(StepOutcome { line, name: "audit".to_owned(), met, expected, was, ..StepOutcome::default() })
}

/// The requirements that count records.
const COUNTED: [&str; 2] = ["AUD-01", "AUD-03"];

/// What true records say: one for each `tools/call` that was sent. One that was repeated after a decision was pending
/// before; of raw bytes each call in them has its own.
fn records_of(asked: &Asked, judged: &Judged) -> Vec<Recorded> {
    let kind = kind(asked, judged);
    if is_held(asked, kind) {
        return Vec::new();
    }
    if asked.tool.is_some() {
        let before = asked.exchanges.len().saturating_sub(1);
        return [vec![Recorded::Pending; before], vec![kind]].concat();
    }
    let calls = apart(&asked.reads).len();
    let ran = judged.reach.min(calls);
    let stopped = match kind {
        Recorded::Limit | Recorded::Pending => kind,
        // The answers to a batch are told as one.
        Recorded::Error if calls == 1 => kind,
        _ => Recorded::Deny,
    };
    [vec![Recorded::Allow; ran], vec![stopped; calls - ran]].concat()
}

/// Whether a call is still held: it may be written down when it comes to its end.
fn is_held(asked: &Asked, kind: Recorded) -> bool {
    let open = asked.exchanges.last().is_some_and(|exchange| exchange.ended == Ended::Quiet);
    kind == Recorded::Pending && open
}

/// What a gateway may write down besides, about the decision of a person: that it was made, and that it was waited for.
fn records_beside(asked: &Asked, judged: &Judged) -> Vec<Recorded> {
    if is_held(asked, kind(asked, judged)) {
        return vec![Recorded::Pending];
    }
    let held = (asked.exchanges.len() == 1).then_some(Recorded::Pending);
    asked.decided.into_iter().flat_map(|_| held.into_iter().chain([kind(asked, judged)])).collect()
}

/// What a true record says of a call.
fn kind(asked: &Asked, judged: &Judged) -> Recorded {
    match judged.verdict {
        // It was let through, whatever became of it behind.
        Verdict::Failed | Verdict::Lost | Verdict::Unanswered if judged.reach > 0 => Recorded::Allow,
        // Nobody is told that a call was refused that asks for no answer, or whose id could not be read.
        Verdict::Unanswered if asked.tool.is_none() => Recorded::Deny,
        Verdict::Allowed | Verdict::Altered | Verdict::Duplicated | Verdict::Swallowed => Recorded::Allow,
        Verdict::RateLimited => Recorded::Limit,
        Verdict::Pending | Verdict::Held => Recorded::Pending,
        Verdict::Failed | Verdict::Lost | Verdict::Unanswered => Recorded::Error,
        _ => Recorded::Deny,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{Told, Word};
    use crate::transcript::{Exchange, Sent};
    use crate::wire::readings;
    use std::time::Instant;

    const NAMED: &str = r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#;
    const MALFORMED: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["a"]}}"#;

    /// A call of a tool, or raw bytes; sent so often, and decided about or not.
    fn asked(raw: Option<&str>, sent: usize, decided: bool) -> Asked {
        let exchange = || {
            let sent = Sent { at: Instant::now(), bytes: "{}".into(), id: None };
            Exchange { sent, http: None, received: Vec::new(), ended: Ended::Answered }
        };
        let tool = if raw.is_none() { Some("a".to_owned()) } else { None };
        let reads = raw.map(|raw| readings(raw.as_bytes())).unwrap_or_default();
        Asked {
            tool,
            reads,
            upstream: None,
            arguments: Json::object(),
            headers: Vec::new(),
            session: "agent".into(),
            exchanges: (0..sent).map(|_| exchange()).collect(),
            told: Told::silence(),
            opened: Instant::now(),
            closed: None,
            decided: decided.then(Instant::now),
            notification: false,
            known: true,
        }
    }

    fn judged(verdict: Verdict, reach: usize) -> Judged {
        let (told, arguments, answer, change) = (Word::Success, None, None, None);
        Judged { verdict, reach, told, arguments, answer, change, arrivals: Vec::new(), ran: 0 }
    }

    fn met(calls: &[(Asked, Judged)], decisions: &[Option<Recorded>]) -> bool {
        let text = "scenario: s\nrequirement: AUD-01\nupstreams: [ludus]\nsteps:\n  - {call: whoami}\n";
        let scenario = crate::scenario::read(text, "s.yaml").unwrap();
        assert!(is_about(&scenario));
        let calls: Vec<_> = calls.iter().map(|(asked, judged)| (asked, judged)).collect();
        let kept = Kept { decisions: decisions.to_vec(), ..Kept::default() };
        compare(&scenario, &calls, &kept).unwrap().met
    }

    #[test]
    fn every_call_has_one_true_record() {
        let call = |verdict| (asked(None, 1, false), judged(verdict, 0));
        let calls = [call(Verdict::Allowed), call(Verdict::Denied), call(Verdict::RateLimited)];
        assert!(met(&calls, &[Some(Recorded::Deny), Some(Recorded::Allow), Some(Recorded::Limit)]));
        for lying in [
            &[Some(Recorded::Allow), Some(Recorded::Limit)][..],
            &[Some(Recorded::Allow), None, Some(Recorded::Limit)],
            &[Some(Recorded::Deny), Some(Recorded::Allow), Some(Recorded::Limit), Some(Recorded::Limit)],
            &[],
        ] {
            assert!(!met(&calls, lying), "{lying:?}");
        }
    }

    #[test]
    fn what_waited_for_a_person_has_a_record_of_that_too() {
        use Recorded::{Allow, Deny, Pending};
        let some = |records: &[Recorded]| records.iter().map(|one| Some(*one)).collect::<Vec<_>>();
        let repeated = [(asked(None, 2, true), judged(Verdict::Allowed, 1))];
        assert!(met(&repeated, &some(&[Pending, Allow])) && met(&repeated, &some(&[Pending, Allow, Allow])));
        assert!(!met(&repeated, &some(&[Allow])) && !met(&repeated, &some(&[Pending])));
        assert!(!met(&repeated, &some(&[Pending, Allow, Allow, Allow])));
        let held = [(asked(None, 1, true), judged(Verdict::Denied, 0))];
        assert!(met(&held, &some(&[Deny])) && met(&held, &some(&[Pending, Deny, Deny])));
        assert!(!met(&held, &some(&[Pending])) && !met(&held, &some(&[Deny, Allow])));
        let waiting = [(asked(None, 1, false), judged(Verdict::Pending, 0))];
        assert!(met(&waiting, &some(&[Pending])) && !met(&waiting, &[]));
        let mut still = asked(None, 1, false);
        still.exchanges[0].ended = Ended::Quiet;
        let still = [(still, judged(Verdict::Held, 0))];
        assert!(met(&still, &[]) && met(&still, &some(&[Pending])) && !met(&still, &some(&[Allow])));
    }

    #[test]
    fn raw_bytes_have_a_record_for_each_call_in_them() {
        use Recorded::{Allow, Deny};
        let batch = format!("[{NAMED},{NAMED}]");
        for (raw, verdict, reach, records) in [
            (NAMED, Verdict::Unanswered, 0, &[Some(Deny)][..]),
            (MALFORMED, Verdict::Refused, 0, &[Some(Deny)]),
            (&batch, Verdict::Failed, 0, &[Some(Deny), Some(Deny)]),
            (&batch, Verdict::Leaked, 1, &[Some(Deny), Some(Allow)]),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, Verdict::Unanswered, 0, &[]),
        ] {
            let calls = [(asked(Some(raw), 1, false), judged(verdict, reach))];
            assert!(met(&calls, records), "{raw}");
            assert!(!met(&calls, &[records, &[Some(Deny)]].concat()), "{raw}: one too many");
            assert!(records.is_empty() || !met(&calls, &records[1..]), "{raw}: one is missing");
        }
    }
}
