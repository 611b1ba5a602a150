//! A gateway that runs: prepared, its files written, started, ready, and ended with all that it left.

use super::errand::Desk;
use super::failure::{Failure, StartError};
use super::launch::{Sign, Unready, ready};
use super::profile::{Cleanup, Profile, Ready, Start};
use super::render::{Facts, Place, Rendered};
use super::stranger::Stranger;
use super::template::{self, Engine, RenderError, Variables};
use crate::transport::Child;
use crate::transport::child::{Departure, Talk};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a gateway may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// A device that takes nothing, as a full disk does: Linux has it.
pub(super) const FULL: &str = "/dev/full";

/// A gateway under test that can be spoken to.
pub struct RunningGateway {
    profile: Arc<Profile>,
    facts: Facts,
    desk: Desk,
    process: Option<Child>,
}

impl RunningGateway {
    /// Starts a gateway with its rendered files and waits until it may be spoken to.
    pub async fn start(profile: Arc<Profile>, rendered: Rendered, place: &Place) -> Result<Self, StartError> {
        let Rendered { facts, files, full } = rendered;
        let mut gateway = Self::attached(profile, facts, place)?;
        let started = async {
            std::fs::create_dir_all(&place.folder)?;
            let prepared = gateway.desk.perform(&gateway.profile.prepare, &mut Variables::new()).await;
            prepared.map_err(|why| Failure::Errand { member: "prepare", why })?;
            for (name, text) in files.values().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
                write(&place.folder.join(name), text)?;
            }
            if full {
                gateway.fill_record()?;
            }
            gateway.start_process().await?;
            gateway.mint().await
        };
        match started.await {
            Ok(()) => Ok(gateway),
            Err(why) => Err(gateway.failed(why)),
        }
    }

    /// A gateway that somebody else runs: only what its profile says of connecting, reading and deciding is used.
    pub fn attached(profile: Arc<Profile>, facts: Facts, place: &Place) -> Result<Self, StartError> {
        let (engine, context) = (Engine::new(), template::value(&facts));
        let environment = environment(&profile, &engine, &context, place);
        let environment = environment
            .map_err(|error| StartError { gateway: profile.gateway.clone(), why: error.into() })?;
        let desk = Desk { engine, context, folder: place.folder.clone(), environment };
        Ok(Self { profile, facts, desk, process: None })
    }

    /// Puts a file that takes nothing in the place of its record.
    fn fill_record(&self) -> Result<(), Failure> {
        let Some(file) = self.profile.audit.as_ref().and_then(|source| source.file.as_ref()) else {
            return Ok(());
        };
        let path = self.desk.folder.join(self.desk.text(file, &Variables::new())?);
        #[cfg(unix)]
        std::os::unix::fs::symlink(FULL, path)?;
        #[cfg(not(unix))]
        let _ = path;
        Ok(())
    }

    /// Starts it again after an end.
    pub(super) async fn launch(&mut self) -> Result<(), StartError> {
        self.start_process().await.map_err(|why| self.failed(why))
    }

    /// Starts the process, if this gateway is one that stands by itself.
    async fn start_process(&mut self) -> Result<(), Failure> {
        let profile = self.profile.clone();
        let Some(Start::Command(start)) = profile.start.as_ref().filter(|_| !profile.speaks_lines()) else {
            return Ok(());
        };
        let Some(signs) = &start.ready else { return Ok(()) };
        let sign = self.sign(signs)?;
        let process = self.process.insert(Child::spawn(&self.command(start)?, Talk::Words)?);
        let within = signs.within.0;
        ready(process, &sign, within).await.map_err(|unready| {
            let last_words = process.last_words();
            match unready {
                Unready::Ended(status) => Failure::Ended { status, last_words },
                Unready::Late => Failure::Late { within, last_words },
                Unready::Distrusted(why) => Failure::Distrusted(why),
            }
        })
    }

    fn sign(&self, signs: &Ready) -> Result<Sign, RenderError> {
        match (&signs.http, &signs.line) {
            (None, Some(line)) => Ok(Sign::Prints(line.clone())),
            (url, _) => {
                Ok(Sign::Answers(self.desk.text(&url.clone().unwrap_or_default(), &Variables::new())?))
            }
        }
    }

    /// Gets a credential for each identity, where the gateway makes them itself.
    async fn mint(&mut self) -> Result<(), Failure> {
        let Some(errands) = &self.profile.hooks.mint else { return Ok(()) };
        for caller in &mut self.facts.identities {
            let mut variables = Variables::from([("name".to_owned(), caller.name.clone())]);
            let made = self.desk.about(caller).perform(&errands.0, &mut variables).await;
            made.map_err(|why| Failure::Errand { member: "hooks.mint", why })?;
            caller.token = variables.remove("token").unwrap_or_else(|| std::mem::take(&mut caller.token));
        }
        self.desk.context = template::value(&self.facts);
        Ok(())
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
        self.process.as_ref().map(Child::last_words).unwrap_or_default()
    }

    /// Whether it is still there, as far as can be known without speaking to it.
    pub fn lives(&mut self) -> bool {
        self.process.as_mut().is_none_or(|process| process.ended().is_none())
    }

    /// Ends it, and everything that it left behind.
    pub async fn stop(mut self) {
        self.end().await;
    }

    pub(super) async fn end(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop(GRACE).await;
        }
        for stranger in self.left_behind() {
            stranger.end().await;
        }
    }

    /// Asks its process to end, and says how it went: nothing for one without a process of its own. Then it is gone.
    #[cfg(unix)]
    pub(super) async fn depart(&mut self) -> Option<Departure> {
        let departure = match self.process.take() {
            Some(process) => Some(process.depart(GRACE).await),
            None => None,
        };
        self.end().await;
        departure
    }

    /// The daemons that the profile knows of.
    fn left_behind(&self) -> Vec<Stranger> {
        let Some(Start::Command(start)) = &self.profile.start else { return Vec::new() };
        let named = |cleanup: &Cleanup| {
            let path = self.desk.text(&cleanup.kill_pid_file, &Variables::new()).ok()?;
            Stranger::named_in(Path::new(&path), cleanup.pid.as_deref())
        };
        start.cleanup.0.iter().filter_map(named).collect()
    }

    pub(super) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Its process's number.
    pub(super) fn process(&self) -> Option<u32> {
        self.process.as_ref().map(Child::pid)
    }

    pub(super) fn take_facts(&mut self, facts: Facts) {
        self.desk.context = template::value(&facts);
        self.facts = facts;
    }

    /// That it could not be started, and why, with the way to install what is missing.
    pub fn failed(&self, why: Failure) -> StartError {
        let Profile { gateway, install, .. } = &*self.profile;
        StartError { gateway: gateway.clone(), why: why.with_help(install.as_ref()) }
    }
}

impl Drop for RunningGateway {
    fn drop(&mut self) {
        // After a panic or Ctrl-C nothing can be waited for, but nothing may stay either.
        drop(self.process.take());
        self.left_behind().into_iter().for_each(Stranger::end_now);
    }
}

/// The environment of everything that is started for a gateway: whatever it keeps, it keeps in its own folder.
fn environment(
    profile: &Profile,
    engine: &Engine,
    context: &minijinja::Value,
    place: &Place,
) -> Result<Vec<(String, String)>, RenderError> {
    let mut environment: BTreeMap<String, String> = place.environment.iter().cloned().collect();
    environment.insert("HOME".to_owned(), place.folder.display().to_string());
    if let Some(Start::Command(start)) = &profile.start {
        for (name, text) in &start.environment {
            environment.insert(name.clone(), engine.render(&text.0, context, &Variables::new())?);
        }
    }
    Ok(environment.into_iter().collect())
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

#[cfg(all(test, unix))]
mod tests {
    use crate::gateway::testing::{attached, started};

    const ADDRESS: &str = "connect: {http: 'http://127.0.0.1:{{ port }}/mcp'}\n";

    #[tokio::test]
    async fn a_gateway_is_prepared_written_started_and_gone() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = format!(
            "{ADDRESS}prepare: [{{run: [sh, -c, 'mkdir deep; echo seed > deep/config']}}]\n\
             files: {{config: {{template: c.j2, name: deep/config}}}}\n\
             start:\n  command: [sh, -c, 'echo $HOME $MODE $(cat \"$0\") >&2; sleep 600', '{{{{ files.config }}}}']\n  \
             environment: {{MODE: 'at-{{{{ port }}}}'}}\n  ready: {{line: 'at-8001 upstream lab'}}\n"
        );
        let templates = [("c.j2", "upstream {{ upstreams[0].name }}")];
        let mut gateway = started(&yaml, &templates, folder.path()).await.unwrap();
        assert!(gateway.lives());
        assert!(
            gateway.last_words().starts_with(&folder.path().display().to_string()),
            "HOME is its own folder"
        );
        gateway.stop().await;
    }

    #[tokio::test]
    async fn a_gateway_that_fails_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let told = async |start: &str| {
            started(&format!("{ADDRESS}start: {start}\n"), &[], folder.path())
                .await
                .err()
                .unwrap()
                .to_string()
        };
        let ended = told("{command: [sh, -c, 'echo bad policy >&2; exit 2'], ready: {line: up}}").await;
        assert_eq!(
            ended,
            "gateway `scripted` ended with exit status: 2 before it was ready; its last words:\nbad policy"
        );
        let late = told("{command: [sleep, '600'], ready: {line: up, within: 20ms}}").await;
        assert!(late.starts_with("gateway `scripted` was not ready within 20ms"), "{late}");
    }

    #[tokio::test]
    async fn a_missing_command_says_how_to_install_it() {
        let folder = tempfile::tempdir().unwrap();
        for deed in ["start: {command: [gate], ready: {line: up}}", "prepare: [{run: [gate, init]}]"] {
            let yaml = format!("{ADDRESS}install: pip install gate==1\n{deed}\n");
            let error = started(&yaml, &[], folder.path()).await.err().unwrap().to_string();
            assert_eq!(
                error,
                "gateway `scripted` needs the command `gate`, which is not found\nhelp: install it: pip install gate==1"
            );
        }
    }

    #[tokio::test]
    async fn a_gateway_may_make_the_credentials_itself() {
        let mint = "hooks: {mint: {run: [sh, -c, 'echo key=minted-{{ identity.name }}-{{ name }}'], save: {token: 'key=(.+)'}}}\n";
        let (gateway, _folder) = attached(mint).await;
        assert_eq!(gateway.facts().identities[1].token, "minted-bob-bob");
    }

    #[tokio::test]
    async fn what_a_hook_asks_for_in_vain_is_told_by_name_and_member() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = format!("{ADDRESS}hooks: {{mint: {{run: [echo, '{{{{ idntity.name }}}}']}}}}\n");
        let error = started(&yaml, &[], folder.path()).await.err().unwrap().to_string();
        assert_eq!(
            error,
            "gateway `scripted` could not be prepared by `hooks.mint`: `idntity` is undefined; did you mean `identity`? \
             known here: `bearer`, `files`, `folder`, `gauntlet`, `identities`, `identity`, `name`, `policy`, `port`, \
             `secret`, `side_port`, `upstreams`"
        );
    }

    /// Leaves a process of another session behind and notes its number.
    const DAEMON: &str = r#"setsid sh -c 'echo "{\"pid\": $$}" > daemon.json; exec sleep 600' >/dev/null 2>&1 </dev/null &
        until [ -s daemon.json ]; do :; done; echo up; sleep 600"#;

    #[tokio::test]
    async fn a_daemon_that_stays_behind_is_ended_too() {
        let script = serde_json::to_string(DAEMON).unwrap();
        let yaml = format!(
            "{ADDRESS}start:\n  command: [sh, -c, {script}]\n  ready: {{line: up}}\n  \
             cleanup: {{kill_pid_file: '{{{{ folder }}}}/daemon.json', pid: /pid}}\n"
        );
        for orderly in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let gateway = started(&yaml, &[], folder.path()).await.unwrap();
            let [daemon] = gateway.left_behind()[..] else { panic!("no daemon") };
            assert!(daemon.lives());
            if orderly {
                gateway.stop().await;
            } else {
                drop(gateway);
            }
            // A signal that cannot be caught takes effect soon, not at once.
            while daemon.lives() {
                tokio::task::yield_now().await;
            }
        }
    }
}
