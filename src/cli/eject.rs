//! `gauntlet eject`: the shipped files, for reading and changing.

use super::{Exit, print, say};
use crate::embedded::{File, GATEWAYS, MOCK_FILES, SCENARIOS};
use clap::Args;
use std::path::{Path, PathBuf};

/// Writes the shipped files.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  gauntlet eject my-suite\n\nNothing that is there is overwritten.")]
pub struct Eject {
    /// Where to write them
    pub folder: PathBuf,
}

/// Writes scenarios, gateways and mocks into a folder. Nothing that is there is overwritten.
pub(super) fn eject(arguments: &Eject) -> Exit {
    let tables: [(&str, &[File]); 3] =
        [("scenarios", SCENARIOS), ("gateways", GATEWAYS), ("mocks", MOCK_FILES)];
    let paths = |(folder, files): &(&str, &'static [File])| {
        let folder = arguments.folder.join(folder);
        files.iter().map(move |file| (folder.join(file.path), file.text)).collect::<Vec<_>>()
    };
    let all: Vec<_> = tables.iter().flat_map(paths).collect();
    let there = all.iter().filter(|(path, _)| path.exists()).count();
    if there > 0 {
        say(&format!(
            "{there} of the files are in `{}` already, and nothing was written\nhelp: name another folder",
            arguments.folder.display()
        ));
        return Exit::Refused;
    }
    for (path, text) in &all {
        if let Err(error) = write(path, text) {
            say(&format!("`{}` cannot be written: {error}", path.display()));
            return Exit::World;
        }
    }
    print(&format!("{} files in `{}`\n", all.len(), arguments.folder.display()));
    Exit::Clean
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}
