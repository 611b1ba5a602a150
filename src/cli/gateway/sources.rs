//! The files that settings came from, as they were then.

use std::io;
use std::path::{Path, PathBuf};

/// Files, and what each said; `None` where it could not be read.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<(PathBuf, Option<String>)>);

impl Sources {
    /// Reads a file, and remembers what it said.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<String> {
        let text = std::fs::read_to_string(path);
        self.0.push((path.to_owned(), text.as_ref().ok().cloned()));
        text
    }

    /// Whether any of them says something else now. Contents are compared, not times: two changes can fall into one
    /// tick of a file system's clock.
    pub(super) fn changed(&self) -> bool {
        self.0.iter().any(|(path, text)| std::fs::read_to_string(path).ok() != *text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_another_text_a_loss_or_a_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        let mut missing = Sources::default();
        assert!(missing.read(&path).is_err());
        assert!(!missing.changed());
        std::fs::write(&path, "one").unwrap();
        assert!(missing.changed());
        let mut sources = Sources::default();
        assert_eq!(sources.read(&path).unwrap(), "one");
        std::fs::write(&path, "one").unwrap();
        assert!(!sources.changed());
        std::fs::write(&path, "two").unwrap();
        assert!(sources.changed());
        std::fs::remove_file(&path).unwrap();
        assert!(sources.changed());
    }
}
