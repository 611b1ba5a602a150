//! A call that must come through before anything is judged at a gateway that runs already, and the same call as a fence
//! behind each scenario: what was sent before it has arrived when it has.

use super::judge::Asked;
use super::pack::{passes_freely, untouched};
use super::perform;
use super::plan::{Entry, flat};
use super::remote::Remote;
use super::stage::{Stage, Theatre};
use super::telling::{answer_line, word};
use crate::diagnostic::printable;
use crate::gateway::Word;
use crate::scenario::{self, Call, Expect, Kind, Scenario, Step, Verdict};
use crate::source::Placed;
use crate::transcript::{Ended, Exchange};
use crate::transport::trust::NO_TRUST;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long after one attempt the next is made: nobody tells when a gateway finds its servers again.
const AGAIN: Duration = Duration::from_millis(200);

/// A call that every policy lets pass and that counts for nothing: one of a scenario's, or one of a tool that none of
/// them touches.
#[derive(Clone)]
pub struct Probe {
    entry: Entry,
    call: Call,
    /// The tool that the gateway's policy has to allow for this alone.
    reserved: Option<String>,
}

impl Probe {
    /// A call for these entries; none where one scenario by itself has no call that passes freely.
    pub(super) fn of(entries: &[&Entry]) -> Option<Self> {
        let own = entries.iter().find_map(|entry| {
            let call = flat(&entry.scenario.steps).find_map(|step| plain(&entry.scenario, step))?;
            let call = Call { times: 1, name: None, save: Default::default(), ..call.clone() };
            Some(Self { entry: (*entry).clone(), call, reserved: None })
        });
        own.or_else(|| Self::reserved_for(entries))
    }

    fn reserved_for(entries: &[&Entry]) -> Option<Self> {
        let (first, _) = entries.split_first().filter(|(_, rest)| !rest.is_empty())?;
        let (upstream, tool) = untouched(entries)?;
        let text = format!("scenario: preflight\nupstreams: [{upstream}]\nsteps: [{{call: {tool}}}]\n");
        let scenario = scenario::read(&text, "preflight.yaml").ok()?;
        let Kind::Call(call) = &scenario.steps.first()?.kind else { return None };
        Some(Self { entry: (*first).clone(), call: (**call).clone(), reserved: Some(tool) })
    }

    /// The tool that the gateway's policy has to allow for this alone.
    pub fn reserved(&self) -> Option<&str> {
        self.reserved.as_deref()
    }

    /// Calls until a call has arrived, or the time is over; then what there is to be looked at.
    pub(super) async fn fly(&self, theatre: &Arc<Theatre>, remote: &Remote) -> Result<(), String> {
        let end = Instant::now() + remote.within;
        loop {
            let stage = Stage::set_up(&self.entry, theatre.clone());
            let asked = perform::once(&stage, &self.call).await;
            stage.leave().await;
            if theatre.has_been_called() {
                return Ok(());
            }
            let distrusted = |asked: &Asked| asked.exchanges.last().is_some_and(is_distrusted);
            if Instant::now() >= end || asked.as_ref().is_ok_and(distrusted) {
                let told = asked.map_err(|trouble| trouble.to_string())?;
                return Err(self.complaint(&told, theatre, remote));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// The same call on every open session.
    pub(super) async fn fence(&self, stage: &Stage) -> Vec<Asked> {
        let mut fences = Vec::new();
        for name in stage.open_sessions().await {
            let mut call = self.call.clone();
            call.voice.session = Some(Placed { value: name, ..Placed::default() });
            fences.extend(perform::once(stage, &call).await);
        }
        fences
    }

    fn complaint(&self, asked: &Asked, theatre: &Theatre, remote: &Remote) -> String {
        let answer = asked.exchanges.last().map(answer_line).unwrap_or_default();
        let seen = theatre.visits(&remote.places);
        let visits: Vec<String> = seen.iter().map(ToString::to_string).collect();
        let status = asked.exchanges.last().and_then(|exchange| Some(exchange.http.as_ref()?.status));
        let lost = asked.exchanges.last().is_some_and(|exchange| matches!(exchange.ended, Ended::Lost(_)));
        let help = if seen.iter().any(|visit| visit.strangers > 0) {
            "give the gateway the token that the servers demand: `--bearer` names it here, and the gateway sends it \
             as `Authorization: Bearer ...`"
        } else if matches!(status, Some(401 | 403)) || asked.told.word == Word::Unauthorized {
            "look at `--header`: the gateway does not know the credential"
        } else if asked.exchanges.last().is_some_and(is_distrusted) {
            "let the gateway show a certificate for the host in `--gateway-url`, of an authority that this system knows, or \
             that is in the file that `SSL_CERT_FILE` names"
        } else if lost && seen.iter().all(|visit| visit.requests == 0) {
            "look at `--gateway-url`: nothing there speaks HTTP to this machine"
        } else if seen.iter().all(|visit| visit.requests == 0) {
            "look at the servers that the gateway is configured with: they have to be the addresses above; \
             `--listen` says where they stand, `--public-url` how the gateway knows them"
        } else {
            "look at the policy of the gateway: it has to be the one that `gauntlet render` prints for the same PATHs"
        };
        format!(
            "no call comes through the gateway: `{}` was called at {}, the agent was told {} ({answer}), and {}\nhelp: {help}",
            printable(&self.call.tool.name),
            printable(&remote.url),
            word(asked.told.word),
            visits.join(", ")
        )
    }
}

/// Whether a gateway was there and was not trusted: that does not pass.
fn is_distrusted(exchange: &Exchange) -> bool {
    matches!(&exchange.ended, Ended::Lost(why) if why.starts_with(NO_TRUST))
}

/// A call that needs nothing from before, and that must pass.
fn plain<'a>(scenario: &Scenario, step: &'a Step) -> Option<&'a Call> {
    let Kind::Call(call) = &step.kind else { return None };
    let passes =
        matches!(&step.expect, Some(Expect::Verdict(verdicts)) if verdicts.as_slice() == [Verdict::Allowed]);
    let templated = call.tool.name.contains("{{") || call.with.to_string().contains("{{");
    let special = call.tool.exact || call.voice.by.is_some() || call.id.is_some() || call.approver.is_some();
    let bare =
        call.over.0.is_empty() && call.headers.is_empty() && call.meta.is_none() && step.given.0.is_empty();
    let fits = passes && !templated && !special && bare && call.carrying.is_none();
    (fits && passes_freely(scenario, &call.tool.name)).then_some(call)
}
