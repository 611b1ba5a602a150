//! `gauntlet review`: what waits for a decision among the snapshots, and the decision.

use super::{Exit, Surroundings};
use crate::snapshot::{Pending, Resolution, ReviewError, StoreError, accept, pending, reject, show};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  gauntlet review                                    shows every change that waits under `snapshots`
  gauntlet review --accept                           accepts them all
  gauntlet review --reject snapshots/acme            rejects those of one gateway
  gauntlet review --accept snapshots/acme/DENY-01-denied-tool.snap

Exit codes: 0 nothing waits any longer, 1 something waits, 2 a path is no snapshot, 3 a file cannot
be read or written, 5 an update in continuous integration.";

/// Shows changed snapshots, the change of behaviour first, and accepts or rejects them.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Review {
    /// Folders or single snapshots
    #[arg(value_name = "PATH", default_value = "snapshots")]
    pub paths: Vec<PathBuf>,
    /// Store what waits
    #[arg(long, conflicts_with = "reject")]
    pub accept: bool,
    /// Throw away what waits
    #[arg(long)]
    pub reject: bool,
}

/// Reviews, prints, and says how it went.
pub(super) fn review(arguments: &Review, surroundings: &Surroundings) -> Exit {
    let reviewed = reviewed(arguments, surroundings);
    // A closed pipe (`| head`) is no reason to complain.
    let _ = std::io::stdout().write_all(reviewed.text.as_bytes());
    let _ = std::io::stderr().write_all(reviewed.complaint.as_bytes());
    reviewed.exit
}

struct Reviewed {
    text: String,
    complaint: String,
    exit: Exit,
}

impl Reviewed {
    fn told(text: String, exit: Exit) -> Self {
        Self { text, complaint: String::new(), exit }
    }

    fn complaint(exit: Exit, complaint: &str) -> Self {
        Self { text: String::new(), complaint: format!("{complaint}\n"), exit }
    }
}

fn reviewed(arguments: &Review, surroundings: &Surroundings) -> Reviewed {
    if arguments.accept && surroundings.is_ci() {
        return Reviewed::complaint(
            Exit::Refused,
            "snapshots are not accepted in continuous integration\nhelp: review them where the change was made",
        );
    }
    let pending = match pending(&present(&arguments.paths)) {
        Ok(pending) => pending,
        Err(ReviewError::Store(error)) => return Reviewed::complaint(Exit::World, &error.to_string()),
        Err(error) => return Reviewed::complaint(Exit::Mistake, &error.to_string()),
    };
    let resolution = match (arguments.accept, arguments.reject) {
        (true, _) => Some(Resolution::Accept),
        (_, true) => Some(Resolution::Reject),
        _ => None,
    };
    let done = match resolution {
        _ if pending.is_empty() => {
            Ok(Reviewed::told("nothing waits for a decision\n".to_owned(), Exit::Clean))
        }
        None => shown(&pending, surroundings.colour()),
        Some(resolution) => resolved(&pending, resolution),
    };
    done.unwrap_or_else(|error| Reviewed::complaint(Exit::World, &error.to_string()))
}

/// Before the first run there is no folder; that is no mistake of a user who named none.
fn present(paths: &[PathBuf]) -> Vec<PathBuf> {
    let missing_by_default = |path: &PathBuf| path.as_os_str() == "snapshots" && !path.exists();
    paths.iter().filter(|path| !missing_by_default(path)).cloned().collect()
}

fn shown(pending: &[Pending], colour: bool) -> Result<Reviewed, StoreError> {
    let mut text = String::new();
    for one in pending {
        text.push_str(&show(one, colour)?);
        text.push('\n');
    }
    let counted = if pending.len() == 1 {
        "1 snapshot waits".to_owned()
    } else {
        format!("{} snapshots wait", pending.len())
    };
    text.push_str(&format!("{counted} for a decision\nhelp: run `gauntlet review --accept` or `--reject`, with a path for some of them\n"));
    Ok(Reviewed::told(text, Exit::Unmet))
}

fn resolved(pending: &[Pending], resolution: Resolution) -> Result<Reviewed, StoreError> {
    let mut text = String::new();
    for one in pending {
        let verb = match resolution {
            Resolution::Accept => {
                accept(one)?;
                "accepted"
            }
            Resolution::Reject => {
                reject(one)?;
                "rejected"
            }
        };
        text.push_str(&format!("{verb} {}\n", one.kept.display()));
    }
    Ok(Reviewed::told(text, Exit::Clean))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let text = |word: &str| {
            format!("---\nexpression: \"A through acme\"\n---\neras: legacy\n\n1. call a => {word}\n")
        };
        fs::write(folder.path().join("a.snap"), text("denied")).unwrap();
        fs::write(folder.path().join("a.snap.new"), text("leaked")).unwrap();
        folder
    }

    fn run(path: &Path, flag: &str, ci: &str) -> Reviewed {
        let arguments =
            Review { paths: vec![path.to_owned()], accept: flag == "--accept", reject: flag == "--reject" };
        let environment = [("CI".to_owned(), ci.to_owned())].into();
        reviewed(&arguments, &Surroundings { environment, ..Surroundings::default() })
    }

    fn stored(folder: &tempfile::TempDir) -> String {
        fs::read_to_string(folder.path().join("a.snap")).unwrap()
    }

    #[test]
    fn what_waits_is_shown_and_stays() {
        let folder = folder();
        let told = run(folder.path(), "", "");
        assert_eq!(told.exit, Exit::Unmet);
        assert!(told.text.contains("1 denial became leaked\n  1. call a: denied -> leaked\n"));
        assert!(told.text.contains("\n1 snapshot waits for a decision\nhelp: "));
        assert_eq!(run(folder.path(), "", "").text, told.text);
    }

    #[test]
    fn a_decision_is_carried_out_without_a_terminal() {
        for (flag, verb, word) in [("--accept", "accepted", "leaked"), ("--reject", "rejected", "denied")] {
            let folder = folder();
            let told = run(folder.path(), flag, "");
            assert_eq!(
                (told.exit, told.text),
                (Exit::Clean, format!("{verb} {}\n", folder.path().join("a.snap").display()))
            );
            assert!(stored(&folder).contains(word));
            assert_eq!(run(folder.path(), "", "").text, "nothing waits for a decision\n");
        }
    }

    #[test]
    fn nothing_is_accepted_in_continuous_integration() {
        let folder = folder();
        assert_eq!(run(folder.path(), "--accept", "true").exit, Exit::Refused);
        assert!(stored(&folder).contains("denied"));
        assert_eq!(run(folder.path(), "", "true").exit, Exit::Unmet, "looking is allowed");
    }

    #[test]
    fn a_path_that_is_no_snapshot_is_a_mistake() {
        let folder = folder();
        let told = run(&folder.path().join("b.txt"), "", "");
        assert_eq!(told.exit, Exit::Mistake);
        assert!(told.complaint.contains("is neither a folder nor a snapshot"));
    }
}
