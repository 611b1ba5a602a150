//! Signals: to end, and to read the files again.

use crate::cli::Exit;
use std::io;

/// Both kinds, heard from the moment this is made.
pub(super) struct Signals {
    /// To end.
    pub(super) end: End,
    /// To read the files again.
    pub(super) again: Again,
}

impl Signals {
    /// Begins to listen.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { end: End::listen()?, again: Again::listen()? })
    }
}

#[cfg(unix)]
mod kinds {
    use super::Exit;
    use std::io;
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// Ctrl-C or SIGTERM.
    pub(crate) struct End {
        interrupt: Signal,
        terminate: Signal,
    }

    impl End {
        /// Begins to listen.
        pub(crate) fn listen() -> io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }

        /// Waits for one, and says how to leave.
        pub(crate) async fn come(&mut self) -> Exit {
            tokio::select! {
                _ = self.interrupt.recv() => Exit::Interrupted,
                _ = self.terminate.recv() => Exit::Clean,
            }
        }
    }

    /// SIGHUP.
    pub(crate) struct Again(Signal);

    impl Again {
        pub(super) fn listen() -> io::Result<Self> {
            signal(SignalKind::hangup()).map(Self)
        }

        /// Waits for one.
        pub(crate) async fn come(&mut self) {
            self.0.recv().await;
        }
    }
}

#[cfg(not(unix))]
mod kinds {
    use super::Exit;
    use std::io;

    /// Ctrl-C.
    pub(crate) struct End;

    impl End {
        /// Begins to listen.
        pub(crate) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits for it.
        pub(crate) async fn come(&mut self) -> Exit {
            let _ = tokio::signal::ctrl_c().await;
            Exit::Interrupted
        }
    }

    /// There is no such signal here.
    pub(crate) struct Again;

    impl Again {
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits for ever.
        pub(crate) async fn come(&mut self) {
            std::future::pending().await
        }
    }
}

pub(super) use kinds::{Again, End};
