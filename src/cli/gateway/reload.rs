//! Taking over what changed in the files while the gateway runs.

use super::sources::Sources;
use super::wanted::Wanted;
use crate::cli::say;
use crate::cli::signals::Again;
use crate::diagnostic::Diagnostics;
use crate::reference::Reference;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// How often one looks whether a file says something else.
const LOOK: Duration = Duration::from_millis(200);

/// Follows the files for ever. A wrong one is told, and what was in force stays in force.
pub(super) async fn follow(
    reference: &Reference,
    (mut wanted, mut sources): (Wanted, Sources),
    again: &mut Again,
    read: impl Fn() -> (Result<Wanted, Vec<Diagnostics>>, Sources),
) -> Infallible {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => if !sources.changed() { continue },
            () = again.come() => {}
        }
        let (fresh, seen) = read();
        sources = seen;
        match fresh {
            Ok(fresh) => {
                if fresh.standing != wanted.standing {
                    say(
                        "only the grants and their policies are taken over; the rest waits for the next start",
                    );
                }
                reference.reload(fresh.grants.clone()).await;
                wanted.grants = fresh.grants;
                say("the policies were read again, and are in force");
            }
            Err(wrong) => {
                say(&super::drawn(&wrong, false));
                say("the policies as they were stay in force");
            }
        }
    }
}
