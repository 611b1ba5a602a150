//! The plain steps of a scenario once more, on a stage of their own, made by an SDK's client: what a real agent would
//! have experienced.

use super::opinion::{Opinion, Views};
use super::outcome::ScenarioOutcome;
use super::perform::{control, rows, target};
use super::plan::{Entry, unmet};
use super::stage::{Setting, Stage, Theatre};
use crate::gateway::Connection;
use crate::mock::Arrival;
use crate::scenario::{Call, Kind, List, Part, Step, Variables, Voice, pointer};
use crate::transcript::Exchange;
use crate::wire::{Json, Revision};
use crate::witness::second::{Door, Saw, SdkClient};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// What was made by the SDK's client.
struct Made {
    /// The step's place.
    step: usize,
    /// When.
    at: Instant,
    saw: Saw,
}

/// The clients of a stage, and what they saw.
struct Agents<'a> {
    stage: &'a Stage,
    revision: Revision,
    clients: HashMap<String, Result<SdkClient, String>>,
    variables: Variables,
    made: Vec<Made>,
}

/// Notes beside each step what an SDK's client saw of it.
pub(super) async fn look(entry: &Entry, setting: &Setting, outcome: &mut ScenarioOutcome) {
    let Some(revision) = outcome.revision.as_ref().and_then(|revision| revision.parse().ok()) else { return };
    let theatre = match Theatre::open(&entry.contender, &entry.scenario, setting).await {
        Ok(theatre) => Arc::new(theatre),
        Err(error) => {
            let why = error.to_string();
            outcome.steps.iter_mut().for_each(|step| step.second.push(Opinion::not_made(&why)));
            return;
        }
    };
    let stage = Stage::set_up(entry, Arc::clone(&theatre));
    let mut agents = Agents {
        stage: &stage,
        revision,
        clients: HashMap::new(),
        variables: stage.minted.clone(),
        made: Vec::new(),
    };
    let mut stuck: Option<String> = None;
    for (place, step) in entry.scenario.steps.iter().enumerate() {
        // Behind the steps that were done stand findings that are none.
        let done = outcome.steps.get_mut(place).filter(|seen| seen.line == step.spot.line as usize);
        let Some(seen) = done else { break };
        if let Some(before) = &stuck {
            seen.second.push(Opinion::not_made(before));
        } else if let Err(why) = agents.step(place, step).await {
            seen.second.push(Opinion::not_made(&why));
            stuck = Some("a step before it was not made".to_owned());
        }
    }
    let made = agents.leave().await;
    stage.leave().await;
    let (arrivals, _) = Arc::into_inner(theatre).expect("the stage has been left").close().await;
    for (step, opinion) in opinions(&made, &arrivals, outcome) {
        let seconds = &mut outcome.steps[step].second;
        match seconds.iter_mut().find(|known| (known.class, &known.saw) == (opinion.class, &opinion.saw)) {
            Some(known) => known.count += 1,
            None => seconds.push(opinion),
        }
    }
}

impl Agents<'_> {
    /// Does one step; an error is why an SDK's client cannot.
    async fn step(&mut self, place: usize, step: &Step) -> Result<(), String> {
        if unmet(&step.given, &self.stage.profile.declares).is_some() {
            return Ok(());
        }
        match &step.kind {
            Kind::Call(call) => self.call(place, call).await,
            Kind::List(list) => self.list(place, list).await,
            Kind::Together(_) => Err("calls at the same time".to_owned()),
            Kind::Send(_) => Err("exact bytes".to_owned()),
            Kind::Decide(_) | Kind::Settle(_) => Err("an approval".to_owned()),
            // Nothing is made by waiting for a notification, and nothing after it hangs on it.
            Kind::Notice(_) => Ok(()),
            other => {
                if matches!(other, Kind::Restart(Part::Gateway)) {
                    self.close().await;
                }
                control(self.stage, other).await.map_err(|trouble| trouble.to_string())
            }
        }
    }

    async fn call(&mut self, place: usize, call: &Call) -> Result<(), String> {
        if call.approver.is_some() || call.carrying.is_some() {
            return Err("an approval".to_owned());
        }
        if call.id.is_some() || !call.headers.is_empty() || call.voice.by.is_some() {
            return Err("an id, a header or a credential of its own".to_owned());
        }
        let words = |trouble: &dyn std::fmt::Display| trouble.to_string();
        for row in rows(&call.over, &self.variables).map_err(|trouble| words(&trouble))? {
            let target = target(self.stage, &call.tool, &row).map_err(|trouble| words(&trouble))?;
            let arguments = row.fill(&call.with).map_err(|unfilled| words(&unfilled))?;
            let meta = call.meta.clone().map(|meta| row.fill(&Json::Object(meta))).transpose();
            let meta = meta.map_err(|unfilled| words(&unfilled))?;
            for _ in 0..call.times {
                let at = Instant::now();
                let saw = match self.client(&call.voice).await {
                    Ok(client) => client.call(&target.shown, &arguments, meta.as_ref()).await,
                    Err(why) => Some(Err(why)),
                };
                if let Some(Ok(result)) = &saw {
                    for (name, at) in &call.save {
                        if let Some(value) = pointer::at(result, &at.value) {
                            self.variables.set(name, value);
                        }
                    }
                }
                self.made.push(Made { step: place, at, saw });
            }
        }
        Ok(())
    }

    async fn list(&mut self, place: usize, list: &List) -> Result<(), String> {
        let at = Instant::now();
        let saw = match self.client(&list.voice).await {
            Ok(client) => client.tools().await,
            Err(why) => Some(Err(why)),
        };
        self.made.push(Made { step: place, at, saw });
        Ok(())
    }

    /// The client of a voice's session, opened if it is not yet; an error is the SDK's.
    async fn client(&mut self, voice: &Voice) -> Result<&SdkClient, String> {
        let name = self.stage.voice_name(voice);
        if !self.clients.contains_key(&name) {
            let client = match self.stage.way(&name) {
                Ok(Connection::Http { url, headers }) => Ok(Door::Http(url, headers)),
                Ok(Connection::Stdio(command)) => Ok(Door::Process(command)),
                Err(why) => Err(why),
            };
            let client = match client {
                Ok(door) => SdkClient::open(door, self.revision, self.stage.patience).await,
                Err(why) => Err(why),
            };
            if let (Ok(client), true) = (&client, self.stage.profile.lists_first()) {
                client.tools().await;
            }
            self.clients.insert(name.clone(), client);
        }
        self.clients[&name].as_ref().map_err(Clone::clone)
    }

    async fn close(&mut self) {
        for client in std::mem::take(&mut self.clients).into_values().flatten() {
            client.close().await;
        }
    }

    async fn leave(mut self) -> Vec<Made> {
        self.close().await;
        self.made
    }
}

/// What comes of each: an arrival belongs to the last that was made before it.
fn opinions(made: &[Made], arrivals: &[Arrival], outcome: &ScenarioOutcome) -> Vec<(usize, Opinion)> {
    let calls = || arrivals.iter().filter(|arrival| !arrival.calls().is_empty());
    let mut nth = HashMap::new();
    let opinion = |(place, one): (usize, &Made)| {
        let until = made.get(place + 1).map(|next| next.at);
        let own = |arrival: &&Arrival| arrival.at >= one.at && until.is_none_or(|until| arrival.at < until);
        let step = &outcome.steps[one.step];
        let index: &mut usize = nth.entry(one.step).or_default();
        // A list is one step, and each of its pages an exchange.
        let wire: &[Exchange] = match step.calls.is_empty() {
            true => &step.exchanges,
            false => step.exchanges.get(*index..=*index)?,
        };
        let wire_reach = step.calls.get(*index).map_or(0, |call| call.reach);
        *index += 1;
        let views = Views { wire, wire_reach, saw: one.saw.as_ref(), reach: calls().filter(own).count() };
        Some((one.step, Opinion::of(&views)))
    };
    made.iter().enumerate().filter_map(opinion).collect()
}
