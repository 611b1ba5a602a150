//! The files that ship inside the binary: scenarios and gateway profiles as they are written, mocks also put together
//! and rendered by the build script.
//!
//! It only carries them; what they mean is the rooms' that read them.

/// One shipped file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder of its kind, with slashes.
    pub path: &'static str,
    /// What it says.
    pub text: &'static str,
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
    fn the_mocks_are_there_as_files_and_put_together() {
        assert!(text(MOCK_FILES, "ludus/server.yaml").is_some_and(|text| text.contains("Core Operations")));
        assert_eq!(text(MOCK_FILES, "nowhere"), None);
        let tools: Vec<(&str, usize)> = MOCKS.iter().map(|mock| (mock.name, mock.tools.len())).collect();
        assert_eq!(tools, [("conformance", 28), ("ludus", 201), ("office", 28), ("velociraptor", 28)]);
    }
}
