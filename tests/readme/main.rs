//! The README as a stranger follows it: its files are written, its commands are run, in its order, in a folder of their
//! own. It does not install anything, and it does not judge the prose.
#![cfg(unix)]

mod blocks;
mod names;
mod shell;

use blocks::{Block, blocks, steps};
use mcp_gauntlet::mock::Mock;
use mcp_gauntlet::policy::Policy;
use std::fs;
use std::path::Path;

const README: &str = include_str!("../../README.md");
const GUIDE: &str = include_str!("../../gateways/README.md");

#[test]
fn it_is_read_in_one_go() {
    assert!(README.lines().count() < 200, "the README has {} lines", README.lines().count());
}

#[test]
fn what_it_says_is_what_happens() {
    assert!(followed("README.md", README) > 8);
}

#[test]
fn what_the_guide_for_gateways_says_is_what_happens() {
    assert!(followed("gateways/README.md", GUIDE) > 2);
}

#[test]
fn what_it_names_exists() {
    for (line, span) in blocks::spans(README) {
        if let Err(wrong) = names::known(&span) {
            panic!("README.md:{line}: `{span}`: {wrong}");
        }
    }
}

#[test]
fn its_numbers_are_those_of_the_code() {
    let said = |text: &str| assert!(README.contains(text), "the README does not say `{text}`");
    said(&format!("Rust {}", env!("CARGO_PKG_RUST_VERSION")));
    said(&format!("`ludus` ({} tools)", Mock::ludus().tools().len()));
    said(&format!("`velociraptor` ({} tools", Mock::velociraptor().tools().len()));
    said(&format!("each of {} lies", mcp_gauntlet::reference::FLAWS.len()));
    said(&format!("`version` {}", mcp_gauntlet::run::outcome::VERSION));
}

/// Follows a text from its first line to its last; what comes back is how many commands it has.
fn followed(name: &str, markdown: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let blocks = blocks(markdown);
    for block in &blocks {
        write(folder.path(), block);
    }
    for block in &blocks {
        check(folder.path(), &format!("{name}:{}", block.line), block);
    }
    let steps: Vec<_> = blocks.iter().filter(|block| block.language == "console").flat_map(steps).collect();
    for step in &steps {
        shell::follow(folder.path(), step);
    }
    steps.len()
}

/// A block that says which file it is becomes that file.
fn write(folder: &Path, block: &Block) {
    let Some(file) = &block.file else { return };
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, &block.text).unwrap();
}

/// Every file is sound, and every block is something that can be looked at.
fn check(folder: &Path, place: &str, block: &Block) {
    match (block.language.as_str(), &block.file) {
        ("console" | "rust", None) => {}
        // Looked at together with the profile that names it.
        ("jinja", Some(_)) => {}
        ("json", Some(_)) => {
            Policy::from_json(&block.text).unwrap_or_else(|wrong| panic!("{place}: {wrong}"));
        }
        ("yaml", Some(file)) => shell::check(folder, file),
        (language, file) => panic!("{place}: a block of `{language}` in {file:?} cannot be looked at"),
    }
}
