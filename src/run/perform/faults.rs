//! Time that passes, parts that stop, policies that change.

use super::Trouble;
use crate::run::stage::Stage;
use crate::scenario::{Kind, Part, Reload, Wait};

/// Does a step that makes no call.
pub(in crate::run) async fn control(stage: &Stage, kind: &Kind) -> Result<(), Trouble> {
    match kind {
        Kind::Change(change) => stage.change(change).await.map_err(Trouble::because),
        Kind::Wait(time) => wait(stage, *time).await,
        Kind::Stop(part) => stop(stage, part).await,
        Kind::Start(part) => start(stage, part).await,
        Kind::Restart(part) => restart(stage, part).await,
        Kind::Reload(to) => reload(stage, to).await,
        Kind::Revoke(identity) => revoke(stage, identity).await,
        _ => Err(Trouble::because("a step that makes calls")),
    }
}

async fn wait(stage: &Stage, wait: Wait) -> Result<(), Trouble> {
    let time = match wait {
        Wait::For(time) => time,
        Wait::Until(boundary) => stage.until(boundary),
    };
    stage.let_pass(time).await;
    Ok(())
}

async fn stop(stage: &Stage, part: &Part) -> Result<(), Trouble> {
    match part {
        Part::Upstream(name) => {
            stage.mock(name).map_err(Trouble::because)?.pause().await;
            Ok(())
        }
        Part::Gateway => Err(Trouble::because("a gateway can be restarted, not stopped")),
    }
}

async fn start(stage: &Stage, part: &Part) -> Result<(), Trouble> {
    match part {
        Part::Upstream(name) => {
            stage.mock(name).map_err(Trouble::because)?.resume().await.map_err(Trouble::because)
        }
        Part::Gateway => Err(Trouble::because("a gateway can be restarted, not started")),
    }
}

async fn restart(stage: &Stage, part: &Part) -> Result<(), Trouble> {
    match part {
        // How it went is a step's to tell: see `steps`.
        Part::Gateway => Err(Trouble::because("a gateway's end is looked at")),
        upstream => {
            stop(stage, upstream).await?;
            start(stage, upstream).await
        }
    }
}

async fn reload(stage: &Stage, reload: &Reload) -> Result<(), Trouble> {
    stage.reload(reload).await
}

async fn revoke(stage: &Stage, identity: &str) -> Result<(), Trouble> {
    stage.revoke(identity).await.map_err(Trouble::because)
}
