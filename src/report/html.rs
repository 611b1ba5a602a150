//! The outcome as one HTML page: it needs no other file, runs nothing, and reads as well on paper. Foreign text is made
//! printable here, and escaped by the template engine.

use super::human;
use super::matrix::{Cell, Column, Matrix, Row, State};
use crate::diagnostic::printable_within;
use crate::run::outcome::{Complaint, Introduced, Outcome, ScenarioOutcome, Summary};
use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

/// The name's ending turns escaping on.
const PAGE: &str = "page.html";

/// Longer texts are cut to this many characters.
const LENGTH: usize = 400;

/// What the page shows, ready to be escaped.
#[derive(Serialize)]
struct Page<'a> {
    program: &'a str,
    begun: &'a str,
    states: [&'static str; 7],
    gateways: Vec<Gateway>,
    strays: Vec<String>,
    complaints: Vec<String>,
    groups: Vec<Group>,
    unasked: Option<(usize, usize)>,
    stories: Vec<Story>,
}

#[derive(Serialize)]
struct Gateway {
    name: String,
    introduced: Vec<String>,
    profile: String,
    counts: [usize; 7],
}

#[derive(Serialize)]
struct Group {
    name: String,
    rows: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    id: String,
    statement: String,
    severity: &'static str,
    cells: Vec<Field>,
}

#[derive(Serialize)]
struct Field {
    state: State,
    word: &'static str,
    share: Option<String>,
    reasons: Vec<String>,
    /// Where the story of its first scenario that did not pass stands.
    story: Option<String>,
}

#[derive(Serialize)]
struct Story {
    anchor: String,
    state: State,
    word: &'static str,
    id: String,
    gateway: String,
    title: String,
    lines: String,
}

/// The document.
pub fn html(outcome: &Outcome) -> String {
    let matrix = Matrix::of(outcome);
    let known = outcome.known.as_ref();
    let page = Page {
        program: outcome.gauntlet,
        begun: &outcome.begun,
        states: Summary::default().counts().map(|(status, _)| status.word()),
        gateways: matrix.columns.iter().map(gateway).collect(),
        strays: matrix.columns.iter().filter_map(Column::strays).map(|told| shown(&told)).collect(),
        complaints: known
            .map(|known| known.complaints.iter().map(|one| complaint(&known.file, one)).collect())
            .unwrap_or_default(),
        groups: matrix
            .groups()
            .into_iter()
            .map(|(name, rows)| Group {
                name: name.to_owned(),
                rows: rows.iter().map(|row| line(row, outcome)).collect(),
            })
            .collect(),
        unasked: matrix.unasked().filter(|(unasked, _)| *unasked > 0),
        stories: outcome.scenarios.iter().enumerate().filter_map(story).collect(),
    };
    let mut environment = Environment::new();
    environment.add_template(PAGE, include_str!("page.html")).expect("the page is a template");
    let template = environment.get_template(PAGE).expect("it was just added");
    template.render(Serde(&page)).expect("the page names what is there")
}

fn gateway(column: &Column<'_>) -> Gateway {
    let itself = |one: &Introduced| format!("{} {}", one.name, one.version).trim_end().to_owned();
    Gateway {
        name: shown(&column.gateway.name),
        introduced: column.gateway.introduced.iter().map(itself).collect(),
        profile: column.gateway.profile.clone(),
        counts: column.summary.counts().map(|(_, count)| count),
    }
}

fn complaint(file: &str, complaint: &Complaint) -> String {
    let help = complaint.help.as_deref().map(|help| format!(": {help}")).unwrap_or_default();
    shown(&format!("{file}:{}: {}{help}", complaint.line, complaint.message))
}

fn line(row: &Row<'_>, outcome: &Outcome) -> Line {
    let cells = row.cells.iter().map(|cell| field(cell, outcome)).collect();
    let (id, statement) = (row.id.clone(), row.statement.clone());
    Line { id, statement, severity: row.severity.word(), cells }
}

fn field(cell: &Cell<'_>, outcome: &Outcome) -> Field {
    let state = cell.state();
    let telling = |scenario: &&&ScenarioOutcome| State::of(scenario) == state && tells(scenario);
    let place = |scenario: &&ScenarioOutcome| {
        outcome.scenarios.iter().position(|one| std::ptr::eq(one, *scenario)).map(anchor)
    };
    let story = cell.scenarios.iter().find(telling).and_then(place);
    // What has a story is told there.
    let reasons = if state == State::Failed { Vec::new() } else { cell.reasons() };
    Field { state, word: state.word(), share: cell.share(), reasons, story }
}

fn story((place, scenario): (usize, &ScenarioOutcome)) -> Option<Story> {
    tells(scenario).then(|| Story {
        anchor: anchor(place),
        state: State::of(scenario),
        word: State::of(scenario).word(),
        id: shown(&scenario.id),
        gateway: shown(&scenario.gateway),
        title: shown(&scenario.title),
        lines: human::story(scenario).join("\n"),
    })
}

/// Whether there is more to say than a reason.
fn tells(scenario: &ScenarioOutcome) -> bool {
    matches!(State::of(scenario), State::Failed | State::Inconclusive | State::Known)
}

/// Nothing foreign is in an anchor.
fn anchor(place: usize) -> String {
    format!("story-{place}")
}

fn shown(foreign: &str) -> String {
    printable_within(foreign, LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::outcome::{KnownList, Status};
    use crate::run::testing::{HOSTILE, outcome, scenario};

    #[test]
    fn every_way_to_end_has_its_cell_and_what_failed_its_story() {
        use Status::{Failed, Inconclusive, Known, NotApplicable, Passed, Skipped};
        let ended = [Passed, Failed, Inconclusive, NotApplicable, Skipped, Known];
        let scenarios = ended.iter().enumerate();
        let scenarios = scenarios
            .map(|(nth, status)| scenario(&format!("DENY-0{}-a", nth + 1), "acme", *status))
            .collect();
        let page = html(&outcome(&["acme", "other"], scenarios));
        for class in ["passed", "failed", "inconclusive", "not_applicable", "skipped", "known", "absent"] {
            assert!(page.contains(&format!("<td class=\"{class}\">")), "{class}: {page}");
        }
        assert!(page.contains(r##"<a class="state" href="#story-1">failed</a>"##));
        assert!(page.contains(r#"<details id="story-1" class="failed">"#));
        assert!(page.contains("expected denied, was leaked"));
        assert!(page.contains("<small>it has no approvals</small>"));
        assert!(page.contains("<small>reported to its authors (until 2027-03-31)</small>"));
        assert!(page.contains("114 of 120 requirements have no scenario in this run."));
    }

    #[test]
    fn a_release_that_the_profile_was_not_driven_with_is_told() {
        let mut outcome = outcome(&["acme"], vec![scenario("DENY-01-a", "acme", Status::Passed)]);
        let version = outcome.gateways[0].introduced[0].version.clone();
        outcome.gateways[0].verified = Some(version);
        assert!(!html(&outcome).contains("verified with"));
        outcome.gateways[0].verified = Some("0.9<b>".to_owned());
        let told = "<p>acme: verified with 0.9&lt;b&gt;, calls itself ";
        assert!(html(&outcome).contains(told), "{}", html(&outcome));
    }

    #[test]
    fn hostile_text_stays_text_and_nothing_is_loaded() {
        let mut one = scenario(HOSTILE, HOSTILE, Status::Failed);
        one.title = HOSTILE.to_owned();
        one.group = HOSTILE.to_owned();
        one.requirements = vec![HOSTILE.to_owned(), "\" onclick=\"x".to_owned()];
        one.steps[1].was = HOSTILE.to_owned();
        one.again = HOSTILE.to_owned();
        let mut outcome = outcome(&[HOSTILE], vec![one]);
        let message = HOSTILE.to_owned();
        let complaints = vec![Complaint { line: 1, message, help: Some(HOSTILE.to_owned()) }];
        outcome.known = Some(KnownList { file: HOSTILE.to_owned(), complaints });
        outcome.gateways[0].verified = Some(HOSTILE.to_owned());
        outcome.gateways[0].introduced[0].name =
            HOSTILE.replace(['\u{1b}', '\u{202e}', '\u{0}', '\u{fffe}', '\n'], "");
        let page = html(&outcome);
        assert!(page.chars().all(|one| one == '\n' || !crate::diagnostic::hides(one)), "{page}");
        for forbidden in ["<script", "onclick=\"", "{{", "http:", "https:", "src=", "url(", "@import"] {
            let allowed = forbidden == "{{";
            assert_eq!(page.contains(forbidden), allowed, "{forbidden}: {page}");
        }
        assert!(page.contains("{{ 7 * 7 }}"), "text is never a template");
    }
}
