//! Entries as they were first listed, and whether they are remembered: for as long as the gateway runs, or in a file.
//!
//! The file has a pin a line, a JSON object, and only grows. The first line about a tool counts, until a later one says
//! that somebody accepted another entry. Nothing is ever rewritten, so that no process can lose what another one wrote;
//! and whoever reads or appends holds the file's lock, so that of several which list a tool for the first time, all take
//! the same for the first, and a line without an end is a torn one, not one that is being written. A table in memory is
//! what was read of the file and no more: what could not be written does not count.
//!
//! A file that says anything else, or was cut, or cannot be read and written any more, is an error, and never an empty
//! one: whoever asks has to withhold. It is opened by its name each time, so that one that was taken away is missed. It
//! is not flushed to the disk: a pin outlives the process, not a loss of power.

use super::agent::lock;
use super::settings::PinStore;
use crate::diagnostic::printable_bytes;
use crate::wire::{Json, Object, parse};
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Whose tool it is: identity, upstream, tool.
pub(super) type Key = [String; 3];

/// The members of a line that say whose tool it is.
const WHOSE: [&str; 3] = ["identity", "upstream", "tool"];

/// So many bytes of a line that is no pin are shown.
const SHOWN: usize = 60;

/// What is remembered of the entries that were listed.
#[derive(Debug)]
pub(super) struct Pins {
    known: Mutex<HashMap<Key, Arc<Json>>>,
    /// Never locked on a thread that answers agents, but to accept an entry.
    file: Option<Mutex<PinFile>>,
}

/// An entry that counts from now on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pin {
    pub(super) key: Key,
    pub(super) entry: Json,
    /// Whether somebody accepted it in the place of the one before.
    pub(super) accepted: bool,
}

/// Why pins cannot be looked up, or kept.
#[derive(Debug, thiserror::Error)]
pub enum PinsError {
    /// The file is not there, or not for us.
    #[error("pins cannot be kept: {0}")]
    File(#[from] io::Error),
    /// A line is no pin.
    #[error("pins cannot be read: line {line} of their file is none, {what}")]
    Line {
        /// Which one, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
        /// What it says; nothing for agents to read.
        found: String,
    },
    /// What was read before is gone.
    #[error("pins cannot be read: their file is shorter than it was")]
    Cut,
}

#[derive(Debug)]
struct PinFile {
    path: PathBuf,
    /// So many bytes of it were read, and so many lines.
    read: u64,
    lines: usize,
}

impl Pins {
    /// Opens what they are kept in, and reads what is there.
    pub(super) fn open(store: &PinStore) -> Result<Self, PinsError> {
        let PinStore::File(path) = store else { return Ok(Self { known: Mutex::default(), file: None }) };
        let file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        // A device can be read for ever, and keeps nothing.
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file").into());
        }
        let file = PinFile { path: path.clone(), read: 0, lines: 0 };
        let pins = Self { known: Mutex::default(), file: Some(Mutex::new(file)) };
        pins.exchange(Vec::new())?;
        Ok(pins)
    }

    /// The entry that counts.
    pub(super) fn first(&self, key: &Key) -> Option<Arc<Json>> {
        lock(&self.known).get(key).cloned()
    }

    /// What of these was never listed before, as far as it is known here.
    pub(super) fn unseen<'a>(&self, listed: impl Iterator<Item = (Key, &'a Json)>) -> Vec<Pin> {
        let known = lock(&self.known);
        let unseen = listed.filter(|(key, _)| !known.contains_key(key));
        unseen.map(|(key, entry)| Pin { key, entry: entry.clone(), accepted: false }).collect()
    }

    /// Learns what others pinned, and pins these where nobody did.
    pub(super) async fn keep(self: &Arc<Self>, unseen: Vec<Pin>) -> Result<(), PinsError> {
        if self.file.is_none() {
            return self.exchange(unseen);
        }
        let pins = self.clone();
        tokio::task::spawn_blocking(move || pins.exchange(unseen)).await.map_err(io::Error::other)?
    }

    /// From now on this entry counts. A person does that, and rarely: the one line is written at once.
    pub(super) fn accept(&self, key: Key, entry: Json) -> Result<(), PinsError> {
        self.exchange(vec![Pin { key, entry, accepted: true }])
    }

    fn exchange(&self, pins: Vec<Pin>) -> Result<(), PinsError> {
        match &self.file {
            Some(file) => lock(file).exchange(pins, &self.known),
            None => {
                settle(&mut lock(&self.known), pins);
                Ok(())
            }
        }
    }
}

impl PinFile {
    /// Reads what is new, and appends what is not there yet. Where neither is anything, the file is only measured.
    fn exchange(&mut self, pins: Vec<Pin>, known: &Mutex<HashMap<Key, Arc<Json>>>) -> Result<(), PinsError> {
        let mut file = OpenOptions::new().read(true).append(true).open(&self.path)?;
        if pins.is_empty() && file.metadata()?.len() == self.read {
            return Ok(());
        }
        // Closing the file gives it back.
        file.lock()?;
        self.catch_up(&mut file, known)?;
        let fresh = fresh(&lock(known), pins);
        let text: Vec<u8> = fresh.iter().flat_map(line_of).collect();
        if let Err(error) = file.write_all(&text) {
            // Half a line would be one for everybody. Where even that fails, it is found torn, and refused.
            let _ = file.set_len(self.read);
            return Err(error.into());
        }
        self.read += text.len() as u64;
        self.lines += fresh.len();
        settle(&mut lock(known), fresh);
        Ok(())
    }

    fn catch_up(&mut self, file: &mut File, known: &Mutex<HashMap<Key, Arc<Json>>>) -> Result<(), PinsError> {
        if file.metadata()?.len() < self.read {
            return Err(PinsError::Cut);
        }
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(self.read))?;
        file.read_to_end(&mut text)?;
        let lines = text.split_inclusive(|byte| *byte == b'\n').enumerate();
        let wrong = |index: usize, line: &[u8], what| PinsError::Line {
            line: self.lines + index + 1,
            what,
            found: printable_bytes(line.trim_ascii_end(), SHOWN),
        };
        let pins: Vec<Pin> = lines
            .map(|(index, line)| pin_of(line).map_err(|what| wrong(index, line, what)))
            .collect::<Result<_, _>>()?;
        self.read += text.len() as u64;
        self.lines += pins.len();
        settle(&mut lock(known), pins);
        Ok(())
    }
}

/// What changes anything.
fn fresh(known: &HashMap<Key, Arc<Json>>, pins: Vec<Pin>) -> Vec<Pin> {
    let mut met = HashSet::new();
    let mut is_first = |key: &Key| !known.contains_key(key) && met.insert(key.clone());
    pins.into_iter().filter(|pin| pin.accepted || is_first(&pin.key)).collect()
}

/// The first of a key counts, until one is accepted.
fn settle(known: &mut HashMap<Key, Arc<Json>>, pins: Vec<Pin>) {
    for Pin { key, entry, accepted } in pins {
        if accepted {
            known.insert(key, Arc::new(entry));
        } else {
            known.entry(key).or_insert_with(|| Arc::new(entry));
        }
    }
}

fn line_of(pin: &Pin) -> Vec<u8> {
    let mut line = Object::default();
    for (member, value) in WHOSE.iter().zip(&pin.key) {
        line.set(member, value.as_str());
    }
    if pin.accepted {
        line.set("accepted", true);
    }
    line.set("entry", pin.entry.clone());
    let mut text = Json::Object(line).to_bytes();
    text.push(b'\n');
    text
}

fn pin_of(line: &[u8]) -> Result<Pin, &'static str> {
    let line = line.strip_suffix(b"\n").ok_or("it has no end")?;
    let Ok(Json::Object(mut line)) = parse(line) else { return Err("it is no JSON object") };
    if line.repeats() {
        return Err("it says something twice");
    }
    let mut text = |member| match line.remove(member) {
        Some(Json::String(text)) => Ok(text),
        _ => Err("it does not say whose tool it is about"),
    };
    let key = [text(WHOSE[0])?, text(WHOSE[1])?, text(WHOSE[2])?];
    let accepted = match line.remove("accepted") {
        None => false,
        Some(Json::Bool(true)) => true,
        Some(_) => return Err("`accepted` can only be `true`"),
    };
    let entry = line.remove("entry").ok_or("it has no `entry`")?;
    match line.iter().next() {
        None => Ok(Pin { key, entry, accepted }),
        Some(_) => Err("it has members that a pin does not have"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn key(tool: &str) -> Key {
        ["alice", "lab", tool].map(str::to_owned)
    }

    fn entry(text: &str) -> Json {
        parse(text.as_bytes()).unwrap()
    }

    fn opened(path: &Path) -> Result<Arc<Pins>, PinsError> {
        Pins::open(&PinStore::File(path.to_owned())).map(Arc::new)
    }

    /// Lists a tool; the entry that counts.
    async fn list(pins: &Arc<Pins>, tool: &str, text: &str) -> Result<String, PinsError> {
        let (key, entry) = (key(tool), entry(text));
        pins.keep(pins.unseen([(key.clone(), &entry)].into_iter())).await?;
        Ok(pins.first(&key).unwrap().to_string())
    }

    #[tokio::test]
    async fn what_one_lists_or_accepts_counts_for_all_and_later_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pins.jsonl");
        let (one, other) = (opened(&path).unwrap(), opened(&path).unwrap());
        let odd = "{\"n\":1.00e3,\"n\":\"a\\n\u{2028}\"}";
        assert_eq!(list(&one, "a", odd).await.unwrap(), odd, "in its own spelling");
        assert_eq!(list(&other, "a", "2").await.unwrap(), odd);
        assert_eq!(list(&other, "b", "3").await.unwrap(), "3");
        other.accept(key("a"), Json::from(4)).unwrap();
        assert_eq!(list(&one, "a", odd).await.unwrap(), "4");
        assert_eq!(list(&one, "b", "5").await.unwrap(), "3");
        let later = opened(&path).unwrap();
        assert_eq!(list(&later, "a", odd).await.unwrap(), "4");
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
    }

    #[tokio::test]
    async fn of_many_that_look_at_once_all_take_the_same_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pins.jsonl");
        let looks = (0..16).map(|index| {
            let pins = opened(&path).unwrap();
            tokio::spawn(async move { list(&pins, "a", &index.to_string()).await.unwrap() })
        });
        let seen: HashSet<String> =
            futures_util::future::join_all(looks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }

    #[tokio::test]
    async fn what_is_twice_in_a_list_is_pinned_once() {
        let pins = Arc::new(Pins::open(&PinStore::Memory).unwrap());
        let (one, other) = (entry("1"), entry("2"));
        let unseen = pins.unseen([(key("a"), &one), (key("a"), &other)].into_iter());
        assert_eq!(fresh(&HashMap::new(), unseen.clone()).len(), 1);
        pins.keep(unseen).await.unwrap();
        assert_eq!(pins.first(&key("a")).as_deref(), Some(&one));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_no_file() {
        assert!(matches!(opened(Path::new("/dev/null")), Err(PinsError::File(_))));
    }

    #[test]
    fn a_file_that_says_anything_else_is_refused_at_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pins.jsonl");
        let pin = r#"{"identity":"a","upstream":"b","tool":"c","entry":{}}"#;
        for (line, expected) in [
            (pin.to_owned(), "it has no end"),
            ("\n".to_owned(), "it is no JSON object"),
            ("[]\n".to_owned(), "it is no JSON object"),
            ("{\"decision\":\"allowed\"}\n".to_owned(), "it does not say whose tool it is about"),
            (pin.replace("\"c\"", "7") + "\n", "it does not say whose tool it is about"),
            (pin.replace("entry", "entri") + "\n", "it has no `entry`"),
            (pin.replace("{}}", "{},\"x\":1}\n"), "it has members that a pin does not have"),
            (pin.replace("{}}", "{},\"accepted\":false}\n"), "`accepted` can only be `true`"),
            (pin.replace("{}}", "{},\"entry\":{}}\n"), "it says something twice"),
        ] {
            std::fs::write(&path, format!("{pin}\n{line}")).unwrap();
            match opened(&path) {
                Err(PinsError::Line { line: 2, what, .. }) => assert_eq!(what, expected),
                other => panic!("{line}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_is_harmed_meanwhile_is_missed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pins.jsonl");
        let pins = opened(&path).unwrap();
        list(&pins, "a", "1").await.unwrap();
        let sound = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&sound[..], b"{\"identity\""].concat()).unwrap();
        assert!(matches!(list(&pins, "a", "1").await, Err(PinsError::Line { line: 2, .. })));
        std::fs::write(&path, "").unwrap();
        assert!(matches!(list(&pins, "a", "1").await, Err(PinsError::Cut)));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(list(&pins, "a", "1").await, Err(PinsError::File(_))));
        assert!(matches!(pins.accept(key("a"), Json::from(2)), Err(PinsError::File(_))));
        std::fs::write(&path, sound).unwrap();
        assert_eq!(list(&pins, "a", "2").await.unwrap(), "1", "what could not be kept does not count");
    }
}
