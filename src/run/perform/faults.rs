//! Time that passes, parts that stop, policies that change.

use super::Trouble;
use crate::run::stage::Stage;
use crate::scenario::{Part, Reload, Wait};

pub(super) async fn wait(stage: &Stage, wait: Wait) -> Result<(), Trouble> {
    let time = match wait {
        Wait::For(time) => time,
        Wait::Until(boundary) => stage.until(boundary),
    };
    stage.let_pass(time).await;
    Ok(())
}

pub(super) async fn stop(stage: &Stage, part: &Part) -> Result<(), Trouble> {
    match part {
        Part::Upstream(name) => {
            stage.mock(name).map_err(Trouble::because)?.pause().await;
            Ok(())
        }
        Part::Gateway => Err(Trouble::because("a gateway can be restarted, not stopped")),
    }
}

pub(super) async fn start(stage: &Stage, part: &Part) -> Result<(), Trouble> {
    match part {
        Part::Upstream(name) => {
            stage.mock(name).map_err(Trouble::because)?.resume().await.map_err(Trouble::because)
        }
        Part::Gateway => Err(Trouble::because("a gateway can be restarted, not started")),
    }
}

pub(super) async fn restart(stage: &Stage, part: &Part) -> Result<(), Trouble> {
    match part {
        Part::Gateway => stage.restart_gateway().await.map_err(Trouble::because),
        upstream => {
            stop(stage, upstream).await?;
            start(stage, upstream).await
        }
    }
}

pub(super) async fn reload(stage: &Stage, reload: &Reload) -> Result<(), Trouble> {
    stage.reload(reload).await.map_err(Trouble::because)
}

pub(super) async fn revoke(stage: &Stage, identity: &str) -> Result<(), Trouble> {
    stage.revoke(identity).await.map_err(Trouble::because)
}
