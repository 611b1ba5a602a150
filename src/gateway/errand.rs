//! Small deeds that a profile asks for: a command, a request to the gateway's side door, a file to read; and what is
//! kept of their outcome.

use super::files::{names, read, shift};
use super::profile::{Errand, HttpErrand, Move};
use super::render::Caller;
use super::template::{self, Engine, RenderError, Template, Variables};
use crate::diagnostic::{printable_lines, printable_within};
use crate::transport::http_client::{HttpClient, Lost, Outgoing};
use minijinja::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

/// How long one deed may take.
const LONGEST: Duration = Duration::from_secs(60);
/// How large an answer may be.
const LARGEST: usize = 16 << 20;
/// How much of a command's complaint is told.
const COMPLAINT: usize = 600;
/// How much of an outcome is told.
const EXCERPT: usize = 200;

/// Why a deed failed.
#[derive(Debug, thiserror::Error)]
pub enum ErrandError {
    /// A template of it.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A command.
    #[error("the command `{command}` {why}")]
    Command {
        /// As it was run.
        command: String,
        /// A fragment.
        why: String,
    },
    /// A command that is not there.
    #[error("no command `{command}`")]
    Absent {
        /// The program.
        command: String,
    },
    /// A request.
    #[error("the request to {url} {why}")]
    Http {
        /// The address.
        url: String,
        /// A fragment.
        why: String,
    },
    /// A file.
    #[error("the file {path} cannot be read: {why}")]
    File {
        /// Its path.
        path: String,
        /// A fragment.
        why: String,
    },
    /// A file that was to be moved.
    #[error("the file {from} cannot be moved to {to}: {why}")]
    Move {
        /// Where it lies.
        from: String,
        /// Where it should go.
        to: String,
        /// A fragment.
        why: String,
    },
    /// What was sought in the outcome is not there.
    #[error("no `{name}` at `{sought}` in the outcome, which is {outcome}")]
    Missing {
        /// What it is called.
        name: String,
        /// Pointer or expression.
        sought: String,
        /// The beginning of it, printable, or that there is nothing.
        outcome: String,
    },
}

impl ErrandError {
    /// Something was sought in an outcome in vain.
    pub(super) fn missing(name: &str, sought: &str, outcome: &str) -> Self {
        Self::Missing { name: name.to_owned(), sought: sought.to_owned(), outcome: shown(outcome) }
    }
}

/// Where deeds are done: with which facts, in which folder, with which environment.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) engine: Engine,
    pub(super) context: Value,
    pub(super) folder: PathBuf,
    pub(super) environment: Vec<(String, String)>,
}

impl Desk {
    /// The same desk, for deeds that are about one identity.
    pub(super) fn about(&self, identity: &Caller) -> Self {
        let identity = BTreeMap::from([("identity", template::value(identity))]);
        Self { context: template::scope(&self.context, identity), ..self.clone() }
    }

    /// A text with the facts of the run and what was found so far.
    pub(super) fn text(&self, template: &Template, variables: &Variables) -> Result<String, RenderError> {
        self.engine.render(&template.0, &self.context, variables)
    }

    /// The words of a command.
    pub(super) fn words<'a>(
        &self,
        templates: impl IntoIterator<Item = &'a Template>,
        variables: &Variables,
    ) -> Result<Vec<String>, RenderError> {
        let words = |template: &Template| self.engine.words(&template.0, &self.context, variables);
        Ok(templates.into_iter().map(words).collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// Does all of it in order; what is found is added to `variables`, an answer for the agent's side comes back.
    pub(super) async fn perform(
        &self,
        errands: &[Errand],
        variables: &mut Variables,
    ) -> Result<Option<serde_json::Value>, ErrandError> {
        let mut answer = None;
        for errand in errands {
            let outcome = self.outcome(errand, variables).await?;
            self.keep(errand, &outcome, variables)?;
            if let Some(given) = &errand.answer {
                answer = Some(self.filled(given, variables)?);
            }
        }
        Ok(answer)
    }

    async fn outcome(&self, errand: &Errand, variables: &Variables) -> Result<String, ErrandError> {
        if !errand.run.is_empty() {
            return self.run(&self.words(&errand.run, variables)?).await;
        }
        if let Some(http) = &errand.http {
            return self.ask(http, variables).await;
        }
        if let Some(Move { from, to }) = &errand.moved {
            return shift(&self.text(from, variables)?, &self.text(to, variables)?).map(|()| String::new());
        }
        match (&errand.read, &errand.list) {
            (Some(path), _) => read(&self.text(path, variables)?),
            (None, Some(folder)) => names(&self.text(folder, variables)?),
            (None, None) => Ok(String::new()),
        }
    }

    /// A value whose texts are templates.
    fn filled(
        &self,
        value: &serde_json::Value,
        variables: &Variables,
    ) -> Result<serde_json::Value, RenderError> {
        use serde_json::Value;
        Ok(match value {
            Value::String(text) => Value::String(self.text(&Template(text.clone()), variables)?),
            Value::Array(values) => {
                values.iter().map(|one| self.filled(one, variables)).collect::<Result<_, _>>()?
            }
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, one)| Ok((name.clone(), self.filled(one, variables)?)))
                    .collect::<Result<_, RenderError>>()?,
            ),
            plain => plain.clone(),
        })
    }

    /// Runs a command to its end and gives what it printed.
    pub(super) async fn run(&self, command: &[String]) -> Result<String, ErrandError> {
        let fail = |why: String| ErrandError::Command { command: command.join(" "), why };
        let [program, arguments @ ..] = command else { return Err(fail("names no program".to_owned())) };
        let mut child = tokio::process::Command::new(program);
        child.args(arguments).env_clear().envs(self.environment.iter().cloned()).current_dir(&self.folder);
        child.stdin(Stdio::null()).kill_on_drop(true);
        let done = tokio::time::timeout(LONGEST, child.output()).await;
        let done =
            done.map_err(|_| fail(format!("did not end within {}", humantime::format_duration(LONGEST))))?;
        let done = done.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ErrandError::Absent { command: program.clone() },
            _ => fail(format!("cannot be run: {error}")),
        })?;
        if !done.status.success() {
            let complaint = printable_lines(String::from_utf8_lossy(&done.stderr).trim(), COMPLAINT);
            return Err(fail(format!("ended with {}: {complaint}", done.status)));
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Asks, and gives head and body as text.
    async fn ask(&self, errand: &HttpErrand, variables: &Variables) -> Result<String, ErrandError> {
        let url = self.text(&errand.url, variables)?;
        let fail = |why: String| ErrandError::Http { url: url.clone(), why };
        let method = errand.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
        let method = http::Method::from_bytes(method.as_bytes()).map_err(|error| fail(error.to_string()))?;
        let header = |(name, value): (&String, &Template)| Ok((name.clone(), self.text(value, variables)?));
        let headers = errand.headers.iter().map(header).collect::<Result<_, RenderError>>()?;
        let body = errand.body.as_ref().map(|body| self.text(body, variables)).transpose()?;
        let body = body.unwrap_or_default().into();
        let answer =
            tokio::time::timeout(LONGEST, whole(Outgoing { method, url: url.clone(), headers, body }));
        let late = || fail(format!("took longer than {}", humantime::format_duration(LONGEST)));
        let answer = answer.await.map_err(|_| late())?.map_err(|Lost(why)| fail(format!("failed: {why}")))?;
        let (status, text) = answer;
        if status >= 400 {
            let said = text.split_once("\r\n\r\n").map_or("", |(_, body)| body.trim());
            let said = if said.is_empty() { String::new() } else { format!(": {}", excerpt(said)) };
            return Err(fail(format!("was answered with {status}{said}")));
        }
        Ok(text)
    }

    fn keep(&self, errand: &Errand, outcome: &str, variables: &mut Variables) -> Result<(), ErrandError> {
        let id = errand.id.as_ref().map(|pointer| ("approval", pointer));
        let sought = errand.save.iter().map(|(name, sought)| (name.as_str(), sought)).chain(id);
        for (name, sought) in sought.collect::<Vec<_>>() {
            let sought = self.text(&Template(sought.clone()), variables)?;
            let missing = || ErrandError::missing(name, &sought, outcome);
            let found = find(outcome, &sought).ok_or_else(missing)?;
            variables.insert(name.to_owned(), found);
        }
        Ok(())
    }
}

/// Status, and head and body as one text.
async fn whole(outgoing: Outgoing) -> Result<(u16, String), Lost> {
    let answer = HttpClient::new().send(outgoing).await?;
    let status = answer.status;
    let head: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let body = answer.whole(LARGEST).await?;
    Ok((status, format!("{head}\r\n{}", String::from_utf8_lossy(&body))))
}

/// The beginning of an outcome, for a complaint.
fn shown(outcome: &str) -> String {
    // Of an HTTP answer the head says little.
    let body = outcome.split_once("\r\n\r\n").map_or(outcome, |(_, body)| body).trim();
    if body.is_empty() { "empty".to_owned() } else { format!("`{}`", excerpt(body)) }
}

fn excerpt(text: &str) -> String {
    printable_within(text, EXCERPT)
}

/// What a pointer or an expression finds in a text.
fn find(text: &str, sought: &str) -> Option<String> {
    if sought.starts_with('/') {
        // An HTTP answer has its head before the JSON.
        let body = text.split_once("\r\n\r\n").map_or(text, |(_, body)| body);
        let value: serde_json::Value = serde_json::from_str(body).ok()?;
        let found = value.pointer(sought)?;
        return Some(found.as_str().map_or_else(|| found.to_string(), ToOwned::to_owned));
    }
    let found = regex::Regex::new(sought).ok()?.captures(text)?;
    found.get(1).or_else(|| found.get(0)).map(|group| group.as_str().to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::gateway::template::value;
    use std::path::Path;

    fn desk(folder: &Path) -> Desk {
        Desk {
            engine: Engine::new(),
            context: value(serde_json::json!({"folder": folder.display().to_string()})),
            folder: folder.to_owned(),
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        }
    }

    fn errands(yaml: &str) -> Vec<Errand> {
        crate::source::typed(yaml).unwrap()
    }

    #[tokio::test]
    async fn what_one_deed_finds_the_next_can_use() {
        let folder = tempfile::tempdir().unwrap();
        let deeds = errands(
            "- {run: [sh, -c, 'echo \"[{\\\"id\\\": 7}]\"; echo on > said'], id: /0/id}\n\
             - {run: [sh, -c, 'echo \"state={{ approval }} $PWD\"'], save: {state: 'state=(\\d+)'}}\n\
             - {read: '{{ folder }}/said', save: {said: '\\w+'}}\n\
             - {answer: {action: accept}}\n",
        );
        let mut variables = Variables::new();
        let answer = desk(folder.path()).perform(&deeds, &mut variables).await.unwrap();
        assert_eq!(answer, Some(serde_json::json!({"action": "accept"})));
        assert_eq!((&*variables["approval"], &*variables["state"], &*variables["said"]), ("7", "7", "on"));
    }

    #[tokio::test]
    async fn a_request_is_read_with_its_head() {
        let server = wiremock::MockServer::start().await;
        let page = wiremock::ResponseTemplate::new(200)
            .insert_header("Set-Cookie", "s=1; Path=/")
            .set_body_string("{\"a\":{\"b\":\"x\"}}");
        wiremock::Mock::given(wiremock::matchers::path("/page")).respond_with(page).mount(&server).await;
        let get = format!(
            "[{{http: {{url: '{}/page'}}, save: {{cookie: '(?i)set-cookie: ([^;]+)', deep: /a/b}}}}]",
            server.uri()
        );
        let folder = tempfile::tempdir().unwrap();
        let mut variables = Variables::new();
        desk(folder.path()).perform(&errands(&get), &mut variables).await.unwrap();
        assert_eq!((&*variables["cookie"], &*variables["deep"]), ("s=1", "x"));
        let lost = errands(&format!("[{{http: {{url: '{}/none', method: post}}}}]", server.uri()));
        let error = desk(folder.path()).perform(&lost, &mut variables).await.unwrap_err();
        assert!(error.to_string().ends_with("was answered with 404"), "{error}");
    }

    #[tokio::test]
    async fn a_file_is_found_in_its_folder_and_moved() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("asked")).unwrap();
        std::fs::write(folder.path().join("asked/a-7.json"), "{}").unwrap();
        let deeds = errands(
            "- {list: '{{ folder }}/asked', save: {approval: '(?m)^(.+)\\.json$'}}\n\
             - {move: {from: '{{ folder }}/asked/{{ approval }}.json', to: '{{ folder }}/yes/{{ approval }}.json'}}\n\
             - {answer: {action: accept, content: {why: ['see {{ approval }}'], sure: true}}}\n",
        );
        let mut variables = Variables::new();
        let answer = desk(folder.path()).perform(&deeds, &mut variables).await.unwrap();
        assert!(
            folder.path().join("yes/a-7.json").exists() && !folder.path().join("asked/a-7.json").exists()
        );
        let said = serde_json::json!({"action": "accept", "content": {"why": ["see a-7"], "sure": true}});
        assert_eq!(answer, Some(said));
    }

    #[tokio::test]
    async fn a_deed_that_fails_says_which_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let fails = |yaml: &'static str| {
            let desk = desk(folder.path());
            async move { desk.perform(&errands(yaml), &mut Variables::new()).await.unwrap_err().to_string() }
        };
        assert!(
            fails("[{run: [sh, -c, 'echo no luck >&2; exit 3']}]").await.ends_with("exit status: 3: no luck")
        );
        assert_eq!(fails("[{run: [no-such-program-here]}]").await, "no command `no-such-program-here`");
        assert!(fails("[{read: /no/such/file}]").await.contains("cannot be read"));
        assert_eq!(
            fails("[{run: [sh, -c, 'echo {}'], save: {x: /y}}]").await,
            "no `x` at `/y` in the outcome, which is `{}`"
        );
        assert!(fails("[{run: ['{{ nothing }}']}]").await.contains("undefined"));
        assert_eq!(
            fails("[{move: {from: /no/such/file, to: /tmp/nowhere}}]").await,
            "the file /no/such/file cannot be moved to /tmp/nowhere: No such file or directory (os error 2)"
        );
    }
}
