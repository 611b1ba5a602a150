//! Several calls and frames at the same time.

use super::Trouble;
use super::call::{self, Made};
use super::raw;
use super::steps::{Performance, carried, rows};
use crate::run::stage::Stage;
use crate::scenario::{Call, Kind, Send, Step, Variables};
use futures_util::future::join_all;

/// One of those that are done together.
#[derive(Clone, Copy)]
enum Member<'a> {
    Call(&'a Call),
    Send(&'a Send),
}

impl<'a> Member<'a> {
    fn of(step: &'a Step) -> Result<Self, Trouble> {
        match &step.kind {
            Kind::Call(call) => Ok(Self::Call(call)),
            Kind::Send(send) => Ok(Self::Send(send)),
            _ => Err(Trouble::because("only calls and sends can be done at the same time")),
        }
    }

    fn times(self) -> u32 {
        match self {
            Self::Call(call) => call.times,
            Self::Send(send) => send.times,
        }
    }

    async fn rows(self, stage: &Stage, so_far: &Performance) -> Result<Vec<Variables>, Trouble> {
        match self {
            Self::Call(call) => rows(&call.over, &so_far.variables),
            Self::Send(send) => raw::dressed_rows(stage, send, &so_far.variables).await,
        }
    }

    async fn make(self, stage: &Stage, so_far: &Performance, row: &Variables) -> Result<Made, Trouble> {
        match self {
            Self::Call(call) => call::make(stage, call, row, carried(&so_far.pending, call)).await,
            Self::Send(send) => raw::send_once(stage, send, row).await.map(Made::over),
        }
    }
}

/// Every row of every member at the same time, each as often as it says.
pub(super) async fn together(
    stage: &Stage,
    performance: &mut Performance,
    members: &[Step],
) -> Result<(), Trouble> {
    let mut all = Vec::new();
    for step in members {
        let member = Member::of(step)?;
        for row in member.rows(stage, performance).await? {
            all.extend((0..member.times()).map(|_| (member, row.clone())));
        }
    }
    let so_far = &*performance;
    let made = join_all(all.iter().map(|(member, row)| member.make(stage, so_far, row))).await;
    for ((member, _), made) in all.into_iter().zip(made) {
        match member {
            Member::Call(call) => performance.keep(call, made?),
            Member::Send(send) => performance.keep_sent(send, made?.asked),
        }
    }
    Ok(())
}
