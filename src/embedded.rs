//! The files that ship inside the binary: all as they are written, deflated until one of their kind is asked for;
//! mocks also put together and rendered by the build script, ready as they are.
//!
//! It only carries them; what they mean is the rooms' that read them.

use flate2::read::DeflateDecoder;
use std::io::Read as _;
use std::ops::Deref;
use std::sync::OnceLock;

/// One shipped file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder of its kind, with slashes.
    pub path: &'static str,
    /// What it says.
    pub text: &'static str,
}

/// The files of one kind, a slice of [`File`] that is inflated when it is first looked at.
#[derive(Debug)]
pub struct Shelf {
    /// All texts, one behind the other, deflated.
    deflated: &'static [u8],
    /// The path of each, and where its text ends.
    ends: &'static [(&'static str, usize)],
    files: OnceLock<Vec<File>>,
}

impl Shelf {
    const fn new(deflated: &'static [u8], ends: &'static [(&'static str, usize)]) -> Self {
        Self { deflated, ends, files: OnceLock::new() }
    }

    fn inflate(&self) -> Vec<File> {
        let mut all = String::with_capacity(self.ends.last().map_or(0, |(_, end)| *end));
        DeflateDecoder::new(self.deflated).read_to_string(&mut all).expect("the build script deflated it");
        // They are needed until the process ends, and shared by all its threads.
        let all: &'static str = all.leak();
        let mut start = 0;
        let file = |(path, end): &(&'static str, usize)| {
            let text = &all[start..*end];
            start = *end;
            File { path, text }
        };
        self.ends.iter().map(file).collect()
    }
}

impl Deref for Shelf {
    type Target = [File];

    fn deref(&self) -> &[File] {
        self.files.get_or_init(|| self.inflate())
    }
}

/// A shipped mock, put together; every text is JSON.
pub(crate) struct MockText {
    /// Its name: that of its folder.
    pub(crate) name: &'static str,
    /// `server.yaml`.
    pub(crate) server: &'static str,
    /// Its world as it begins.
    pub(crate) world: &'static str,
    /// Its tools in order.
    pub(crate) tools: &'static [ToolText],
    /// Its prompts, resources and templates of resources, each in order.
    pub(crate) offers: [&'static [OfferText]; 3],
}

/// A prompt, resource or template of a shipped mock; every text but the name is JSON.
pub(crate) struct OfferText {
    /// Its name or URI.
    pub(crate) name: &'static str,
    /// Its entry in its list.
    pub(crate) entry: &'static str,
    /// Its description and answers; null where it has none.
    pub(crate) words: &'static str,
}

/// A tool of a shipped mock; every text but the name is JSON.
pub(crate) struct ToolText {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its entry in `tools/list`.
    pub(crate) entry: &'static str,
    /// `{risk, label, wrapped}`.
    pub(crate) facts: &'static str,
    /// Its description and answers; null where it has none.
    pub(crate) words: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The shipped scenarios. What lies beside their folders are lists about them.
pub fn scenarios() -> impl Iterator<Item = &'static File> {
    SCENARIOS.iter().filter(|file| file.path.ends_with(".yaml") && file.path.contains('/'))
}

/// The text of the file at that path, in one of the tables.
pub fn text(table: &[File], path: &str) -> Option<&'static str> {
    table.iter().find(|file| file.path == path).map(|file| file.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_as_it_is_written() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        for (folder, files) in [("scenarios", SCENARIOS), ("gateways", GATEWAYS), ("mocks", MOCK_FILES)] {
            assert!(files.len() > 10, "{folder}");
            for file in files.iter() {
                let written = std::fs::read_to_string(root.join(folder).join(file.path)).unwrap();
                assert_eq!(file.text, written, "{folder}/{}", file.path);
            }
        }
    }

    #[test]
    fn the_mocks_are_there_as_files_and_put_together() {
        assert!(text(MOCK_FILES, "ludus/server.yaml").is_some_and(|text| text.contains("Core Operations")));
        assert_eq!(text(MOCK_FILES, "nowhere"), None);
        let tools: Vec<(&str, usize)> = MOCKS.iter().map(|mock| (mock.name, mock.tools.len())).collect();
        assert_eq!(tools, [("conformance", 28), ("ludus", 201), ("office", 28), ("velociraptor", 28)]);
    }
}
