//! A snapshot's file: a header between two lines of `---`, then the contents. The same format as insta's, so that
//! `cargo insta review` shows these too.

use crate::diagnostic::printable;

/// What a snapshot's file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The scenario's file.
    pub source: String,
    /// What was done to get there: `DENY-01 through reference`.
    pub expression: String,
    /// The story itself. Alone in being compared.
    pub contents: String,
}

impl Stored {
    /// The file's text.
    pub fn to_text(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(printable(text)).to_string();
        let Self { source, expression, contents } = self;
        format!(
            "---\nsource: {}\nexpression: {}\n---\n{}\n",
            quoted(source),
            quoted(expression),
            contents.trim_end()
        )
    }

    /// What that text holds; a file without a header is all contents, which then differ.
    pub fn from_text(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let Some((header, contents)) = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"))
        else {
            return Self { contents: text.trim_end().to_owned(), ..Self::default() };
        };
        let member = |name: &str| {
            let value = header.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))?;
            Some(serde_json::from_str(value).unwrap_or_else(|_| value.to_owned()))
        };
        Self {
            source: member("source").unwrap_or_default(),
            expression: member("expression").unwrap_or_default(),
            contents: contents.trim_end().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> Stored {
        Stored {
            source: "scenarios/\"odd\": name.yaml".to_owned(),
            expression: "DENY-01 through reference".to_owned(),
            contents: "1. call a => denied\n---\n== 1. call a\n> {}".to_owned(),
        }
    }

    #[test]
    fn what_was_written_reads_back() {
        assert_eq!(Stored::from_text(&stored().to_text()), stored());
        assert_eq!(Stored::from_text(&stored().to_text().replace('\n', "\r\n")), stored());
        assert_eq!(
            Stored::from_text("---\nsource: a.rs\n---\nx\n").source,
            "a.rs",
            "as other tools write it"
        );
        assert_eq!(Stored::from_text("no header\n").contents, "no header");
    }

    #[test]
    fn insta_reads_the_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("story.snap"), stored().to_text()).unwrap();
        // It would panic on other contents, or on a header that it cannot read.
        insta::with_settings!({snapshot_path => folder.path(), prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!("story", stored().contents);
        });
    }
}
