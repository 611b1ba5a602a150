//! Small scenarios to run: one that any gateway passes, one that only a gateway passes, one with a mistake.

use std::fs;
use tempfile::TempDir;

/// Any gateway passes it, and none at all.
pub(crate) const SOUND: &str = "\
scenario: machines are listed
tags: [quick]
upstreams: [ludus]
policy: {version: \"1\", default: allow, tools: {}}
steps:
  - call: list_hosts
    expect: allowed
";

/// Without a gateway it fails.
pub(crate) const STRICT: &str = "\
scenario: no machine is destroyed
requirement: DENY-01
upstreams: [ludus]
policy: {version: \"1\", default: deny, tools: {list_hosts: {}}}
steps:
  - call: list_hosts
    expect: allowed
  - call: destroy_vm
    with: {vm_id: \"104\"}
    expect: blocked
";

/// Two mistakes.
pub(crate) const WRONG: &str = "\
scenario: nothing fits
upstreams: [ludo]
policy: {version: \"1\", default: allow, tools: {}}
steps:
  - call: list_hosts
    expect: alowed
";

/// A folder with these files in it.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}
