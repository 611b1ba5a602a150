//! `gauntlet init`: a profile, a policy's template, a first scenario, a list of known deviations and a workflow, for a
//! gateway that has none of it yet.

mod command;
mod skeleton;

use super::{Exit, print, say};
use clap::Args;
use command::Launch;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  gauntlet init --gateway-command 'acme run --config {{ files.config }} --port {{ port }}'
  gauntlet init checks --name acme --gateway-command 'acme --policy {{ files.policy }} --upstream {{ upstreams[0].url }}'
  gauntlet init --url http://127.0.0.1:8080/mcp

The command is a template: `{{ files.NAME }}` is the path of a file that is rendered for it, `{{ port }}` a free port,
`{{ upstreams[0].url }}` the server behind it. Without `{{ port }}` it is spoken to on stdio. Nothing that is there is
overwritten.

Exit codes: 0 written, 2 a wrong argument, 3 a file that cannot be written, 5 some of the files are there.";

/// Writes what a gateway needs to be driven.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Init {
    /// Where to write
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// How the gateway is started, a template
    #[arg(long, value_name = "COMMAND", required_unless_present = "url", conflicts_with = "url")]
    pub gateway_command: Option<String>,
    /// The address of a gateway that runs already
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// What the gateway is called, and the folder of its profile
    #[arg(long, default_value = "my-gateway")]
    pub name: String,
}

/// Writes, and says what to type next.
pub(super) fn init(arguments: &Init) -> Exit {
    let files = match files(arguments) {
        Ok(files) => files,
        Err(why) => {
            say(&why);
            return Exit::Mistake;
        }
    };
    let there: Vec<String> = files
        .iter()
        .map(|(path, _)| arguments.folder.join(path))
        .filter(|path| path.exists())
        .map(|path| format!("  {}", path.display()))
        .collect();
    if !there.is_empty() {
        say(&format!(
            "{} of the files are there already, and nothing was written:\n{}\nhelp: name another folder, or another gateway with `--name`",
            there.len(),
            there.join("\n")
        ));
        return Exit::Refused;
    }
    for (path, text) in &files {
        let path = arguments.folder.join(path);
        if let Err(error) = write(&path, text) {
            say(&format!("`{}` cannot be written: {error}", path.display()));
            return Exit::World;
        }
    }
    print(&told(arguments, &files));
    Exit::Clean
}

fn files(arguments: &Init) -> Result<Vec<(String, String)>, String> {
    let name = &arguments.name;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(format!("`--name {name}` is no name\nhelp: letters, digits, `-` and `_`"));
    }
    let launch = match (&arguments.gateway_command, &arguments.url) {
        (Some(command), _) => Launch::of_command(command)?,
        (None, url) => Launch::of_url(url.as_deref().unwrap_or_default())?,
    };
    let mut files = vec![(format!("{name}/profile.yaml"), skeleton::profile(name, &launch))];
    files.extend(
        launch
            .files
            .iter()
            .enumerate()
            .map(|(place, key)| (format!("{name}/{key}.j2"), skeleton::template(place == 0))),
    );
    files.push(("scenarios/denied-stays-denied.yaml".to_owned(), skeleton::SCENARIO.to_owned()));
    files.push(("known.yaml".to_owned(), skeleton::known(name)));
    files.push((".github/workflows/gauntlet.yml".to_owned(), skeleton::workflow(name, &launch)));
    Ok(files)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(path, text)
}

fn told(arguments: &Init, files: &[(String, String)]) -> String {
    let folder = arguments.folder.display().to_string();
    let mut text = format!("{} files in `{folder}`\n", files.len());
    files.iter().for_each(|(path, _)| text.push_str(&format!("  {path}\n")));
    text.push_str("\nnext\n");
    if folder != "." {
        text.push_str(&format!("  cd {folder}\n"));
    }
    let name = &arguments.name;
    match &arguments.url {
        Some(url) => text.push_str(&format!(
            "  gauntlet doctor --url {url}\n  gauntlet check {name} scenarios\n  gauntlet run scenarios --gateway ./{name} --gateway-url {url}\n"
        )),
        None => text.push_str(&format!(
            "  gauntlet doctor ./{name}\n  gauntlet check {name} scenarios\n  gauntlet run scenarios --gateway ./{name}\n"
        )),
    }
    text
}
