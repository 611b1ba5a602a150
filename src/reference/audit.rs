//! One record for each decision, in the order in which calls came to their end.

use super::settings::AuditSink;
use serde::Serialize;
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

/// What is recorded. It never holds a token or an argument: arguments stand as their fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Record {
    /// When, in UTC.
    pub time: String,
    /// What was decided about: `call`, `approval`, `entry` or `authentication`.
    pub about: &'static str,
    /// `allowed`, `denied`, `hidden`, `limited`, `pending`, `malformed`, `unauthorized`, `approved` or `rejected`.
    pub decision: &'static str,
    /// Whose credential it was.
    pub identity: Option<String>,
    /// The upstream's name.
    pub upstream: Option<String>,
    /// The tool's name, as called.
    pub tool: Option<String>,
    /// Where the policy says so, a JSON pointer.
    pub rule: Option<String>,
    /// What the agent was told.
    pub reason: Option<String>,
    /// The request's id, as sent.
    pub request_id: Option<Value>,
    /// The fingerprint of the policy that decided.
    pub policy: Option<String>,
    /// The fingerprint of identity, tool and arguments.
    pub arguments: Option<String>,
    /// The approval that was asked for, given or used.
    pub approval: Option<String>,
    /// Who decided on it.
    pub approver: Option<String>,
    /// What became of an allowed call: `success`, or how it failed.
    pub outcome: Option<String>,
}

/// Where records go.
#[derive(Debug)]
pub(super) struct Audit(Mutex<Sink>);

#[derive(Debug)]
enum Sink {
    Nowhere,
    Memory(Vec<Value>),
    Full { broken: bool },
    File { file: File, path: PathBuf, broken: bool },
}

impl Audit {
    /// Opens the sink.
    pub(super) fn open(sink: &AuditSink) -> io::Result<Self> {
        Ok(Self(Mutex::new(match sink {
            AuditSink::Nowhere => Sink::Nowhere,
            AuditSink::Memory => Sink::Memory(Vec::new()),
            AuditSink::Full => Sink::Full { broken: false },
            AuditSink::File(path) => {
                let file = OpenOptions::new().create(true).append(true).open(path)?;
                Sink::File { file, path: path.clone(), broken: false }
            }
        })))
    }

    /// Whether the last record could be kept: what cannot be recorded must not be allowed.
    pub(super) fn is_sound(&self) -> bool {
        !matches!(&*self.sink(), Sink::File { broken: true, .. } | Sink::Full { broken: true })
    }

    /// Appends a record, stamped with the time.
    pub(super) fn write(&self, mut record: Record, now: Duration) {
        record.time = humantime::format_rfc3339_millis(UNIX_EPOCH + now).to_string();
        let line = serde_json::to_value(&record).unwrap_or_default();
        match &mut *self.sink() {
            Sink::Nowhere => {}
            Sink::Memory(lines) => lines.push(line),
            // One write a line: two processes that append to one file do not mix their lines.
            Sink::File { file, broken, .. } => {
                // What was torn ends here, and spoils no line but its own.
                let begin = if *broken { "\n" } else { "" };
                *broken = file.write_all(format!("{begin}{line}\n").as_bytes()).is_err();
            }
            Sink::Full { broken } => *broken = true,
        }
    }

    /// All records so far; of a file, what can be read of it.
    pub(super) fn lines(&self) -> Vec<Value> {
        match &*self.sink() {
            Sink::Nowhere | Sink::Full { .. } => Vec::new(),
            Sink::Memory(lines) => lines.clone(),
            Sink::File { path, .. } => {
                let text = std::fs::read_to_string(path).unwrap_or_default();
                text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
            }
        }
    }

    fn sink(&self) -> MutexGuard<'_, Sink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_record_can_break_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let audit = Audit::open(&AuditSink::File(path.clone())).unwrap();
        let hostile = "a\"}\n{\"decision\":\"allowed\"}\r\u{1b}[31m".to_owned();
        let record =
            Record { about: "call", decision: "denied", tool: Some(hostile.clone()), ..Record::default() };
        audit.write(record, Duration::from_millis(1_500));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert!(!text.contains('\u{1b}'));
        let line = &audit.lines()[0];
        assert_eq!(line["tool"], hostile);
        assert_eq!(line["time"], "1970-01-01T00:00:01.500Z");
        assert!(audit.is_sound());
    }

    #[test]
    fn a_sink_that_cannot_be_opened_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Audit::open(&AuditSink::File(folder.path().join("no/such/folder"))).is_err());
    }
}
