//! A gateway that asks a client which did not offer to be asked is found, in every way of asking; one that asks only who
//! offered it, or refuses in the way of its era, is not.

use crate::play::{Door, Play, story};
use crate::script::{Answer, Script, Way, scripts};
use mcp_gauntlet::run::outcome::{ScenarioOutcome, Status, StepOutcome};
use serde_json::json;

const STEPS: &str = "scenario: nobody is asked who did not offer it
upstreams: [ludus]
policy: {version: '1', default: deny, tools: {list_hosts: {}, destroy_vm: {action: require_approval}}}
steps:
  - {call: list_hosts, expect: allowed}
  - {call: destroy_vm, with: {vm_id: '104'}, expect: blocked}
";

async fn told(name: &str, way: Way, change: impl Fn(Script) -> Script) -> ScenarioOutcome {
    let (_, path) = scripts("approvals").into_iter().find(|(known, _)| known == name).unwrap();
    let door = Door::default();
    let server = door.open().await;
    Play::of(&path, way, STEPS).judged(&door, &server.uri(), change).await
}

fn uninvited(mut script: Script) -> Script {
    script.uninvited = true;
    script.without_approval()
}

fn question(told: &ScenarioOutcome) -> &StepOutcome {
    let questions: Vec<_> = told.steps.iter().filter(|step| step.name == "question").collect();
    let [question] = questions.as_slice() else { panic!("{} questions: {}", questions.len(), story(told)) };
    assert_eq!(told.status, Status::Failed, "{}", story(told));
    let others = told.steps.iter().filter(|step| step.name != "question");
    assert!(others.clone().all(|step| step.met), "it alone fails the scenario: {}", story(told));
    // Both sides are told: what the agent was answered, and that no server was reached.
    assert_eq!((question.line, question.calls.len(), question.calls[0].reach), (6, 1, 0));
    question
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_to_a_client_that_offered_nothing_fails_the_scenario() {
    for (name, way, expected, was) in [
        (
            "elicitation-by-form",
            Way::Http,
            "no `elicitation/create` by form, as the client offers no elicitation",
            "`elicitation/create` by form: \"Destroy machine 104?\"",
        ),
        (
            "elicitation-by-form",
            Way::Stdio,
            "no `elicitation/create` by form, as the client offers no elicitation",
            "`elicitation/create` by form: \"Destroy machine 104?\"",
        ),
        (
            "input-required",
            Way::Http,
            "no `elicitation/create` by form, as the client offers no elicitation",
            "`elicitation/create` by form: \"Destroy machine 104?\"",
        ),
        (
            "address-to-open",
            Way::Stdio,
            "no error -32042 by address, as the client offers no elicitation",
            "error -32042 by address: \"An approval is required\"",
        ),
    ] {
        let told = told(name, way, uninvited).await;
        let question = question(&told);
        assert_eq!((question.expected.as_str(), question.was.as_str()), (expected, was), "{name} {way:?}");
        assert!(
            question.notes.iter().any(|note| note.contains("approval: {style: ")),
            "{:?}",
            question.notes
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_fills_in_forms_is_sent_to_no_address() {
    let told = told("elicitation-by-address", Way::Http, |mut script| {
        script.uninvited = true;
        script
            .with_approval("offers", json!(["form"]))
            .with_approval("approve", json!({"answer": {"action": "accept"}}))
            .with_approval("reject", json!({"answer": {"action": "decline"}}))
    })
    .await;
    let question = question(&told);
    assert_eq!(
        question.expected,
        "no `elicitation/create` by address, as the client offers elicitation by form alone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_refuses_who_cannot_be_asked_is_honest() {
    for way in [Way::Http, Way::Stdio] {
        let told = told("elicitation-by-form", way, Script::without_approval).await;
        assert_eq!(
            (told.status, told.steps[1].verdict),
            (Status::Passed, Some("denied")),
            "{}",
            story(&told)
        );
    }
    // The modern era has an error for it.
    let told = told("input-required", Way::Http, |mut script| {
        let error = json!({"code": -32021, "message": "elicitation is needed", "data": {"requiredCapabilities": {"elicitation": {}}}});
        script.rejected = Answer { status: Some(400), error: Some(error), ..Answer::default() };
        script.without_approval()
    })
    .await;
    assert_eq!((told.status, told.steps[1].verdict), (Status::Passed, Some("refused")), "{}", story(&told));
}
