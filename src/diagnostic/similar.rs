//! The nearest word that would have been right.

/// The known word that was most likely meant, if any is near enough to be worth saying.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = folded(word);
    known
        .into_iter()
        .map(|candidate| (likeness(&wanted, &folded(candidate)), candidate))
        .filter(|(likeness, _)| *likeness > 0.84)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// From 0 to 1. A word that holds the other whole is near, however much longer it is: `limited` in `rate_limited`.
fn likeness(wanted: &str, candidate: &str) -> f64 {
    let whole = wanted.len() >= 4
        && (candidate.contains(wanted) || candidate.len() >= 4 && wanted.contains(candidate));
    strsim::jaro_winkler(wanted, candidate).max(if whole { 0.85 } else { 0.0 })
}

/// What is known, listed for a complaint: all of it where it is short, the first ones where it is long.
pub fn listed<'a>(known: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 18;
    let known: Vec<&str> = known.into_iter().collect();
    let mut text = known.iter().take(SHOWN).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    if known.len() > SHOWN {
        text.push_str(&format!(" and {} more", known.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_offered_and_far_ones_are_not() {
        let known = ["destroy_vm", "deploy_range", "expect", "upstreams", "rate_limited"];
        for (word, meant) in [
            ("destory_vm", Some("destroy_vm")),
            ("Deploy-Range", Some("deploy_range")),
            ("expects", Some("expect")),
            ("upstream", Some("upstreams")),
            ("limited", Some("rate_limited")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(word, known), meant, "{word}");
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let words: Vec<String> = (0..20).map(|number| format!("w{number}")).collect();
        assert!(listed(words.iter().map(String::as_str)).ends_with("`w17` and 2 more"));
        assert_eq!(listed(["a", "b"]), "`a`, `b`");
    }
}
