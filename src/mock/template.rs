//! Values with expressions in them: compiled once, filled in for each call.
//!
//! A string that is exactly one `{{ expression }}` gives the expression's own value; any other string is text.

use super::filters::{ENVIRONMENT, environment};
use super::value::{from_plain, text};
use minijinja::value::Object;
use minijinja::{Environment, Error, Expression, Value};
use serde_json::{Map, Value as Plain};
use std::sync::Arc;

/// A value that may depend on the call.
pub(super) enum Template {
    /// Depends on nothing.
    Fixed(Value),
    /// One expression, with its own value.
    Expression(Box<Expression<'static, 'static>>),
    /// Text around expressions.
    Text(Vec<Self>),
    /// Text with statements (`{% for ... %}`).
    Page(Box<Environment<'static>>),
    /// A list.
    List(Vec<Self>),
    /// A mapping; its keys are no templates.
    Map(Vec<(String, Self)>),
    /// A list of one value for each element of another.
    Each(Box<Each>),
}

/// `{for: LIST, as: NAME, if: CONDITION, give: VALUE}`.
pub(super) struct Each {
    list: Template,
    name: Arc<str>,
    condition: Option<Template>,
    give: Template,
}

/// The names that an expression may use, in a scope of its own that is cheap to extend.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope(Vec<(Arc<str>, Value)>);

impl Scope {
    /// Adds a name, or hides an older one.
    pub(super) fn add(&mut self, name: impl Into<Arc<str>>, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get(key.as_str()?).cloned()
    }
}

impl Template {
    /// Reads what an author wrote; the complaint is about the expression, a fragment.
    pub(super) fn compile(written: &Plain) -> Result<Self, String> {
        let template = match written {
            Plain::String(text) => return Self::text(text),
            Plain::Array(elements) => {
                Self::List(elements.iter().map(Self::compile).collect::<Result<_, _>>()?)
            }
            Plain::Object(members) if members.contains_key("for") && members.contains_key("give") => {
                return Self::each(members);
            }
            Plain::Object(members) => {
                let compile = |(name, value): (&String, _)| Ok((name.clone(), Self::compile(value)?));
                Self::Map(members.iter().map(compile).collect::<Result<_, String>>()?)
            }
            plain => Self::Fixed(from_plain(plain)),
        };
        // A tree without expressions is one value: nothing is left to do at the call.
        Ok(if template.is_fixed() { Self::Fixed(from_plain(written)) } else { template })
    }

    /// A template that is a string.
    pub(super) fn text(written: &str) -> Result<Self, String> {
        if written.contains("{%") || written.contains("{#") {
            let mut page = environment();
            page.add_template_owned("page", written.to_owned()).map_err(|error| complaint(&error))?;
            return Ok(Self::Page(Box::new(page)));
        }
        let mut pieces = Vec::new();
        let mut rest = written;
        while let Some((before, expression, after)) = next_expression(rest)? {
            if !before.is_empty() {
                pieces.push(Self::Fixed(Value::from(before)));
            }
            let compiled = ENVIRONMENT
                .compile_expression_owned(expression.to_owned())
                .map_err(|error| complaint(&error))?;
            pieces.push(Self::Expression(Box::new(compiled)));
            rest = after;
        }
        if pieces.is_empty() {
            return Ok(Self::Fixed(Value::from(written)));
        }
        if !rest.is_empty() {
            pieces.push(Self::Fixed(Value::from(rest)));
        }
        Ok(if pieces.len() == 1 { pieces.remove(0) } else { Self::Text(pieces) })
    }

    fn each(members: &Map<String, Plain>) -> Result<Self, String> {
        if let Some(unknown) =
            members.keys().find(|name| !["for", "as", "if", "give"].contains(&name.as_str()))
        {
            return Err(format!("`{unknown}` is unknown beside `for`; known are `as`, `if` and `give`"));
        }
        let member = |name: &str| members.get(name).map(Self::compile).transpose();
        let name = members.get("as").and_then(Plain::as_str).ok_or("`for` needs `as`, a name")?;
        let missing = |name: &str| format!("`for` needs `{name}`");
        Ok(Self::Each(Box::new(Each {
            list: member("for")?.ok_or_else(|| missing("for"))?,
            name: name.into(),
            condition: member("if")?,
            give: member("give")?.ok_or_else(|| missing("give"))?,
        })))
    }

    /// Whether it gives the same for every call.
    pub(super) fn is_fixed(&self) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::List(elements) => elements.iter().all(Self::is_fixed),
            Self::Map(members) => members.iter().all(|(_, value)| value.is_fixed()),
            _ => false,
        }
    }

    /// Fills it in.
    pub(super) fn fill(&self, scope: &Scope) -> Result<Value, Error> {
        self.fill_with(&Value::from_object(scope.clone()), scope)
    }

    /// `names` is the scope as the engine wants it: made once for all expressions of a tree.
    fn fill_with(&self, names: &Value, scope: &Scope) -> Result<Value, Error> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Expression(expression) => expression.eval(names.clone()),
            Self::Text(pieces) => {
                let mut filled = String::new();
                for piece in pieces {
                    filled.push_str(&shown(&piece.fill_with(names, scope)?));
                }
                Ok(Value::from(filled))
            }
            Self::Page(page) => page.get_template("page")?.render(names.clone()).map(Value::from),
            Self::List(elements) => {
                let filled = elements.iter().map(|element| element.fill_with(names, scope));
                Ok(Value::from(filled.collect::<Result<Vec<_>, _>>()?))
            }
            Self::Map(members) => {
                let fill =
                    |(name, value): &(String, Self)| Ok((name.clone(), value.fill_with(names, scope)?));
                Ok(Value::from_pairs(members.iter().map(fill).collect::<Result<Vec<_>, Error>>()?))
            }
            Self::Each(each) => each.fill(names, scope),
        }
    }
}

impl Each {
    fn fill(&self, names: &Value, scope: &Scope) -> Result<Value, Error> {
        let mut filled = Vec::new();
        for element in self.list.fill_with(names, scope)?.try_iter()? {
            let mut inner = scope.clone();
            inner.add(Arc::clone(&self.name), element);
            let names = Value::from_object(inner.clone());
            let wanted = match &self.condition {
                Some(condition) => condition.fill_with(&names, &inner)?.is_true(),
                None => true,
            };
            if wanted {
                filled.push(self.give.fill_with(&names, &inner)?);
            }
        }
        Ok(Value::from(filled))
    }
}

/// A value inside a text, as the engine itself would put it.
fn shown(value: &Value) -> String {
    if value.is_undefined() {
        String::new()
    } else {
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }
}

/// The text before the next expression, the expression, and the text after it.
fn next_expression(text: &str) -> Result<Option<(&str, &str, &str)>, String> {
    let Some(start) = text.find("{{") else { return Ok(None) };
    let (mut depth, mut quote) = (0_usize, None);
    let mut letters = text[start + 2..].char_indices();
    while let Some((at, letter)) = letters.next() {
        let here = start + 2 + at;
        match (quote, letter) {
            (Some(_), '\\') => {
                letters.next();
            }
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '{' | '[' | '(') => depth += 1,
            (None, '}') if depth == 0 && text[here..].starts_with("}}") => {
                let expression = text[start + 2..here].trim_matches('-').trim();
                return Ok(Some((&text[..start], expression, &text[here + 2..])));
            }
            (None, '}' | ']' | ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Err("`{{` is never closed by `}}`".to_owned())
}

/// What is wrong with an expression, in one line.
fn complaint(error: &Error) -> String {
    error.detail().map_or_else(|| error.to_string(), str::to_owned)
}

/// What went wrong when a template was filled in, with the causes.
pub(super) fn reason(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!(
        "{}{cause}",
        error
            .detail()
            .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()))
    )
}

/// The text of a template that should give one.
pub(super) fn filled_text(template: &Template, scope: &Scope) -> Result<String, Error> {
    template.fill(scope).map(|value| text(&value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::value::to_plain;
    use serde_json::json;

    fn scope() -> Scope {
        let mut scope = Scope::default();
        scope.add("args", from_plain(&json!({"vm_id": 7, "name": "dc", "tags": ["a", "b"]})));
        scope.add("rows", from_plain(&json!([{"n": 1}, {"n": 2}])));
        scope
    }

    fn filled(written: impl Into<Plain>) -> Plain {
        let written = written.into();
        let template = Template::compile(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
        to_plain(&template.fill(&scope()).unwrap())
    }

    #[test]
    fn one_expression_keeps_its_own_value_and_text_is_text() {
        assert_eq!(filled(json!("{{ args.vm_id }}")), json!(7));
        assert_eq!(filled(json!("{{ args.tags }}")), json!(["a", "b"]));
        assert_eq!(filled(json!("VM {{ args.vm_id }} ({{ args.name }})")), json!("VM 7 (dc)"));
        assert_eq!(filled(json!("{{ args.missing }}")), Plain::Null);
        assert_eq!(filled(json!("[{{ args.missing }}]")), json!("[]"));
        assert_eq!(filled(json!("plain }} text")), json!("plain }} text"));
        assert_eq!(filled(json!("{{ {'a': '}}'} }}")), json!({"a": "}}"}));
        assert_eq!(filled(json!("{% for tag in args.tags %}{{ tag }};{% endfor %}")), json!("a;b;"));
    }

    #[test]
    fn trees_and_loops_are_filled_in() {
        let written = json!({"a": [1, "{{ args.vm_id }}"], "b": {"for": "{{ rows }}", "as": "row", "if": "{{ row.n > 1 }}", "give": {"m": "{{ row.n }}"}}});
        assert_eq!(filled(written), json!({"a": [1, 7], "b": [{"m": 2}]}));
        assert!(Template::compile(&json!({"a": [1, {"b": "x"}]})).unwrap().is_fixed());
    }

    #[test]
    fn mistakes_are_told_when_the_template_is_read() {
        for (written, told) in [
            (json!("{{ a"), "never closed"),
            (json!("{{ a ~ }}"), "unexpected"),
            (json!({"for": "{{ rows }}", "give": 1}), "`as`"),
            (json!({"for": "{{ rows }}", "as": "row", "give": 1, "when": 1}), "`when` is unknown"),
            (json!("{% for %}"), "unexpected"),
        ] {
            let error = Template::compile(&written).err().unwrap_or_default();
            assert!(error.contains(told), "{written}: {error}");
        }
    }
}
