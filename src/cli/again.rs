//! The command line that repeats one scenario of a run: what a report tells whoever has to mend something.

use super::arguments::Run;
use crate::run::{Contender, Outcome};
use clap::ValueEnum as _;
use std::sync::Arc;

/// Notes in the outcome how each scenario is run once more, at its gateway alone.
pub(super) fn note(arguments: &Run, contenders: &[Arc<Contender>], outcome: &mut Outcome) {
    if let Some(url) = &arguments.remote.gateway_url {
        for scenario in &mut outcome.scenarios {
            scenario.again = there(arguments, url, &scenario.id);
        }
        return;
    }
    for scenario in &mut outcome.scenarios {
        let Some(place) = contenders.iter().position(|one| one.name == scenario.gateway) else { continue };
        // There is a contender for each flaw of each gateway, in the order in which they were named.
        let Some(gateway) = arguments.gateways.get(place / arguments.flaws.len().max(1)) else { continue };
        let mut words = vec!["gauntlet run --gateway".to_owned(), quoted(gateway)];
        words.extend(contenders[place].flaw.iter().map(|flaw| format!("--flaw {flaw}")));
        if let Some(era) = arguments.era.and_then(|era| era.to_possible_value()) {
            words.push(format!("--era {}", era.get_name()));
        }
        words.extend(arguments.slow.then(|| "--slow".to_owned()));
        // The shipped scenarios are in the program, and lie nowhere.
        let shipped = arguments.paths.is_empty();
        words.push(if shipped { format!("--only {}", scenario.id) } else { quoted(&scenario.file) });
        scenario.again = words.join(" ");
    }
}

/// The same at a gateway that runs already. The paths stay, for they say which policy it runs with; credentials were
/// never among the words.
fn there(arguments: &Run, url: &str, id: &str) -> String {
    let mut words = vec!["gauntlet run".to_owned()];
    let mut say = |flag: &str, value: &str| words.push(format!("{flag} {}", quoted(value)));
    arguments.gateways.iter().for_each(|name| say("--gateway", name));
    say("--gateway-url", url);
    let remote = &arguments.remote;
    remote.headers.iter().for_each(|header| say("--header", header));
    remote.places.listen.iter().for_each(|address| say("--listen", &address.to_string()));
    remote.places.public_urls.iter().for_each(|url| say("--public-url", url));
    remote.places.bearer.iter().for_each(|bearer| say("--bearer", bearer));
    if remote.round > 1 {
        say("--round", &remote.round.to_string());
    }
    if let Some(era) = arguments.era.and_then(|era| era.to_possible_value()) {
        say("--era", era.get_name());
    }
    arguments.paths.iter().for_each(|path| words.push(quoted(&path.display().to_string())));
    words.push(format!("--only {}", quoted(id)));
    words.join(" ")
}

/// A word as a shell takes it for one.
pub(super) fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./+=:,@".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_with_spaces_stays_one() {
        assert_eq!(quoted("./my-gateway"), "./my-gateway");
        assert_eq!(quoted("my gateway"), "'my gateway'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
