//! In which form a gateway can be told a probe's policy: as it is written; with everything open that no rule names, for
//! dialects that only block; or without any rule, which leaves at least what comes before all rules. Asked of the
//! templates; nothing is started.

use super::probes::Probe;
use super::rendered::inputs;
use crate::gateway::{Facts, Place, Profile, RenderError, render};
use crate::policy::Posture;
use crate::scenario::Scenario;
use std::sync::Arc;

/// The probe as that gateway can be told it; as it is written where no form helps.
pub(super) fn fitting(probe: &Probe, profile: &Profile) -> Arc<Scenario> {
    let written = probe.scenario();
    if lacks(profile, &written).is_none() {
        return written;
    }
    let open = opened(&written);
    let bare = ruleless(&open);
    // Without its rules only the first probe has anything left to say.
    let forms = [Some(open), (probe.name == super::probes::FIRST.name).then_some(bare)];
    let fitting = forms.into_iter().flatten().find(|form| lacks(profile, form).is_none());
    fitting.map_or(written, Arc::new)
}

/// What keeps a gateway from being told a policy, in its templates' words.
pub(super) fn lacks(profile: &Profile, scenario: &Scenario) -> Option<String> {
    let place = Place { folder: "/".into(), gauntlet: "gauntlet".to_owned(), environment: Vec::new() };
    let facts = Facts::of(profile, inputs(scenario), &place, (1, 2));
    match render(profile, facts) {
        Err(RenderError::Cannot(what)) => Some(what),
        _ => None,
    }
}

fn opened(scenario: &Scenario) -> Scenario {
    let mut open = scenario.clone();
    open.policy.iter_mut().for_each(|text| text.policy.default = Posture::Allow);
    open
}

fn ruleless(scenario: &Scenario) -> Scenario {
    let mut bare = scenario.clone();
    bare.policy.iter_mut().for_each(|text| text.policy.tools.clear());
    bare
}

/// Whether the policy of a scenario refuses what no rule names.
pub(super) fn is_closed(scenario: &Scenario) -> bool {
    scenario.policy.as_ref().is_some_and(|text| text.policy.default == Posture::Deny)
}

/// Whether the policy of a scenario has a rule about a tool.
pub(super) fn names(scenario: &Scenario, tool: &str) -> bool {
    scenario.policy.as_ref().is_some_and(|text| text.policy.tools.contains_key(tool))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::probes::{FIRST, REST};
    use std::collections::BTreeMap;

    fn gate(lacking: &str) -> Profile {
        let text = format!(
            "gateway: g\nconnect: {{stdio: {{}}}}\nstart: {{command: [g, \"{{{{ cannot('that') if {lacking} else [] }}}}\"]}}\n"
        );
        Profile::read("profile.yaml", &text, BTreeMap::new()).unwrap()
    }

    #[test]
    fn each_gateway_is_told_what_it_has_words_for() {
        let first = |lacking: &str| {
            let scenario = fitting(&FIRST, &gate(lacking));
            (is_closed(&scenario), names(&scenario, "destroy_vm"))
        };
        assert_eq!(first("false"), (true, true));
        assert_eq!(first("policy.default == 'deny'"), (false, true));
        assert_eq!(first("policy.tools"), (false, false));
        let limit = REST.iter().find(|probe| probe.name == "limit").unwrap();
        assert!(!is_closed(&fitting(limit, &gate("policy.default == 'deny'"))));
        let limits = gate("policy.tools | items | selectattr('1.limits') | list");
        assert_eq!(lacks(&limits, &fitting(limit, &limits)).as_deref(), Some("that"), "no form helps");
    }
}
