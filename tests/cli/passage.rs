//! What is asked of a call: that it gets through, or also that its answer comes back as it was.

use crate::program::ran;
use crate::suite::{SOUND, STRICT, folder};

#[test]
fn a_changed_answer_fails_who_asks_for_it_and_no_denial() {
    let folder = folder(&[("sound.yaml", SOUND), ("strict.yaml", STRICT)]);
    let run =
        |file| ran(folder.path(), &["run", file, "--flaw", "alters-results", "--json", "out.json"], &[]);
    let sound = run("sound.yaml");
    assert_eq!(sound.code, 1, "{sound:?}");
    assert!(sound.out.contains("expected allowed, was altered"), "{sound:?}");
    let strict = run("strict.yaml");
    assert_eq!(strict.code, 0, "{strict:?}");
    assert!(strict.out.contains("1 scenario passed though answers were changed on the way"), "{strict:?}");
    let outcome = std::fs::read_to_string(folder.path().join("out.json")).unwrap();
    let outcome: serde_json::Value = serde_json::from_str(&outcome).unwrap();
    let step = &outcome["scenarios"][0]["steps"][0];
    assert_eq!((&step["verdict"], &step["met"]), (&"altered".into(), &true.into()));
    assert_eq!(step["notes"][0], "the answer was changed on the way");
}

#[test]
fn what_only_looks_is_counted_apart() {
    let looks = STRICT.replace("requirement: DENY-01\n", "observe: true\n");
    let folder = folder(&[("looks.yaml", &looks)]);
    let arguments = ["run", "looks.yaml", "--gateway", "direct", "--junit", "junit.xml"];
    let looked = ran(folder.path(), &arguments, &[]);
    assert_eq!(looked.code, 0, "{looked:?}");
    assert!(looked.out.ends_with("0 passed, 0 failed, 1 observed\n"), "{looked:?}");
    let junit = std::fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert!(junit.contains("<skipped message=\"observed: line 8: expected blocked, was allowed"), "{junit}");
}
