//! The steps of a scenario, one after the other.

use super::Trouble;
use super::approval::Pending;
use super::call::{self, Made};
use super::listing::{self, Listed};
use super::open::{self, Begun, Open};
use super::{approval, faults, raw, together};
use crate::run::judge::Asked;
use crate::run::plan::{flat, unmet};
use crate::run::stage::Stage;
use crate::scenario::{Call, Column, Kind, Over, Part, Send, Step, Variables, pointer};
use crate::source::Placed;
use crate::transcript::{Exchange, Received};
use crate::transport::child::Departure;
use crate::wire::{Json, Message};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::ops::Range;
use std::time::Instant;

/// What the steps of one scenario came to, so far.
#[derive(Debug)]
pub(in crate::run) struct Performance {
    /// Every call, in the order of the steps.
    pub(in crate::run) asked: Vec<Asked>,
    /// What each step did.
    pub(in crate::run) steps: Vec<Performed>,
    /// The lists that steps named.
    pub(in crate::run) lists: HashMap<String, Listed>,
    /// The calls of steps that have a name, among all.
    pub(in crate::run) named: HashMap<String, Range<usize>>,
    /// What was saved.
    pub(in crate::run) variables: Variables,
    /// What waits for a decision, by the step's name.
    pub(super) pending: HashMap<String, Pending>,
    /// What is under way, by the step's name.
    pub(super) open: HashMap<String, Box<Open>>,
    /// When a list was last changed: notices are looked for from then on.
    pub(super) changed: Instant,
}

/// What one step did.
#[derive(Debug, Default)]
pub(in crate::run) struct Performed {
    /// Its calls among all.
    pub(in crate::run) calls: Range<usize>,
    /// The list that it got.
    pub(in crate::run) listed: Option<Listed>,
    /// The notification that came; `Some(None)` is one that was waited for in vain.
    pub(in crate::run) noticed: Option<Option<Received>>,
    /// Remarks that do not decide.
    pub(in crate::run) notes: Vec<String>,
    /// How the gateway's process went.
    pub(in crate::run) departure: Option<Departure>,
    /// Why it was passed over.
    pub(in crate::run) passed_over: Option<String>,
    /// What the gateway's dialect cannot say, where the step needs it said.
    pub(in crate::run) inexpressible: Option<String>,
    /// Why it could not be done.
    pub(in crate::run) trouble: Option<String>,
    /// When it was begun.
    pub(in crate::run) began: Option<Instant>,
}

/// Does every step. A step that cannot be done ends the scenario there: what follows would prove nothing.
pub(in crate::run) async fn perform(stage: &Stage) -> Performance {
    let mut performance = Performance::beginning(stage.minted.clone());
    for step in &stage.scenario.steps {
        let first = performance.asked.len();
        let mut performed = Performed { began: Some(Instant::now()), ..Performed::default() };
        let done = match unmet(&step.given, &stage.profile.declares) {
            Some(reason) => {
                performed.passed_over = Some(reason);
                Ok(())
            }
            None => performance.step(stage, step, &mut performed).await,
        };
        performed.calls = first..performance.asked.len();
        if let Some(name) = step.name() {
            performance.named.insert(name.value.clone(), performed.calls.clone());
        }
        let stuck = done.is_err();
        match done.err() {
            Some(Trouble::Cannot(what)) => performed.inexpressible = Some(what),
            trouble => performed.trouble = trouble.map(|trouble| told(&trouble, stage, step)),
        }
        performance.steps.push(performed);
        if stuck {
            break;
        }
    }
    performance.cancel_what_is_pending(stage).await;
    performance
}

/// What kept a step from being done; of a variable that is not there, also the step that should have saved it.
fn told(trouble: &Trouble, stage: &Stage, step: &Step) -> String {
    let Trouble::Unfilled(unfilled) = trouble else { return trouble.to_string() };
    let names = |save: &IndexMap<String, Placed<String>>| save.keys().any(|name| unfilled.names(name));
    let saves = |earlier: &&Step| match &earlier.kind {
        Kind::Call(call) => names(&call.save),
        Kind::Send(send) => names(&send.save),
        _ => false,
    };
    let before = flat(&stage.scenario.steps).take_while(|other| other.spot.line < step.spot.line);
    match before.filter(saves).last().map(|earlier| earlier.spot.line) {
        Some(line) => {
            format!(
                "{trouble}; the step of line {line} should have saved it and did not, so this one could not be done"
            )
        }
        None => trouble.to_string(),
    }
}

impl Performance {
    /// Nothing is done yet, and these variables are known.
    pub(in crate::run) fn beginning(variables: Variables) -> Self {
        Self {
            asked: Vec::new(),
            steps: Vec::new(),
            lists: HashMap::new(),
            named: HashMap::new(),
            variables,
            pending: HashMap::new(),
            open: HashMap::new(),
            changed: Instant::now(),
        }
    }

    async fn step(&mut self, stage: &Stage, step: &Step, performed: &mut Performed) -> Result<(), Trouble> {
        match &step.kind {
            Kind::Call(call) => self.calls(stage, call).await,
            Kind::Together(members) => together::together(stage, self, members).await,
            Kind::Agent(agent) => self.agent(stage, agent, performed).await,
            Kind::Send(send) => raw::send(stage, self, send).await,
            Kind::List(list) => {
                let listed = listing::list(stage, list).await?;
                if let Some(name) = &list.name {
                    self.lists.insert(name.value.clone(), listed.clone());
                }
                performed.listed = Some(listed);
                Ok(())
            }
            Kind::Notice(notice) => {
                performed.noticed = Some(listing::notice(stage, notice, step, self.changed).await?);
                Ok(())
            }
            Kind::Decide(decide) => approval::decide(stage, self, decide, performed).await,
            Kind::Settle(settle) => match self.open.remove(&settle.step.value) {
                Some(open) => {
                    open::settle(stage, self, settle, *open).await;
                    Ok(())
                }
                None => approval::settle(stage, self, settle, performed).await,
            },
            Kind::Cancel(name) => {
                if let Some(open) = self.open.get_mut(&name.value) {
                    open.cancel().await;
                } else if let Some(pending) = self.pending.get_mut(&name.value) {
                    pending.cancel().await;
                }
                Ok(())
            }
            Kind::Restart(Part::Gateway) => {
                performed.departure = stage.restart_gateway().await.map_err(Trouble::because)?;
                Ok(())
            }
            Kind::Accept(tool) => stage.accept(&tool.value).map_err(Trouble::because),
            Kind::Records(_) => Ok(()),
            other => {
                if matches!(other, Kind::Change(_)) {
                    self.changed = Instant::now();
                }
                faults::control(stage, other).await
            }
        }
    }

    /// One call step: its rows and times, one after the other.
    async fn calls(&mut self, stage: &Stage, call: &Call) -> Result<(), Trouble> {
        if call.later {
            return self.begin(stage, call).await;
        }
        for row in rows(&call.over, &self.variables)? {
            for _ in 0..call.times {
                let made = call::make(stage, call, &row, carried(&self.pending, call)).await?;
                self.keep(call, made);
            }
        }
        Ok(())
    }

    /// A call whose answer comes later.
    async fn begin(&mut self, stage: &Stage, call: &Call) -> Result<(), Trouble> {
        let name = call.name.as_ref().map(|name| name.value.clone()).unwrap_or_default();
        match open::begin(stage, call, &self.variables).await? {
            Begun::Open(open) => drop(self.open.insert(name, open)),
            Begun::Over(asked) => self.asked.push(*asked),
        }
        Ok(())
    }

    pub(super) fn keep(&mut self, call: &Call, made: Made) {
        self.save(&call.save, &made.asked);
        let place = self.asked.len();
        self.asked.push(made.asked);
        if let Some(mut pending) = made.pending {
            pending.place = place;
            let name = call.name.as_ref().map_or_else(|| format!("#{place}"), |name| name.value.clone());
            self.pending.insert(name, pending);
        }
    }

    pub(super) fn keep_sent(&mut self, send: &Send, asked: Asked) {
        self.save(&send.save, &asked);
        self.asked.push(asked);
    }

    /// Sets variables from what was answered.
    fn save(&mut self, wanted: &IndexMap<String, Placed<String>>, asked: &Asked) {
        for (name, pointer) in wanted {
            if let Some(value) = asked.exchanges.last().and_then(|exchange| saved(exchange, &pointer.value)) {
                self.variables.set(name, value);
            }
        }
    }

    /// What still waits at the end is taken back; its window stays open, so that an execution is still its doing.
    async fn cancel_what_is_pending(&mut self, stage: &Stage) {
        for (_, mut open) in self.open.drain() {
            open.cancel().await;
            self.asked.push(open.left(stage));
        }
        for (_, pending) in self.pending.drain() {
            if let Some(mut flight) = pending.flight {
                flight.cancel().await;
            }
        }
    }
}

pub(super) fn carried<'a>(pending: &'a HashMap<String, Pending>, call: &Call) -> Option<&'a Pending> {
    pending.get(&call.carrying.as_ref()?.value)
}

/// What a pointer finds in a reply's result.
pub(super) fn saved(exchange: &Exchange, at: &str) -> Option<Json> {
    let Message::Response { outcome: Ok(result), .. } = exchange.response()? else { return None };
    pointer::at(result, at)
}

/// The variables of each row of a table; one row where there is none.
pub(in crate::run) fn rows(over: &Over, variables: &Variables) -> Result<Vec<Variables>, Trouble> {
    let mut columns: Vec<(&str, Vec<Json>)> = Vec::new();
    for (name, column) in &over.0 {
        let values = match column {
            Column::Values(values) => {
                values.iter().map(|value| variables.fill(value)).collect::<Result<_, _>>()?
            }
            Column::Template(template) => match variables.fill_text(template)? {
                Json::Array(values) => values,
                other => return Err(Trouble::Other(format!("`{template}` gives {other}, not a list"))),
            },
        };
        columns.push((name, values));
    }
    let Some(length) = columns.iter().map(|(_, values)| values.len()).min() else {
        return Ok(vec![variables.clone()]);
    };
    let row = |index: usize| {
        let mut row = variables.clone();
        columns.iter().for_each(|(name, values)| row.set(name, values[index].clone()));
        row
    };
    Ok((0..length).map(row).collect())
}
