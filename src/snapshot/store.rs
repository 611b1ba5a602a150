//! Where snapshots lie: `snapshots/GATEWAY/SCENARIO.snap`, and a changed one beside it as `.snap.new` until somebody
//! has decided.
//!
//! It compares and writes as it is told; whether a run may write at all is the caller's to say.

use super::difference::{Difference, difference};
use super::redaction::Redactions;
use super::render::render;
use super::stored::Stored;
use super::story::Story;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// The suffix of a snapshot.
pub(super) const KEPT: &str = ".snap";
/// The suffix of a snapshot that waits for a decision.
pub(super) const WAITING: &str = ".snap.new";

/// A folder of snapshots.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// What a run may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// Nothing: continuous integration compares.
    Never,
    /// New and changed snapshots, as pending.
    Pending,
    /// New and changed snapshots, as if they had been accepted.
    Accepted,
}

/// How a story stands to the one that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are equal.
    Same,
    /// None is stored.
    New,
    /// They differ.
    Changed(Difference),
}

/// A snapshot that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("snapshot `{}` cannot be {done}: {why}", path.display())]
pub struct StoreError {
    /// The file or folder.
    pub path: PathBuf,
    /// What was tried: `read`.
    pub done: &'static str,
    /// Why not.
    pub why: io::Error,
}

impl Store {
    /// The snapshots in that folder, which need not exist yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where the snapshot of that scenario at that gateway lies.
    pub fn path(&self, gateway: &str, scenario: &str) -> PathBuf {
        self.folder.join(file_name(gateway)).join(format!("{}{KEPT}", file_name(scenario)))
    }

    /// Compares the story with what is stored, and writes as far as that is allowed.
    pub fn settle(
        &self,
        story: &Story,
        redactions: &Redactions,
        writing: Writing,
    ) -> Result<Standing, StoreError> {
        let new = render(story, redactions);
        let kept = self.path(&story.gateway, &story.scenario);
        let waiting = pending_beside(&kept);
        let standing = match read(&kept)? {
            None => Standing::New,
            Some(old) if old.contents == new.contents => Standing::Same,
            Some(old) => Standing::Changed(difference(&old.contents, &new.contents)),
        };
        match (&standing, writing) {
            (_, Writing::Never) => {}
            (Standing::Same, _) => remove(&waiting)?,
            (_, Writing::Pending) => write(&waiting, &new)?,
            (_, Writing::Accepted) => {
                write(&kept, &new)?;
                remove(&waiting)?;
            }
        }
        Ok(standing)
    }

    /// The snapshots of those gateways that none of those scenarios claims.
    pub fn unclaimed(
        &self,
        gateways: &[&str],
        scenarios: &BTreeSet<String>,
    ) -> Result<Vec<PathBuf>, StoreError> {
        let claimed: BTreeSet<String> =
            scenarios.iter().map(|scenario| format!("{}{KEPT}", file_name(scenario))).collect();
        let mut unclaimed = Vec::new();
        for gateway in gateways {
            for path in entries(&self.folder.join(file_name(gateway)))? {
                let name =
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                if name.ends_with(KEPT) && !claimed.contains(&name) {
                    unclaimed.push(path);
                }
            }
        }
        Ok(unclaimed)
    }
}

/// The stored snapshot, if there is one.
pub(super) fn read(path: &Path) -> Result<Option<Stored>, StoreError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(Stored::from_text(&String::from_utf8_lossy(&bytes)))),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(StoreError { path: path.to_owned(), done: "read", why }),
    }
}

/// Where a change to that snapshot waits.
pub(super) fn pending_beside(kept: &Path) -> PathBuf {
    kept.with_extension(&WAITING[1..])
}

/// The files and folders in a folder, sorted; none where it does not exist.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |why| StoreError { path: folder.to_owned(), done: "read", why };
    let listed = match std::fs::read_dir(folder) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(failed)?,
    };
    let mut paths =
        listed.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            Err(StoreError { path: path.to_owned(), done: "removed", why })
        }
        _ => Ok(()),
    }
}

fn write(path: &Path, stored: &Stored) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, stored.to_text()))
        .map_err(|why| StoreError { path: path.to_owned(), done: "written", why })
}

/// The name as that of a file: it cannot lead out of the folder, and two names stay two.
fn file_name(name: &str) -> String {
    let plain = |byte: u8, first: bool| {
        byte.is_ascii_alphanumeric() || b"-_+".contains(&byte) || (byte == b'.' && !first)
    };
    name.bytes()
        .enumerate()
        .map(
            |(at, byte)| {
                if plain(byte, at == 0) { char::from(byte).to_string() } else { format!("%{byte:02x}") }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::story::{Came, Section, StepStory};
    use super::*;

    fn story(word: &str) -> Story {
        let step = StepStory { name: "call a".to_owned(), came: Came::word(word), exchanges: Vec::new() };
        Story {
            scenario: "DENY-01.x".to_owned(),
            file: "DENY-01.x.yaml".to_owned(),
            gateway: "acme".to_owned(),
            sections: vec![Section { label: "legacy".to_owned(), steps: vec![step] }],
        }
    }

    fn files(folder: &Path) -> Vec<String> {
        let found = entries(&folder.join("acme")).unwrap();
        found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_new_and_a_changed_snapshot_wait_and_an_equal_one_ends_the_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let settle = |word, writing| store.settle(&story(word), &Redactions::default(), writing).unwrap();

        assert_eq!(settle("denied", Writing::Never), Standing::New);
        assert_eq!(files(folder.path()), [""; 0], "nothing is written where nothing may be");
        assert_eq!(settle("denied", Writing::Pending), Standing::New);
        assert_eq!(files(folder.path()), ["DENY-01.x.snap.new"]);
        assert_eq!(settle("denied", Writing::Accepted), Standing::New);
        assert_eq!(files(folder.path()), ["DENY-01.x.snap"]);
        let kept = std::fs::read(store.path("acme", "DENY-01.x")).unwrap();

        assert!(matches!(settle("leaked", Writing::Never), Standing::Changed(_)));
        let Standing::Changed(change) = settle("leaked", Writing::Pending) else { panic!("it changed") };
        assert_eq!(change.summary, ["1 denial became leaked"]);
        assert_eq!(files(folder.path()), ["DENY-01.x.snap", "DENY-01.x.snap.new"]);
        assert_eq!(std::fs::read(store.path("acme", "DENY-01.x")).unwrap(), kept);
        assert_eq!(settle("denied", Writing::Never), Standing::Same);
        assert_eq!(files(folder.path()).len(), 2, "nothing is removed where nothing may be written");
        assert_eq!(settle("denied", Writing::Pending), Standing::Same);
        assert_eq!(files(folder.path()), ["DENY-01.x.snap"]);
    }

    #[test]
    fn what_no_scenario_claims_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store.settle(&story("denied"), &Redactions::default(), Writing::Accepted).unwrap();
        let none = store.unclaimed(&["acme", "other"], &BTreeSet::from(["DENY-01.x".to_owned()])).unwrap();
        assert!(none.is_empty());
        let renamed = BTreeSet::from(["DENY-01.y".to_owned()]);
        assert_eq!(store.unclaimed(&["acme"], &renamed).unwrap(), [store.path("acme", "DENY-01.x")]);
        assert!(
            store.unclaimed(&["other"], &renamed).unwrap().is_empty(),
            "a gateway that was not driven is left alone"
        );
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let store = Store::new("snapshots");
        assert_eq!(
            store.path("reference+leaks-denied", "DENY-01"),
            Path::new("snapshots/reference+leaks-denied/DENY-01.snap")
        );
        assert_eq!(store.path("..", "../x"), Path::new("snapshots/%2e./%2e.%2fx.snap"));
        assert_ne!(file_name("a/b"), file_name("a%2fb"));
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("acme"), "a file where a folder should be").unwrap();
        let told =
            Store::new(folder.path()).settle(&story("denied"), &Redactions::default(), Writing::Pending);
        assert!(told.unwrap_err().to_string().starts_with("snapshot `"));
    }
}
