use super::*;
use crate::mock::convention::tests::shipped;
use crate::mock::form::Form;
use crate::mock::value::{from_plain, to_plain};
use crate::mock::world::keys;
use serde_json::json;

struct Stage {
    script: Script,
    convention: Convention,
    world: World,
}

impl Stage {
    fn new(entry: Plain) -> Self {
        let entry: Entry = serde_json::from_value(entry).unwrap();
        let convention = shipped("ludus");
        let script = Script::compile(&entry, &[], &convention, Subject::of("t", Form::Tool)).unwrap();
        let world = World::new(&keys(json!({"vms": [{"id": 1, "name": "dc"}]}).as_object().unwrap()));
        Self { script, convention, world }
    }

    fn play(&mut self, arguments: &Plain) -> Result<Played, String> {
        self.go_on(arguments, None)
    }

    fn go_on(&mut self, arguments: &Plain, replies: Option<(Plain, usize)>) -> Result<Played, String> {
        let canonical = || arguments.to_string();
        let replies = replies.map(|(replies, start)| (from_plain(&replies), start));
        let call = Call {
            arguments: from_plain(arguments),
            canonical: &canonical,
            identity: "alice",
            can: &from_plain(&json!({"sampling": {}})),
            now: "2026-05-01T12:00:00Z",
            replies,
        };
        self.script.play(&call, &mut self.world, &self.convention)
    }

    /// The structured content of what is said.
    fn given(&mut self, arguments: &Plain) -> Plain {
        match self.play(arguments).unwrap().said {
            Said::Result(rendered) => {
                let whole = format!("{{{}}}", std::str::from_utf8(&rendered.members).unwrap());
                serde_json::from_str::<Plain>(&whole).unwrap()["structuredContent"].take()
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_world_changes_after_the_answer_is_given() {
    let mut stage = Stage::new(json!({
        "description": "d",
        "let": {"vm": "{{ state.vms | where(id=args.id) | first }}"},
        "answers": [
            {"when": {"if": "{{ not vm }}"}, "give": {"error": "VM {{ args.id }} not found"}},
            {"give": {"gone": "{{ vm.name }}", "left": "{{ state.vms | length }}", "by": "{{ identity }}"}, "set": {"vms": "{{ state.vms | without(id=vm.id) }}"}}
        ]
    }));
    assert_eq!(stage.given(&json!({"id": 1})), json!({"gone": "dc", "left": 1, "by": "alice"}));
    assert_eq!(stage.given(&json!({"id": 1})), json!({"error": "VM 1 not found"}));
    assert_eq!(to_plain(&stage.world.state()), json!({"vms": []}));
}

#[test]
fn the_nth_call_is_counted_by_its_arguments() {
    let mut stage = Stage::new(json!({"description": "d", "answers": [{"give": {"n": "{{ nth }}"}}]}));
    assert_eq!(stage.given(&json!({"a": 1})), json!({"n": 1}));
    assert_eq!(stage.given(&json!({"a": 1})), json!({"n": 2}));
    assert_eq!(stage.given(&json!({"a": 2})), json!({"n": 1}));
}

#[test]
fn an_answer_is_used_up_and_a_lonely_fault_spoils_the_next() {
    let mut stage = Stage::new(json!({"description": "d", "answers": [
        {"fault": "twice", "times": 1, "delay": "1s"},
        {"give": {"a": 1}, "delay": "2s", "progress": 3}
    ]}));
    let first = stage.play(&json!({})).unwrap();
    assert_eq!(
        (first.fault, first.delay, first.aside.progress),
        (Some(Fault::Twice), Duration::from_secs(3), 3)
    );
    assert!(matches!(first.said, Said::Result(_)));
    let second = stage.play(&json!({})).unwrap();
    assert_eq!((second.fault, second.delay), (None, Duration::from_secs(2)));
}

#[test]
fn a_hang_needs_no_answer() {
    let mut stage = Stage::new(
        json!({"description": "d", "answers": [{"when": {"a": 1}, "fault": "hang"}, {"give": {}}]}),
    );
    assert_eq!(stage.play(&json!({"a": 1})).unwrap().fault, Some(Fault::Hang));
    assert_eq!(stage.play(&json!({"a": 2})).unwrap().fault, None);
}

#[test]
fn what_fits_nothing_fails_loudly_with_the_nearest() {
    let mut stage = Stage::new(json!({"description": "d", "answers": [
        {"when": {"a": 1, "b": 2}, "give": {}},
        {"when": {"a": 1}, "give": {}}
    ]}));
    let told = stage.play(&json!({"b": 2})).unwrap_err();
    assert_eq!(told, "no answer of `t` fits this call; the nearest is answer 1, which wants `a: 1`");
    let mut broken = Stage::new(json!({"description": "d", "answers": [{"give": "{{ args.a.b.c }}"}]}));
    assert!(broken.play(&json!({})).unwrap_err().starts_with("answer 1 of `t` failed: undefined value"));
}

#[test]
fn a_question_is_followed_by_what_the_reply_brings() {
    let mut stage = Stage::new(json!({"description": "d", "answers": [
        {"ask": {"elicit": {"message": "sure?"}}},
        {"when": {"if": "{{ reply.action == 'accept' }}"}, "give": {"done": true, "n": "{{ nth }}"}},
        {"error": "not confirmed"}
    ]}));
    let asked = stage.play(&json!({})).unwrap();
    assert!(
        matches!(&asked.said, Said::Questions(put, State::Sealed) if put[0].method == "elicitation/create")
    );
    let yes =
        stage.go_on(&json!({}), Some((json!({"ask": {"action": "accept"}}), asked.choice + 1))).unwrap();
    assert!(matches!(yes.said, Said::Result(Rendered { is_error: false, .. })));
    let no =
        stage.go_on(&json!({}), Some((json!({"ask": {"action": "decline"}}), asked.choice + 1))).unwrap();
    assert!(matches!(no.said, Said::Result(Rendered { is_error: true, .. })));
}

#[test]
fn a_constant_needs_no_world() {
    assert!(
        Stage::new(json!({"description": "d", "answers": [{"give": {"a": 1}}]})).script.constant().is_some()
    );
    assert!(
        Stage::new(json!({"description": "d", "answers": [{"give": {"a": 1}, "times": 1}]}))
            .script
            .constant()
            .is_none()
    );
    assert!(
        Stage::new(json!({"description": "d", "answers": [{"give": {"a": "{{ nth }}"}}]}))
            .script
            .constant()
            .is_none()
    );
}

#[test]
fn mistakes_name_the_answer() {
    let entry: Entry =
        serde_json::from_value(json!({"description": "d", "answers": [{"give": 1}, {"give": "{{ a"}]}))
            .unwrap();
    let wrong = Script::compile(&entry, &[], &shipped("ludus"), Subject::of("t", Form::Tool)).err().unwrap();
    assert_eq!(wrong, "answer 2: `give`: `{{` is never closed by `}}`");
}
