//! The gateway's own record of what it decided, held against what really happened (requirements AUD-…).

use super::judge::Judged;
use super::outcome::StepOutcome;
use crate::gateway::{Profile, Recorded};
use crate::scenario::{Kind, Scenario, Verdict};
use crate::wire::Json;
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
pub(super) fn compare(scenario: &Scenario, judged: &[Judged], kept: &Kept) -> Option<StepOutcome> {
    let requirement =
        scenario.requirements.iter().find(|requirement| COUNTED.contains(&requirement.value.as_str()))?;
    let happened: Vec<Option<Recorded>> = judged.iter().map(|call| Some(kind(call))).collect();
    let (expected, was) = (count(&happened), count(&kept.decisions));
    let met = expected == was;
    let line = requirement.spot.line as usize;
    Some(StepOutcome { line, name: "audit".to_owned(), met, expected, was, ..StepOutcome::default() })
}

/// The requirements that count records.
const COUNTED: [&str; 2] = ["AUD-01", "AUD-03"];

/// What a true record says of a call.
fn kind(call: &Judged) -> Recorded {
    match call.verdict {
        // It was let through, whatever became of it behind.
        Verdict::Failed | Verdict::Lost | Verdict::Unanswered if call.reach > 0 => Recorded::Allow,
        Verdict::Allowed | Verdict::Altered | Verdict::Duplicated | Verdict::Swallowed => Recorded::Allow,
        Verdict::RateLimited => Recorded::Limit,
        Verdict::Pending | Verdict::Held => Recorded::Pending,
        Verdict::Failed | Verdict::Lost | Verdict::Unanswered => Recorded::Error,
        _ => Recorded::Deny,
    }
}

fn count(decisions: &[Option<Recorded>]) -> String {
    let of = |kind| decisions.iter().filter(|decision| **decision == kind).count();
    let known = KINDS.iter().map(|(kind, word)| (of(Some(*kind)), *word));
    let counts = known.chain([(of(None), "in words that the profile does not know")]);
    let words: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if words.is_empty() { "no records".to_owned() } else { format!("records of {}", words.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(verdict: Verdict) -> Judged {
        let told = crate::gateway::Word::Success;
        Judged {
            verdict,
            reach: 0,
            told,
            arguments: None,
            answer: None,
            change: None,
            arrivals: Vec::new(),
            ran: 0,
        }
    }

    #[test]
    fn every_call_has_one_true_record() {
        let text = "scenario: s\nrequirement: AUD-01\nupstreams: [ludus]\nsteps:\n  - {call: whoami}\n";
        let scenario = crate::scenario::read(text, "s.yaml").unwrap();
        assert!(is_about(&scenario));
        let calls = [judged(Verdict::Allowed), judged(Verdict::Denied), judged(Verdict::RateLimited)];
        let kept = |decisions: &[Option<Recorded>]| Kept { decisions: decisions.to_vec(), ..Kept::default() };
        let honest = kept(&[Some(Recorded::Deny), Some(Recorded::Allow), Some(Recorded::Limit)]);
        assert!(compare(&scenario, &calls, &honest).unwrap().met);
        for lying in [
            &[Some(Recorded::Allow), Some(Recorded::Limit)][..],
            &[Some(Recorded::Allow), None, Some(Recorded::Limit)],
            &[],
        ] {
            assert!(!compare(&scenario, &calls, &kept(lying)).unwrap().met, "{lying:?}");
        }
    }
}
