//! What can be wrong with how a profile says that approvals are decided.

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::gateway::profile::parts::{Approval, Errand, Mode, Repeat, Style};
use crate::gateway::profile::{OneOrMany, Profile};
use crate::gateway::template::Template;
use crate::gateway::told::Word;
use std::collections::BTreeSet;

/// What templates of an approval see beside what was found out: the facts of the run, and the call that waits.
const FACTS: [&str; 10] = [
    "upstreams",
    "identities",
    "policy",
    "bearer",
    "port",
    "side_port",
    "secret",
    "folder",
    "files",
    "gauntlet",
];
const OF_THE_CALL: [&str; 4] = ["tool", "shown", "arguments", "session"];

/// What the agent's user can say to an elicitation.
const ACTIONS: [&str; 3] = ["accept", "decline", "cancel"];

impl Check<'_> {
    pub(super) fn approval(&mut self, profile: &Profile) {
        let Some(approval) = &profile.approval else { return };
        self.errands("/approval/find", &approval.find);
        self.errands("/approval/approve", &approval.approve);
        self.errands("/approval/reject", &approval.reject);
        for (member, templates) in [
            ("meta", &approval.carry.meta),
            ("arguments", &approval.carry.arguments),
            ("headers", &approval.carry.headers),
        ] {
            for (name, text) in templates {
                self.template(&format!("/approval/carry/{member}/{name}"), text);
            }
        }
        self.decisions(approval);
        self.style(profile, approval);
        self.names(profile, approval);
    }

    /// Who decides: the agent's side, by an answer, or somebody at the gateway's own door.
    fn decisions(&mut self, approval: &Approval) {
        let asked = matches!(approval.style, Style::Elicitation | Style::InputRequired);
        for (member, errands) in [("approve", &approval.approve), ("reject", &approval.reject)] {
            let place = format!("/approval/{member}");
            let answers = errands.0.iter().filter_map(|errand| errand.answer.as_ref());
            if asked && answers.clone().next().is_none() {
                self.wrong(&place, "the agent's side decides here: `answer` says with what");
            }
            if !asked && errands.0.iter().all(|errand| errand.answer.is_some()) {
                let mistake =
                    self.mistake(&place, "nobody asks the agent's side here, so nothing is decided");
                self.mistakes.push(mistake.help("decide with `run`, `http` or `move`"));
            }
            for answer in answers {
                let action = answer.get("action").and_then(serde_json::Value::as_str);
                match action {
                    Some(action) if ACTIONS.contains(&action) || action.contains("{{") => {}
                    Some(action) => {
                        let spot = self.mistake(&place, "").spot;
                        self.mistakes.push(Diagnostic::unknown(spot, "action", action, ACTIONS));
                    }
                    None => {
                        let mistake = self.mistake(&place, "an answer says what the user does");
                        self.mistakes.push(mistake.help("add `action: accept`, `decline` or `cancel`"));
                    }
                }
            }
        }
    }

    /// What contradicts the style.
    fn style(&mut self, profile: &Profile, approval: &Approval) {
        let quiet = || {
            profile
                .reads
                .iter()
                .any(|claim| claim.word() == Word::Pending && claim.condition().silence.is_some())
        };
        if approval.style == Style::Held && approval.find.0.is_empty() && !quiet() {
            let mistake =
                self.mistake("/approval", "a held call says nothing, and nothing else shows that it waits");
            self.mistakes.push(
                mistake.help("say in `find` where it shows, or read `pending: {silence: {within: 2s}}`"),
            );
        }
        let repeats = matches!(approval.style, Style::Retry | Style::InputRequired | Style::Url);
        match approval.repeat {
            Some(Repeat::Nothing) if repeats => {
                self.wrong("/approval/repeat", "in this style the call is repeated after the decision");
            }
            Some(Repeat::Call) if !repeats => {
                self.wrong(
                    "/approval/repeat",
                    "in this style the first call gets its answer, and nothing is repeated",
                );
            }
            _ => {}
        }
        if approval.announces && approval.style != Style::Url {
            self.wrong(
                "/approval/announces",
                "only after an address was opened (`style: url`) is the end announced",
            );
        }
        let asks = repeats && approval.style != Style::Retry || approval.style == Style::Elicitation;
        if approval.offers.is_some() && !asks {
            self.wrong("/approval/offers", "in this style nobody asks the agent's user");
        }
    }

    /// A name that nothing gives would be found out only when the first call waits.
    fn names(&mut self, profile: &Profile, approval: &Approval) {
        // A profile that reads nothing yet is at its beginning: what its answers give is still to be found out.
        if profile.reads.is_empty() {
            return;
        }
        let mut known: BTreeSet<&str> = FACTS.into_iter().chain(OF_THE_CALL).collect();
        known.extend(profile.reads.iter().flat_map(|claim| claim.condition().catches()));
        if profile.offers().contains(&Mode::Url) {
            known.extend(["url", "approval"]);
        }
        let found = self.errand_names("/approval/find", &approval.find, known);
        for (place, errands) in
            [("/approval/approve", &approval.approve), ("/approval/reject", &approval.reject)]
        {
            self.errand_names(place, errands, found.clone());
        }
        let carry = &approval.carry;
        let texts = carry.meta.values().chain(carry.arguments.values()).chain(carry.headers.values());
        let texts: Vec<&Template> = texts.collect();
        self.known_names("/approval/carry", &texts, &found);
    }

    /// Complains about what is not known, and gives what is known after all of it.
    fn errand_names<'p>(
        &mut self,
        place: &str,
        errands: &'p OneOrMany<Errand>,
        mut known: BTreeSet<&'p str>,
    ) -> BTreeSet<&'p str> {
        for errand in &errands.0 {
            self.known_names(place, &errand.templates(), &known);
            known.extend(errand.save.keys().map(String::as_str));
            known.extend(errand.id.as_ref().map(|_| "approval"));
        }
        known
    }

    fn known_names(&mut self, place: &str, texts: &[&Template], known: &BTreeSet<&str>) {
        let names: BTreeSet<String> = texts.iter().flat_map(|text| self.engine.names(&text.0)).collect();
        for name in names.iter().filter(|name| !known.contains(name.as_str())) {
            let mistake = self.mistake(place, format!("nothing gives `{name}` here"));
            let help = format!(
                "catch it by a group `(?<{name}>...)` of a `pending` reading, or `save` it in `approval.find`"
            );
            self.mistakes.push(mistake.help(help));
        }
    }
}

impl Errand {
    /// Every template in it, but for those within an answer.
    pub(in crate::gateway) fn templates(&self) -> Vec<&Template> {
        let mut texts: Vec<&Template> = self.run.iter().chain(&self.read).chain(&self.list).collect();
        texts.extend(self.moved.iter().flat_map(|moved| [&moved.from, &moved.to]));
        texts.extend(
            self.http.iter().flat_map(|http| http.headers.values().chain(&http.body).chain([&http.url])),
        );
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::testing;
    use std::collections::BTreeMap;

    fn mistakes(approval: &str) -> String {
        let text = format!("gateway: g\nconnect: {{http: 'http://x'}}\n{approval}");
        match Profile::read("profile.yaml", &text, BTreeMap::new()) {
            Ok(_) => String::new(),
            Err(mistakes) => mistakes.render(false),
        }
    }

    #[tokio::test]
    async fn the_facts_of_a_run_are_those_that_are_known_here() {
        let (gateway, _folder) = testing::attached("").await;
        let facts = serde_json::to_value(gateway.facts()).unwrap();
        let names: BTreeSet<&str> = facts.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, FACTS.into());
    }

    #[test]
    fn what_would_never_be_decided_is_told_with_the_way_out() {
        let wrong = mistakes(
            "approval:\n  style: held\n  repeat: call\n  announces: true\n  offers: [form]\n  \
             approve: {answer: {action: acept}}\n  reject: {answer: {}}\n",
        );
        insta::assert_snapshot!(wrong);
        let asked = mistakes(
            "approval: {style: elicitation, approve: {run: ['true']}, reject: {answer: {action: decline}}}\n",
        );
        assert!(asked.contains("the agent's side decides here: `answer` says with what"), "{asked}");
    }

    #[test]
    fn a_name_that_nothing_gives_is_told_before_anything_waits() {
        let approve = "  approve: {move: {from: '{{ folder }}/{{ approval }}', to: '{{ page }}'}}\n  reject: {run: [x, '{{ approval }}']}\n";
        let reads = "reads: [{denied: {error_result: no}}]\n";
        let wrong = mistakes(&format!("{reads}approval:\n  style: retry\n{approve}"));
        assert!(
            wrong.contains("nothing gives `approval` here") && wrong.contains("nothing gives `page` here"),
            "{wrong}"
        );
        assert!(wrong.contains("catch it by a group `(?<page>...)` of a `pending` reading"), "{wrong}");
        let find = "  find: {list: '{{ folder }}', save: {page: '(.+)'}, id: '(.+)'}\n";
        assert_eq!(mistakes(&format!("{reads}approval:\n  style: retry\n{find}{approve}")), "");
        assert_eq!(mistakes(&format!("approval:\n  style: retry\n{approve}")), "");
        let caught = "reads: [{pending: {error_result: '(?<approval>x)(?<page>y)'}}]\n";
        assert_eq!(mistakes(&format!("{caught}approval:\n  style: retry\n{approve}")), "");
    }
}
