//! The command line that repeats one scenario of a run: what a report tells whoever has to mend something.

use super::arguments::Run;
use crate::run::{Contender, Outcome};
use clap::ValueEnum as _;
use clap::builder::PossibleValue;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer is waited for where nobody says.
const PATIENCE: Duration = Duration::from_secs(5);

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
        words.extend(manner(arguments));
        // The shipped scenarios are in the program, and lie nowhere.
        let shipped = arguments.paths.is_empty();
        words.push(if shipped { format!("--only {}", scenario.id) } else { quoted(&scenario.file) });
        scenario.again = words.join(" ");
    }
}

/// The flags that decide what is run, and how: without them it would be another run.
fn manner(arguments: &Run) -> Vec<String> {
    let named = |flag: &str, value: Option<PossibleValue>| Some(format!("{flag} {}", value?.get_name()));
    let timeout = (arguments.timeout != PATIENCE).then(|| {
        format!("--timeout {}", humantime::format_duration(arguments.timeout).to_string().replace(' ', ""))
    });
    let flags = [
        named("--era", arguments.era.and_then(|era| era.to_possible_value())),
        arguments.slow.then(|| "--slow".to_owned()),
        timeout,
        named("--isolate", arguments.isolate.and_then(|what| what.to_possible_value())),
        named("--against", arguments.against.and_then(|what| what.to_possible_value())),
        named("--agent", arguments.agent.and_then(|agent| agent.to_possible_value())),
    ];
    flags.into_iter().flatten().collect()
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
    words.extend(manner(arguments));
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
    use super::{manner, quoted};
    use crate::cli::arguments::{Arguments, Verb};
    use clap::Parser as _;

    #[test]
    fn what_decides_how_it_is_run_stays() {
        let manner = |line: &str| match Arguments::try_parse_from(line.split(' ')).unwrap().verb {
            Verb::Run(run) => manner(&run).join(" "),
            _ => panic!("no run"),
        };
        assert_eq!(manner("gauntlet run --only DENY-01 --jobs 3"), "");
        let all = "--era legacy --slow --timeout 1m30s --isolate pack --against direct --agent rmcp";
        assert_eq!(manner(&format!("gauntlet run {all}")), all);
    }

    #[test]
    fn a_word_with_spaces_stays_one() {
        assert_eq!(quoted("./my-gateway"), "./my-gateway");
        assert_eq!(quoted("my gateway"), "'my gateway'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
