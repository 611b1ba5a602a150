//! A profile turned towards a gateway that runs already: where it is, and what the harness no longer can do.

use super::{Approval, Connect, Errand, Hooks, Profile, Style};
use crate::gateway::template::Template;

/// What only a gateway that the harness itself started can be asked for.
const OWN: [&str; 4] = ["port", "secret", "folder", "files"];

impl Profile {
    /// The same gateway at an address, started by somebody else. What the profile does through a port, a secret or a
    /// file of the harness's own start cannot be done there: such approvals, hooks and records are left out.
    pub fn connected_to(&self, url: &str, headers: &[(String, String)]) -> Self {
        let mut profile = self.clone();
        let same = |name: &str| headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let mut kept = self.connect.headers.clone();
        kept.retain(|name, value| !same(name) && !value.0.contains("{{"));
        kept.extend(headers.iter().map(|(name, value)| (name.clone(), literal(value))));
        let lists_first = self.connect.lists_first;
        profile.connect = Connect { http: Some(literal(url)), headers: kept, stdio: None, lists_first };
        if profile.start.take().is_some() {
            profile.prepare = Vec::new();
            profile.hooks = Hooks::default();
            profile.audit = None;
            profile.approval = profile.approval.filter(is_decided_from_anywhere);
        }
        profile
    }

    /// The same under another name.
    pub fn called(self, name: &str) -> Self {
        Self { gateway: name.to_owned(), ..self }
    }

    /// A gateway of which nothing is known but where it is.
    pub fn unknown(name: &str, url: &str, headers: &[(String, String)]) -> Self {
        let text = format!("gateway: {name}\nconnect: {{http: unknown}}\n");
        let blank =
            Self::read("profile.yaml", &text, Default::default()).expect("a constant profile is sound");
        blank.connected_to(url, headers)
    }
}

/// A text that stands for itself, whatever is in it.
fn literal(text: &str) -> Template {
    Template(format!("{{{{ {} }}}}", serde_json::Value::from(text)))
}

fn is_decided_from_anywhere(approval: &Approval) -> bool {
    let errands = || approval.find.0.iter().chain(&approval.approve.0).chain(&approval.reject.0);
    matches!(approval.style, Style::Elicitation | Style::InputRequired) || !errands().any(is_at_home)
}

/// Whether an errand goes to something that stands only where the harness started the gateway.
fn is_at_home(errand: &Errand) -> bool {
    let http = errand.http.iter().flat_map(|http| {
        let headers = http.headers.values();
        [&http.url].into_iter().chain(headers).chain(&http.body)
    });
    let texts = errand.run.iter().chain(&errand.read).chain(http);
    let mut texts = texts.flat_map(|text| text.0.split("{{").skip(1).collect::<Vec<_>>());
    texts.any(|inside| OWN.iter().any(|name| inside.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::named;

    #[test]
    fn what_depends_on_a_start_of_our_own_is_left_out() {
        let headers = [("Authorization".to_owned(), "Bearer {{ 7 }}".to_owned())];
        let there = named("reference-process").unwrap().connected_to("http://gate.test/{{mcp}}", &headers);
        assert!(there.start.is_none() && there.approval_style().is_none());
        assert!(!there.reloads() && !there.restarts() && !there.revokes() && !there.records());
        assert_eq!(there.connect.http.unwrap().0, r#"{{ "http://gate.test/{{mcp}}" }}"#);
        assert_eq!(there.connect.headers["Authorization"].0, r#"{{ "Bearer {{ 7 }}" }}"#);
        let asked = named("reference-elicited").unwrap().connected_to("http://gate.test", &[]);
        assert_eq!(asked.approval_style(), Some(Style::Elicitation), "the agent's own client decides");
        assert!(asked.connect.headers.is_empty(), "a token of the harness's own is nobody there");
    }

    #[test]
    fn a_profile_for_a_gateway_that_runs_keeps_what_it_says() {
        let text = "gateway: g\nconnect: {http: 'http://old.test', headers: {X-Tenant: a}}\n\
                    reads: [{pending: {error_result: 'ask (?<approval>.+)'}}]\n\
                    approval: {style: retry, approve: {http: {url: 'http://desk.test/{{ approval }}'}}, reject: {http: {url: 'http://desk.test'}}}\n";
        let profile = Profile::read("profile.yaml", text, Default::default()).unwrap();
        let there = profile.connected_to("http://new.test", &[]);
        assert_eq!(there.approval_style(), Some(Style::Retry));
        assert_eq!(there.connect.headers["X-Tenant"].0, "a");
        assert_eq!(
            Profile::unknown("g", "http://new.test", &[]).connect.http.unwrap().0,
            r#"{{ "http://new.test" }}"#
        );
    }
}
