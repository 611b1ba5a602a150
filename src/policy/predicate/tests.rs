use super::*;
use crate::wire::{Number, parse};
use proptest::prelude::*;
use serde_json::json;

fn arguments(value: &str) -> Json {
    parse(format!(r#"{{"a":{value}}}"#).as_bytes()).unwrap()
}

/// As `require`, as `deny_if`: `H` holds, `M` matches, `-` neither.
fn said(op: Op, value: &serde_json::Value, found: &str) -> String {
    let predicate = Predicate::new("args.a", op, value.clone());
    let of = if found.is_empty() { Json::object() } else { arguments(found) };
    format!(
        "{}{}",
        if predicate.holds(&of) { "H" } else { "-" },
        if predicate.matches(&of) { "M" } else { "-" }
    )
}

const YES: &str = "HM";
const NO: &str = "--";
const RETYPED: &str = "-M";

#[test]
fn every_operator_hits_misses_and_minds_its_boundary() {
    let rows: &[(Op, serde_json::Value, &str, &str)] = &[
        (Op::Eq, json!(500), "500", YES),
        (Op::Eq, json!(500), "5e2", YES),
        (Op::Eq, json!(500), "500.0", YES),
        (Op::Eq, json!(500), "500.0000000000000001", NO),
        (Op::Eq, json!(0), "-0", YES),
        (Op::Eq, json!("main"), r#""main""#, YES),
        (Op::Eq, json!("main"), r#""m\u0061in""#, YES),
        (Op::Eq, json!("main"), r#""MAIN""#, NO),
        (Op::Eq, json!("main"), r#""main ""#, NO),
        (Op::Eq, json!(true), "true", YES),
        (Op::Eq, json!(true), "false", NO),
        (Op::Eq, json!({"x": 1, "y": 2}), r#"{"y":2.0,"x":1}"#, YES),
        (Op::Neq, json!(500), "501", YES),
        (Op::Neq, json!(500), "500", NO),
        (Op::Lt, json!(500), "499", YES),
        (Op::Lt, json!(500), "500", NO),
        (Op::Lte, json!(500), "500", YES),
        (Op::Lte, json!(500), "500.0000000000000001", NO),
        (Op::Gt, json!(500), "500", NO),
        (Op::Gt, json!(500), "1e309", YES),
        (Op::Gte, json!(500), "500", YES),
        (Op::Gte, json!(500), "-99999999999999999999", NO),
        (Op::In, json!(["a", 1]), r#""a""#, YES),
        (Op::In, json!(["a", 1]), "1.0", YES),
        (Op::In, json!(["a", 1]), r#""b""#, NO),
        (Op::In, json!([]), "1", NO),
        (Op::NotIn, json!(["a"]), r#""b""#, YES),
        (Op::NotIn, json!(["a"]), r#""a""#, NO),
        (Op::Regex, json!("^ra"), r#""range""#, YES),
        (Op::Regex, json!("ang"), r#""range""#, YES),
        (Op::Regex, json!("^ang$"), r#""range""#, NO),
        (Op::Contains, json!("DROP"), r#""x DROP y""#, YES),
        (Op::Contains, json!("DROP"), r#""drop""#, NO),
        (Op::Contains, json!("a"), r#"["b","a"]"#, YES),
        (Op::Contains, json!("a"), r#"["b","aa"]"#, NO),
        (Op::Contains, json!("a"), "[]", NO),
        (Op::Contains, json!(1), "[1.0]", YES),
        (Op::Exists, json!(true), "0", YES),
        (Op::Exists, json!(false), "0", NO),
    ];
    for (op, value, found, expected) in rows {
        assert_eq!(said(*op, value, found), *expected, "{op:?} {value} with {found}");
    }
}

#[test]
fn missing_and_null_fail_every_require_but_one_and_match_no_deny() {
    for found in ["", "null"] {
        for (op, value) in [
            (Op::Eq, json!(1)),
            (Op::Neq, json!(1)),
            (Op::Lt, json!(1)),
            (Op::Lte, json!(1)),
            (Op::Gt, json!(1)),
            (Op::Gte, json!(1)),
            (Op::In, json!([1])),
            (Op::NotIn, json!([1])),
            (Op::Regex, json!("")),
            (Op::Contains, json!("")),
            (Op::Exists, json!(true)),
        ] {
            assert_eq!(said(op, &value, found), NO, "{op:?} {found:?}");
        }
        assert!(said(Op::Exists, &json!(false), found).starts_with('H'));
    }
}

#[test]
fn another_type_fails_require_and_matches_deny() {
    for (op, value, found) in [
        (Op::Lt, json!(501), r#""500""#),
        (Op::Lt, json!(501), "true"),
        (Op::Lt, json!(501), "[500]"),
        (Op::Lt, json!(501), r#"{"v":500}"#),
        (Op::Neq, json!("main"), r#"["main"]"#),
        (Op::Neq, json!(5), r#""5""#),
        (Op::NotIn, json!(["main"]), r#"["main"]"#),
        (Op::NotIn, json!([1]), "true"),
        (Op::Regex, json!("5"), "5"),
        (Op::Contains, json!("main"), r#"{"main":1}"#),
        (Op::Contains, json!("main"), r#"[["main"]]"#),
        (Op::Contains, json!(5), r#""5""#),
        (Op::Contains, json!("5"), "5"),
        (Op::Eq, json!(true), r#""true""#),
    ] {
        assert_eq!(said(op, &value, found), RETYPED, "{op:?} {value} with {found}");
    }
}

#[test]
fn mistakes_are_said() {
    for (op, value) in [
        (Op::Exists, json!("yes")),
        (Op::In, json!("a")),
        (Op::NotIn, json!({})),
        (Op::Eq, json!(null)),
        (Op::Lt, json!("5")),
        (Op::Regex, json!("(")),
        (Op::Regex, json!(5)),
    ] {
        assert!(Predicate::new("args.a", op, value.clone()).mistake(false).is_some(), "{op:?} {value}");
    }
    assert!(Predicate::new("a", Op::Eq, json!(1)).mistake(false).is_some());
    assert!(Predicate::new("args.a", Op::Exists, json!(false)).mistake(true).is_some());
    assert!(Predicate::new("args.a", Op::Exists, json!(false)).mistake(false).is_none());
}

#[test]
fn what_was_never_checked_lets_nothing_pass() {
    for predicate in
        [Predicate::new("args.a", Op::Regex, json!("(")), Predicate::new("nonsense", Op::Eq, json!(1))]
    {
        assert!(!predicate.holds(&arguments("1")) && predicate.matches(&arguments("1")));
    }
}

fn any_value() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        any::<i32>().prop_map(|number| json!(number)),
        "[a-c]{0,3}".prop_map(|text| json!(text)),
        any::<bool>().prop_map(|flag| json!(flag)),
        proptest::collection::vec("[a-c]{0,2}", 0..3).prop_map(|texts| json!(texts)),
        Just(json!({"v": 500})),
    ]
}

proptest! {
    #[test]
    fn nothing_passes_by_being_retyped(wanted in any_value(), found in any_value()) {
        let differs = std::mem::discriminant(&Json::from(wanted.clone())) != std::mem::discriminant(&Json::from(found.clone()));
        prop_assume!(differs);
        for op in [Op::Eq, Op::Neq, Op::Lt, Op::Lte, Op::Gt, Op::Gte] {
            prop_assert_eq!(said(op, &wanted, &found.to_string()), RETYPED);
        }
        for op in [Op::In, Op::NotIn] {
            prop_assert_eq!(said(op, &json!([wanted]), &found.to_string()), RETYPED);
        }
    }

    #[test]
    fn spellings_of_one_number_are_judged_alike(value in -100_000i64..100_000, limit in -100_000i64..100_000, zeros in 1usize..4) {
        let plain = Number::from(value);
        let spelled = [format!("{value}.{}", "0".repeat(zeros)), format!("{value}e0"), plain.canonical()];
        for op in [Op::Eq, Op::Neq, Op::Lt, Op::Lte, Op::Gt, Op::Gte] {
            for spelling in &spelled {
                prop_assert_eq!(said(op, &json!(limit), &value.to_string()), said(op, &json!(limit), spelling));
            }
        }
    }

    #[test]
    fn an_operator_and_its_opposite_never_agree(value in any_value(), found in any_value()) {
        for (op, opposite) in [(Op::Eq, Op::Neq), (Op::Lt, Op::Gte), (Op::Lte, Op::Gt)] {
            let holds = |op| Predicate::new("args.a", op, value.clone()).holds(&arguments(&found.to_string()));
            prop_assert!(!(holds(op) && holds(opposite)));
        }
    }
}
