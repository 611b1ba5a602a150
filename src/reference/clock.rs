//! The time of limits and approvals: the real one, or one that the runner turns.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// A clock; clones of a turned one turn together.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real,
    Turned(watch::Sender<Duration>),
}

impl Clock {
    /// The clock of the machine.
    pub fn real() -> Self {
        Self(Kind::Real)
    }

    /// A clock that stands at `start` (since the Unix epoch) until it is turned.
    pub fn turned(start: Duration) -> Self {
        Self(Kind::Turned(watch::Sender::new(start)))
    }

    /// Turns the clock on; a real one cannot be turned, and says so.
    pub fn turn(&self, by: Duration) -> bool {
        match &self.0 {
            Kind::Real => false,
            Kind::Turned(time) => {
                time.send_modify(|now| *now += by);
                true
            }
        }
    }

    /// The time since the Unix epoch.
    pub fn now(&self) -> Duration {
        match &self.0 {
            Kind::Real => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Kind::Turned(time) => *time.borrow(),
        }
    }

    /// Returns once that time has come.
    pub async fn until(&self, at: Duration) {
        match &self.0 {
            Kind::Real => tokio::time::sleep(at.saturating_sub(self.now())).await,
            Kind::Turned(time) => {
                // The sender is ours, so the wait cannot fail.
                let _ = time.subscribe().wait_for(|now| *now >= at).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turned_clock_wakes_who_waits_for_it() {
        let clock = Clock::turned(Duration::from_secs(100));
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.until(Duration::from_secs(160)).await }
        });
        assert!(clock.turn(Duration::from_secs(60)));
        waiting.await.unwrap();
        assert_eq!(clock.now(), Duration::from_secs(160));
        assert!(!Clock::real().turn(Duration::from_secs(1)));
    }
}
