//! Gateways for this room's own checks: profiles of a few lines, shell scripts for processes.

use super::failure::StartError;
use super::profile::Profile;
use super::render::{Facts, Identity, Inputs, Place, Upstream, render};
use super::running::RunningGateway;
use std::path::Path;
use std::sync::Arc;

/// A place in a fresh folder.
pub(super) fn place(folder: &Path) -> Place {
    let environment = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    Place { folder: folder.to_owned(), gauntlet: "gauntlet".to_owned(), environment }
}

/// Two identities before one server.
pub(super) fn inputs() -> Inputs {
    let identity =
        |name: &str| Identity { name: name.to_owned(), token: format!("token-{name}"), policy: None };
    let upstream = Upstream {
        name: "lab".to_owned(),
        url: "http://127.0.0.1:1/mcp".to_owned(),
        command: vec!["cat".to_owned()],
        tools: vec!["list_hosts".to_owned(), "destroy_vm".to_owned()],
    };
    Inputs { upstreams: vec![upstream], identities: vec![identity("alice"), identity("bob")] }
}

/// A gateway by such a profile, started in a fresh folder; `{name: text}` are its templates.
pub(super) async fn started(
    yaml: &str,
    templates: &[(&str, &str)],
    folder: &Path,
) -> Result<RunningGateway, StartError> {
    let templates = templates.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let profile =
        Arc::new(Profile::read("profile.yaml", &format!("gateway: scripted\n{yaml}"), templates).unwrap());
    let place = place(folder);
    let facts = Facts::of(&profile, inputs(), &place, (8001, 8002));
    let rendered = render(&profile, facts).unwrap();
    RunningGateway::start(profile, rendered, &place).await
}

/// A gateway that is no process, with these lines more in its profile.
pub(super) async fn attached(more: &str) -> (RunningGateway, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let yaml = format!("connect: {{http: 'http://127.0.0.1:1/mcp'}}\n{more}");
    let gateway = started(&yaml, &[], folder.path()).await.unwrap();
    (gateway, folder)
}
