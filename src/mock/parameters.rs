//! The parameters of a tool, read off its schema: what each one takes, and what it is when it is left out.

use super::value::from_plain;
use minijinja::Value;
use serde_json::Value as Plain;

/// The parameters of one tool, in the order of its schema.
#[derive(Debug, Default)]
pub(super) struct Parameters(pub(super) Vec<Parameter>);

/// One parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) default: Option<Value>,
    /// The name behind `Mcp-Param-`, where the parameter is repeated in a header.
    pub(super) header: Option<String>,
}

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Any,
    Text,
    Integer,
    Number,
    Boolean,
    Null,
    List(Box<Self>),
    Map(Box<Self>),
    /// One of several; `null` stands first where it is allowed.
    Either(Vec<Self>),
}

impl Parameters {
    /// Reads an `inputSchema`.
    pub(super) fn of(schema: &Plain) -> Self {
        let required = schema.get("required").and_then(Plain::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
        let properties = schema.get("properties").and_then(Plain::as_object);
        let parameters = properties.into_iter().flatten().map(|(name, property)| Parameter {
            name: name.clone(),
            kind: Kind::of(property),
            required: is_required(name),
            default: property.get("default").map(from_plain),
            header: property.get("x-mcp-header").and_then(Plain::as_str).map(str::to_owned),
        });
        Self(parameters.collect())
    }

    /// The parameter of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Parameter> {
        self.0.iter().find(|parameter| parameter.name == name)
    }
}

impl Kind {
    fn of(schema: &Plain) -> Self {
        if let Some(variants) = schema.get("anyOf").and_then(Plain::as_array) {
            let mut kinds: Vec<Self> = variants.iter().map(Self::of).collect();
            kinds.sort_by_key(|kind| *kind != Self::Null);
            return Self::Either(kinds);
        }
        let within = |name: &str| {
            Box::new(schema.get(name).filter(|inner| inner.is_object()).map_or(Self::Any, Self::of))
        };
        match schema.get("type").and_then(Plain::as_str) {
            Some("string") => Self::Text,
            Some("integer") => Self::Integer,
            Some("number") => Self::Number,
            Some("boolean") => Self::Boolean,
            Some("null") => Self::Null,
            Some("array") => Self::List(within("items")),
            Some("object") => Self::Map(within("additionalProperties")),
            _ => Self::Any,
        }
    }

    /// How Python writes the type down; it stands in the places of errors within unions.
    pub(super) fn python(&self) -> String {
        match self {
            Self::Any => "any".to_owned(),
            Self::Text => "str".to_owned(),
            Self::Integer => "int".to_owned(),
            Self::Number => "float".to_owned(),
            Self::Boolean => "bool".to_owned(),
            Self::Null => "none".to_owned(),
            Self::List(inner) => format!("list[{}]", inner.python()),
            Self::Map(inner) => format!("dict[str,{}]", inner.python()),
            Self::Either(kinds) => {
                format!("union[{}]", kinds.iter().map(Self::python).collect::<Vec<_>>().join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_is_read() {
        let parameters = Parameters::of(&json!({
            "properties": {
                "vm": {"type": "string", "x-mcp-header": "Vm"},
                "tags": {"anyOf": [{"items": {"type": "string"}, "type": "array"}, {"type": "null"}], "default": null},
                "more": {"additionalProperties": true, "type": "object"}
            },
            "required": ["vm"]
        }));
        let vm = parameters.get("vm").unwrap();
        assert!(vm.required && vm.default.is_none() && vm.header.as_deref() == Some("Vm"));
        let tags = parameters.get("tags").unwrap();
        assert_eq!(tags.kind, Kind::Either(vec![Kind::Null, Kind::List(Box::new(Kind::Text))]));
        assert!(tags.default.as_ref().is_some_and(Value::is_none));
        assert_eq!(parameters.get("more").unwrap().kind, Kind::Map(Box::new(Kind::Any)));
    }
}
