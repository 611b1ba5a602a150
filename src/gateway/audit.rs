//! The gateway's own record of its decisions, in our words. Whether it is true is judged elsewhere.

use super::errand::ErrandError;
use super::profile::{AuditSource, Recorded};
use super::running::RunningGateway;
use super::template::{Template, Variables};
use indexmap::IndexMap;
use serde_json::Value;

/// One line of the record.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    /// What was decided, in our words; `None` where the profile has none for it.
    pub decision: Option<Recorded>,
    /// What was decided, in the gateway's.
    pub said: Option<String>,
    /// The tool, as the gateway calls it.
    pub tool: Option<String>,
    /// Who called.
    pub identity: Option<String>,
    /// Which rule decided.
    pub rule: Option<String>,
    /// The reason.
    pub reason: Option<String>,
    /// The gateway's id of the call.
    pub id: Option<String>,
    /// Every field that the profile has a pointer for, by its name.
    pub fields: IndexMap<String, Value>,
    /// Everything.
    pub whole: Value,
}

impl RunningGateway {
    /// All records so far, in the gateway's order; `None` where the profile knows of none.
    pub async fn audit(&self) -> Result<Option<Vec<AuditRecord>>, ErrandError> {
        let Some(source) = &self.profile().audit else { return Ok(None) };
        let text = match &source.file {
            Some(path) => {
                let written = path.0.clone();
                let path = self.desk().text(path, &Variables::new())?;
                // A file that is not there says nothing: an empty record in its place would clear every gateway.
                let text = tokio::fs::read_to_string(&path).await;
                text.map_err(|error| ErrandError::File { path: written, why: error.to_string() })?
            }
            None => self.desk().run(&self.desk().words(&source.run, &Variables::new())?).await?,
        };
        records(source, &text).map(Some)
    }
}

fn records(source: &AuditSource, text: &str) -> Result<Vec<AuditRecord>, ErrandError> {
    let whole: Vec<Value> = match &source.list {
        Some(list) => {
            let document: Value = serde_json::from_str(text).unwrap_or_default();
            let missing = || ErrandError::missing("list", list, text);
            document.pointer(list).and_then(Value::as_array).cloned().ok_or_else(missing)?
        }
        // A line that is no JSON is a finding, so it is kept as text.
        None => text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| Value::from(line)))
            .collect(),
    };
    Ok(whole.into_iter().map(|record| source.record(record)).collect())
}

impl AuditSource {
    /// Where the record is, as the profile says it.
    pub(super) fn place(&self) -> String {
        let words = || self.run.iter().map(|word| word.0.as_str()).collect::<Vec<_>>().join(" ");
        self.file.as_ref().map_or_else(words, |file| file.0.clone())
    }

    /// Every template of it, with its place in the profile.
    pub(super) fn texts(&self) -> Vec<(String, &Template)> {
        let file = self.file.iter().map(|file| ("/audit/file".to_owned(), file));
        let words = self.run.iter().enumerate().map(|(index, word)| (format!("/audit/run/{index}"), word));
        file.chain(words).collect()
    }

    fn found(&self, whole: &Value) -> IndexMap<String, Value> {
        let found = |(name, pointer): (&String, &String)| {
            let value = whole.pointer(pointer).filter(|value| !value.is_null())?;
            Some((name.clone(), value.clone()))
        };
        self.fields.iter().filter_map(found).collect()
    }

    fn record(&self, whole: Value) -> AuditRecord {
        let field = |name: &str| {
            let found = whole.pointer(self.fields.get(name)?).filter(|found| !found.is_null())?;
            Some(found.as_str().map_or_else(|| found.to_string(), ToOwned::to_owned))
        };
        let said = field("decision");
        let word = |said: &String| {
            self.words.iter().find(|(_, theirs)| theirs.0.contains(said)).map(|(ours, _)| *ours)
        };
        AuditRecord {
            decision: said.as_ref().and_then(word),
            said,
            tool: field("tool"),
            identity: field("identity"),
            rule: field("rule"),
            reason: field("reason"),
            id: field("id"),
            fields: self.found(&whole),
            whole,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use crate::gateway::profile::Recorded;
    use crate::gateway::testing;

    const FIELDS: &str =
        "fields: {decision: /outcome, tool: /target, id: /n}, words: {allow: allowed, limit: [rate_limited]}";

    #[tokio::test]
    async fn json_lines_are_read_in_our_words_and_odd_lines_are_kept() {
        let (gateway, folder) =
            testing::attached(&format!("audit: {{file: '{{{{ folder }}}}/a.jsonl', {FIELDS}}}\n")).await;
        let missing = gateway.audit().await.unwrap_err().to_string();
        assert!(missing.starts_with("the file {{ folder }}/a.jsonl cannot be read: "), "{missing}");
        std::fs::write(folder.path().join("a.jsonl"), "").unwrap();
        assert_eq!(gateway.audit().await.unwrap(), Some(vec![]));
        let lines = "{\"outcome\":\"allowed\",\"target\":\"a\",\"n\":1}\n{\"outcome\":\"odd\"}\nno json\n";
        std::fs::write(folder.path().join("a.jsonl"), lines).unwrap();
        let records = gateway.audit().await.unwrap().unwrap();
        assert_eq!(
            (records[0].decision, records[0].tool.as_deref(), records[0].id.as_deref()),
            (Some(Recorded::Allow), Some("a"), Some("1"))
        );
        assert_eq!((records[1].decision, records[1].said.as_deref()), (None, Some("odd")));
        assert_eq!(records[2].whole, "no json");
    }

    #[tokio::test]
    async fn a_record_can_be_printed_by_a_command() {
        let printed = "{\\\"events\\\":[{\\\"outcome\\\":\\\"rate_limited\\\"}]}";
        let source = format!("audit: {{run: [sh, -c, \"echo '{printed}'\"], list: /events, {FIELDS}}}\n");
        let (gateway, _folder) = testing::attached(&source).await;
        assert_eq!(gateway.audit().await.unwrap().unwrap()[0].decision, Some(Recorded::Limit));
        let (gateway, _folder) = testing::attached(&source.replace("/events", "/event")).await;
        let missing = gateway.audit().await.unwrap_err().to_string();
        assert!(missing.starts_with("no `list` at `/event` in the outcome"), "{missing}");
    }
}
