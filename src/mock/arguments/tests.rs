//! Each text here was measured on pydantic 2.14.

use super::*;
use crate::mock::value::to_plain;
use serde_json::json;

fn rules() -> Rules {
    Rules {
        model: "call[{{ tool }}]".into(),
        missing: Missing::MissingArgument,
        extra: Extra::Refuse,
        json_in_text: false,
        explained: "https://errors.pydantic.dev/2.14/v/".into(),
        refusal: "{{ problems }}".into(),
    }
}

fn parameters() -> Parameters {
    Parameters::of(&json!({
        "properties": {
            "a": {"type": "string"},
            "n": {"type": "integer", "default": 1},
            "b": {"type": "boolean", "default": false},
            "f": {"type": "number", "default": 1.0},
            "l": {"anyOf": [{"items": {"type": "string"}, "type": "array"}, {"type": "null"}], "default": null},
            "d": {"anyOf": [{"additionalProperties": true, "type": "object"}, {"type": "null"}], "default": null},
            "ds": {"anyOf": [{"additionalProperties": {"type": "string"}, "type": "object"}, {"type": "null"}], "default": null}
        },
        "required": ["a"]
    }))
}

fn checked(given: &str) -> Result<serde_json::Value, String> {
    let given = parse(given.as_bytes()).unwrap();
    let rules = rules();
    check(&parameters(), given.as_object().unwrap(), &rules)
        .map(|value| to_plain(&value))
        .map_err(|problems| told(&problems, "call[call]", &rules))
}

/// The line that says what is wrong, without its frame.
fn line(given: &str) -> String {
    let told = checked(given).expect_err(given);
    told.lines().nth(2).unwrap_or_default().trim().to_owned()
}

#[test]
fn the_whole_text_is_the_checkers() {
    assert_eq!(
        checked("{}").unwrap_err(),
        "1 validation error for call[call]\na\n  Missing required argument [type=missing_argument, input_value={}, input_type=dict]\n    \
         For further information visit https://errors.pydantic.dev/2.14/v/missing_argument"
    );
    assert!(
        checked(r#"{"zz": {"a": [1, 2.5, null, true, "it's"]}}"#)
            .unwrap_err()
            .starts_with("2 validation errors for call[call]\na\n")
    );
}

#[test]
fn each_kind_of_mistake_has_its_words() {
    for (given, told) in [
        (
            r#"{"a":123}"#,
            "Input should be a valid string [type=string_type, input_value=123, input_type=int]",
        ),
        (
            r#"{"a":null}"#,
            "Input should be a valid string [type=string_type, input_value=None, input_type=NoneType]",
        ),
        (
            r#"{"a":"x","n":"abc"}"#,
            "Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='abc', input_type=str]",
        ),
        (
            r#"{"a":"x","n":1.5}"#,
            "Input should be a valid integer, got a number with a fractional part [type=int_from_float, input_value=1.5, input_type=float]",
        ),
        (
            r#"{"a":"x","n":[1]}"#,
            "Input should be a valid integer [type=int_type, input_value=[1], input_type=list]",
        ),
        (
            r#"{"a":"x","n":1e20}"#,
            "Unable to parse input string as an integer, exceeded maximum size [type=int_parsing_size, input_value=1e+20, input_type=float]",
        ),
        (
            &format!(r#"{{"a":"x","n":"{}"}}"#, "9".repeat(4_301)),
            "Unable to parse input string as an integer, exceeded maximum size [type=int_parsing_size, input_value='999999999999999999999999...99999999999999999999999', input_type=str]",
        ),
        (
            r#"{"a":"x","n":"5."}"#,
            "Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='5.', input_type=str]",
        ),
        (
            r#"{"a":"x","b":"maybe"}"#,
            "Input should be a valid boolean, unable to interpret input [type=bool_parsing, input_value='maybe', input_type=str]",
        ),
        (
            r#"{"a":"x","b":2}"#,
            "Input should be a valid boolean, unable to interpret input [type=bool_parsing, input_value=2, input_type=int]",
        ),
        (
            r#"{"a":"x","b":5.0}"#,
            "Input should be a valid boolean, unable to interpret input [type=bool_parsing, input_value=5.0, input_type=float]",
        ),
        (
            r#"{"a":"x","b":100000000000000000000}"#,
            "Input should be a valid boolean [type=bool_type, input_value=100000000000000000000, input_type=int]",
        ),
        (
            r#"{"a":"x","b":1.5}"#,
            "Input should be a valid boolean [type=bool_type, input_value=1.5, input_type=float]",
        ),
        (
            r#"{"a":"x","b":[]}"#,
            "Input should be a valid boolean [type=bool_type, input_value=[], input_type=list]",
        ),
        (
            r#"{"a":"x","l":"a"}"#,
            "Input should be a valid list [type=list_type, input_value='a', input_type=str]",
        ),
        (
            r#"{"a":"x","d":[1]}"#,
            "Input should be a valid dictionary [type=dict_type, input_value=[1], input_type=list]",
        ),
        (
            r#"{"a":"x","f":"a"}"#,
            "Input should be a valid number, unable to parse string as a number [type=float_parsing, input_value='a', input_type=str]",
        ),
        (
            r#"{"a":"x","zz":1}"#,
            "Unexpected keyword argument [type=unexpected_keyword_argument, input_value=1, input_type=int]",
        ),
    ] {
        assert_eq!(line(given), told, "{given}");
    }
}

#[test]
fn places_within_lists_and_mappings_are_named() {
    assert!(checked(r#"{"a":"x","l":["a",1]}"#).unwrap_err().contains("\nl.1\n"));
    let both = checked(r#"{"a":"x","ds":{"a":1,"b c":2}}"#).unwrap_err();
    assert!(both.contains("\nds.a\n") && both.contains("\nds.b c\n"));
}

#[test]
fn long_values_are_cut_in_the_middle() {
    let long = format!(r#"{{"a":"x","n":"{}"}}"#, "y".repeat(80));
    assert!(
        line(&long)
            .contains("input_value='yyyyyyyyyyyyyyyyyyyyyyyy...yyyyyyyyyyyyyyyyyyyyyyy', input_type=str")
    );
    assert_eq!(shortened(&"é".repeat(40)), format!("{}...{}", "é".repeat(12), "é".repeat(12)));
}

#[test]
fn what_the_checker_takes_is_taken_and_converted() {
    for (given, name, value) in [
        (r#"{"a":"x","n":"5"}"#, "n", json!(5)),
        (r#"{"a":"x","n":" 5 "}"#, "n", json!(5)),
        (r#"{"a":"x","n":"5.0"}"#, "n", json!(5)),
        (r#"{"a":"x","n":"1_000"}"#, "n", json!(1000)),
        (r#"{"a":"x","n":2.0}"#, "n", json!(2)),
        (r#"{"a":"x","n":true}"#, "n", json!(1)),
        (r#"{"a":"x","n":"+5"}"#, "n", json!(5)),
        (r#"{"a":"x","b":"Yes"}"#, "b", json!(true)),
        (r#"{"a":"x","b":"off"}"#, "b", json!(false)),
        (r#"{"a":"x","b":1.0}"#, "b", json!(true)),
        (r#"{"a":"x","f":"1e5"}"#, "f", json!(100000.0)),
        (r#"{"a":"x"}"#, "n", json!(1)),
        (r#"{"a":"x","l":null}"#, "l", json!(null)),
    ] {
        assert_eq!(checked(given).unwrap_or_else(|told| panic!("{given}: {told}"))[name], value, "{given}");
    }
}

#[test]
fn the_other_server_ignores_extras_and_reads_json_in_texts() {
    let rules = Rules { missing: Missing::Missing, extra: Extra::Ignore, json_in_text: true, ..rules() };
    let given = parse(br#"{"a":"{}","d":"{\"k\":1}","zz":1}"#).unwrap();
    let taken = to_plain(&check(&parameters(), given.as_object().unwrap(), &rules).unwrap());
    assert_eq!((&taken["a"], &taken["d"], taken.get("zz")), (&json!("{}"), &json!({"k": 1}), None));
    let none = check(&parameters(), &Object::default(), &rules).unwrap_err();
    assert!(
        told(&none, "m", &rules).contains("Field required [type=missing, input_value={}, input_type=dict]")
    );
}

#[test]
fn a_wider_union_complains_for_each_member() {
    let parameters =
        Parameters::of(&json!({"properties": {"p": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}}));
    let given = |text: &str| parse(text.as_bytes()).unwrap().as_object().unwrap().clone();
    let wrong = check(&parameters, &given(r#"{"p":[]}"#), &rules()).unwrap_err();
    let told = told(&wrong, "m", &rules());
    assert!(told.contains("\np.str\n") && told.contains("\np.int\n"), "{told}");
    assert_eq!(to_plain(&check(&parameters, &given(r#"{"p":7}"#), &rules()).unwrap()), json!({"p": 7}));
}
