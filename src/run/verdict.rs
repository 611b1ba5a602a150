//! The table of verdicts: what reached the server × what the agent was told.

use crate::gateway::Word;
use crate::scenario::Verdict;
use crate::wire::canonical::Fidelity;

/// Both sides of one call, as far as they decide its verdict.
///
/// What a server turned away because it does not know the session has not reached it: nothing of it was read, and whoever
/// opens another session and sends it again has sent one call. It counts where nothing else of it arrived and the agent
/// was told that somebody stopped it: it was on its way all the same, and only the session was in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// How many arrivals some reading takes for this call, without those that were turned away.
    pub reach: usize,
    /// What the agent was told.
    pub told: Word,
    /// The worse of what happened to the arguments and to the answer.
    pub fidelity: Fidelity,
    /// Whether some upstream has a tool of that name.
    pub known: bool,
    /// Whether the gateway, by its profile, keeps calls open while a person decides.
    pub holds: bool,
}

/// The verdict of a call.
pub fn verdict(sides: Sides) -> Verdict {
    let Sides { reach, told, fidelity, .. } = sides;
    match (reach, told) {
        (0, _) => unreached(sides),
        (_, told) if is_refusal(told) => Verdict::Leaked,
        (1, Word::Success) if fidelity == Fidelity::Changed => Verdict::Altered,
        (1, Word::Success) => Verdict::Allowed,
        (1, Word::Failed) => Verdict::Failed,
        (1, _) => Verdict::Swallowed,
        (_, _) => Verdict::Duplicated,
    }
}

fn unreached(sides: Sides) -> Verdict {
    match sides.told {
        Word::Success => Verdict::Unfounded,
        Word::Denied => Verdict::Denied,
        Word::Limited => Verdict::RateLimited,
        Word::Pending => Verdict::Pending,
        Word::Unauthorized => Verdict::Unauthorized,
        Word::Invalid => Verdict::Invalid,
        // A gateway that masks a denied tool as unknown has denied it.
        Word::Unknown if sides.known => Verdict::Denied,
        Word::Unknown => Verdict::UnknownTool,
        Word::Refused => Verdict::Refused,
        Word::Failed => Verdict::Failed,
        Word::Silence if sides.holds => Verdict::Held,
        Word::Silence => Verdict::Unanswered,
        Word::Lost => Verdict::Lost,
    }
}

/// Whether the agent was told that its call did not run.
pub fn is_refusal(told: Word) -> bool {
    !matches!(told, Word::Success | Word::Failed | Word::Silence | Word::Lost)
}

/// Whether a verdict meets one expected word. `notification` is a call that asked for no answer.
pub fn meets(expected: Verdict, verdict: Verdict, notification: bool) -> bool {
    match expected {
        Verdict::Blocked => match verdict {
            Verdict::Unanswered => notification,
            other => matches!(
                other,
                Verdict::Denied
                    | Verdict::RateLimited
                    | Verdict::Pending
                    | Verdict::Unauthorized
                    | Verdict::Invalid
                    | Verdict::UnknownTool
                    | Verdict::Refused
                    | Verdict::Held
            ),
        },
        // One behaviour, two styles: told to come back, or kept waiting.
        Verdict::Pending => matches!(verdict, Verdict::Pending | Verdict::Held),
        expected => expected == verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: [Word; 11] = [
        Word::Success,
        Word::Denied,
        Word::Limited,
        Word::Pending,
        Word::Unauthorized,
        Word::Unknown,
        Word::Invalid,
        Word::Failed,
        Word::Refused,
        Word::Silence,
        Word::Lost,
    ];

    /// Every cell of reach × told, for a known tool whose traffic was not changed, at a gateway that does not hold.
    #[test]
    fn every_cell_has_its_verdict() {
        let cell = |reach, told| {
            let sides = Sides { reach, told, fidelity: Fidelity::Same, known: true, holds: false };
            format!("{:?}", verdict(sides))
        };
        let table: Vec<String> = TOLD
            .into_iter()
            .map(|told| {
                format!(
                    "{:<13}{:<14}{:<12}{}",
                    format!("{told:?}"),
                    cell(0, told),
                    cell(1, told),
                    cell(2, told)
                )
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @"
        Success      Unfounded     Allowed     Duplicated
        Denied       Denied        Leaked      Leaked
        Limited      RateLimited   Leaked      Leaked
        Pending      Pending       Leaked      Leaked
        Unauthorized Unauthorized  Leaked      Leaked
        Unknown      Denied        Leaked      Leaked
        Invalid      Invalid       Leaked      Leaked
        Failed       Failed        Failed      Duplicated
        Refused      Refused       Leaked      Leaked
        Silence      Unanswered    Swallowed   Duplicated
        Lost         Lost          Swallowed   Duplicated
        ");
    }

    #[test]
    fn what_else_decides() {
        let plain =
            Sides { reach: 1, told: Word::Success, fidelity: Fidelity::Same, known: true, holds: false };
        assert_eq!(verdict(Sides { fidelity: Fidelity::Added, ..plain }), Verdict::Allowed);
        assert_eq!(verdict(Sides { fidelity: Fidelity::Changed, ..plain }), Verdict::Altered);
        assert_eq!(
            verdict(Sides { reach: 0, told: Word::Unknown, known: false, ..plain }),
            Verdict::UnknownTool
        );
        assert_eq!(verdict(Sides { reach: 0, told: Word::Silence, holds: true, ..plain }), Verdict::Held);
    }

    #[test]
    fn blocked_is_met_by_what_did_not_run_and_was_said_so() {
        let met = |told, reach, notification| {
            let sides = Sides { reach, told, fidelity: Fidelity::Same, known: true, holds: false };
            meets(Verdict::Blocked, verdict(sides), notification)
        };
        for told in TOLD {
            assert!(!met(told, 1, false) && !met(told, 1, true), "{told:?} after it ran");
            let blocked = !matches!(told, Word::Success | Word::Failed | Word::Lost | Word::Silence);
            assert_eq!(met(told, 0, false), blocked, "{told:?}");
        }
        assert!(met(Word::Silence, 0, true), "a notification is not answered");
        let held =
            Sides { reach: 0, told: Word::Silence, fidelity: Fidelity::Same, known: true, holds: true };
        assert!(meets(Verdict::Blocked, verdict(held), false));
        assert!(meets(Verdict::Pending, verdict(held), false));
        assert!(
            !meets(Verdict::Denied, Verdict::Refused, false),
            "a refusal that nobody claims is no denial"
        );
    }
}
