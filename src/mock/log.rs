//! The ledger as a file: one line of JSON for each arrival, written when it has been dealt with.

use super::ledger::Arrival;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Mutex;

/// A ledger file.
pub(super) struct Log(Mutex<File>);

impl Log {
    /// A fresh file there.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        File::create(path).map(|file| Self(Mutex::new(file)))
    }

    /// Writes one arrival. A full disk is no reason to answer differently: the line is missing then.
    pub(super) fn write(&self, arrival: &Arrival) {
        let line = format!("{}\n", shown(arrival));
        let _ = self.0.lock().expect("no writer panics").write_all(line.as_bytes());
    }
}

/// An arrival as JSON. What was sent as a credential is left out: a ledger is read by many.
fn shown(arrival: &Arrival) -> Value {
    let calls: Vec<Value> = arrival
        .calls()
        .iter()
        .map(|call| json!({"readings": call.readings, "tool": call.tool, "arguments": Value::from(&call.arguments)}))
        .collect();
    let executed: Vec<Value> = arrival
        .executed
        .iter()
        .map(|run| {
            json!({
                "tool": run.tool, "arguments": Value::from(&run.arguments), "receipt": run.receipt,
                "identity": run.identity, "is_error": run.is_error, "answer": Value::from(&run.answered()),
            })
        })
        .collect();
    let headers: Vec<Value> = arrival
        .headers
        .iter()
        .map(|(name, value)| json!([name, if name == "authorization" { "[CREDENTIAL]" } else { value }]))
        .collect();
    json!({
        "seq": arrival.seq, "upstream": arrival.upstream, "session": arrival.session, "transport": arrival.transport,
        "request": arrival.request, "headers": headers, "method": arrival.method,
        "bytes": String::from_utf8_lossy(&arrival.bytes), "calls": calls, "executed": executed,
        "abandoned": arrival.abandoned,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::ledger::Headers;
    use crate::mock::ledger::tests::arrival;

    #[test]
    fn a_line_holds_an_arrival_without_its_credential() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let log = Log::create(&path).unwrap();
        let mut one = arrival(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#);
        let credential = ("authorization".parse().unwrap(), "Bearer secret".parse().unwrap());
        one.headers = Headers::from(&http::HeaderMap::from_iter([credential]));
        log.write(&one);
        let text = std::fs::read_to_string(path).unwrap();
        let line: Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["calls"][0]["tool"], "a");
        assert!(!text.contains("secret") && text.ends_with('\n'));
    }
}
