//! What a profile's templates give for a few neutral policies, tried before anything runs. What they ask for that
//! nothing gives is a mistake; what they say that the gateway cannot is none. It starts nothing and writes nothing.

use super::express::Subject;
use super::profile::{Change, Errand, OneOrMany, Profile, Start};
use super::render::Facts;
use super::template::{self, Engine, RenderError, Template, Variables};
use minijinja::Value;
use std::collections::{BTreeMap, BTreeSet};

impl Profile {
    /// What is wrong with what its templates give, each with its place: a JSON pointer into the profile.
    pub(super) fn rehearse(&self) -> Vec<(String, String)> {
        let mut rehearsal = Rehearsal { engine: Engine::new(), amiss: Vec::new() };
        for subject in Subject::ALL {
            for (place, policy) in subject.probes().iter().enumerate() {
                let facts = self.supposed(subject, policy);
                let sees = Sees::facts(&facts);
                rehearsal.files(self, &sees);
                if place == 0 {
                    rehearsal.words(self, &facts, &sees);
                }
            }
        }
        rehearsal.amiss
    }
}

struct Rehearsal {
    engine: Engine,
    amiss: Vec<(String, String)>,
}

/// What a text may ask for.
#[derive(Clone)]
struct Sees {
    /// What is known before anything runs.
    context: Value,
    /// The names of what is only found out then.
    found: BTreeSet<String>,
    /// Whether whatever else is asked for is found out then, too: who complains about that is somebody else.
    anything: bool,
}

impl Sees {
    fn facts(facts: &Facts) -> Self {
        Self { context: template::value(facts), found: BTreeSet::new(), anything: false }
    }

    fn with(&self, name: &'static str, value: Value) -> Self {
        let context = template::scope(&self.context, BTreeMap::from([(name, value)]));
        Self { context, ..self.clone() }
    }
}

impl Rehearsal {
    /// All but the files: what stands in the profile itself.
    fn words(&mut self, profile: &Profile, facts: &Facts, facts_alone: &Sees) {
        self.start(profile, facts_alone);
        for caller in &facts.identities {
            let identity = facts_alone.with("identity", template::value(caller));
            self.connect(profile, &identity);
            self.hooks(profile, facts_alone, &identity.with("name", Value::from(caller.name.as_str())));
        }
        self.approval(profile, facts_alone);
        let audit = profile.audit.iter().flat_map(|audit| audit.file.iter().chain(&audit.run));
        audit.for_each(|text| self.text("/audit", text, facts_alone));
        if let Some(spelling) = &profile.tools {
            let names = facts_alone.with("upstream", Value::from("lab")).with("tool", Value::from("one"));
            self.text("/tools", spelling, &names.with("declares", template::value(&profile.declares)));
        }
    }

    fn files(&mut self, profile: &Profile, sees: &Sees) {
        for (key, file) in &profile.files {
            let Some((name, text)) =
                file.template.as_ref().and_then(|name| profile.templates.get_key_value(name))
            else {
                continue;
            };
            let given = self.engine.render(text, &sees.context, &Variables::new());
            if let Err(RenderError::Template(what)) = given {
                self.wrong(&format!("/files/{key}/template"), format!("`{name}`: {what}"));
            }
        }
    }

    fn start(&mut self, profile: &Profile, sees: &Sees) {
        self.errands("/prepare", &profile.prepare, sees);
        let Some(Start::Command(start)) = &profile.start else { return };
        for (index, text) in start.command.iter().enumerate() {
            self.text(&format!("/start/command/{index}"), text, sees);
        }
        for (name, text) in &start.environment {
            self.text(&format!("/start/environment/{name}"), text, sees);
        }
        let sign = start.ready.iter().filter_map(|ready| ready.http.as_ref());
        sign.for_each(|url| self.text("/start/ready/http", url, sees));
        start.cleanup.0.iter().for_each(|one| self.text("/start/cleanup", &one.kill_pid_file, sees));
    }

    fn connect(&mut self, profile: &Profile, sees: &Sees) {
        let connect = &profile.connect;
        connect.http.iter().for_each(|url| self.text("/connect/http", url, sees));
        for (name, text) in &connect.headers {
            self.text(&format!("/connect/headers/{name}"), text, sees);
        }
        for (name, text) in connect.stdio.iter().flat_map(|lines| &lines.environment) {
            self.text(&format!("/connect/stdio/environment/{name}"), text, sees);
        }
    }

    fn hooks(&mut self, profile: &Profile, facts: &Sees, identity: &Sees) {
        let hooks = &profile.hooks;
        let then =
            |change: &Option<Change>| change.iter().flat_map(|one| one.then.0.clone()).collect::<Vec<_>>();
        let all = |errands: &Option<OneOrMany<Errand>>| {
            errands.iter().flat_map(|errands| errands.0.clone()).collect::<Vec<_>>()
        };
        self.errands("/hooks/reload/then", &then(&hooks.reload), facts);
        self.errands("/hooks/revoke/then", &then(&hooks.revoke), identity);
        self.errands("/hooks/mint", &all(&hooks.mint), identity);
        let seconds = facts.with("seconds", Value::from("60"));
        self.errands("/hooks/clock", &all(&hooks.clock), &seconds);
    }

    /// What waits is known only when a call does: names that nothing gives are looked for where the profile is read.
    fn approval(&mut self, profile: &Profile, facts: &Sees) {
        let Some(approval) = &profile.approval else { return };
        let sees = Sees { anything: true, ..facts.clone() };
        self.errands("/approval/find", &approval.find.0, &sees);
        self.errands("/approval/approve", &approval.approve.0, &sees);
        self.errands("/approval/reject", &approval.reject.0, &sees);
        let carry = &approval.carry;
        let texts = carry.meta.values().chain(carry.arguments.values()).chain(carry.headers.values());
        texts.for_each(|text| self.text("/approval/carry", text, &sees));
    }

    /// What one errand saves, the next may use.
    fn errands(&mut self, place: &str, errands: &[Errand], sees: &Sees) {
        let mut sees = sees.clone();
        for errand in errands {
            errand.templates().into_iter().for_each(|text| self.text(place, text, &sees));
            let mut others: Vec<Template> = errand.save.values().cloned().map(Template).collect();
            errand.answer.iter().for_each(|answer| texts_in(answer, &mut others));
            others.iter().for_each(|text| self.text(place, text, &sees));
            sees.found.extend(errand.save.keys().cloned());
            sees.found.extend(errand.id.iter().map(|_| "approval".to_owned()));
        }
    }

    /// One text. What is found out only in a run may be of any kind: a text that asks for it gives nothing to try.
    fn text(&mut self, place: &str, text: &Template, sees: &Sees) {
        let unknown = |name: &String| sees.context.get_attr(name).is_ok_and(|value| value.is_undefined());
        let names = self.engine.names(&text.0);
        let later = names.iter().any(|name| sees.found.contains(name) || sees.anything && unknown(name));
        if !later {
            if let Err(RenderError::Template(what)) =
                self.engine.words(&text.0, &sees.context, &Variables::new())
            {
                self.wrong(place, what);
            }
        } else if let Some(name) =
            names.iter().find(|name| !sees.anything && !sees.found.contains(*name) && unknown(name))
        {
            self.wrong(place, format!("`{name}` is undefined"));
        }
    }

    fn wrong(&mut self, place: &str, what: String) {
        let amiss = (place.to_owned(), what);
        if !self.amiss.contains(&amiss) {
            self.amiss.push(amiss);
        }
    }
}

/// The texts within a value.
fn texts_in(value: &serde_json::Value, into: &mut Vec<Template>) {
    match value {
        serde_json::Value::String(text) => into.push(Template(text.clone())),
        serde_json::Value::Array(values) => values.iter().for_each(|one| texts_in(one, into)),
        serde_json::Value::Object(members) => members.values().for_each(|one| texts_in(one, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::shipped;

    fn amiss(more: &str, template: &str) -> Vec<String> {
        let text = format!(
            "gateway: g\nfiles: {{policy: {{template: policy.j2, name: policy.json}}}}\n\
             connect: {{http: 'http://127.0.0.1:{{{{ port }}}}/{{{{ identity.name }}}}'}}\n{more}"
        );
        let templates = BTreeMap::from([("policy.j2".to_owned(), template.to_owned())]);
        let profile = Profile::read("profile.yaml", &text, templates).unwrap();
        profile.rehearse().into_iter().map(|(place, what)| format!("{place}: {what}")).collect()
    }

    #[test]
    fn what_every_template_asks_for_in_vain_is_told_with_its_place() {
        let more = "start: {command: [gate, '{{ files.polcy }}'], environment: {A: '{{ prot }}'}, ready: {line: up}}\n\
            prepare: [{run: [a], save: {key: '(.+)'}}, {run: ['{{ key[3:] }}', '{{ kye }}', '{{ key }}{{ nil }}']}]\n\
            tools: '{{ upstrem }}-{{ tool }}'\naudit: {file: '{{ folder }}/a.jsonl'}\n\
            hooks: {mint: {run: ['{{ identity.nam }}', '{{ name }}']}, revoke: {then: {run: ['{{ identity.token }}{{ nme }}']}}}\n\
            approval: {style: retry, approve: {run: ['{{ files.x }}', '{{ approval }}']}, reject: {run: [x]}}\n";
        let template = "{% for name, entry in policy.tools | items %}\n{{ entry.limts }}\n{% endfor %}";
        insta::assert_snapshot!(amiss(more, template).join("\n"));
    }

    #[test]
    fn what_a_gateway_cannot_is_no_mistake_and_neither_is_what_is_found_out_later() {
        let more = "prepare: [{run: [a], save: {key: '(.+)'}}, {run: ['{{ key.split(\"-\")[1] }}']}]\n\
            approval: {style: elicitation, approve: {answer: {action: accept, content: {code: '{{ code[2:] }}'}}}, reject: {answer: {action: decline}}}\n";
        assert_eq!(amiss(more, "{{ cannot('policies') }}"), [""; 0]);
    }

    #[test]
    fn no_shipped_template_asks_for_anything_in_vain() {
        for name in shipped::names() {
            assert_eq!(shipped::named(name).unwrap().rehearse(), [], "{name}");
        }
    }
}
