//! Processes that are known by a number alone: what a gateway left behind, and notices that one can be given.

use super::profile::Notice;
use std::io;
use std::path::Path;

/// A process of which we hold nothing but its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stranger(i32);

impl Stranger {
    /// The process that a file names, by a plain number or at a pointer into JSON.
    pub(super) fn named_in(file: &Path, pointer: Option<&str>) -> Option<Self> {
        let text = std::fs::read_to_string(file).ok()?;
        let number = match pointer {
            None => text.trim().parse().ok()?,
            Some(pointer) => {
                serde_json::from_str::<serde_json::Value>(&text).ok()?.pointer(pointer)?.as_i64()?
            }
        };
        // 0, 1 and negative numbers mean whole groups, or everybody.
        let number = i32::try_from(number).ok().filter(|number| *number > 1)?;
        (u32::try_from(number).ok()? != std::process::id()).then_some(Self(number))
    }
}

#[cfg(unix)]
mod signals {
    use super::{Notice, Stranger, io};
    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitPidFlag, waitpid};
    use nix::unistd::Pid;
    use std::time::Duration;
    use tokio::time::{sleep, timeout};

    /// How long one may take to end by itself.
    const GRACE: Duration = Duration::from_secs(3);
    /// How often it is looked whether one is gone: nobody tells us.
    const LOOK: Duration = Duration::from_millis(20);

    impl Stranger {
        /// Asks it to end, waits, and ends it by force.
        pub(in crate::gateway) async fn end(self) {
            if kill(Pid::from_raw(self.0), Signal::SIGTERM).is_err() {
                return;
            }
            let gone = async {
                while self.lives() {
                    sleep(LOOK).await;
                }
            };
            if timeout(GRACE, gone).await.is_err() {
                self.end_now();
            }
        }

        /// Ends it by force, without waiting.
        pub(in crate::gateway) fn end_now(self) {
            let _ = kill(Pid::from_raw(self.0), Signal::SIGKILL);
        }

        /// Whether it is there. An orphan may have become ours, and stays as a corpse until it is waited for.
        pub(in crate::gateway) fn lives(self) -> bool {
            let _ = waitpid(Pid::from_raw(self.0), Some(WaitPidFlag::WNOHANG));
            kill(Pid::from_raw(self.0), None).is_ok()
        }
    }

    /// Gives a process a notice.
    pub(in crate::gateway) fn notify(process: u32, notice: Notice) -> io::Result<()> {
        let signal = match notice {
            Notice::Hup => Signal::SIGHUP,
            Notice::Usr1 => Signal::SIGUSR1,
            Notice::Usr2 => Signal::SIGUSR2,
        };
        let process = i32::try_from(process).map_err(io::Error::other)?;
        kill(Pid::from_raw(process), signal).map_err(io::Error::from)
    }
}

#[cfg(not(unix))]
mod signals {
    use super::{Notice, Stranger, io};

    impl Stranger {
        /// There are no daemons to end here.
        pub(in crate::gateway) async fn end(self) {}

        /// There are no daemons to end here.
        pub(in crate::gateway) fn end_now(self) {}
    }

    /// There are no such notices here.
    pub(in crate::gateway) fn notify(_process: u32, notice: Notice) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, format!("no signal {notice:?} on this system")))
    }
}

pub(super) use signals::notify;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_process_that_a_file_names() {
        let folder = tempfile::tempdir().unwrap();
        let named = |text: &str, pointer| {
            let file = folder.path().join("pid");
            std::fs::write(&file, text).unwrap();
            Stranger::named_in(&file, pointer)
        };
        assert_eq!(named("4242\n", None), Some(Stranger(4242)));
        assert_eq!(named("{\"a\":{\"pid\":4242}}", Some("/a/pid")), Some(Stranger(4242)));
        for never in ["0", "1", "-1", "x", "99999999999"] {
            assert_eq!(named(never, None), None, "{never}");
        }
        assert_eq!(named(&std::process::id().to_string(), None), None, "never oneself");
    }

    #[tokio::test]
    async fn one_that_is_asked_to_end_is_gone() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let stranger = Stranger(i32::try_from(child.id()).unwrap());
        assert!(stranger.lives());
        stranger.end().await;
        assert!(!stranger.lives());
        assert!(child.wait().is_err(), "it was waited for already");
    }
}
