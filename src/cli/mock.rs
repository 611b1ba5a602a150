//! `gauntlet mock`: one of the mocks on its own, for people and other tools.

use super::arguments::Mock as Arguments;
use super::signals::End;
use super::{Exit, say};
use crate::diagnostic::{did_you_mean, listed};
use crate::mock::{Mock, MockServer};
use crate::transport::lines::{LONGEST, LineReader, LineWriter};
use std::path::Path;

/// How many arrivals are kept where no file wants them.
const UNSEEN: usize = 64;

/// Serves until the input ends, or until it is told to end.
pub(super) async fn mock(arguments: &Arguments) -> Exit {
    // First of all, so that nothing that comes early is lost.
    let mut end = match End::listen() {
        Ok(end) => end,
        Err(error) => {
            say(&format!("signals cannot be heard: {error}"));
            return Exit::World;
        }
    };
    let mock = match find(&arguments.name) {
        Ok(mock) => mock,
        Err(exit) => return exit,
    };
    let mut builder = MockServer::builder(mock).lenient(arguments.lenient);
    if let Some(address) = arguments.http {
        builder = builder.listen(address);
    }
    builder = match &arguments.ledger {
        Some(file) => builder.ledger_file(file.clone()),
        // Nobody will ever look at it.
        None => builder.remember(UNSEEN),
    };
    let server = match builder.start().await {
        Ok(server) => server,
        Err(error) => {
            let address = arguments.http.map(|address| format!(" on {address}")).unwrap_or_default();
            say(&format!("the mock cannot be served{address}: {error}"));
            return Exit::World;
        }
    };
    let exit = if arguments.http.is_some() {
        say(&format!("listening on {}", server.url()));
        end.come().await
    } else {
        let reader = LineReader::new(tokio::io::stdin(), LONGEST);
        tokio::select! {
            () = server.serve_lines(reader, LineWriter::new(tokio::io::stdout())) => Exit::Clean,
            exit = end.come() => exit,
        }
    };
    server.stop().await;
    exit
}

/// A shipped mock by its name, or one of the user's own by its folder.
pub(super) fn find(name: &str) -> Result<Mock, Exit> {
    if let Some(mock) = Mock::named(name) {
        return Ok(mock);
    }
    let folder = Path::new(name);
    if folder.is_dir() {
        return Mock::from_folder(folder).map_err(|mistakes| {
            mistakes.iter().for_each(|mistake| say(&mistake.to_string()));
            Exit::Mistake
        });
    }
    let near = did_you_mean(name, Mock::names()).map(|near| format!("\nhelp: did you mean `{near}`?"));
    say(&format!(
        "no mock `{name}`: neither a shipped one ({}) nor a folder{}",
        listed(Mock::names()),
        near.unwrap_or_default()
    ));
    Err(Exit::Mistake)
}
