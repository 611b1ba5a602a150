//! `gauntlet list`: what there is.

use super::{Exit, Surroundings, files, print};
use crate::gateway::{self, Expresses, Profile, Subject};
use crate::mock::Mock;
use crate::reference::FLAWS;
use crate::requirement;
use crate::scenario::Scenario;
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Lists what there is.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  gauntlet list scenarios\n  gauntlet list tools ludus\n  gauntlet list gateways ./my-gateway\n  gauntlet list requirements\n  gauntlet list flaws"
)]
pub struct List {
    /// What to list.
    #[command(subcommand)]
    pub what: Listed,
}

/// What to list.
#[derive(Debug, Subcommand)]
pub enum Listed {
    /// Scenarios: id, severity, sentence
    Scenarios {
        /// Scenario files or folders; without any, the shipped ones
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Documented attacks: pattern, name, ids in OWASP's lists and MITRE ATLAS, and the scenarios that replay it
    Attacks {
        /// Scenario files or folders; without any, the shipped ones
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Mocks and how many tools they have
    Mocks,
    /// Gateways with a shipped profile: installed, or how to install them
    Gateways {
        /// Names of shipped profiles, or folders with a `profile.yaml`; without any, all shipped ones
        #[arg(value_name = "NAME|FOLDER")]
        gateways: Vec<String>,
    },
    /// Tools of a mock, or of all: name and risk
    Tools {
        /// A mock that ships, or a folder with one of your own
        mock: Option<String>,
    },
    /// Requirements: id, severity, statement; the scenarios that prove each, and the flaws that break it
    Requirements {
        /// Scenario files or folders; without any, the shipped ones
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Ways in which the reference gateway can be told to lie, and the requirements they break
    Flaws,
}

/// Prints a line for each thing.
pub(super) fn list(arguments: &List, surroundings: &Surroundings) -> Exit {
    let rows = match &arguments.what {
        Listed::Scenarios { paths } => match files::scenarios(paths, surroundings) {
            Ok(scenarios) => scenarios
                .iter()
                .map(|scenario| {
                    vec![scenario.id.clone(), scenario.severity.word().to_owned(), scenario.title.clone()]
                })
                .collect(),
            Err(exit) => return exit,
        },
        Listed::Requirements { paths } => match files::scenarios(paths, surroundings) {
            Ok(scenarios) => {
                print(&requirements(&scenarios));
                return Exit::Clean;
            }
            Err(exit) => return exit,
        },
        Listed::Attacks { paths } => match files::scenarios(paths, surroundings) {
            Ok(scenarios) => super::attacks::rows(&scenarios),
            Err(exit) => return exit,
        },
        Listed::Mocks => mocks(),
        Listed::Gateways { gateways: named } => {
            let profiles: Result<Vec<Profile>, Exit> = match named.as_slice() {
                [] => Ok(gateway::shipped_names().filter_map(gateway::named).collect()),
                named => named.iter().map(|name| files::profile(name)).collect(),
            };
            return match profiles {
                Ok(profiles) => {
                    print(&gateways(&profiles, surroundings));
                    Exit::Clean
                }
                Err(exit) => exit,
            };
        }
        Listed::Tools { mock } => match tools(mock.as_deref()) {
            Ok(rows) => rows,
            Err(exit) => return exit,
        },
        Listed::Flaws => {
            FLAWS.iter().map(|flaw| vec![flaw.name.to_owned(), flaw.requirements.join(" ")]).collect()
        }
    };
    print(&table(&rows));
    Exit::Clean
}

/// Each requirement with what proves it and what breaks it, in lines of their own.
fn requirements(scenarios: &[Scenario]) -> String {
    let mut text = String::new();
    for one in requirement::all() {
        let about = |scenario: &&Scenario| scenario.requirements.iter().any(|named| named.value == one.id);
        let proving: Vec<&str> =
            scenarios.iter().filter(about).map(|scenario| scenario.id.as_str()).collect();
        let breaking = FLAWS.iter().filter(|flaw| flaw.requirements.contains(&one.id.as_str()));
        let breaking: Vec<&str> = breaking.map(|flaw| flaw.name).collect();
        let _ = writeln!(text, "{:<9} {:<9} {}", one.id, one.severity.word(), one.statement);
        let none = one.waits.as_ref().map_or("none".to_owned(), |what| format!("none; waits for {what}"));
        for (what, names, nothing) in [("scenarios", proving, none), ("flaws", breaking, "none".to_owned())] {
            let listed = if names.is_empty() { nothing } else { names.join(" ") };
            let _ = writeln!(text, "          {what:<9} {listed}");
        }
        if let Some(unseen) = &one.unseen {
            let _ = writeln!(text, "          {:<9} {unseen}", "unseen");
        }
    }
    text
}

fn mocks() -> Vec<Vec<String>> {
    let row = |name: &str| Some(vec![name.to_owned(), format!("{} tools", Mock::named(name)?.tools().len())]);
    Mock::names().into_iter().filter_map(row).collect()
}

/// A paragraph for each gateway: where it is, what it is, what it can be told.
fn gateways(profiles: &[Profile], surroundings: &Surroundings) -> String {
    profiles.iter().map(|profile| paragraph(profile, surroundings)).collect::<Vec<_>>().join("\n")
}

fn paragraph(profile: &Profile, surroundings: &Surroundings) -> String {
    let mut lines = vec![format!("{}  {}", profile.gateway, whereabouts(profile, surroundings))];
    lines.push(format!("  {}", profile.about));
    lines.push(format!("  speaks   {}", speaks(profile)));
    let Expresses { can, cannot } = profile.expresses();
    let can: Vec<String> = can.into_iter().map(|subject| told(profile, subject)).collect();
    lines
        .push(format!("  is told  {}", if can.is_empty() { "no policy".to_owned() } else { can.join(", ") }));
    if !cannot.is_empty() {
        lines.push(format!("  has no   {}", cannot.join(", ")));
    }
    let hooks = hooks(profile);
    if !hooks.is_empty() {
        lines.push(format!("  allows   {}", hooks.join(", ")));
    }
    lines.join("\n") + "\n"
}

/// Whether it is here, or how it gets here; and what the profile was last driven with.
fn whereabouts(profile: &Profile, surroundings: &Surroundings) -> String {
    let state = match profile.program() {
        None if !profile.runs_elsewhere() => return "built in".to_owned(),
        Some(program) if surroundings.finds(program) => "installed".to_owned(),
        Some(_) => profile
            .install
            .as_ref()
            .map_or_else(|| "not installed".to_owned(), |how| format!("not installed: {how}")),
        None => "runs elsewhere".to_owned(),
    };
    let verified = profile.verified.as_ref().map_or_else(
        || "unverified".to_owned(),
        |verified| format!("verified with {} on {}", verified.version, verified.on),
    );
    format!("{state}; {verified}")
}

/// What an agent speaks with it, and it with servers; the eras that it declares.
fn speaks(profile: &Profile) -> String {
    let agent = if profile.speaks_lines() { "stdio" } else { "http" };
    let servers: Vec<&str> = profile.upstream.iter().map(|reach| reach.word()).collect();
    let eras = profile.declares.eras.iter().flatten().map(|era| era.word()).collect::<Vec<_>>();
    let eras = if eras.is_empty() { "eras not declared".to_owned() } else { eras.join(" and ") };
    format!("{agent} with agents, {} with servers; {eras}", servers.join(" or "))
}

/// What can be done to it while it runs, and whether its own record can be read.
fn hooks(profile: &Profile) -> Vec<&'static str> {
    let all = profile.is_embedded();
    let hooks = [
        ("reload", all || profile.reloads()),
        ("restart", all || profile.restarts()),
        ("revoke", all || profile.revokes()),
        ("clock", all || profile.turns()),
        ("audit", all || profile.records()),
    ];
    hooks.into_iter().filter(|(_, has)| *has).map(|(word, _)| word).collect()
}

fn told(profile: &Profile, subject: Subject) -> String {
    let detail = match subject {
        Subject::Limits => profile.declares.window.map(|window| window.word()),
        Subject::Approvals => profile.approval_style().map(|style| style.word()),
        _ => None,
    };
    detail.map_or_else(|| subject.word().to_owned(), |detail| format!("{} ({detail})", subject.word()))
}

fn tools(mock: Option<&str>) -> Result<Vec<Vec<String>>, Exit> {
    let mocks = match mock {
        Some(name) => vec![files::mock(name)?],
        None => Mock::names().into_iter().filter_map(Mock::named).collect(),
    };
    let row = |mock: &Mock, tool: &str| {
        vec![mock.name().to_owned(), tool.to_owned(), mock.risk(tool).unwrap_or_default().to_owned()]
    };
    Ok(mocks.iter().flat_map(|mock| mock.tools().into_iter().map(|tool| row(mock, tool))).collect())
}

/// Columns side by side; the last one runs free.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells =
            row.iter().enumerate().map(|(column, cell)| format!("{cell:<width$}", width = widths[column]));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_stand_side_by_side() {
        let rows =
            [vec!["a".to_owned(), "long".to_owned(), "x".to_owned()], vec!["bcd".to_owned(), "s".to_owned()]];
        assert_eq!(table(&rows), "a    long  x\nbcd  s\n");
    }
}
