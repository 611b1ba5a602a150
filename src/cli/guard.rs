//! `gauntlet guard`: what a run posts beside itself, so that being killed outright leaves no child behind.

use super::{Exit, Surroundings};
#[cfg(unix)]
use crate::transport::guard;

/// Hears which groups live until the run ends; ends those that still do.
pub(super) fn guard() -> Exit {
    #[cfg(unix)]
    guard::keep(std::io::stdin().lock());
    Exit::Clean
}

/// Posts a guard beside this process. Without one a run is a run all the same.
pub(super) fn post(surroundings: &Surroundings) {
    #[cfg(unix)]
    let _ = guard::post(&surroundings.program.display().to_string(), &["guard"]);
    #[cfg(not(unix))]
    let _ = surroundings;
}
