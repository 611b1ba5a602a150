//! How an agent gets to a gateway: by an address, or by a process of its own.

use super::profile::{Start, StartCommand};
use super::running::RunningGateway;
use super::template::{self, RenderError, Template, Variables};
use crate::transport::child::Command;
use std::collections::BTreeMap;

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

impl RunningGateway {
    /// How one identity connects; `None` where nobody bears that name.
    pub fn connection(&self, identity: &str) -> Result<Option<Connection>, RenderError> {
        let Some(caller) = self.facts().identities.iter().find(|caller| caller.name == identity) else {
            return Ok(None);
        };
        let caller = template::value(caller);
        let text = |template: &Template| {
            let over = BTreeMap::from([("identity", caller.clone())]);
            self.desk().engine.render_over(&template.0, &self.desk().context, over)
        };
        let connect = &self.profile().connect;
        if let Some(url) = &connect.http {
            let headers = connect.headers.iter().map(|(name, value)| Ok((name.clone(), text(value)?)));
            let headers = headers.collect::<Result<_, RenderError>>()?;
            return Ok(Some(Connection::Http { url: text(url)?, headers }));
        }
        let (Some(Start::Command(start)), Some(lines)) = (&self.profile().start, &connect.stdio) else {
            return Ok(None);
        };
        let mut command = self.command(start)?;
        for (name, value) in &lines.environment {
            command.environment.retain(|(known, _)| known != name);
            command.environment.push((name.clone(), text(value)?));
        }
        Ok(Some(Connection::Stdio(command)))
    }

    /// The gateway's own process, not yet started.
    pub(super) fn command(&self, start: &StartCommand) -> Result<Command, RenderError> {
        let mut words = self.desk().words(&start.command, &Variables::new())?.into_iter();
        Ok(Command {
            program: words.next().unwrap_or_default(),
            arguments: words.collect(),
            environment: self.desk().environment.clone(),
            folder: self.desk().folder.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::testing::started;

    #[tokio::test]
    async fn each_identity_has_headers_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = "connect: {http: 'http://127.0.0.1:{{ port }}/mcp', headers: {Authorization: 'Bearer {{ identity.token }}'}}\n";
        let gateway = started(yaml, &[], folder.path()).await.unwrap();
        let headers = vec![("Authorization".to_owned(), "Bearer token-bob".to_owned())];
        let url = "http://127.0.0.1:8001/mcp".to_owned();
        assert_eq!(gateway.connection("bob").unwrap(), Some(Connection::Http { url, headers }));
        assert_eq!(gateway.connection("carl").unwrap(), None);
    }

    #[tokio::test]
    async fn on_stdio_each_identity_has_a_process_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let yaml = "connect: {stdio: {environment: {TOKEN: '{{ identity.token }}'}}}\nstart: {command: [gate, --port, '{{ port }}']}\n";
        let gateway = started(yaml, &[], folder.path()).await.unwrap();
        let Some(Connection::Stdio(command)) = gateway.connection("alice").unwrap() else {
            panic!("no process")
        };
        assert_eq!((&*command.program, &*command.arguments.join(" ")), ("gate", "--port 8001"));
        assert!(command.environment.contains(&("TOKEN".to_owned(), "token-alice".to_owned())));
    }
}
