//! Exit codes: a promise to scripts, each pinned by a test.

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Clean,
    /// An expectation was not met, or a snapshot changed.
    Unmet,
    /// A file or an argument is wrong.
    Mistake,
    /// The world is wrong: a port in use, a command missing, a gateway that does not get ready.
    World,
    /// Nothing was selected, or nothing of it could be run.
    Nothing,
    /// It was refused: an update in continuous integration.
    Refused,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Unmet => 1,
            Self::Mistake => 2,
            Self::World => 3,
            Self::Nothing => 4,
            Self::Refused => 5,
            Self::Interrupted => 130,
        }
    }
}
