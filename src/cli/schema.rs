//! `gauntlet schema`.

use super::Exit;
use super::arguments::Schema;

/// Prints a schema.
pub(super) fn schema(_arguments: &Schema) -> Exit {
    Exit::Mistake
}
