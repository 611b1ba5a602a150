//! How tools are called behind a gateway: the known names through the profile's template, and back by table.

use super::profile::Profile;
use super::render::Facts;
use super::template::{Engine, RenderError, Template, value};
use minijinja::Value;
use std::collections::BTreeMap;

/// A tool of an upstream.
type Tool = (String, String);

/// Names on both sides of a gateway.
#[derive(Clone, Debug)]
pub struct Names {
    engine: Engine,
    context: Value,
    spelling: Option<Template>,
    /// What the gateway says of itself.
    declares: Value,
    shown: BTreeMap<Tool, String>,
    meant: BTreeMap<String, Vec<Tool>>,
}

/// Several tools that an agent would call by one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    /// The name.
    pub shown: String,
    /// Upstream and tool of each.
    pub tools: Vec<(String, String)>,
}

impl Names {
    /// The table for these upstreams and their tools.
    pub fn of<'a>(
        profile: &Profile,
        facts: &Facts,
        tools: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, RenderError> {
        let spelling = profile.tools.clone();
        let context = value(facts);
        let declares = value(&profile.declares);
        let (shown, meant) = (BTreeMap::new(), BTreeMap::new());
        let mut names = Self { engine: Engine::new(), context, spelling, declares, shown, meant };
        let tools: Vec<(&str, &str)> = tools.into_iter().collect();
        for ((upstream, tool), shown) in tools.iter().zip(names.spellings(&tools)?) {
            let known = ((*upstream).to_owned(), (*tool).to_owned());
            names.meant.entry(shown.clone()).or_default().push(known.clone());
            names.shown.insert(known, shown);
        }
        Ok(names)
    }

    /// What an agent calls a tool, known or not.
    pub fn spelled(&self, upstream: &str, tool: &str) -> Result<String, RenderError> {
        Ok(self.spellings(&[(upstream, tool)])?.swap_remove(0))
    }

    /// The same for many tools: the template is read once.
    fn spellings(&self, tools: &[(&str, &str)]) -> Result<Vec<String>, RenderError> {
        let Some(template) = &self.spelling else {
            return Ok(tools.iter().map(|(_, tool)| (*tool).to_owned()).collect());
        };
        let over = |(upstream, tool): &(&str, &str)| {
            let (upstream, tool) = (Value::from(*upstream), Value::from(*tool));
            BTreeMap::from([("upstream", upstream), ("tool", tool), ("declares", self.declares.clone())])
        };
        self.engine.render_each(&template.0, &self.context, tools.iter().map(over))
    }

    /// What an agent calls a tool of the table.
    pub fn shown(&self, upstream: &str, tool: &str) -> Option<&str> {
        self.shown.get(&(upstream.to_owned(), tool.to_owned())).map(String::as_str)
    }

    /// Upstream and tool that an agent means; `None` for a name that no tool or more than one has.
    pub fn meant(&self, shown: &str) -> Option<(&str, &str)> {
        match self.meant.get(shown)?.as_slice() {
            [(upstream, tool)] => Some((upstream, tool)),
            _ => None,
        }
    }

    /// Every name that more than one tool would have.
    pub fn collisions(&self) -> Vec<Collision> {
        let several = self.meant.iter().filter(|(_, tools)| tools.len() > 1);
        several.map(|(shown, tools)| Collision { shown: shown.clone(), tools: tools.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::render::{Inputs, Place, Upstream};

    fn names(tools: &str, pairs: &[(&str, &str)]) -> Names {
        let text = format!("gateway: g\nconnect: {{http: 'http://x'}}\n{tools}");
        let profile = Profile::read("profile.yaml", &text, BTreeMap::new()).unwrap();
        let upstream = |name: &str| Upstream {
            name: name.to_owned(),
            url: String::new(),
            command: vec![],
            tools: vec![],
        };
        let inputs = Inputs { upstreams: vec![upstream("lab"), upstream("dfir")], identities: vec![] };
        let place = Place { folder: "/f".into(), gauntlet: "g".to_owned(), environment: vec![] };
        Names::of(&profile, &Facts::of(&profile, inputs, &place, (1, 2)), pairs.iter().copied()).unwrap()
    }

    #[test]
    fn names_go_through_the_template_and_back_by_table() {
        let rule = r#"tools: "{{ upstream }}-{{ tool | replace('_', '-') }}""#;
        let names = names(rule, &[("lab", "list_hosts"), ("dfir", "list_hosts"), ("lab", "list-hosts")]);
        assert_eq!(names.shown("dfir", "list_hosts"), Some("dfir-list-hosts"));
        assert_eq!(names.meant("dfir-list-hosts"), Some(("dfir", "list_hosts")));
        assert_eq!(names.meant("list_hosts"), None);
        assert_eq!(names.spelled("lab", "destroy_vm").unwrap(), "lab-destroy-vm");
        let collisions = names.collisions();
        assert_eq!(collisions.len(), 1);
        assert_eq!(collisions[0].shown, "lab-list-hosts");
        assert_eq!(names.meant("lab-list-hosts"), None, "nobody knows which one is meant");
    }

    #[test]
    fn kept_names_collide_where_two_upstreams_share_one() {
        let names = names("", &[("lab", "a"), ("dfir", "a"), ("dfir", "b")]);
        assert_eq!(names.meant("b"), Some(("dfir", "b")));
        assert_eq!(names.collisions()[0].tools.len(), 2);
    }
}
