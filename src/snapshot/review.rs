//! What waits for a decision, what it would change, and the decision carried out. No terminal is needed.

use super::difference::difference;
use super::store::{KEPT, StoreError, WAITING, entries, pending_beside, read, remove};
use super::stored::Stored;
use std::path::{Path, PathBuf};

/// A snapshot that waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The stored snapshot, which may not exist yet.
    pub kept: PathBuf,
    /// What waits beside it.
    pub waiting: PathBuf,
}

/// What becomes of a snapshot that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It takes the stored one's place.
    Accept,
    /// It goes.
    Reject,
}

/// Why there is nothing to review at a path.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// Neither a folder nor a snapshot.
    #[error("`{}` is neither a folder nor a snapshot (`.snap`, `.snap.new`)", .0.display())]
    NoSnapshot(PathBuf),
    /// The file system's trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What waits at those paths: folders with all that is in them, or single snapshots. Sorted, each once.
pub fn pending(paths: &[PathBuf]) -> Result<Vec<Pending>, ReviewError> {
    let mut found = Vec::new();
    for path in paths {
        let name = path.to_string_lossy();
        if path.is_dir() {
            gather(path, &mut found)?;
        } else if name.ends_with(WAITING) && path.is_file() {
            found.push(path.clone());
        } else if name.ends_with(KEPT) && (path.is_file() || pending_beside(path).is_file()) {
            found.extend(Some(pending_beside(path)).filter(|waiting| waiting.is_file()));
        } else {
            return Err(ReviewError::NoSnapshot(path.clone()));
        }
    }
    found.sort();
    found.dedup();
    Ok(found.into_iter().map(|waiting| Pending { kept: waiting.with_extension(""), waiting }).collect())
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    for path in entries(folder)? {
        // A link to a folder above would never end.
        if path.is_dir() && !path.is_symlink() {
            gather(&path, found)?;
        } else if path.to_string_lossy().ends_with(WAITING) {
            found.push(path);
        }
    }
    Ok(())
}

/// What would change, as people read it: behaviour first, then frames. A new snapshot is shown whole.
pub fn show(pending: &Pending, colour: bool) -> Result<String, StoreError> {
    let new = read(&pending.waiting)?.unwrap_or_default();
    let old = read(&pending.kept)?;
    let change = match &old {
        None => format!("new\n\n{}\n", new.contents),
        Some(old) if old.contents == new.contents => "nothing changed\n".to_owned(),
        Some(old) => difference(&old.contents, &new.contents).render(colour),
    };
    Ok(format!("{}\n{change}", title(pending, &new)))
}

fn title(pending: &Pending, new: &Stored) -> String {
    let what = if new.expression.is_empty() { String::new() } else { format!("{} ", new.expression) };
    format!("{what}({})", pending.kept.display())
}

/// Puts what waits into the stored one's place.
pub fn accept(pending: &Pending) -> Result<(), StoreError> {
    std::fs::rename(&pending.waiting, &pending.kept).map_err(|why| StoreError {
        path: pending.kept.clone(),
        done: "written",
        why,
    })
}

/// Throws away what waits.
pub fn reject(pending: &Pending) -> Result<(), StoreError> {
    remove(&pending.waiting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Shelf(tempfile::TempDir);

    impl Shelf {
        fn with(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (name, word) in files {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let contents = format!("eras: legacy\n\n1. call a => {word}");
                let stored =
                    Stored { source: "a.yaml".to_owned(), expression: "A through acme".to_owned(), contents };
                fs::write(path, stored.to_text()).unwrap();
            }
            Self(folder)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn pending(&self, names: &[&str]) -> Result<Vec<Pending>, ReviewError> {
            pending(&names.iter().map(|name| self.path(name)).collect::<Vec<_>>())
        }
    }

    #[test]
    fn what_waits_is_found_once_and_in_order() {
        let shelf = Shelf::with(&[
            ("b/x.snap.new", "denied"),
            ("a/y.snap", "denied"),
            ("a/y.snap.new", "leaked"),
            ("a/z.snap", "denied"),
        ]);
        let found = shelf.pending(&["", "a/y.snap", "b/x.snap", "b/x.snap.new", "a/z.snap"]).unwrap();
        let kept: Vec<_> = found.iter().map(|pending| pending.kept.clone()).collect();
        assert_eq!(kept, [shelf.path("a/y.snap"), shelf.path("b/x.snap")]);
        for wrong in ["a/missing.snap", "c", "a/y.yaml"] {
            assert!(matches!(shelf.pending(&[wrong]), Err(ReviewError::NoSnapshot(_))), "{wrong}");
        }
    }

    #[test]
    fn the_change_of_behaviour_is_shown_first() {
        let shelf = Shelf::with(&[("x.snap", "denied"), ("x.snap.new", "leaked"), ("y.snap.new", "allowed")]);
        let found = shelf.pending(&[""]).unwrap();
        let shown = show(&found[0], false).unwrap();
        let told = format!(
            "A through acme ({})\n1 denial became leaked\n  1. call a: denied -> leaked\n",
            shelf.path("x.snap").display()
        );
        assert_eq!(shown, told);
        assert!(show(&found[1], false).unwrap().contains(")\nnew\n\neras: legacy\n\n1. call a => allowed\n"));
    }

    #[test]
    fn decisions_are_carried_out() {
        let shelf = Shelf::with(&[
            ("x.snap", "denied"),
            ("x.snap.new", "leaked"),
            ("y.snap", "denied"),
            ("y.snap.new", "leaked"),
        ]);
        let found = shelf.pending(&[""]).unwrap();
        accept(&found[0]).unwrap();
        reject(&found[1]).unwrap();
        assert!(shelf.pending(&[""]).unwrap().is_empty());
        assert!(fs::read_to_string(shelf.path("x.snap")).unwrap().contains("leaked"));
        assert!(fs::read_to_string(shelf.path("y.snap")).unwrap().contains("denied"));
        assert!(accept(&found[1]).is_err(), "what is gone cannot be accepted");
    }
}
