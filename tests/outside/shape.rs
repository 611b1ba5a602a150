//! Whether a value has the shape that the catalogue writes down: an example's members, with type names for leaves.
//!
//! A shape tells of a list what its first element was like. The others may lack members and have more, but what they
//! share with the first is of the same kind. Of an empty list or object it tells nothing.

use serde_json::Value;

/// Where a value departs from a shape; nothing where it fits.
pub(crate) fn departures(shape: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare((shape, value), "", true, &mut found);
    found
}

fn compare(both: (&Value, &Value), place: &str, whole: bool, found: &mut Vec<String>) {
    match both {
        (Value::String(kind), value) if is_kind(kind, value) => {}
        (Value::Array(shapes), Value::Array(elements)) => {
            let Some(shape) = shapes.first() else { return };
            for (index, element) in elements.iter().enumerate() {
                compare((shape, element), &format!("{place}/{index}"), whole && index == 0, found);
            }
        }
        (Value::Object(members), Value::Object(values)) => {
            for (name, member) in members {
                match values.get(name) {
                    Some(value) => compare((member, value), &format!("{place}/{name}"), whole, found),
                    None if whole => found.push(format!("{place}/{name} is missing")),
                    None => {}
                }
            }
            let extra =
                values.keys().filter(|name| whole && !members.is_empty() && !members.contains_key(*name));
            found.extend(extra.map(|name| format!("{place}/{name} is not in the shape")));
        }
        (shape, value) => found.push(format!("{place} should be {shape} and is {value}")),
    }
}

fn is_kind(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        unknown => panic!("a shape names the unknown kind `{unknown}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_departs_is_found_where_it_is() {
        let shape = json!({"a": "integer", "b": [{"c": "string", "x": "null"}], "d": [], "e": {}});
        let fits = |value| departures(&shape, &value).is_empty();
        assert!(fits(
            json!({"a": 1, "b": [{"c": "x", "x": null}, {"c": "y", "z": 1}], "d": [1], "e": {"f": 1}})
        ));
        assert!(fits(json!({"e": {}, "d": [], "b": [], "a": 1})));
        let wrong = json!({"a": 1.5, "b": [{"c": "x"}, {"c": null}], "e": {}, "f": 1});
        assert_eq!(
            departures(&shape, &wrong),
            [
                "/a should be \"integer\" and is 1.5",
                "/b/0/x is missing",
                "/b/1/c should be \"string\" and is null",
                "/d is missing",
                "/f is not in the shape"
            ]
        );
    }
}
