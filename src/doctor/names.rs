//! What becomes of names: a template that makes of every known tool the name under which it is listed. It looks at
//! names alone, and gives up where no simple rewriting explains them.

use crate::declared::Naming;

/// What makes another name of a name.
type Rewriting = fn(&str) -> String;

/// How a name may be rewritten in itself, and the template that does it.
const REWRITINGS: [(&str, Rewriting); 6] = [
    ("tool", str::to_owned),
    ("tool | replace('_', '-')", |tool| tool.replace('_', "-")),
    ("tool | replace('_', '.')", |tool| tool.replace('_', ".")),
    ("tool | replace('_', '/')", |tool| tool.replace('_', "/")),
    ("tool | replace('_', '')", |tool| tool.replace('_', "")),
    ("tool | upper", str::to_uppercase),
];

/// What an upstream's name is in a template.
const UPSTREAM: &str = "{{ upstream }}";
/// A template that changes nothing.
const KEPT: &str = "{{ tool }}";

/// The template that makes the listed names of these tools (upstream and name), if there is one.
pub(super) fn template(tools: &[(&str, &str)], listed: &[String]) -> Option<String> {
    let (upstream, first) = tools.first()?;
    for (filter, rewritten) in REWRITINGS {
        let core = rewritten(first);
        let mut near: Vec<(&str, &str)> = listed.iter().filter_map(|name| name.split_once(&core)).collect();
        near.sort_by_key(|(before, behind)| before.len() + behind.len());
        for (before, behind) in near {
            let (before, behind) = (before.replace(upstream, UPSTREAM), behind.replace(upstream, UPSTREAM));
            let name = |upstream: &str, tool: &str| {
                let own = |text: &str| text.replace(UPSTREAM, upstream);
                format!("{}{}{}", own(&before), rewritten(tool), own(&behind))
            };
            if tools.iter().all(|(upstream, tool)| listed.contains(&name(upstream, tool))) {
                return Some(format!("{before}{{{{ {filter} }}}}{behind}"));
            }
        }
    }
    None
}

/// What becomes of names, and the template for it, of what one upstream's names and those of several are made of.
pub(super) fn naming(one: &str, several: Option<&str>) -> (Naming, Option<String>) {
    let several = several.filter(|several| *several != one);
    let either =
        |several| format!("{{% if upstreams | length > 1 %}}{several}{{% else %}}{one}{{% endif %}}");
    match (one, several) {
        (KEPT, None) => (Naming::Kept, None),
        (KEPT, Some(several)) => (Naming::WhenNeeded, Some(either(several))),
        (_, Some(several)) => (Naming::Rewritten, Some(either(several))),
        (_, None) => (Naming::Rewritten, Some(one.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(tools: &[(&str, &str)], listed: &[&str]) -> Option<String> {
        template(tools, &listed.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_rewriting_is_found_from_what_is_listed() {
        let one = [("lab", "list_hosts"), ("lab", "get_license")];
        for (listed, expected) in [
            (["list_hosts_fast", "list_hosts", "get_license"], Some("{{ tool }}")),
            (["lab__list_hosts", "lab__get_license", "x"], Some("{{ upstream }}__{{ tool }}")),
            (
                ["mcp.lab.list-hosts", "mcp.lab.get-license", "x"],
                Some("mcp.{{ upstream }}.{{ tool | replace('_', '-') }}"),
            ),
            (["list_hosts@lab", "get_license@lab", "x"], Some("{{ tool }}@{{ upstream }}")),
            (["listHosts", "getLicense", "x"], None),
            (["lab-list_hosts", "get_license", "x"], None),
        ] {
            assert_eq!(found(&one, &listed).as_deref(), expected, "{listed:?}");
        }
        let two = [("lab", "list_hosts"), ("dfir", "list_orgs")];
        assert_eq!(
            found(&two, &["lab_list_hosts", "dfir_list_orgs"]).as_deref(),
            Some("{{ upstream }}_{{ tool }}")
        );
        assert_eq!(found(&two, &["lab_list_hosts", "list_orgs"]), None);
    }

    #[test]
    fn one_upstream_and_several_make_one_template() {
        let when_needed =
            "{% if upstreams | length > 1 %}{{ upstream }}-{{ tool }}{% else %}{{ tool }}{% endif %}";
        assert_eq!(naming(KEPT, None), (Naming::Kept, None));
        assert_eq!(
            naming(KEPT, Some("{{ upstream }}-{{ tool }}")),
            (Naming::WhenNeeded, Some(when_needed.to_owned()))
        );
        assert_eq!(naming("x.{{ tool }}", None), (Naming::Rewritten, Some("x.{{ tool }}".to_owned())));
    }
}
