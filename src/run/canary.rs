//! Markers that must not cross a line, looked for as they are, escaped, in base64 and URL-encoded.

use super::outcome::StepOutcome;
use super::perform::Performance;
use crate::mock::Arrival;
use crate::scenario::{Haunt, Scenario};
use crate::wire::Json;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Every canary that was seen where it must never be, each as an unmet step of the line that forbids it.
pub(super) fn sightings(
    scenario: &Scenario,
    performance: &Performance,
    arrivals: &[Arrival],
    audit: Option<&str>,
) -> Vec<StepOutcome> {
    let mut found = Vec::new();
    for (name, canary) in &scenario.canaries {
        let Some(marker) = performance.variables.get(name).and_then(Json::as_str) else { continue };
        // A record that was not read is searched by nobody.
        let searched = canary.never.iter().filter(|haunt| audit.is_some() || **haunt != Haunt::Audit);
        for haunt in searched {
            let (place, seen) = match haunt {
                Haunt::Client => {
                    ("the agent".to_owned(), received(performance).any(|bytes| holds(bytes, marker)))
                }
                Haunt::Audit => {
                    ("the audit log".to_owned(), audit.is_some_and(|text| holds(text.as_bytes(), marker)))
                }
                Haunt::Upstream(upstream) => {
                    let mut there = arrivals.iter().filter(|arrival| arrival.upstream == *upstream);
                    (upstream.clone(), there.any(|arrival| holds(&arrival.bytes, marker)))
                }
            };
            let was = if seen { format!("`{name}` seen at {place}") } else { "not seen".to_owned() };
            found.push(StepOutcome {
                line: canary.spot.line as usize,
                name: format!("canary {name}"),
                met: !seen,
                expected: format!("`{name}` never at {place}"),
                was,
                ..StepOutcome::default()
            });
        }
    }
    found
}

/// Whether some canary must never be in the gateway's own record.
pub(super) fn reads_the_audit(scenario: &Scenario) -> bool {
    scenario.canaries.values().any(|canary| canary.never.contains(&Haunt::Audit))
}

fn received(performance: &Performance) -> impl Iterator<Item = &[u8]> {
    let calls = performance.asked.iter().flat_map(|asked| &asked.exchanges);
    let lists =
        performance.steps.iter().filter_map(|step| step.listed.as_ref()).flat_map(|listed| &listed.pages);
    calls.chain(lists).flat_map(|exchange| exchange.received.iter().map(|piece| piece.bytes.as_ref()))
}

/// Whether the bytes hold the marker in a guise that a thief would use.
fn holds(bytes: &[u8], marker: &str) -> bool {
    guises(marker).iter().any(|guise| bytes.windows(guise.len()).any(|window| window == guise.as_bytes()))
}

/// A base64 text depends on what stands before: three shifts, without the characters that neighbours change.
fn guises(marker: &str) -> Vec<String> {
    let mut guises = vec![marker.to_owned(), marker.bytes().map(|byte| format!("%{byte:02X}")).collect()];
    guises.push(marker.chars().map(|one| format!("\\u{:04x}", one as u32)).collect());
    guises.push(marker.bytes().map(|byte| format!("{byte:02x}")).collect());
    for shift in 0..3 {
        let shifted = format!("{}{marker}", "\0".repeat(shift));
        for engine in [&STANDARD, &URL_SAFE] {
            let text = engine.encode(&shifted);
            let text = text.trim_end_matches('=');
            let (skip, last) = (if shift == 0 { 0 } else { 4 }, if shifted.len() % 3 == 0 { 0 } else { 1 });
            guises.push(text[skip..text.len() - last].to_owned());
        }
    }
    guises
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_in_every_guise() {
        let marker = "canary-order-0a1b2c";
        for before in ["", "x", "xy", "xyz"] {
            let text = format!("{before}{marker} and more");
            assert!(holds(text.as_bytes(), marker));
            assert!(holds(STANDARD.encode(&text).as_bytes(), marker), "base64 behind {before:?}");
        }
        assert!(holds(b"%63%61%6E%61%72%79%2D%6F%72%64%65%72%2D%30%61%31%62%32%63", marker));
        assert!(!holds(b"canary-order-0a1b2d", marker));
        assert!(!holds(STANDARD.encode("canary-order-0a1b2d").as_bytes(), marker));
    }
}
