//! Deciding what waits for a decision, in whatever way the gateway has. It does not repeat calls nor wait for held
//! ones: that is the agent's side.

use super::errand::ErrandError;
use super::profile::{Approval, Style};
use super::running::RunningGateway;
use super::template::{RenderError, Template, Variables};
use super::told::Told;
use indexmap::IndexMap;
use std::time::Duration;

/// How often one looks for what is pending.
const LOOK: Duration = Duration::from_millis(50);

/// What an approver says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Approve,
    /// No.
    Reject,
}

/// What waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending(Variables);

/// What is left to do for the agent's side.
#[derive(Clone, Debug, PartialEq)]
pub enum Decided {
    /// The same call again.
    Repeat,
    /// To wait: the first call gets its answer.
    Wait,
    /// This is the result of the elicitation, or of the input that was asked for.
    Answer(serde_json::Value),
}

/// What the repeated call takes along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Members of `_meta`.
    pub meta: Vec<(String, String)>,
    /// Further arguments.
    pub arguments: Vec<(String, String)>,
    /// HTTP headers.
    pub headers: Vec<(String, String)>,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// The profile has no approvals.
    #[error("the profile of `{0}` says nothing of approvals")]
    None(String),
    /// What is pending did not show.
    #[error("nothing that waits for a decision was found within {}: {why} (`approval.find` of the profile)", humantime::format_duration(*.within))]
    NotFound {
        /// How long was looked.
        within: Duration,
        /// What the last look brought.
        why: ErrandError,
    },
    /// A deed of it failed.
    #[error("the decision could not be made: {why} (`approval.{place}` of the profile)")]
    Errand {
        /// Which part of the profile's `approval`.
        place: &'static str,
        /// What failed.
        why: ErrandError,
    },
    /// The agent's side is to answer, and the profile does not say what.
    #[error("the agent's side decides here, and no `answer` stands in `approval.{0}` of the profile")]
    NoAnswer(&'static str),
}

impl Decision {
    /// The member of a profile's `approval` that says how.
    fn place(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

impl Pending {
    /// Its id, where the gateway gives one.
    pub fn id(&self) -> Option<&str> {
        self.0.get("approval").map(String::as_str)
    }

    /// The same approval's id with nothing else known: to decide late, or twice.
    pub fn of(id: &str) -> Self {
        Self(Variables::from([("approval".to_owned(), id.to_owned())]))
    }
}

impl RunningGateway {
    /// Finds what an exchange left waiting; `hints` (`tool`, `identity`) are for profiles that have to look for it.
    pub async fn find(&self, told: &Told, hints: &[(&str, &str)]) -> Result<Pending, ApprovalError> {
        let approval = self.approval()?;
        let mut known = told.captures.clone();
        known.extend(hints.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let within = approval.within.0;
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let mut variables = known.clone();
            match self.desk().perform(&approval.find.0, &mut variables).await {
                Ok(_) => return Ok(Pending(variables)),
                Err(why @ ErrandError::Render(_)) => {
                    return Err(ApprovalError::Errand { place: "find", why });
                }
                Err(why) if tokio::time::Instant::now() >= deadline => {
                    return Err(ApprovalError::NotFound { within, why });
                }
                // A held call shows at the side door some time after it was sent.
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// Decides as an agent would that knows how: with its own credential where the approver's secret is due.
    pub async fn decide_as(
        &self,
        pending: &Pending,
        decision: Decision,
        identity: &str,
    ) -> Result<Decided, ApprovalError> {
        let token = self.facts().identities.iter().find(|caller| caller.name == identity);
        let mut known = pending.0.clone();
        known.extend(token.map(|caller| ("secret".to_owned(), caller.token.clone())));
        self.decide(&Pending(known), decision).await
    }

    /// Decides.
    pub async fn decide(&self, pending: &Pending, decision: Decision) -> Result<Decided, ApprovalError> {
        let approval = self.approval()?;
        let place = decision.place();
        let errands = match decision {
            Decision::Approve => &approval.approve,
            Decision::Reject => &approval.reject,
        };
        let answer = self.desk().perform(&errands.0, &mut pending.0.clone()).await;
        let answer = answer.map_err(|why| ApprovalError::Errand { place, why })?;
        match approval.style {
            Style::Retry | Style::Url => Ok(Decided::Repeat),
            Style::Held => Ok(Decided::Wait),
            Style::Elicitation | Style::InputRequired => {
                answer.map(Decided::Answer).ok_or(ApprovalError::NoAnswer(place))
            }
        }
    }

    /// What the call that comes after a decision takes along.
    pub fn carried(&self, pending: &Pending) -> Result<Carried, ApprovalError> {
        let carry = &self.approval()?.carry;
        let filled = |templates: &IndexMap<String, Template>| {
            let one =
                |(name, text): (&String, &Template)| Ok((name.clone(), self.desk().text(text, &pending.0)?));
            let all = templates.iter().map(one).collect::<Result<Vec<_>, RenderError>>();
            all.map_err(|error| ApprovalError::Errand { place: "carry", why: error.into() })
        };
        Ok(Carried {
            meta: filled(&carry.meta)?,
            arguments: filled(&carry.arguments)?,
            headers: filled(&carry.headers)?,
        })
    }

    fn approval(&self) -> Result<&Approval, ApprovalError> {
        let approval = self.profile().approval.as_ref();
        approval.ok_or_else(|| ApprovalError::None(self.profile().gateway.clone()))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::gateway::testing;
    use crate::gateway::told::Word;

    fn told(approval: Option<&str>) -> Told {
        let captures: Variables =
            approval.map(|id| ("approval".to_owned(), id.to_owned())).into_iter().collect();
        Told {
            word: Word::Pending,
            reason: None,
            retry_after: None,
            approval: None,
            claimed_by: Some(0),
            captures,
        }
    }

    #[tokio::test]
    async fn a_decision_by_command_knows_the_approval_and_what_was_found() {
        let (gateway, folder) = testing::attached(
            "reads: [{pending: {error_result: '(?<approval>.+)'}}]\napproval:\n  style: retry\n  find: {run: [sh, -c, 'echo key-{{ tool }}'], save: {key: 'key-\\w+'}}\n  \
             approve: {run: [sh, -c, 'echo yes {{ approval }} {{ key }} > decided']}\n  \
             reject: {run: [sh, -c, 'echo no {{ approval }} > decided']}\n",
        )
        .await;
        let pending = gateway.find(&told(Some("a-1")), &[("tool", "deploy")]).await.unwrap();
        assert_eq!(pending.id(), Some("a-1"));
        assert_eq!(gateway.decide(&pending, Decision::Approve).await.unwrap(), Decided::Repeat);
        let decided = || std::fs::read_to_string(folder.path().join("decided")).unwrap();
        assert_eq!(decided(), "yes a-1 key-deploy\n");
        gateway.decide(&Pending::of("a-2"), Decision::Reject).await.unwrap();
        assert_eq!(decided(), "no a-2\n");
    }

    #[tokio::test]
    async fn a_held_call_is_looked_for_until_it_shows() {
        let (gateway, _folder) = testing::attached(
            "approval:\n  style: held\n  find: {run: [sh, -c, 'echo x >> looks; if [ $(wc -l < looks) -ge 3 ]; then echo \"[{\\\"id\\\":\\\"h-1\\\"}]\"; fi'], id: /0/id}\n  \
             approve: {run: ['true']}\n  reject: {run: ['true']}\n",
        )
        .await;
        let pending = gateway.find(&told(None), &[]).await.unwrap();
        assert_eq!(pending.id(), Some("h-1"));
        assert_eq!(gateway.decide(&pending, Decision::Approve).await.unwrap(), Decided::Wait);
    }

    #[tokio::test]
    async fn what_never_shows_is_told_with_the_last_look() {
        let (gateway, _folder) = testing::attached(
            "approval: {style: held, within: 10ms, find: {run: [sh, -c, 'echo []'], id: /0/id}, approve: {run: ['true']}, reject: {run: ['true']}}\n",
        )
        .await;
        let error = gateway.find(&told(None), &[]).await.unwrap_err().to_string();
        assert_eq!(
            error,
            "nothing that waits for a decision was found within 10ms: no `approval` at `/0/id` in the outcome, which is \
             `[]` (`approval.find` of the profile)"
        );
    }

    #[tokio::test]
    async fn an_elicitation_is_answered_by_the_agents_side() {
        let (gateway, _folder) = testing::attached(
            "approval: {style: elicitation, approve: {answer: {action: accept}}, reject: {answer: {action: decline}}}\n",
        )
        .await;
        let pending = gateway.find(&told(None), &[]).await.unwrap();
        let decided = gateway.decide(&pending, Decision::Reject).await.unwrap();
        assert_eq!(decided, Decided::Answer(serde_json::json!({"action": "decline"})));
    }

    #[tokio::test]
    async fn a_gateway_without_approvals_says_so() {
        let (gateway, _folder) = testing::attached("").await;
        let error = gateway.find(&told(None), &[]).await.unwrap_err().to_string();
        assert_eq!(error, "the profile of `scripted` says nothing of approvals");
    }
}
