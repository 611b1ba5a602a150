//! The rooms of the house use only the rooms above them, and four of them never see one another.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the direction of data.
const ROOMS: [&str; 23] = [
    "embedded",
    "wire",
    "source",
    "diagnostic",
    "transport",
    "transcript",
    "declared",
    "policy",
    "mock",
    "reference",
    "gateway",
    "witness",
    "scenario",
    "requirement",
    "pattern",
    "snapshot",
    "known",
    "run",
    "doctor",
    "change",
    "report",
    "proof",
    "cli",
];

/// They meet in `run` alone.
const STRANGERS: [&str; 4] = ["mock", "reference", "gateway", "witness"];

#[test]
fn each_room_uses_only_the_rooms_above_it() {
    let mut wrong = Vec::new();
    for file in sources(Path::new("src")) {
        let Some(room) = room_of(&file) else { continue };
        for used in rooms_used(&fs::read_to_string(&file).unwrap()) {
            let (from, to) = (place(&room, &file), place(&used, &file));
            let strangers = STRANGERS.contains(&room.as_str()) && STRANGERS.contains(&used.as_str());
            if used != room && (to > from || strangers) {
                wrong.push(format!("{}: `{room}` uses `{used}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_two_rooms_name_the_crates_that_draw_and_read_files() {
    for (named, room) in [("serde_saphyr", "source"), ("annotate_snippets", "diagnostic")] {
        let others =
            sources(Path::new("src")).into_iter().filter(|file| room_of(file).as_deref() != Some(room));
        for file in others {
            let text = fs::read_to_string(&file).unwrap();
            assert!(!text.contains(named), "{} names `{named}`, which is for `{room}` alone", file.display());
        }
    }
}

#[test]
fn a_use_is_found_wherever_it_stands() {
    let text = "use crate::wire::{Json};\nuse crate::{policy, mock::Mock};\nlet x = crate::run::plan(); // crate::cli::not\n";
    assert_eq!(rooms_used(text), ["mock", "policy", "run", "wire"].map(str::to_owned).into());
}

fn place(room: &str, file: &Path) -> usize {
    ROOMS
        .iter()
        .position(|known| *known == room)
        .unwrap_or_else(|| panic!("`{room}` in {} is no room", file.display()))
}

/// `src/policy/limits.rs` and `src/policy.rs` are both of `policy`; the roots are of none.
fn room_of(file: &Path) -> Option<String> {
    let mut parts = file.strip_prefix("src").ok()?.components();
    let first = parts.next()?.as_os_str().to_str()?.trim_end_matches(".rs").to_owned();
    (first != "lib" && first != "main").then_some(first)
}

fn rooms_used(text: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let name = |rest: &str| {
        rest.chars().take_while(|one| one.is_ascii_lowercase() || *one == '_').collect::<String>()
    };
    let mut used = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        let rest = &code[at + found.len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                used.extend(
                    list.split('}').next().unwrap_or_default().split(',').map(|one| name(one.trim())),
                );
            }
            None => drop(used.insert(name(rest))),
        }
    }
    used.retain(|room| !room.is_empty());
    used
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}
