//! What a refusal is worth where something was broken from the beginning: nothing, where the whole is not served either.
//!
//! A gateway that is not there, or that no policy suits, lets nothing pass whatever its policy is. So each scenario that
//! breaks one, or the gateway's record, has its allowed twin here: the same gateway with nothing broken, and a call that
//! it lets pass.

use super::judge::judge;
use super::pack::passes_freely;
use super::perform;
use super::plan::{Entry, flat};
use super::stage::{Setting, SetupError, Stage, Theatre};
use super::telling::answer_line;
use crate::diagnostic::printable;
use crate::scenario::{Call, IdentityPolicy, Kind, Scenario, Verdict};
use std::sync::Arc;

/// What is said where no call can show anything.
const NO_TWIN: &str =
    "nothing shows that its policy is served when nothing is broken: no call of it passes freely then";

/// Makes sure that a policy that a scenario breaks would be served whole; an error is why that is not known.
pub(super) async fn is_served_whole(entry: &Entry, setting: &Setting) -> Result<(), SetupError> {
    let scenario = Arc::new(whole(&entry.scenario));
    let call = twin(&scenario).ok_or_else(|| SetupError::Scenario(NO_TWIN.to_owned()))?;
    let entry = Entry { scenario, ..entry.clone() };
    let theatre = Arc::new(Theatre::open(&entry.contender, &entry.scenario, setting).await?);
    let stage = Stage::set_up(&entry, theatre.clone());
    let asked = perform::once(&stage, &call).await;
    stage.leave().await;
    let theatre = Arc::into_inner(theatre).expect("the stage has been left");
    let (arrivals, _) = theatre.close().await;
    let asked = asked.map_err(|trouble| SetupError::Scenario(trouble.to_string()))?;
    let (judged, _) = judge(std::slice::from_ref(&asked), &arrivals, |_| false);
    let verdict = judged[0].verdict;
    if matches!(verdict, Verdict::Allowed | Verdict::Altered) {
        return Ok(());
    }
    let answer = asked.exchanges.last().map(answer_line).unwrap_or_default();
    Err(SetupError::Scenario(format!(
        "to refuse everything shows nothing: with nothing broken `{}` was {verdict}: {answer}",
        printable(&call.tool.name)
    )))
}

/// Why a gateway that agents start themselves does not start with the entry's policy as it is meant; nothing where it does.
pub(super) async fn does_not_start(entry: &Entry, setting: &Setting) -> Result<Option<String>, SetupError> {
    let entry = Entry { scenario: Arc::new(whole(&entry.scenario)), ..entry.clone() };
    let theatre = Arc::new(Theatre::open(&entry.contender, &entry.scenario, setting).await?);
    let stage = Stage::set_up(&entry, theatre.clone());
    let tried = stage.tries().await;
    stage.leave().await;
    if let Some(theatre) = Arc::into_inner(theatre) {
        theatre.close().await;
    }
    Ok(tried.err().map(|error| error.to_string()))
}

/// The scenario with its policies as they are meant, and room for the gateway's record.
fn whole(scenario: &Scenario) -> Scenario {
    let mut scenario = scenario.clone();
    let own = scenario.identities.values_mut().filter_map(|identity| match &mut identity.policy {
        IdentityPolicy::Own(text) => Some(text),
        IdentityPolicy::Shared | IdentityPolicy::None => None,
    });
    scenario.policy.iter_mut().chain(own).for_each(|text| text.spoiled = None);
    scenario.audit_is_full = false;
    scenario
}

/// The first call that the policy lets pass without any condition.
fn twin(scenario: &Scenario) -> Option<Call> {
    let call = flat(&scenario.steps).find_map(|step| match &step.kind {
        Kind::Call(call) if call.over.0.is_empty() && passes_freely(scenario, &call.tool.name) => Some(call),
        _ => None,
    })?;
    Some(Call { times: 1, name: None, save: Default::default(), ..(**call).clone() })
}
