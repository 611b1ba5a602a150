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
}

impl Reports {
    /// Writes those that were asked for.
    pub(super) fn write(&self, outcome: &Outcome, changes: Option<&Changes>) -> Result<(), Exit> {
        let summary = |outcome: &Outcome| {
            let changes = changes.map(report::changes::markdown).unwrap_or_default();
            format!("{}{changes}", report::markdown(outcome))
        };
        let reports: [(&Option<PathBuf>, &dyn Fn(&Outcome) -> String); 4] = [
            (&self.json, &report::json),
            (&self.junit, &report::junit),
            (&self.markdown, &summary),
            (&self.html, &report::html),
        ];
        for (file, text) in reports {
            if let Some(file) = file {
                write(file, &text(outcome))?;
            }
        }
        Ok(())
    }
}

fn write(file: &Path, text: &str) -> Result<(), Exit> {
    std::fs::write(file, text).map_err(|error| {
        super::say(&format!("`{}` cannot be written: {error}", file.display()));
        Exit::World
    })
}
