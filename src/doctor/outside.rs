//! A gateway that runs already, with nobody knows what behind it: what can be seen from the agent's side alone. No tool
//! that exists is called, because nobody here knows what it would do.

use super::beginning::no_list;
use super::chart::{Chart, Seen, listed};
use super::declares::spelled;
use super::examine::{ERAS, Examination, in_each_era};
use super::line::{Line, Mark};
use super::names;
use super::probes::OUTSIDE;
use crate::declared::Spoken;
use crate::gateway::Profile;
use crate::mock::Mock;
use crate::run::outcome::CallOutcome;
use crate::run::{Contender, Pace, Setting, run};
use crate::transcript::Ended;
use std::sync::Arc;

/// Looks at a gateway from outside.
pub async fn look(profile: Profile, setting: &Setting) -> Examination {
    let gateway = profile.gateway.clone();
    let eras = profile.declares.eras.clone();
    let contender = Contender { name: gateway.clone(), profile: Arc::new(profile), flaw: None };
    let entries = in_each_era(&OUTSIDE, &Arc::new(contender));
    let ran = run(&entries, setting, &Pace::of(1), |_| ()).await;
    let mut chart = Chart::default();
    for ((_, spoken, _), outcome) in ERAS.iter().zip(ran.outcome.scenarios) {
        chart.add(name_of(*spoken), Seen { scenario: OUTSIDE.scenario(), outcome });
    }
    told(&gateway, &chart, eras.as_deref())
}

/// The probe's name on the chart.
fn name_of(spoken: Spoken) -> &'static str {
    match spoken {
        Spoken::Legacy => "outside/legacy",
        Spoken::Modern => "outside/modern",
    }
}

fn told(gateway: &str, chart: &Chart, declared: Option<&[Spoken]>) -> Examination {
    let names = |spoken: &Spoken| chart.step(name_of(*spoken), "list").and_then(listed);
    let spoken: Vec<Spoken> =
        ERAS.iter().map(|(_, spoken, _)| *spoken).filter(|spoken| names(spoken).is_some()).collect();
    let examination = |lines, draft, world| Examination { gateway: gateway.to_owned(), lines, draft, world };
    let Some(first) = spoken.first() else {
        let era = declared.and_then(|eras| eras.first().copied()).unwrap_or(Spoken::Legacy);
        let step = chart.step(name_of(era), "list");
        let lost = step
            .and_then(|step| step.exchanges.last())
            .is_none_or(|last| matches!(last.ended, Ended::Lost(_)));
        let line = step.map_or_else(
            || Line::new(Mark::Wrong, "list of tools", chart.why_not(name_of(era))),
            |step| no_list("list of tools", step, false),
        );
        return examination(vec![line], String::new(), lost);
    };
    let listed = names(first).unwrap_or_default();
    let mut lines = vec![Line::new(Mark::Well, "list of tools", format!("{} tools", listed.len()))];
    lines.extend(known_servers(&listed));
    lines.extend(chart.call(name_of(*first), "unknown").map(unknown));
    let eras = serde_json::to_value(&spoken).unwrap_or_default();
    lines.push(Line::new(Mark::Note, "declares eras", spelled(&eras)));
    let unseen = "what is allowed, denied, limited or held only shows behind the gateway";
    lines.push(
        Line::new(Mark::Unmeasured, "everything else", unseen).because(
            "put the mocks behind it (`gauntlet mock ludus --http PORT`), or write a profile that starts it, to have both sides",
        ),
    );
    examination(lines, format!("declares: {{eras: {}}}\n", spelled(&eras)), false)
}

/// A call of a tool that nobody has. There is no profile that could be wrong about the answer, and nobody here knows
/// whether it means that the tool is unknown, or that only known ones are allowed.
fn unknown(call: &CallOutcome) -> Line {
    let said = match call.told {
        "unknown" => "told as unknown",
        "success" => "answered as if it had run",
        "silence" | "lost" => "no answer came",
        _ => "refused: this is how it denies, or what it says of tools that are not there",
    };
    Line::new(Mark::Note, "unknown tool", said).sides(call)
}

/// Which of the shipped servers seem to be behind it, and how their tools are called there.
fn known_servers(listed: &[String]) -> Vec<Line> {
    let mut lines = Vec::new();
    for server in Mock::names() {
        let Some(mock) = Mock::named(server) else { continue };
        let tools = mock.tools();
        let there = tools.iter().filter(|tool| listed.iter().any(|name| name.contains(**tool))).count();
        if there * 2 < tools.len() {
            continue;
        }
        let some: Vec<(&str, &str)> = tools.iter().take(3).map(|tool| (server, *tool)).collect();
        let called = names::template(&some, listed)
            .map(|template| format!(", called `{template}`"))
            .unwrap_or_default();
        lines.push(Line::new(
            Mark::Well,
            "server behind it",
            format!("looks like `{server}` ({there} of {} tools){called}", tools.len()),
        ));
    }
    if lines.is_empty() {
        lines.push(Line::new(
            Mark::Note,
            "server behind it",
            "none of the shipped mocks, as far as names tell",
        ));
    }
    lines
}
