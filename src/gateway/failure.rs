//! Why a gateway could not be started, as people are told.

use super::errand::ErrandError;
use super::template::RenderError;
use crate::transport::child::SpawnError;
use std::io;
use std::time::Duration;

/// A gateway that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("gateway `{gateway}` {why}")]
pub struct StartError {
    /// Its name.
    pub gateway: String,
    /// What happened.
    pub why: Failure,
}

/// What keeps a gateway from being started.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A template of the profile.
    #[error("cannot be rendered: {0}")]
    Render(RenderError),
    /// Its command is not there.
    #[error("needs the command `{command}`, which is not found{}", help(install.as_deref()))]
    NoCommand {
        /// The command.
        command: String,
        /// How it is installed.
        install: Option<String>,
    },
    /// What comes before the start, or right after it.
    #[error("could not be prepared by `{member}`: {why}")]
    Errand {
        /// The member of the profile that asks for it.
        member: &'static str,
        /// What failed.
        why: ErrandError,
    },
    /// It ended instead of getting ready.
    #[error("ended with {status} before it was ready; its last words:\n{last_words}")]
    Ended {
        /// How it ended.
        status: String,
        /// What it printed last.
        last_words: String,
    },
    /// It took too long.
    #[error("was not ready within {}; its last words:\n{last_words}", humantime::format_duration(*.within))]
    Late {
        /// How long it had.
        within: Duration,
        /// What it printed last.
        last_words: String,
    },
    /// The certificate that it shows.
    #[error("cannot be spoken to: {0}")]
    Distrusted(String),
    /// Its process.
    #[error("could not be started: {0}")]
    Spawn(SpawnError),
    /// Its folder.
    #[error("could not be given its files: {0}")]
    Io(io::Error),
}

impl Failure {
    /// The same, with the way to install what is missing.
    pub(super) fn with_help(self, install: Option<&String>) -> Self {
        match self {
            Self::Spawn(SpawnError::NotFound(command))
            | Self::Errand { why: ErrandError::Absent { command }, .. } => {
                Self::NoCommand { command, install: install.cloned() }
            }
            other => other,
        }
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        Self::Render(error)
    }
}

impl From<SpawnError> for Failure {
    fn from(error: SpawnError) -> Self {
        Self::Spawn(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn help(install: Option<&str>) -> String {
    install.map(|how| format!("\nhelp: install it: {how}")).unwrap_or_default()
}
