//! Plays a script in front of a mock: the scripted gateway, whoever decides beside it, and the runner's judgement.

use crate::gateway::{Gateway, Lie};
use crate::over_http::serve_http;
use crate::over_lines::serve_lines;
use crate::script::{Script, Way};
use mcp_gauntlet::gateway::Profile;
use mcp_gauntlet::run::outcome::{CallOutcome, ScenarioOutcome, StepOutcome};
use mcp_gauntlet::run::{Beside, Contender, Pace, Setting, Wishes, plan, run};
use mcp_gauntlet::scenario;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// How one script is played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Play<'a> {
    pub(crate) script: &'a Path,
    pub(crate) way: Way,
    pub(crate) lie: Option<Lie>,
    pub(crate) scenario: &'a str,
    pub(crate) patience: Duration,
}

/// Long enough for a busy machine: only what never answers takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

impl<'a> Play<'a> {
    /// Plays it honestly.
    pub(crate) fn of(script: &'a Path, way: Way, scenario: &'a str) -> Self {
        Self { script, way, lie: None, scenario, patience: PATIENCE }
    }

    /// Plays it by a gateway that lies so.
    pub(crate) fn lying(self, lie: Lie) -> Self {
        Self { lie: Some(lie), ..self }
    }

    /// What came of it.
    pub(crate) async fn outcome(self) -> ScenarioOutcome {
        let door = Door::default();
        let server = door.open().await;
        self.judged(&door, &server.uri(), |script| script).await
    }

    /// The same with a script that is changed first, and a door that somebody else opened.
    pub(crate) async fn judged(
        self,
        door: &Door,
        address: &str,
        change: impl Fn(Script) -> Script,
    ) -> ScenarioOutcome {
        let script = change(Script::read(self.script, address));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let text = script.profile(self.way, &listener.local_addr().unwrap().to_string());
        let profile = Profile::read("profile.yaml", &text, BTreeMap::new())
            .unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
        let gateway = Arc::new(Gateway::new(script, self.lie));
        // One door for each play.
        assert!(door.0.set(gateway.clone()).is_ok());
        let stop = CancellationToken::new();
        let serving = match self.way {
            Way::Http => tokio::spawn(serve_http(listener, gateway, stop.clone())),
            Way::Stdio => tokio::spawn(serve_lines(listener, gateway, stop.clone())),
        };
        let outcome = self.run(profile).await;
        stop.cancel();
        serving.await.unwrap();
        outcome
    }

    async fn run(&self, profile: Profile) -> ScenarioOutcome {
        let scenario = scenario::read(self.scenario, "scenario.yaml");
        let scenario = scenario.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
        let contender = Contender { name: "scripted".to_owned(), profile: Arc::new(profile), flaw: None };
        let setting = Setting {
            patience: self.patience,
            program: env!("CARGO_BIN_EXE_gauntlet").to_owned(),
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            remote: None,
            beside: Beside::default(),
        };
        let entries = plan(&[Arc::new(scenario)], &[Arc::new(contender)], &Wishes::default());
        let mut ran = run(&entries, &setting, &Pace::of(1), |_| {}).await;
        assert!(ran.world.is_empty(), "{:?}", ran.world);
        ran.outcome.scenarios.remove(0)
    }
}

/// The steps of an outcome in a few lines, for whoever reads why an assertion failed.
pub(crate) fn story(outcome: &ScenarioOutcome) -> String {
    let line = |step: &StepOutcome| {
        let (met, answers) =
            (if step.met { "met" } else { "UNMET" }, step.calls.iter().map(|call| &call.answer));
        let answers: Vec<_> = answers.collect();
        format!(
            "{met} {}: expected {}, was {} {:?} {answers:?}\n",
            step.name, step.expected, step.was, step.notes
        )
    };
    let steps: String = outcome.steps.iter().map(line).collect();
    format!("{:?} {:?}\n{steps}unexplained: {:?}", outcome.status, outcome.why, outcome.unexplained)
}

/// The last call of an outcome.
pub(crate) fn last_call(outcome: &ScenarioOutcome) -> &CallOutcome {
    let calls = outcome.steps.iter().flat_map(|step| &step.calls);
    calls.last().unwrap_or_else(|| panic!("no call was made: {}", story(outcome)))
}

/// The approver's own door: it lists what waits, takes decisions, and is what an address to open leads to.
#[derive(Clone, Default)]
pub(crate) struct Door(Arc<OnceLock<Arc<Gateway>>>);

impl Door {
    pub(crate) async fn open(&self) -> MockServer {
        let server = MockServer::start().await;
        let decision = path_regex("^/approvals/[a-z0-9-]+/(approve|reject)$");
        Mock::given(method("POST")).and(decision).respond_with(self.clone()).mount(&server).await;
        Mock::given(method("GET")).and(path("/approvals")).respond_with(self.clone()).mount(&server).await;
        server
    }
}

impl Respond for Door {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let gateway = self.0.get().expect("the gateway is there before its door is used");
        match request.url.path().split('/').collect::<Vec<_>>().as_slice() {
            [_, "approvals"] => {
                let waiting: Vec<_> =
                    gateway.waiting().iter().map(|id| serde_json::json!({"id": id})).collect();
                ResponseTemplate::new(200).set_body_json(waiting)
            }
            [_, "approvals", id, word] if gateway.decide(id, *word == "approve") => {
                ResponseTemplate::new(204)
            }
            _ => ResponseTemplate::new(404).set_body_string("no such approval"),
        }
    }
}
