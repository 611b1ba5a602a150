//! Files that a profile's deeds look at or move.

use super::errand::ErrandError;
use std::path::Path;

/// The text of a file.
pub(super) fn read(path: &str) -> Result<String, ErrandError> {
    std::fs::read_to_string(path).map_err(unreadable(path))
}

/// The names in a folder, one a line, the newest last.
pub(super) fn names(folder: &str) -> Result<String, ErrandError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        let entry = entry.map_err(unreadable(folder))?;
        // What is gone already is nothing to be found.
        let Ok(changed) = entry.metadata().and_then(|about| about.modified()) else { continue };
        found.push((changed, entry.file_name().to_string_lossy().into_owned()));
    }
    found.sort();
    Ok(found.into_iter().map(|(_, name)| name + "\n").collect())
}

fn unreadable(path: &str) -> impl Fn(std::io::Error) -> ErrandError {
    move |error| ErrandError::File { path: path.to_owned(), why: error.to_string() }
}

/// Puts a file in another place; the folder is made where it is missing.
pub(super) fn shift(from: &str, to: &str) -> Result<(), ErrandError> {
    let fail = |error: std::io::Error| ErrandError::Move {
        from: from.to_owned(),
        to: to.to_owned(),
        why: error.to_string(),
    };
    if let Some(parent) = Path::new(to).parent() {
        std::fs::create_dir_all(parent).map_err(fail)?;
    }
    std::fs::rename(from, to).map_err(fail)
}
