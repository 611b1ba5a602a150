//! What can be done to a gateway while it runs: another policy, a credential taken away, a restart, a clock turned on.

use super::errand::ErrandError;
use super::failure::StartError;
use super::profile::Change;
use super::render::{Caller, Facts, Identity, render};
use super::running::{RunningGateway, write};
use super::spoil::Spoil;
use super::stranger::notify;
use super::template::{RenderError, Variables};
use crate::transport::child::Departure;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Why a hook did nothing.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The profile has none of that kind.
    #[error("the profile of `{gateway}` has no `hooks.{hook}`")]
    None {
        /// The gateway.
        gateway: String,
        /// The hook.
        hook: &'static str,
    },
    /// A template.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A deed.
    #[error(transparent)]
    Errand(#[from] ErrandError),
    /// The start after the end.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The world around it.
    #[error("the change could not be made: {0}")]
    Io(#[from] io::Error),
}

/// Who has what from now on, and how the file that says so is broken on purpose.
struct Changed {
    identities: Vec<Caller>,
    spoil: Option<Spoil>,
    /// Whose credential goes.
    about: Option<Caller>,
}

impl RunningGateway {
    /// Gives it other policies; what comes back is how long that may take to be in force.
    pub async fn reload(
        &mut self,
        identities: Vec<Identity>,
        spoil: Option<Spoil>,
    ) -> Result<Duration, HookError> {
        let change = self.profile().hooks.reload.clone().ok_or_else(|| self.none("reload"))?;
        let identities = identities.into_iter().map(Caller::from).collect();
        let changed = Changed { identities, spoil, about: None };
        self.change(&change, changed, Variables::new()).await
    }

    /// Takes away one identity's credential.
    pub async fn revoke(&mut self, identity: &str) -> Result<Duration, HookError> {
        let change = self.profile().hooks.revoke.clone().ok_or_else(|| self.none("revoke"))?;
        let (gone, left) =
            self.facts().identities.iter().cloned().partition::<Vec<_>, _>(|caller| caller.name == identity);
        let left = Changed { identities: left, spoil: None, about: gone.into_iter().next() };
        self.change(&change, left, Variables::from([("name".to_owned(), identity.to_owned())])).await
    }

    async fn change(
        &mut self,
        change: &Change,
        changed: Changed,
        mut variables: Variables,
    ) -> Result<Duration, HookError> {
        let Changed { identities, spoil, about } = changed;
        let policy = identities.first().and_then(|caller| caller.policy.clone());
        let facts = Facts { identities, policy, ..self.facts().clone() };
        if let Some(key) = &change.rewrite {
            let mut rendered = render(self.profile(), facts.clone())?;
            if let Some(how) = spoil {
                rendered.spoil(how);
            }
            if let Some((name, Some(text))) = rendered.files.get(key) {
                write(&Path::new(&facts.folder).join(name), text)?;
            }
        }
        // Who was known stays known to the harness: a revoked credential is used on purpose afterwards.
        let known = self.facts().identities.iter();
        let gone = known.filter(|caller| !facts.identities.iter().any(|other| other.name == caller.name));
        let identities = facts.identities.iter().chain(gone).cloned().collect();
        self.take_facts(Facts { identities, ..facts });
        if let (Some(notice), Some(process)) = (change.signal, self.process()) {
            notify(process, notice)?;
        }
        match &about {
            Some(identity) => self.desk().about(identity).perform(&change.then.0, &mut variables).await?,
            None => self.desk().perform(&change.then.0, &mut variables).await?,
        };
        Ok(change.within.0)
    }

    /// Ends it and starts it again in the same folder, with the same ports and credentials; how it went meanwhile.
    pub async fn restart(&mut self) -> Result<Option<Departure>, HookError> {
        if !self.profile().restarts() {
            return Err(self.none("restart"));
        }
        #[cfg(unix)]
        let departure = self.depart().await;
        #[cfg(not(unix))]
        let departure = {
            self.end().await;
            None
        };
        self.launch().await?;
        Ok(departure)
    }

    /// Turns its clock on.
    pub async fn turn_clock(&self, by: Duration) -> Result<(), HookError> {
        let errands = self.profile().hooks.clock.as_ref().ok_or_else(|| self.none("clock"))?;
        let mut variables = Variables::from([("seconds".to_owned(), by.as_secs_f64().to_string())]);
        self.desk().perform(&errands.0, &mut variables).await?;
        Ok(())
    }

    fn none(&self, hook: &'static str) -> HookError {
        HookError::None { gateway: self.profile().gateway.clone(), hook }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::gateway::testing::{attached, started};

    const TEMPLATE: &str = "{% for identity in identities %}{{ identity.name }}={{ identity.policy.default if identity.policy else 'nothing' }} {% endfor %}";
    const SCRIPT: &str = "connect: {http: 'http://x'}\nfiles: {config: {template: c.j2, name: config}}\n\
        start:\n  command: [sh, -c, 'trap \"cp config seen\" HUP; echo x >> starts; echo up; while :; do sleep 0.1; done']\n  ready: {line: up}\n";

    fn identity(name: &str, default: &str) -> Identity {
        let policy = Some(serde_json::json!({"version": "1", "default": default}));
        Identity { name: name.to_owned(), token: "t".to_owned(), policy }
    }

    #[tokio::test]
    async fn a_reload_rewrites_and_gives_notice() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = format!(
            "{SCRIPT}hooks: {{reload: {{rewrite: config, signal: hup, within: 2s, then: {{run: [sh, -c, 'until [ -s seen ]; do :; done']}}}}}}\n"
        );
        let mut gateway = started(&yaml, &[("c.j2", TEMPLATE)], folder.path()).await.unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("config"), "alice=nothing bob=nothing ");
        let within =
            gateway.reload(vec![identity("alice", "allow"), identity("bob", "deny")], None).await.unwrap();
        assert_eq!(
            (within, &*read("config"), &*read("seen")),
            (Duration::from_secs(2), "alice=allow bob=deny ", "alice=allow bob=deny ")
        );
    }

    #[tokio::test]
    async fn a_revoked_identity_leaves_the_file_but_can_still_try() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = format!("{SCRIPT}hooks: {{revoke: {{rewrite: config}}}}\n");
        let mut gateway = started(&yaml, &[("c.j2", TEMPLATE)], folder.path()).await.unwrap();
        gateway.revoke("alice").await.unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("config")).unwrap(), "bob=nothing ");
        assert!(gateway.connection("alice").unwrap().is_some());
    }

    #[tokio::test]
    async fn a_restart_is_a_second_start_in_the_same_folder() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = format!("{SCRIPT}hooks: {{restart: {{}}}}\n");
        let mut gateway = started(&yaml, &[("c.j2", TEMPLATE)], folder.path()).await.unwrap();
        gateway.restart().await.unwrap();
        assert!(gateway.lives());
        assert_eq!(std::fs::read_to_string(folder.path().join("starts")).unwrap(), "x\nx\n");
    }

    #[tokio::test]
    async fn a_clock_is_turned_by_seconds_and_what_is_not_there_says_so() {
        let (mut gateway, folder) =
            attached("hooks: {clock: {run: [sh, -c, 'echo {{ seconds }} > clock']}}\n").await;
        gateway.turn_clock(Duration::from_millis(61_500)).await.unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("clock")).unwrap(), "61.5\n");
        let error = gateway.restart().await.unwrap_err().to_string();
        assert_eq!(error, "the profile of `scripted` has no `hooks.restart`");
    }
}
