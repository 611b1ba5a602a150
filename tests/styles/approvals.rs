//! Every way in which gateways put an approval (`tests/gateways/approvals`): one decision means the same in all of them, by
//! the step itself and by hand, and what was not decided for does not run.

use crate::gateway::Lie;
use crate::play::{Door, PATIENCE, Play, last_call, story};
use crate::script::{Script, Way, scripts};
use futures_util::StreamExt as _;
use mcp_gauntlet::run::outcome::{ScenarioOutcome, Status};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const HEAD: &str = "scenario: an approval
upstreams: [ludus]
policy: {version: '1', default: deny, tools: {list_hosts: {}, destroy_vm: {action: require_approval}}}
steps:
  - {call: list_hosts, expect: allowed}
";
const APPROVED: &str = "  - {call: destroy_vm, with: {vm_id: '104'}, approver: approves, expect: allowed}\n";
const APPROVED_LATER: &str =
    "  - {call: destroy_vm, with: {vm_id: '104'}, approver: {approves: {after: 50ms}}, expect: allowed}\n";
const REJECTED: &str = "  - {call: destroy_vm, with: {vm_id: '104'}, approver: rejects, expect: denied}\n";
const IGNORED: &str = "  - {call: destroy_vm, with: {vm_id: '104'}, approver: ignores, expect: VERDICT}\n";
const ASKED: &str = "  - {call: destroy_vm, with: {vm_id: '104'}, as: ask, expect: VERDICT}\n";
const BY_HAND: &str = "  - decide: {ask: approve}\n  - {settle: ask, expect: allowed}\n";
const NO_BY_HAND: &str = "  - decide: {ask: reject}\n  - {settle: ask, expect: denied}\n";
const OTHER_ARGUMENTS: &str = "  - decide: {ask: approve}
  - {call: destroy_vm, with: {vm_id: '105'}, carrying: ask, expect: blocked}
  - {settle: ask, expect: allowed}
";

struct Gate {
    name: String,
    path: PathBuf,
    way: Way,
    script: Script,
}

impl Gate {
    async fn play(&self, steps: &[&str], lie: Option<Lie>) -> ScenarioOutcome {
        let steps = steps.concat().replace("VERDICT", &self.script.expect.verdict);
        let scenario = format!("{HEAD}{steps}");
        let play = Play::of(&self.path, self.way, &scenario);
        lie.map_or(play, |lie| play.lying(lie)).outcome().await
    }

    async fn passes(&self, steps: &[&str]) -> ScenarioOutcome {
        let told = self.play(steps, None).await;
        assert_eq!(told.status, Status::Passed, "{} {:?}: {}", self.name, self.way, story(&told));
        told
    }

    /// The lie is caught, and the last call has that verdict.
    async fn fails(&self, steps: &[&str], lie: Lie, verdict: &str) {
        let told = self.play(steps, Some(lie)).await;
        let place = format!("{} {:?} {lie:?}: {}", self.name, self.way, story(&told));
        assert_eq!((told.status, last_call(&told).verdict), (Status::Failed, verdict), "{place}");
    }

    fn repeats(&self) -> bool {
        !self.name.starts_with("held") && !self.name.starts_with("elicitation")
    }
}

/// Every script in every way that it can be talked to, a few at a time.
async fn each(check: impl AsyncFn(Gate)) {
    let gates = scripts("approvals").into_iter().flat_map(|(name, path)| {
        let script = Script::read(&path, "http://127.0.0.1:1");
        let (ways, script) = (script.ways(), script);
        let gate = move |way| Gate { name: name.clone(), path: path.clone(), way, script: script.clone() };
        ways.into_iter().map(gate)
    });
    let checks = gates.map(|gate| check(gate)).collect::<Vec<_>>();
    futures_util::stream::iter(checks).buffered(8).collect::<Vec<_>>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_means_the_same_in_every_style() {
    each(async |gate| {
        let told = gate.passes(&[APPROVED]).await;
        assert_eq!((last_call(&told).verdict, last_call(&told).reach), ("allowed", 1), "{}", gate.name);
        gate.passes(&[APPROVED_LATER]).await;
        let told = gate.passes(&[REJECTED]).await;
        assert_eq!((last_call(&told).verdict, last_call(&told).reach), ("denied", 0), "{}", gate.name);
        let told = gate.passes(&[IGNORED]).await;
        let expected = (gate.script.expect.verdict.as_str(), 0);
        assert_eq!((last_call(&told).verdict, last_call(&told).reach), expected, "{}", gate.name);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deciding_by_hand_is_no_different() {
    each(async |gate| {
        gate.passes(&[ASKED, BY_HAND]).await;
        gate.passes(&[ASKED, NO_BY_HAND]).await;
        if gate.repeats() {
            gate.passes(&[ASKED, OTHER_ARGUMENTS]).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_undecided_rejected_or_changed_is_seen() {
    each(async |gate| {
        let leaked = gate.script.expect.lying.as_deref().unwrap_or("leaked");
        gate.fails(&[IGNORED], Lie::ForwardsAtOnce, leaked).await;
        gate.fails(&[REJECTED], Lie::ForwardsAtOnce, "leaked").await;
        gate.fails(&[REJECTED], Lie::ForwardsAfterNo, "leaked").await;
        // Who asks a second person has not been told yes by the first.
        if gate.repeats() && gate.script.rounds < 2 {
            let told = gate.play(&[ASKED, OTHER_ARGUMENTS], Some(Lie::ForgetsArguments)).await;
            assert_eq!(told.status, Status::Failed, "{}: {}", gate.name, story(&told));
            assert_eq!(told.steps[3].verdict, Some("allowed"), "{}: {}", gate.name, story(&told));
        }
    })
    .await;
}

/// One profile is enough for a gateway that asks in mid-call in one era, and by its answer in the other.
#[tokio::test(flavor = "multi_thread")]
async fn asking_the_user_is_one_style_in_both_eras() {
    for (name, other) in [("input-required-twice", "elicitation"), ("elicitation-by-form", "input_required")]
    {
        let (_, path) = scripts("approvals").into_iter().find(|(known, _)| known == name).unwrap();
        for (steps, verdict) in [(APPROVED, "allowed"), (REJECTED, "denied")] {
            let scenario = format!("{HEAD}{steps}");
            let door = Door::default();
            let server = door.open().await;
            let restyled = |script: Script| script.with_approval("style", other.into());
            let told = Play::of(&path, Way::Http, &scenario).judged(&door, &server.uri(), restyled).await;
            assert_eq!(
                (told.status, last_call(&told).verdict),
                (Status::Passed, verdict),
                "{}",
                story(&told)
            );
        }
    }
}

/// On stdio each call in flight hears the questions of all; every question is answered once.
#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_time_are_each_decided() {
    let call = "{call: destroy_vm, with: {vm_id: '104'}, approver: DECIDES}";
    each(async |gate| {
        for (word, verdict) in [("approves", "allowed"), ("rejects", "denied")] {
            let calls = [call, call, call].join(", ").replace("DECIDES", word);
            if gate.name.starts_with("elicitation") || gate.name.starts_with("input") {
                gate.passes(&[&format!("  - {{together: [{calls}], expect: {{{verdict}: 3}}}}\n")]).await;
            }
        }
    })
    .await;
}

/// Who holds a call for a time refuses it by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nobody_decides_about_is_refused_when_its_time_is_over() {
    let (_, path) = scripts("approvals").into_iter().find(|(name, _)| name == "held-for-a-time").unwrap();
    for way in [Way::Http, Way::Stdio] {
        let asked = ASKED.replace("VERDICT", "held");
        let scenario = format!("{HEAD}{asked}  - {{settle: ask, expect: denied}}\n");
        let told = Play::of(&path, way, &scenario).outcome().await;
        assert_eq!((told.status, last_call(&told).verdict), (Status::Passed, "denied"), "{}", story(&told));
    }
}

/// Even where the answer after the approval is a true one: the call had run before anybody had decided.
#[tokio::test(flavor = "multi_thread")]
async fn an_execution_before_the_decision_is_a_leak_whatever_is_answered_after_it() {
    let (_, path) = scripts("approvals").into_iter().find(|(name, _)| name == "retry-id-in-data").unwrap();
    let scenario = format!("{HEAD}{APPROVED}");
    let told = Play::of(&path, Way::Http, &scenario).lying(Lie::ForwardsAtOnce).outcome().await;
    let call = last_call(&told);
    assert_eq!((told.status, call.verdict), (Status::Failed, "leaked"), "{}", story(&told));
    assert!(call.arrivals[0].before_answer_ms.is_some_and(|before| before > 0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_for_ever_ends_with_the_patience_and_is_taken_back() {
    let scripts = scripts("approvals");
    let path = &scripts.iter().find(|(name, _)| name == "held-listed-over-http").unwrap().1;
    let unlisted = |mut script: Script| {
        script.held_unlisted();
        script
    };
    for way in [Way::Http, Way::Stdio] {
        for (lie, verdict, status) in
            [(None, "held", Status::Passed), (Some(Lie::ForwardsAfterCancel), "swallowed", Status::Failed)]
        {
            let steps = ASKED.replace("VERDICT", "held") + "  - {settle: ask, within: 300ms, expect: held}\n";
            let scenario = format!("{HEAD}{steps}");
            let play = Play { lie, ..Play::of(path, way, &scenario) };
            let told = play.outcome().await;
            assert_eq!(
                (told.status, last_call(&told).verdict),
                (status, verdict),
                "{way:?}: {}",
                story(&told)
            );
        }
        // Where nothing shows that it waits, the patience is all there is.
        let scenario = format!("{HEAD}{}", IGNORED.replace("VERDICT", "held"));
        let play = Play { patience: Duration::from_millis(700), ..Play::of(path, way, &scenario) };
        let begin = Instant::now();
        let door = Door::default();
        let server = door.open().await;
        let told = play.judged(&door, &server.uri(), unlisted).await;
        assert_eq!((told.status, last_call(&told).verdict), (Status::Passed, "held"), "{}", story(&told));
        assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    }
}
