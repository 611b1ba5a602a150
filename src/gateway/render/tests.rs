use super::*;
use crate::gateway::{Spoil, shipped};

fn facts(profile: &Profile, upstreams: &[&str], policies: &[Option<Value>]) -> Facts {
    let upstream = |name: &&str| Upstream {
        name: (*name).to_owned(),
        url: format!("http://127.0.0.1:1/{name}"),
        command: vec!["/bin/gauntlet".to_owned(), "relay".to_owned(), format!("127.0.0.1:2/{name}")],
        tools: vec!["list_hosts".to_owned(), "destroy_vm".to_owned(), "whoami".to_owned()],
    };
    let identity = |(index, policy): (usize, &Option<Value>)| Identity {
        name: ["alice", "bob"][index].to_owned(),
        token: format!("token-{index}"),
        policy: policy.clone(),
    };
    let inputs = Inputs {
        upstreams: upstreams.iter().map(upstream).collect(),
        identities: policies.iter().enumerate().map(identity).collect(),
    };
    let place = Place { folder: "/run/g".into(), gauntlet: "/bin/gauntlet".to_owned(), environment: vec![] };
    let mut facts = Facts::of(profile, inputs, &place, (8001, 8002));
    facts.secret = "s3cret".to_owned();
    facts
}

fn rendered(gateway: &str, upstreams: &[&str], policies: &[Option<Value>]) -> Result<String, RenderError> {
    let profile = shipped::named(gateway).unwrap();
    let rendered = render(&profile, facts(&profile, upstreams, policies))?;
    Ok(rendered.files[0].1.clone().unwrap())
}

fn document(tools: Value) -> Value {
    let mut document = json!({"version": "1", "default": "deny"});
    document["tools"] = tools;
    document
}

fn everything() -> Value {
    json!({"version": "1", "default": "deny", "hide": ["delete_range"],
        "all_tools": {"limits": [{"counter": "all", "window": "minute", "max": 60}]},
        "tools": {
            "list_hosts": {"rate_limit": {"max": 10, "window": 60}},
            "destroy_vm": {"action": "deny", "reason": "machines are destroyed by people"},
            "power_off_range": {
                "require": [{"arg": "args.user_id", "op": "exists", "value": true}],
                "deny_if": [{"arg": "args.user_id", "op": "eq", "value": "admin", "on_deny": "not the administrator's range"},
                    {"arg": "args.count", "op": "gt", "value": 5}],
                "limits": [{"counter": "power", "window": "hour", "max": 3}]},
            "clone": {"require": [{"arg": "/branch", "op": "regex", "value": "^feature/", "on_deny": "features only"}]}}})
}

#[test]
fn a_policy_in_the_dialect_of_mcp_policy_gateway() {
    insta::assert_snapshot!(rendered("mcp-policy-gateway", &["lab"], &[Some(everything()), None]).unwrap());
    let several =
        rendered("mcp-policy-gateway", &["lab", "dfir"], &[Some(document(json!({"lab/a": {}, "b": {}})))]);
    let several = several.unwrap();
    assert!(
        several.contains(r#"tools: ["lab__a"]"#) && several.contains(r#"["lab__b", "dfir__b"]"#),
        "{several}"
    );
}

#[test]
fn every_operator_in_the_dialect_of_mcp_policy_gateway() {
    let one =
        |arg: &str, op: &str, value: Value| json!([{"arg": format!("args.{arg}"), "op": op, "value": value}]);
    let tools = json!({
        "wants_there": {"require": one("a", "exists", json!(true))},
        "wants_absent": {"require": one("a", "exists", json!(false))},
        "denies_there": {"deny_if": one("a", "exists", json!(true))},
        "denies_absent": {"deny_if": one("a", "exists", json!(false))},
        "wants_true": {"require": one("a", "eq", json!(true))},
        "wants_one": {"require": one("a", "eq", json!(1))},
        "denies_true": {"deny_if": one("a", "eq", json!(true))},
        "denies_one": {"deny_if": one("a", "in", json!([1, 2]))},
        "wants_whole": {"require": one("a", "regex", json!("^x[0-9]+$"))},
        "wants_end": {"require": one("a", "regex", json!("(a|b$)"))},
        "denies_part": {"deny_if": one("a", "regex", json!("(?i)secret"))},
    });
    let text = rendered("mcp-policy-gateway", &["lab"], &[Some(document(tools))]).unwrap();
    let rules: Vec<_> = text
        .lines()
        .filter(|line| line.contains("effect:"))
        .map(|line| {
            line.replace(", rate_limits: []", "").replace(", reason: \"the arguments are not permitted\"", "")
        })
        .collect();
    insta::assert_snapshot!(rules.join("\n"));
}

#[test]
fn a_policy_in_the_dialect_of_agentveil() {
    let tools = json!({"list_hosts": {}, "destroy_vm": {"action": "deny", "reason": "no"},
        "deploy_range": {"action": "require_approval", "approval": {"timeout": 5}}});
    let text = rendered("agentveil-mcp-proxy", &["lab"], &[Some(document(tools))]).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["approval"]["approval_timeout_seconds"], 5);
    assert_eq!(value["downstream"]["args"], json!(["relay", "127.0.0.1:2/lab"]));
    let decisions: Vec<_> =
        value["policy"]["rules"].as_array().unwrap().iter().map(|rule| &rule["decision"]).collect();
    assert_eq!(decisions, ["allow", "block", "approval"]);
}

/// One tool for each operator on either side, with the line or lines that it is rendered to.
fn operators() -> Value {
    let one = |op: &str, value: &Value| json!([{"arg": "args.a", "op": op, "value": value}]);
    let values = [
        ("exists", json!(true)),
        ("eq", json!("x")),
        ("neq", json!(5)),
        ("lt", json!(5)),
        ("lte", json!(5)),
        ("gt", json!(5)),
        ("gte", json!(5)),
        ("in", json!(["x", "y"])),
        ("not_in", json!([1, 2])),
    ];
    let mut tools = json!({
        "wants_regex": {"require": one("regex", &json!("^x$"))},
        "wants_contains": {"require": one("contains", &json!("x"))},
    });
    for (op, value) in values {
        tools[format!("wants_{op}")] = json!({"require": one(op, &value)});
        tools[format!("denies_{op}")] = json!({"deny_if": one(op, &value)});
    }
    tools
}

#[test]
fn a_policy_in_the_dialect_of_intercept() {
    insta::assert_snapshot!(rendered("intercept", &["lab"], &[Some(everything())]).unwrap());
    let text = rendered("intercept", &["lab"], &[Some(document(operators()))]).unwrap();
    let _: Value = crate::source::typed(&text).unwrap();
    insta::assert_snapshot!("every_operator_in_the_dialect_of_intercept", text);
}

#[test]
fn a_policy_in_the_dialect_of_the_hosted_service() {
    let profile = shipped::named("policylayer-hosted").unwrap();
    let unconnected = render(&profile, facts(&profile, &["lab"], &[Some(document(json!({})))])).unwrap_err();
    assert!(matches!(unconnected, RenderError::Cannot(words) if words.contains("your server")));
    let template = Engine::new();
    let text = |policy: Value| {
        let facts = template::value(facts(&profile, &["lab"], &[Some(policy)]));
        let text = template.render(&profile.templates["policy.json.j2"], &facts, &Variables::new()).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let whole = text(everything());
    assert!(whole["tools"].get("destroy_vm").is_none(), "an allowlist denies by leaving out");
    assert_eq!(
        whole["tools"]["list_hosts"]["limits"],
        json!([{"counter": "list_hosts_rate", "window": "minute", "max": 10, "scope": "grant"}])
    );
    let open = json!({"version": "1", "default": "allow", "tools": {"destroy_vm": {"action": "deny"}}});
    assert_eq!(text(open)["hide"], json!(["destroy_vm"]));
}

#[test]
fn what_a_dialect_cannot_say_is_told_and_never_left_out() {
    let cannot = |gateway: &str, entry: Value| match rendered(
        gateway,
        &["lab"],
        &[Some(document(json!({"x": entry})))],
    ) {
        Err(RenderError::Cannot(words)) => words,
        other => panic!("{other:?}"),
    };
    let limit = |more: Value| {
        let mut limit = json!({"counter": "c", "window": "minute", "max": 5});
        limit.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"limits": [limit]})
    };
    let ours = "mcp-policy-gateway";
    assert_eq!(cannot(ours, json!({"action": "require_approval"})), "approvals");
    assert_eq!(cannot(ours, limit(json!({"cost": "args.n"}))), "cost-scaled limits");
    assert_eq!(cannot(ours, limit(json!({"scope": "session"}))), "limits for each session");
    assert_eq!(cannot(ours, limit(json!({"max": 0}))), "limits of nothing");
    let twice = json!([{"arg": "args.a", "op": "regex", "value": "a"}, {"arg": "args.a", "op": "regex", "value": "b"}]);
    assert_eq!(cannot(ours, json!({"require": twice})), "two rules of one kind about the same argument");
    let dotted = json!([{"arg": "/a.b", "op": "eq", "value": 1}]);
    assert_eq!(cannot(ours, json!({"require": dotted})), "argument names with dots, brackets or slashes");
    assert_eq!(cannot("agentveil-mcp-proxy", json!({"require": dotted})), "argument rules");
    assert_eq!(cannot("agentveil-mcp-proxy", limit(json!({}))), "rate limits");
    let theirs = "intercept";
    assert_eq!(cannot(theirs, limit(json!({"window": 10}))), "windows other than a minute, an hour or a day");
    assert_eq!(cannot(theirs, limit(json!({"cost": 0}))), "limits that cost nothing");
    let expression = json!([{"arg": "args.a", "op": "regex", "value": "a"}]);
    assert_eq!(cannot(theirs, json!({"deny_if": expression})), "refusals by `regex`");
    assert_eq!(cannot("fastmcp", limit(json!({"window": 10}))), "windows of parts of a minute");
    let two = rendered("agentveil-mcp-proxy", &["lab"], &[None, None]);
    assert_eq!(two.unwrap_err(), RenderError::Cannot("several identities".to_owned()));
}

#[test]
fn without_a_gateway_only_one_upstream_can_be_reached() {
    let profile = shipped::named("direct").unwrap();
    assert!(render(&profile, facts(&profile, &["lab"], &[None])).is_ok());
    let two = render(&profile, facts(&profile, &["lab", "dfir"], &[None]));
    assert!(matches!(two, Err(RenderError::Cannot(_))));
}

#[test]
fn a_policy_can_be_spoiled_in_each_way() {
    let profile = shipped::named("agentveil-mcp-proxy").unwrap();
    let whole = render(&profile, facts(&profile, &["lab"], &[None])).unwrap();
    let spoiled = |how| {
        let mut rendered = whole.clone();
        rendered.spoil(how);
        rendered.files[0].1.clone()
    };
    assert_eq!(spoiled(Spoil::Missing), None);
    assert!(serde_json::from_str::<Value>(&spoiled(Spoil::Truncated).unwrap()).is_err());
    let unknown: Value = serde_json::from_str(&spoiled(Spoil::UnknownMember).unwrap()).unwrap();
    assert_eq!(unknown["member_that_nobody_knows"], true);
    assert!(spoiled(Spoil::UnknownMemberOfARule).unwrap().contains("member_that_nobody_knows"));
}

#[test]
fn the_guide_names_every_member_that_a_template_sees_of_a_policy() {
    let limit = json!({"counter": "c", "window": "minute", "max": 5});
    let rule = json!({"arg": "args.a", "op": "eq", "value": 1});
    let one = json!({"require": [rule], "deny_if": [rule], "limits": [limit]});
    let full = full(&json!({"version": "1", "tools": {"one": one}, "all_tools": {"limits": [limit]}}));
    let guide = include_str!("../../../gateways/README.md");
    let told = guide.split_once("`gauntlet check` renders").unwrap().1.split_once("**3.").unwrap().0;
    let of =
        |place: &str| full.pointer(place).unwrap().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let members = [
        "",
        "/all_tools",
        "/tools/one",
        "/tools/one/limits/0",
        "/tools/one/require/0",
        "/tools/one/approval",
    ];
    for member in members.into_iter().flat_map(of) {
        assert!(told.contains(&format!("`{member}`")), "`{member}` is not in the guide");
    }
    assert_eq!(full.pointer("/tools/one/limits/0/seconds"), Some(&json!(60)));
}
