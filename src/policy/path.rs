//! Where an argument stands: `args.a.b`, or a JSON pointer into the arguments.

use crate::wire::Json;

/// Splits a path into member names; the reason, a fragment, if it is none.
pub(super) fn tokens(path: &str) -> Result<Vec<String>, String> {
    if path.starts_with('/') {
        return path.split('/').skip(1).map(unescape).collect();
    }
    let Some(dotted) = path.strip_prefix("args.") else {
        return Err(format!("`{path}` is no path: say `args.name`, or a JSON pointer such as `/name`"));
    };
    if dotted.split('.').any(str::is_empty) {
        return Err(format!("`{path}` has an empty name in it: say it as a JSON pointer"));
    }
    if dotted.contains(['[', ']', '*', '"']) {
        return Err(format!(
            "`{path}` has signs that are not understood: elements are `args.list.0`, odd names JSON pointers"
        ));
    }
    Ok(dotted.split('.').map(str::to_owned).collect())
}

fn unescape(token: &str) -> Result<String, String> {
    let sound = token.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if sound {
        Ok(token.replace("~1", "/").replace("~0", "~"))
    } else {
        Err("`~` must be followed by `0` or `1`".into())
    }
}

/// One name as a part of a JSON pointer.
pub(super) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The value at that place. `null` is missing, and so is everything below what is neither object nor array.
pub(super) fn resolve<'a>(arguments: &'a Json, tokens: &[String]) -> Option<&'a Json> {
    let found = tokens.iter().try_fold(arguments, |value, token| match value {
        Json::Object(object) => object.get(token),
        Json::Array(elements) => elements.get(index(token)?),
        _ => None,
    })?;
    (!found.is_null()).then_some(found)
}

/// An index has one spelling: `+1` and `01` are member names.
fn index(token: &str) -> Option<usize> {
    let index = token.parse::<usize>().ok()?;
    (index.to_string() == token).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;

    #[test]
    fn places_are_found() {
        let arguments = parse(
            r#"{"a":{"b":1,"":2},"a.b":3,"a/b":4,"~":5,"list":[6,{"x":7}],"é":8,"none":null,"01":9}"#
                .as_bytes(),
        )
        .unwrap();
        for (path, value) in [
            ("args.a.b", Some(1)),
            ("/a/", Some(2)),
            ("/a.b", Some(3)),
            ("/a~1b", Some(4)),
            ("/~0", Some(5)),
            ("args.list.0", Some(6)),
            ("args.list.1.x", Some(7)),
            ("/list/1/x", Some(7)),
            ("args.é", Some(8)),
            ("args.none", None),
            ("args.missing", None),
            ("args.list.2", None),
            ("args.list.+1", None),
            ("args.list.01", None),
            ("args.a.b.c", None),
            ("/01", Some(9)),
            ("args.list.x", None),
        ] {
            let found = resolve(&arguments, &tokens(path).unwrap()).and_then(Json::as_i64);
            assert_eq!(found, value, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_said() {
        for path in [
            "",
            "args",
            "args.",
            "args..a",
            "args.a.",
            "a",
            "arg.a",
            "$.a",
            "args.a[0]",
            "args.*",
            "/~",
            "/~2",
        ] {
            assert!(tokens(path).is_err(), "{path}");
        }
    }
}
