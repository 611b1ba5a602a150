//! What the process finds around it. `main` reads it once; nothing else asks the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The world of one process.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// The path of this program.
    pub program: PathBuf,
    /// Whether standard output is a terminal.
    pub out_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub err_is_terminal: bool,
}

impl Surroundings {
    /// Whether reports are coloured: on a terminal, unless `NO_COLOR` is set.
    pub fn colour(&self) -> bool {
        self.out_is_terminal && self.environment.get("NO_COLOR").is_none_or(|value| value.is_empty())
    }

    /// Whether messages on standard error are coloured.
    pub fn colour_of_errors(&self) -> bool {
        self.err_is_terminal && self.environment.get("NO_COLOR").is_none_or(|value| value.is_empty())
    }

    /// Whether a command is to be found: on the `PATH`, or as a path of its own.
    pub fn finds(&self, command: &str) -> bool {
        if command.contains('/') {
            return std::path::Path::new(command).exists();
        }
        let path = self.environment.get("PATH").map(String::as_str).unwrap_or_default();
        std::env::split_paths(path).any(|folder| folder.join(command).is_file())
    }

    /// The few variables that every child process gets.
    pub fn for_children(&self) -> Vec<(String, String)> {
        const KEPT: [&str; 6] = ["PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SystemRoot"];
        KEPT.iter()
            .filter_map(|name| Some(((*name).to_owned(), self.environment.get(*name)?.clone())))
            .collect()
    }

    /// Whether this is continuous integration, where nothing is updated.
    pub fn is_ci(&self) -> bool {
        self.environment.get("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
    }
}

#[cfg(test)]
mod tests {
    use super::Surroundings;

    #[test]
    fn colour_is_for_terminals_and_gives_way_to_no_color() {
        let world = |is_terminal: bool, no_color: Option<&str>| Surroundings {
            environment: no_color
                .map(|value| ("NO_COLOR".to_owned(), value.to_owned()))
                .into_iter()
                .collect(),
            out_is_terminal: is_terminal,
            err_is_terminal: is_terminal,
            ..Surroundings::default()
        };
        for (is_terminal, no_color, coloured) in [
            (true, None, true),
            (true, Some(""), true),
            (true, Some("1"), false),
            (true, Some("0"), false),
            (false, None, false),
        ] {
            let world = world(is_terminal, no_color);
            assert_eq!((world.colour(), world.colour_of_errors()), (coloured, coloured), "{no_color:?}");
        }
    }
}
