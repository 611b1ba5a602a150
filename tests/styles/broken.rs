//! Approvals that do not work: each ends in time, and says what failed in words that lead to the mend.

use crate::play::{Door, Play, last_call, story};
use crate::script::{Script, Way, scripts};
use mcp_gauntlet::run::outcome::{ScenarioOutcome, Status};
use serde_json::json;
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

const HEAD: &str = "scenario: an approval that does not work
upstreams: [ludus]
policy: {version: '1', default: deny, tools: {list_hosts: {}, destroy_vm: {action: require_approval}}}
steps:
  - {call: list_hosts, expect: allowed}
";
const APPROVED: &str = "  - {call: destroy_vm, with: {vm_id: '104'}, approver: approves, expect: allowed}\n";
const BY_HAND: &str = "  - {call: destroy_vm, with: {vm_id: '104'}, as: ask, expect: pending}
  - decide: {ask: approve}
  - {settle: ask, expect: allowed}
";

async fn told(name: &str, steps: &str, change: impl Fn(Script) -> Script) -> ScenarioOutcome {
    let door = Door::default();
    let server = door.open().await;
    let told = told_by(name, steps, (&door, &server), change).await;
    assert_eq!(told.status, Status::Failed, "{}", story(&told));
    told
}

async fn told_by(
    name: &str,
    steps: &str,
    (door, server): (&Door, &MockServer),
    change: impl Fn(Script) -> Script,
) -> ScenarioOutcome {
    let (_, path) = scripts("approvals").into_iter().find(|(known, _)| known == name).unwrap();
    let scenario = format!("{HEAD}{steps}");
    Play::of(&path, Way::Http, &scenario).judged(door, &server.uri(), change).await
}

fn why(told: &ScenarioOutcome) -> &str {
    let step = told.steps.iter().find(|step| !step.met).unwrap();
    assert_eq!(step.expected, "a step that can be done", "{}", story(told));
    &step.was
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_fails_is_told_with_its_words_and_the_part_of_the_profile() {
    let (door, server) = (Door::default(), MockServer::start().await);
    let broken = ResponseTemplate::new(500).set_body_string("the database is \u{1b}[31mlocked");
    Mock::given(method("POST")).and(path_regex("/approve$")).respond_with(broken).mount(&server).await;
    let told = told_by("retry-id-in-data", APPROVED, (&door, &server), |script| script).await;
    assert_eq!(
        why(&told),
        format!(
            "the decision could not be made: the request to {}/approvals/a-0001/approve was answered with 500: \
             the database is \\u{{1b}}[31mlocked (`approval.approve` of the profile)",
            server.uri()
        )
    );
    // By hand it is a remark where it happened, and where it is missed.
    let door = Door::default();
    let told = told_by("retry-id-in-data", BY_HAND, (&door, &server), |script| script).await;
    assert_eq!(
        (told.status, last_call(&told).verdict),
        (Status::Inconclusive, "pending"),
        "{}",
        story(&told)
    );
    for step in &told.steps[2..] {
        assert!(
            step.notes[0].starts_with("the decision was not taken: the decision could not be made"),
            "{:?}",
            step.notes
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_missing_from_the_listing_is_told_with_what_was_listed() {
    let find = json!({"run": ["echo", "[{\"uuid\": \"a-0001\"}]"], "id": "/0/id"});
    let told = told("retry-listed-over-http", APPROVED, |script| {
        script.with_approval("find", find.clone()).with_approval("within", json!("50ms"))
    })
    .await;
    assert_eq!(
        why(&told),
        "nothing that waits for a decision was found within 50ms: no `approval` at `/0/id` in the outcome, which is \
         `[{\"uuid\": \"a-0001\"}]` (`approval.find` of the profile)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_and_a_command_that_is_not_are_told() {
    let nowhere =
        json!({"move": {"from": "{{ folder }}/none/{{ approval }}.json", "to": "{{ folder }}/said/x"}});
    let gone =
        told("retry-hash-in-text", APPROVED, |script| script.with_approval("approve", nowhere.clone())).await;
    let gone = why(&gone);
    assert!(
        gone.contains("/none/a-0001.json cannot be moved to ") && gone.contains("`approval.approve`"),
        "{gone}"
    );
    let absent = json!({"run": ["no-such-approver", "{{ approval }}"]});
    let told =
        told("retry-id-in-text", APPROVED, |script| script.with_approval("approve", absent.clone())).await;
    assert_eq!(
        why(&told),
        "the decision could not be made: no command `no-such-approver` (`approval.approve` of the profile)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_run_is_in_no_complaint() {
    let tell = json!({"run": ["sh", "-c", "echo no luck with $0 >&2; exit 3", "{{ secret }}{{ identities[0].token }}"]});
    let told =
        told("retry-id-in-text", APPROVED, |script| script.with_approval("approve", tell.clone())).await;
    let why = why(&told);
    assert!(why.contains("no luck with [SECRET][SECRET] (`approval.approve` of the profile)"), "{why}");
    assert_eq!(why.matches("[SECRET]").count(), 4, "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_that_never_comes_is_told() {
    let told = told("address-to-open-announced", APPROVED, |script| {
        script.with_approval("approve", json!({"run": ["true"]})).with_approval("within", json!("50ms"))
    })
    .await;
    assert_eq!(
        why(&told),
        "`notifications/elicitation/complete` for `a-0001` did not come within 50ms of the decision \
         (`approval.announces` of the profile)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_asks_for_ever_is_pending() {
    for name in ["elicitation-asked-twice", "input-required-twice"] {
        let told = told(name, APPROVED, |mut script| {
            script.rounds = usize::MAX;
            script
        })
        .await;
        assert_eq!((last_call(&told).verdict, last_call(&told).reach), ("pending", 0), "{}", story(&told));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_without_effect_is_pending_and_no_second_one_is_given() {
    let told = told("retry-id-in-data", APPROVED, |script| {
        script.with_approval("approve", json!({"run": ["true"]}))
    })
    .await;
    assert_eq!((last_call(&told).verdict, last_call(&told).reach), ("pending", 0), "{}", story(&told));
}
