//! A gateway that runs: prepared, its files written, started, ready, spoken to, and ended with all that it left.

use super::errand::{Desk, ErrandError};
use super::launch::{Command, Process, Sign, Unready, end_stranger, end_stranger_now, pid_in};
use super::profile::{Profile, Start, StartCommand};
use super::render::{Facts, Place, Rendered};
use super::template::{self, Engine, RenderError, Variables};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// A gateway under test that can be spoken to.
pub struct RunningGateway {
    profile: Arc<Profile>,
    facts: Facts,
    desk: Desk,
    process: Option<Process>,
}

/// How an agent connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// At an address, with these headers on each request.
    Http {
        /// The address.
        url: String,
        /// The headers.
        headers: Vec<(String, String)>,
    },
    /// By starting this and speaking in lines.
    Stdio(Command),
}

/// Why a gateway could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A template of the profile.
    #[error("the profile of `{gateway}` cannot be rendered: {error}")]
    Render {
        /// The gateway.
        gateway: String,
        /// Why.
        error: RenderError,
    },
    /// The command is not there.
    #[error("no command `{command}` to start `{gateway}`{}", install.as_ref().map(|how| format!("\nhelp: install it: {how}")).unwrap_or_default())]
    NoCommand {
        /// The gateway.
        gateway: String,
        /// The command.
        command: String,
        /// How it is installed.
        install: Option<String>,
    },
    /// What comes before the start, or right after it, failed.
    #[error("`{gateway}` could not be prepared: {error}")]
    Errand {
        /// The gateway.
        gateway: String,
        /// Why.
        error: ErrandError,
    },
    /// It ended instead of getting ready.
    #[error("`{gateway}` ended with {status} before it was ready; its last words:\n{last_words}")]
    Ended {
        /// The gateway.
        gateway: String,
        /// How it ended.
        status: String,
        /// What it printed last.
        last_words: String,
    },
    /// It took too long.
    #[error("`{gateway}` was not ready within {}; its last words:\n{last_words}", humantime::format_duration(*.within))]
    Late {
        /// The gateway.
        gateway: String,
        /// How long it had.
        within: Duration,
        /// What it printed last.
        last_words: String,
    },
    /// The world around it.
    #[error("`{gateway}` could not be started: {error}")]
    Io {
        /// The gateway.
        gateway: String,
        /// Why.
        error: io::Error,
    },
}

impl RunningGateway {
    /// Starts a gateway with its rendered files and waits until it may be spoken to.
    pub async fn start(profile: Arc<Profile>, rendered: Rendered, place: &Place) -> Result<Self, StartError> {
        let mut gateway = Self::unstarted(profile, rendered.facts, place)?;
        std::fs::create_dir_all(&place.folder).map_err(|error| gateway.io(error))?;
        let prepare = gateway.profile.clone();
        let prepared = gateway.desk.perform(&prepare.prepare, &mut Variables::new()).await;
        prepared.map_err(|error| gateway.errand(error))?;
        for (name, text) in rendered.files.values() {
            if let Some(text) = text {
                write(&place.folder.join(name), text).map_err(|error| gateway.io(error))?;
            }
        }
        gateway.launch().await?;
        gateway.mint().await?;
        Ok(gateway)
    }

    /// A gateway that somebody else runs: only what its profile says of connecting, reading and deciding is used.
    pub fn attached(profile: Arc<Profile>, facts: Facts, place: &Place) -> Result<Self, StartError> {
        Self::unstarted(profile, facts, place)
    }

    fn unstarted(profile: Arc<Profile>, facts: Facts, place: &Place) -> Result<Self, StartError> {
        let (engine, context) = (Engine::new(), template::value(&facts));
        let mut environment: BTreeMap<String, String> = place.environment.iter().cloned().collect();
        // Whatever a gateway keeps, it keeps in its own folder.
        environment.insert("HOME".to_owned(), place.folder.display().to_string());
        if let Some(Start::Command(start)) = &profile.start {
            for (name, text) in &start.environment {
                let text = engine.render(&text.0, &context, &Variables::new());
                let text =
                    text.map_err(|error| StartError::Render { gateway: profile.gateway.clone(), error })?;
                environment.insert(name.clone(), text);
            }
        }
        let desk = Desk {
            engine,
            context,
            folder: place.folder.clone(),
            environment: environment.into_iter().collect(),
        };
        Ok(Self { profile, facts, desk, process: None })
    }

    /// Starts the process, if this gateway is one that stands by itself.
    pub(super) async fn launch(&mut self) -> Result<(), StartError> {
        let profile = self.profile.clone();
        let Some(Start::Command(start)) = profile.start.as_ref().filter(|_| !profile.speaks_lines()) else {
            return Ok(());
        };
        let Some(ready) = &start.ready else { return Ok(()) };
        let command = self.command(start).map_err(|error| self.render(error))?;
        let sign = match (&ready.http, &ready.line) {
            (Some(url), _) => {
                Sign::Answers(self.desk.text(url, &Variables::new()).map_err(|error| self.render(error))?)
            }
            (None, Some(line)) => Sign::Prints(line.clone()),
            (None, None) => return Ok(()),
        };
        let (heard, hears) = mpsc::unbounded_channel();
        let mut process = Process::spawn(&command, &heard).map_err(|error| self.spawn(&command, error))?;
        drop(heard);
        let within = ready.within.0;
        let outcome = process.ready(&sign, hears, within).await;
        let (gateway, last_words) = (profile.gateway.clone(), process.last_words());
        self.process = Some(process);
        outcome.map_err(|unready| match unready {
            Unready::Ended(status) => StartError::Ended { gateway, status, last_words },
            Unready::Late => StartError::Late { gateway, within, last_words },
        })
    }

    /// Gets a credential for each identity, where the gateway makes them itself.
    async fn mint(&mut self) -> Result<(), StartError> {
        let profile = self.profile.clone();
        let Some(errands) = &profile.hooks.mint else { return Ok(()) };
        for index in 0..self.facts.identities.len() {
            let name = self.facts.identities[index].name.clone();
            let mut variables = Variables::from([("name".to_owned(), name)]);
            self.desk.perform(&errands.0, &mut variables).await.map_err(|error| self.errand(error))?;
            if let Some(token) = variables.remove("token") {
                self.facts.identities[index].token = token;
            }
        }
        self.desk.context = template::value(&self.facts);
        Ok(())
    }

    /// How one identity connects; `None` where nobody bears that name.
    pub fn connection(&self, identity: &str) -> Result<Option<Connection>, RenderError> {
        let Some(caller) = self.facts.identities.iter().find(|caller| caller.name == identity) else {
            return Ok(None);
        };
        let caller = template::value(caller);
        let text = |template: &template::Template| {
            let over = BTreeMap::from([("identity", caller.clone())]);
            self.desk.engine.render_over(&template.0, &self.desk.context, over)
        };
        let connect = &self.profile.connect;
        if let Some(url) = &connect.http {
            let headers = connect.headers.iter().map(|(name, value)| Ok((name.clone(), text(value)?)));
            let headers = headers.collect::<Result<_, RenderError>>()?;
            return Ok(Some(Connection::Http { url: text(url)?, headers }));
        }
        let (Some(Start::Command(start)), Some(lines)) = (&self.profile.start, &connect.stdio) else {
            return Ok(None);
        };
        let mut command = self.command(start)?;
        for (name, value) in &lines.environment {
            command.environment.retain(|(known, _)| known != name);
            command.environment.push((name.clone(), text(value)?));
        }
        Ok(Some(Connection::Stdio(command)))
    }

    fn command(&self, start: &StartCommand) -> Result<Command, RenderError> {
        let mut words = self.desk.texts(&start.command, &Variables::new())?.into_iter();
        Ok(Command {
            program: words.next().unwrap_or_default(),
            arguments: words.collect(),
            environment: self.desk.environment.clone(),
            folder: self.desk.folder.clone(),
        })
    }

    /// The profile that it runs by.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What its templates saw.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What its process printed last; nothing for one without a process of its own.
    pub fn last_words(&self) -> String {
        self.process.as_ref().map(Process::last_words).unwrap_or_default()
    }

    /// Whether it is still there, as far as can be known without speaking to it.
    pub fn lives(&mut self) -> bool {
        self.process.as_mut().is_none_or(Process::lives)
    }

    /// Ends it, and everything that it left behind.
    pub async fn stop(mut self) {
        self.end().await;
    }

    pub(super) async fn end(&mut self) {
        if let Some(process) = self.process.take() {
            process.end().await;
        }
        for pid in self.left_behind() {
            end_stranger(pid).await;
        }
    }

    fn left_behind(&self) -> Vec<Pid> {
        let Some(Start::Command(start)) = &self.profile.start else { return Vec::new() };
        let pid = |cleanup: &super::profile::Cleanup| {
            let path = self.desk.text(&cleanup.kill_pid_file, &Variables::new()).ok()?;
            pid_in(Path::new(&path), cleanup.pid.as_deref())
        };
        start.cleanup.0.iter().filter_map(pid).collect()
    }

    pub(super) fn desk(&self) -> &Desk {
        &self.desk
    }

    pub(super) fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    pub(super) fn take_facts(&mut self, facts: Facts) {
        self.desk.context = template::value(&facts);
        self.facts = facts;
    }

    fn io(&self, error: io::Error) -> StartError {
        StartError::Io { gateway: self.profile.gateway.clone(), error }
    }

    fn render(&self, error: RenderError) -> StartError {
        StartError::Render { gateway: self.profile.gateway.clone(), error }
    }

    fn errand(&self, error: ErrandError) -> StartError {
        match error {
            ErrandError::Absent { command } => self.no_command(command),
            error => StartError::Errand { gateway: self.profile.gateway.clone(), error },
        }
    }

    fn spawn(&self, command: &Command, error: io::Error) -> StartError {
        if error.kind() == io::ErrorKind::NotFound {
            self.no_command(command.program.clone())
        } else {
            self.io(error)
        }
    }

    fn no_command(&self, command: String) -> StartError {
        let Profile { gateway, install, .. } = &*self.profile;
        StartError::NoCommand { gateway: gateway.clone(), command, install: install.clone() }
    }
}

impl Drop for RunningGateway {
    fn drop(&mut self) {
        // After a panic or Ctrl-C nothing can be waited for, but nothing may stay either.
        drop(self.process.take());
        self.left_behind().into_iter().for_each(end_stranger_now);
    }
}

/// Writes a file within the gateway's folder, the whole of it at once: a gateway that watches sees old or new.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let fresh = path.with_added_extension("fresh");
    std::fs::write(&fresh, text)?;
    std::fs::rename(&fresh, path)
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::gateway::render::{Identity, Inputs, Upstream, render};

    /// A place in a fresh folder.
    pub(crate) fn place(folder: &Path) -> Place {
        let environment = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        Place { folder: folder.to_owned(), gauntlet: "gauntlet".to_owned(), environment }
    }

    /// Two identities before one server.
    pub(crate) fn inputs() -> Inputs {
        let identity =
            |name: &str| Identity { name: name.to_owned(), token: format!("token-{name}"), policy: None };
        let upstream = Upstream {
            name: "lab".to_owned(),
            url: "http://127.0.0.1:1/mcp".to_owned(),
            command: vec!["cat".to_owned()],
        };
        Inputs { upstreams: vec![upstream], identities: vec![identity("alice"), identity("bob")] }
    }

    /// A gateway by such a profile, started in a fresh folder; `{name: text}` are its templates.
    pub(crate) async fn started(
        yaml: &str,
        templates: &[(&str, &str)],
        folder: &Path,
    ) -> Result<RunningGateway, StartError> {
        let templates =
            templates.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let profile = Arc::new(Profile::read(&format!("gateway: scripted\n{yaml}"), templates).unwrap());
        let place = place(folder);
        let facts = Facts::of(&profile, inputs(), &place, (8001, 8002));
        let rendered = render(&profile, facts).unwrap();
        RunningGateway::start(profile, rendered, &place).await
    }

    /// A gateway that is no process, with these lines more in its profile.
    pub(crate) async fn attached(more: &str) -> (RunningGateway, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let yaml = format!("connect: {{http: 'http://127.0.0.1:1/mcp'}}\n{more}");
        let gateway = started(&yaml, &[], folder.path()).await.unwrap();
        (gateway, folder)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::*;
    use super::*;

    const ADDRESS: &str = "connect: {http: 'http://127.0.0.1:{{ port }}/mcp', headers: {Authorization: 'Bearer {{ identity.token }}'}}\n";

    #[tokio::test]
    async fn a_gateway_is_prepared_written_started_and_gone() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = format!(
            "{ADDRESS}prepare: [{{run: [sh, -c, 'mkdir deep; echo seed > deep/config']}}]\n\
             files: {{config: {{template: c.j2, name: deep/config}}}}\n\
             start:\n  command: [sh, -c, 'echo $HOME $MODE $(cat \"$0\") >&2; cat', '{{{{ files.config }}}}']\n  \
             environment: {{MODE: 'at-{{{{ port }}}}'}}\n  ready: {{line: 'at-8001 upstream lab'}}\n"
        );
        let mut gateway =
            started(&yaml, &[("c.j2", "upstream {{ upstreams[0].name }}")], folder.path()).await.unwrap();
        assert!(gateway.lives());
        assert!(
            gateway.last_words().starts_with(&folder.path().display().to_string()),
            "HOME is its own folder"
        );
        let bob = gateway.connection("bob").unwrap().unwrap();
        let headers = vec![("Authorization".to_owned(), "Bearer token-bob".to_owned())];
        assert_eq!(bob, Connection::Http { url: "http://127.0.0.1:8001/mcp".to_owned(), headers });
        assert_eq!(gateway.connection("carl").unwrap(), None);
        gateway.stop().await;
    }

    #[tokio::test]
    async fn a_gateway_that_fails_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = format!(
            "{ADDRESS}start: {{command: [sh, -c, 'echo bad policy >&2; exit 2'], ready: {{line: up}}}}\n"
        );
        let error = started(&yaml, &[], folder.path()).await.err().unwrap().to_string();
        assert_eq!(
            error,
            "`scripted` ended with exit status: 2 before it was ready; its last words:\nbad policy"
        );
        let yaml = format!("{ADDRESS}start: {{command: [cat], ready: {{line: up, within: 20ms}}}}\n");
        let error = started(&yaml, &[], folder.path()).await.err().unwrap().to_string();
        assert!(error.starts_with("`scripted` was not ready within 20ms"), "{error}");
    }

    #[tokio::test]
    async fn a_missing_command_says_how_to_install_it() {
        let folder = tempfile::tempdir().unwrap();
        let missing = "`scripted`\nhelp: install it: pip install scripted==1";
        for yaml in [
            format!(
                "{ADDRESS}install: pip install scripted==1\nstart: {{command: [no-such-gateway], ready: {{line: up}}}}\n"
            ),
            format!(
                "{ADDRESS}install: pip install scripted==1\nprepare: [{{run: [no-such-gateway, init]}}]\n"
            ),
        ] {
            let error = started(&yaml, &[], folder.path()).await.err().unwrap().to_string();
            assert!(error.ends_with(missing), "{error}");
        }
    }

    #[tokio::test]
    async fn on_stdio_each_identity_gets_a_process_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = "connect: {stdio: {environment: {TOKEN: '{{ identity.token }}'}}}\nstart: {command: [gate, --port, '{{ port }}']}\n";
        let gateway = started(yaml, &[], folder.path()).await.unwrap();
        let Some(Connection::Stdio(command)) = gateway.connection("alice").unwrap() else {
            panic!("no process")
        };
        assert_eq!(
            (&*command.program, &*command.arguments),
            ("gate", ["--port".to_owned(), "8001".to_owned()].as_slice())
        );
        assert!(command.environment.contains(&("TOKEN".to_owned(), "token-alice".to_owned())));
    }

    #[tokio::test]
    async fn a_gateway_may_make_the_credentials_itself() {
        let (gateway, _folder) = attached(
            "hooks: {mint: {run: [sh, -c, 'echo key=minted-{{ name }}'], save: {token: 'key=(.+)'}}}\n",
        )
        .await;
        assert_eq!(gateway.facts().identities[1].token, "minted-bob");
    }

    /// A script that leaves a process of another group behind and notes its id.
    const DAEMON: &str = "setsid sh -c \"echo '{\\\\\"pid\\\\\": '\\$\\$'}' > daemon.json; exec sleep 600\" >/dev/null 2>&1 </dev/null & until [ -s daemon.json ]; do :; done; echo up; cat";

    async fn with_daemon(folder: &Path) -> (RunningGateway, Pid) {
        let yaml = format!(
            "{ADDRESS}start:\n  command: [sh, -c, {}]\n  ready: {{line: up}}\n  cleanup: {{kill_pid_file: '{{{{ folder }}}}/daemon.json', pid: /pid}}\n",
            serde_json::to_string(&DAEMON.replace("\\\\\"", "\\\"")).unwrap()
        );
        let gateway = started(&yaml, &[], folder).await.unwrap();
        let pid = pid_in(&folder.join("daemon.json"), Some("/pid")).unwrap();
        (gateway, pid)
    }

    async fn gone(pid: Pid) {
        let stat = format!("/proc/{pid}/stat");
        let zombie = || std::fs::read_to_string(&stat).is_ok_and(|text| text.contains(") Z "));
        while nix::sys::signal::kill(pid, None).is_ok() && !zombie() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_daemon_that_stays_behind_is_ended_too() {
        let folder = tempfile::tempdir().unwrap();
        let (gateway, daemon) = with_daemon(folder.path()).await;
        gateway.stop().await;
        tokio::time::timeout(Duration::from_secs(10), gone(daemon)).await.unwrap();
        std::fs::remove_file(folder.path().join("daemon.json")).unwrap();
        let (gateway, daemon) = with_daemon(folder.path()).await;
        drop(gateway);
        tokio::time::timeout(Duration::from_secs(10), gone(daemon)).await.unwrap();
    }
}
