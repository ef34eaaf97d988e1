//! Holding the rotation against the log: what was reserved and never decided ends, nothing is held that is not, and
//! nothing waits for a team that is gone.

use std::sync::Arc;

use bus::{BucketName, now};
use conversation::{ConversationId, Time};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Inner;
use super::desk::{AssignError, Desk};
use super::rotation::{Held, Reflected, Rotation};

/// Audits every rotation for as long as this process is the one to do it.
pub(super) async fn run(inner: Arc<Inner>, held: watch::Receiver<bool>) {
    let mut last_whole: Option<Instant> = None;
    inner.directory.ready().await;
    loop {
        tokio::time::sleep(inner.options.look).await;
        if !*held.borrow() {
            last_whole = None;
            continue;
        }
        let whole = last_whole.is_none_or(|last| last.elapsed() > inner.options.compare);
        match audit_all(&inner, whole).await {
            Ok(()) if whole => last_whole = Some(Instant::now()),
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "the rotations can't be held against the log now"),
        }
    }
}

async fn audit_all(inner: &Inner, whole: bool) -> Result<(), AssignError> {
    let keys = inner.bus.bucket(BucketName::Rotation).keys("").await.map_err(|error| AssignError::from(&error))?;
    for workspace in keys.into_iter().filter(|key| !key.starts_with('_')) {
        let (desk, before) = (inner.desks.of(&workspace), long_ago(inner));
        let suspects = move |rotation: &mut Rotation, _: &bus::Staff, _| {
            if whole { rotation.all_held() } else { rotation.reserved_before(before) }
        };
        for (agent, conversation, held) in desk.change(suspects).await? {
            audit(inner, &desk, &workspace, agent, conversation, held).await?;
        }
        end_teams(inner, &desk, &workspace).await?;
    }
    Ok(())
}

/// Ends what is kept of teams that are gone, as the leader of the directory has it.
async fn end_teams(inner: &Inner, desk: &Arc<Desk>, workspace: &str) -> Result<(), AssignError> {
    let unknown = |rotation: &mut Rotation, staff: &bus::Staff, _| {
        rotation.teams.keys().filter(|team| staff.members(team).is_none()).cloned().collect::<Vec<_>>()
    };
    let unknown = desk.change(unknown).await?;
    if unknown.is_empty() {
        return Ok(());
    }
    let time = now();
    let staff = inner.bus.roster().staff(workspace).await.map_err(|error| AssignError::from(&error))?;
    for team in unknown.into_iter().filter(|team| staff.members(team).is_none()) {
        desk.change(move |rotation, _, _| rotation.end_team(&team, time)).await?;
    }
    Ok(())
}

/// What was picked before this is overdue.
fn long_ago(inner: &Inner) -> Time {
    Time(now().0.saturating_sub(i64::try_from(inner.options.undecided.as_nanos()).unwrap_or(i64::MAX)))
}

async fn audit(
    inner: &Inner,
    desk: &Arc<Desk>,
    workspace: &str,
    agent: String,
    conversation: String,
    held: Held,
) -> Result<(), AssignError> {
    let state = match ConversationId::parse(&conversation) {
        Some(id) => inner.bus.state(workspace, &id).await.map_err(|error| AssignError::from(&error))?,
        None => return desk.change(move |rotation, _, _| rotation.forget(&agent, &conversation)).await,
    };
    let known = held.certain.max(held.reserved.map(|reserved| reserved.base)).unwrap_or(0);
    if state.revision > known {
        let told = Reflected {
            conversation,
            revision: state.revision,
            open: !state.open.is_empty(),
            assignee: state.assignee,
            assigned: false,
            closed: false,
        };
        return desk.change(move |rotation, _, _| rotation.reflect(&told)).await;
    }
    let overdue = held.reserved.filter(|reserved| reserved.time < long_ago(inner));
    let Some(reserved) = overdue else { return Ok(()) };
    desk.change(move |rotation, _, _| rotation.lapse(&agent, &conversation, reserved.trigger)).await
}
