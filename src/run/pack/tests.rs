use super::*;
use crate::embedded;
use crate::gateway;
use crate::run::plan::{Contender, Wishes, plan};
use crate::scenario;

fn entries(texts: &[String], gateway: &str) -> Vec<Entry> {
    let profile = Arc::new(gateway::named(gateway).unwrap());
    let contender = Arc::new(Contender { name: gateway.to_owned(), profile, flaw: None });
    let read = |(place, text): (usize, &String)| {
        let read = scenario::read(text, &format!("s{place}.yaml"));
        Arc::new(read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false))))
    };
    let scenarios: Vec<_> = texts.iter().enumerate().map(read).collect();
    plan(&scenarios, &[contender], &Wishes::default())
}

/// A scenario that calls one tool under one policy.
fn calls(tool: &str, policy: &str) -> String {
    written("[ludus]", policy, &format!("  - {{call: {tool}, expect: [allowed, denied]}}"))
}

fn written(upstreams: &str, policy: &str, steps: &str) -> String {
    format!("scenario: s\nupstreams: {upstreams}\npolicy: {{version: \"1\", {policy}}}\nsteps:\n{steps}\n")
}

fn packed(texts: &[String]) -> Vec<Vec<usize>> {
    packs(&entries(texts, "reference"), Some(Isolate::Pack), &|_, _| Ok(()))
}

/// Why two scenarios do not share a start.
fn apart(one: &str, other: &str) -> Option<Apart> {
    let entries = entries(&[one.to_owned(), other.to_owned()], "reference");
    let [one, other] = [0, 1].map(|place| Candidate::of(place, &entries[place]));
    assert!(one.footprint.is_ok() && other.footprint.is_ok());
    let (there, back) = (one.apart(&other), other.apart(&one));
    assert_eq!(there.is_some(), back.is_some(), "it holds in both directions");
    there
}

#[test]
fn scenarios_about_different_tools_share_a_start() {
    let deny = |tool: &str| {
        calls(tool, &format!("default: deny, tools: {{list_hosts: {{}}, {tool}: {{action: deny}}}}"))
    };
    let texts = [deny("destroy_vm"), deny("delete_range"), deny("destroy_vm"), deny("git_sync")];
    assert_eq!(packed(&texts), [vec![0, 1, 3], vec![2]]);
    let each = packs(&entries(&texts, "reference"), None, &|_, _| Ok(()));
    assert_eq!(each, [[0], [1], [2], [3]], "the profile says so, and nobody else does");
}

#[test]
fn what_cannot_be_expressed_stands_alone_and_the_largest_pack_comes_first() {
    let deny = |tool: &str| calls(tool, &format!("default: deny, tools: {{{tool}: {{action: deny}}}}"));
    let texts = [deny("whoami"), deny("destroy_vm"), deny("git_sync"), deny("delete_range")];
    let entries = entries(&texts, "reference");
    let denies = |scenario: &&Scenario, tool: &str| {
        scenario.policy.as_ref().is_some_and(|text| text.policy.tools.contains_key(tool))
    };
    let fits = |_: &Profile, all: &[&Scenario]| {
        let never = all.iter().any(|one| denies(one, "whoami"));
        let both = ["destroy_vm", "git_sync"].iter().all(|tool| all.iter().any(|one| denies(one, tool)));
        if never || both { Err("too much".to_owned()) } else { Ok(()) }
    };
    assert_eq!(packs(&entries, Some(Isolate::Pack), &fits), [vec![1, 3], vec![0], vec![2]]);
}

#[test]
fn a_tool_that_all_let_pass_freely_may_be_called_by_all() {
    let open = calls("list_hosts", "default: deny, tools: {list_hosts: {}}");
    assert_eq!(apart(&open, &open), None);
    assert_eq!(
        apart(
            &calls("list_hosts", "default: allow"),
            &calls("list_hosts", "default: allow, tools: {list_hosts: {}}")
        ),
        None
    );
    for bound in [
        "default: deny",
        "default: deny, hide: [list_hosts]",
        "default: deny, tools: {list_hosts: {action: deny}}",
        "default: deny, tools: {list_hosts: {rate_limit: {max: 1, window: 60}}}",
        "default: deny, tools: {'ludus/list_hosts': {}}",
    ] {
        let found = apart(&open, &calls("list_hosts", bound));
        assert_eq!(found, Some(Apart::Tool("list_hosts".into())), "{bound}");
    }
    let answered = "{ludus: {mock: ludus, answers: {list_hosts: [{give: {}}]}}}";
    let answered = written(answered, "default: deny, tools: {list_hosts: {}}", "  - call: list_hosts");
    assert_eq!(apart(&open, &answered), Some(Apart::Tool("list_hosts".into())));
    let excluded = "  - {list: tools, expect: {excludes: [list_hosts]}}\n  - call: whoami";
    let excluded = written("[ludus]", "default: deny, tools: {list_hosts: {}, whoami: {}}", excluded);
    assert_eq!(apart(&open, &excluded), Some(Apart::Tool("list_hosts".into())));
}

#[test]
fn a_tool_is_touched_however_it_is_spelled() {
    let plain = calls("destroy_vm", "default: deny");
    for spelled in [
        "{exact: 'Destroy_VM '}",
        "{exact: 'ludus__destroy_vm'}",
        "'{{ tool }}', over: {tool: [whoami, destroy_vm]}",
    ] {
        let other = written("[ludus]", "default: deny", &format!("  - {{call: {spelled}, expect: denied}}"));
        assert_eq!(apart(&plain, &other), Some(Apart::Tool("destroy_vm".into())), "{spelled}");
    }
    let odd = written("[ludus]", "default: allow", "  - {call: {exact: List_Hosts}}");
    assert_eq!(
        apart(&odd, &calls("list_hosts", "default: allow")),
        Some(Apart::Tool("list_hosts".into())),
        "a name that no server has is there to be refused, and so is its own"
    );
}

#[test]
fn what_is_shared_must_be_the_same() {
    let sound = calls("whoami", "default: deny, tools: {whoami: {}}");
    for (other, expected) in [
        (calls("git_sync", "default: allow"), Apart::Defaults),
        (written("[velociraptor]", "default: deny", "  - call: client_info"), Apart::Upstreams),
        (written("{lab: ludus}", "default: deny", "  - call: git_sync"), Apart::Upstreams),
        (format!("identities: {{alice: {{}}}}\n{}", calls("git_sync", "default: deny")), Apart::Identities),
    ] {
        assert_eq!(apart(&sound, &other), Some(expected));
    }
    let counting = |tool: &str, counter: &str| {
        let limit = format!("{{counter: {counter}, window: hour, max: 1}}");
        calls(tool, &format!("default: deny, tools: {{{tool}: {{limits: [{limit}]}}}}"))
    };
    assert_eq!(
        apart(&counting("whoami", "one"), &counting("git_sync", "one")),
        Some(Apart::Counter("one".into()))
    );
    assert_eq!(apart(&counting("whoami", "one"), &counting("git_sync", "two")), None);
    let short = calls("git_sync", "default: deny, tools: {git_sync: {rate_limit: {max: 1, window: 60}}}");
    let taken = Some(Apart::Counter("git_sync_rate".into()));
    assert_eq!(apart(&counting("whoami", "git_sync_rate"), &short), taken);
}

#[test]
fn what_would_touch_everybody_has_a_start_of_its_own() {
    let twin = "  - {call: whoami, expect: allowed}\n";
    let step =
        |step: &str| written("[ludus]", "default: deny, tools: {whoami: {}}", &format!("{twin}  - {step}"));
    let policy = |policy: &str| written("[ludus]", policy, twin);
    let server =
        |server: &str| written(&format!("{{ludus: {{mock: ludus, {server}}}}}"), "default: allow", twin);
    for (text, expected) in [
        (policy("default: deny, all_tools: {limits: [{counter: a, window: hour, max: 1}]}"), Alone::AllTools),
        (policy("default: deny, hide: ['*']"), Alone::HidesAll),
        (policy("default: deny, pin: true"), Alone::Pins),
        (policy("default: deny, spoiled: truncated"), Alone::Spoiled),
        (server("reads: leniently"), Alone::Lenient),
        (server("page: 10"), Alone::Pages),
        (server("change: [{remove: git_sync, after: 1 list}]"), Alone::Changes),
        (server("answers: {whoami: [{fault: hang}]}"), Alone::Faults),
        (step("send: '{}'"), Alone::Raw),
        (step("{list: tools, expect: {exactly: [whoami]}}"), Alone::Exactly),
        (step("notice: tools/list_changed"), Alone::Notice),
        (step("change: {tool: whoami, description: new}"), Alone::Changes),
        (step("wait: 1s"), Alone::Time),
        (step("{call: whoami, approver: {approves: {after: 1s}}}"), Alone::Time),
        (step("stop: ludus"), Alone::Parts),
        (step("start: ludus"), Alone::Parts),
        (step("restart: gateway"), Alone::Parts),
        (step("reload: {}"), Alone::Reload),
        (step("revoke: agent"), Alone::Revoke),
        (step("{call: '{{ saved }}'}"), Alone::Names),
        (step("{call: {exact: 'whoamı'}}"), Alone::Spelling),
        (format!("requirement: AUD-01\n{}", policy("default: allow")), Alone::Record),
        (format!("canaries: {{c: {{never: [audit]}}}}\n{}", policy("default: allow")), Alone::Record),
    ] {
        let entries = entries(std::slice::from_ref(&text), "reference");
        assert_eq!(footprint(&entries[0]).err(), Some(expected), "{text}");
    }
}

#[test]
fn some_gateways_keep_scenarios_apart() {
    let asks = calls("git_sync", "default: deny, tools: {git_sync: {action: require_approval}}");
    for (gateway, expected) in [
        ("reference", None),
        ("reference-held", Some(Alone::Approvals)),
        ("reference-stdio", Some(Alone::Lines)),
    ] {
        let entries = entries(std::slice::from_ref(&asks), gateway);
        assert_eq!(footprint(&entries[0]).err(), expected, "{gateway}");
    }
}

#[test]
fn one_start_is_for_the_largest_pack_and_says_what_it_leaves_out() {
    let texts = [
        calls("destroy_vm", "default: allow, tools: {destroy_vm: {action: deny}}"),
        calls("git_sync", "default: deny"),
        calls("whoami", "default: deny"),
        calls("whoami", "default: deny"),
        calls("get_range", "default: deny, pin: true"),
        calls("list_users", "default: deny, tools: {list_users: {}}"),
    ];
    let entries = entries(&texts, "reference");
    let no_users = |all: &[&Scenario]| match all.iter().any(|one| one.id == "s5") {
        true => Err("it cannot express users".to_owned()),
        false => Ok(()),
    };
    let one = one_start(&entries, 1, &no_users);
    assert_eq!(one.members, [1, 2]);
    let expected = [
        (0, "it and `s1` have different defaults"),
        (3, "it and `s2` both touch `whoami`"),
        (4, "it pins the list of tools"),
        (5, "it cannot express users"),
    ];
    assert_eq!(one.left_out, expected.map(|(place, why)| (place, why.to_owned())));
    let only = one_start(&entries[4..5], 1, &|_| Ok(()));
    assert_eq!((only.members, only.left_out), (vec![0], vec![]), "alone everything fits");
}

#[test]
fn together_they_are_bound_by_all_their_policies() {
    let texts = [
        written(
            "{lab: {mock: ludus, answers: {git_sync: [{give: {}}]}}}",
            "default: deny, hide: [get_user], tools: {whoami: {}, git_sync: {action: deny}}",
            "  - call: whoami",
        ),
        written(
            "{lab: ludus}",
            "default: deny, tools: {whoami: {}, destroy_vm: {action: deny}}",
            "  - call: whoami",
        ),
    ];
    let entries = entries(&texts, "reference");
    let whole = merged(&[&entries[0].scenario, &entries[1].scenario]);
    let policy = alone::policies(&whole).next().unwrap();
    assert_eq!(policy.hide, ["get_user"]);
    assert_eq!(policy.tools.keys().collect::<Vec<_>>(), ["whoami", "git_sync", "destroy_vm"]);
    assert_eq!(whole.upstreams["lab"].answers.keys().collect::<Vec<_>>(), ["git_sync"]);
}

#[test]
fn the_shipped_suite_needs_far_fewer_starts() {
    let texts: Vec<String> = embedded::scenarios().map(|file| file.text.to_owned()).collect();
    let entries = entries(&texts, "reference");
    let packs = packs(&entries, Some(Isolate::Pack), &|_, _| Ok(()));
    let mut all: Vec<usize> = packs.concat();
    all.sort_unstable();
    assert_eq!(all, (0..entries.len()).collect::<Vec<_>>(), "each entry is in one pack");
    assert!(packs.len() * 4 < entries.len() * 3, "{} of {}", packs.len(), entries.len());
}
