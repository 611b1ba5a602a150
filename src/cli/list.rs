//! `gauntlet list`: what there is.

use super::arguments::{List, Listed};
use super::{Exit, Surroundings, files, print};
use crate::gateway::{self, Start};
use crate::mock::Mock;
use crate::reference::FLAWS;

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
        Listed::Attacks { paths } => match files::scenarios(paths, surroundings) {
            Ok(scenarios) => super::attacks::rows(&scenarios),
            Err(exit) => return exit,
        },
        Listed::Mocks => mocks(),
        Listed::Gateways => gateways(surroundings),
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

fn mocks() -> Vec<Vec<String>> {
    let row = |name: &str| Some(vec![name.to_owned(), format!("{} tools", Mock::named(name)?.tools().len())]);
    Mock::names().into_iter().filter_map(row).collect()
}

fn gateways(surroundings: &Surroundings) -> Vec<Vec<String>> {
    let row = |name: &'static str| {
        let profile = gateway::named(name)?;
        let state = match &profile.start {
            Some(Start::Command(_))
                if profile.program().is_none_or(|program| surroundings.finds(program)) =>
            {
                "installed".to_owned()
            }
            Some(Start::Command(_)) => profile.install.clone().unwrap_or_else(|| "not installed".to_owned()),
            _ => "built in".to_owned(),
        };
        Some(vec![name.to_owned(), state, profile.about])
    };
    gateway::shipped_names().filter_map(row).collect()
}

fn tools(mock: Option<&str>) -> Result<Vec<Vec<String>>, Exit> {
    let names = match mock {
        Some(name) if Mock::named(name).is_none() => {
            super::say(&format!("no mock `{name}`: known are {}", crate::diagnostic::listed(Mock::names())));
            return Err(Exit::Mistake);
        }
        Some(name) => vec![name.to_owned()],
        None => Mock::names().into_iter().map(str::to_owned).collect(),
    };
    let mut rows = Vec::new();
    for name in names {
        let Some(mock) = Mock::named(&name) else { continue };
        for tool in mock.tools() {
            rows.push(vec![name.clone(), tool.to_owned(), mock.risk(tool).unwrap_or_default().to_owned()]);
        }
    }
    Ok(rows)
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
