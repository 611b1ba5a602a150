//! The shipped scenarios give the transcripts that are stored beside them.

use assert_cmd::Command;

#[test]
fn the_reference_gateway_behaves_as_it_is_stored() {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut gauntlet = Command::cargo_bin("gauntlet").unwrap();
    // In continuous integration nothing is written: a difference is a failure.
    let run = gauntlet.env_clear().env("CI", "true").current_dir(root).args(["run", "scenarios"]);
    run.assert().success();
}

#[test]
fn every_stored_transcript_has_its_scenario() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut ids = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().unwrap() != "snapshots" {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                ids.push(path.file_stem().unwrap().to_owned());
            }
        }
    }
    let stored =
        std::fs::read_dir(root.join("snapshots/reference")).unwrap().map(|entry| entry.unwrap().path());
    let stray: Vec<_> = stored.filter(|path| !ids.iter().any(|id| path.file_stem() == Some(id))).collect();
    assert!(stray.is_empty(), "no scenario claims {stray:?}");
    assert!(!ids.is_empty());
}
