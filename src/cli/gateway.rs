//! `gauntlet gateway`: the reference gateway on its own.

use super::arguments::Gateway;
use super::{Exit, Surroundings};

/// Serves until stopped.
pub(super) async fn gateway(_arguments: &Gateway, _surroundings: &Surroundings) -> Exit {
    Exit::Mistake
}
