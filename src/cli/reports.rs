//! The reports that a run writes into files.

use super::Exit;
use crate::change::Changes;
use crate::report;
use crate::run::Outcome;
use clap::Args;
use std::path::{Path, PathBuf};

/// Files to write.
#[derive(Args, Debug)]
pub struct Reports {
    /// Write a JUnit report there
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the outcome as JSON there
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write requirements × gateways as Markdown there, such as `$GITHUB_STEP_SUMMARY`
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write requirements × gateways as one HTML page there
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write how the attacks fared there, by pattern and by OWASP and MITRE ATLAS id: as Markdown (`.md`), JSON (`.json`)
    /// or SARIF 2.1.0 (`.sarif`); again for more
    #[arg(long = "attacks", value_name = "FILE", value_parser = super::attacks::report)]
    pub attacks: Vec<super::attacks::Report>,
}

impl Reports {
    /// Writes those that were asked for.
    pub(super) fn write(&self, outcome: &Outcome, changes: Option<&Changes>) -> Result<(), Exit> {
        let summary = || {
            let changes = changes.map(report::changes::markdown).unwrap_or_default();
            format!("{}{changes}", report::markdown(outcome))
        };
        write(self.json.as_deref(), || report::json(outcome))?;
        write(self.junit.as_deref(), || report::junit(outcome))?;
        write(self.markdown.as_deref(), summary)?;
        write(self.html.as_deref(), || report::html(outcome))?;
        self.attacks.iter().try_for_each(|report| write(Some(&report.file), || report.text(outcome)))
    }
}

fn write(file: Option<&Path>, text: impl Fn() -> String) -> Result<(), Exit> {
    let Some(file) = file else { return Ok(()) };
    std::fs::write(file, text()).map_err(|error| {
        super::say(&format!("`{}` cannot be written: {error}", file.display()));
        Exit::World
    })
}
