//! A whole history, when it has ended: what the log reads as, and what the rules never allow.

use conversation::{Basis, Period, State, Time};
use oracle::{Conversation, Log, Window, read};

use crate::{
    mirror,
    reference::Placed,
    world::{World, same},
};

/// Compares; and says whether a late entry lay in a window.
pub(crate) fn check(world: &World) -> Result<bool, String> {
    let view = read(&world.log);
    let Some(conversation) = view.conversations.get("c") else {
        return same("events of an empty log", &world.log.events().len(), &0).map(|()| false);
    };
    let state = world.states.last().unwrap();
    compare_standing(state, conversation)?;
    compare_windows(world, conversation)?;
    compare_timeline(world, conversation)?;
    compare_counts(conversation)?;
    windows_are_allowed(&conversation.windows)?;
    same("what is read off the log backwards and twice", &read(&shuffled(&world.log)), &view)?;
    Ok(conversation.timeline.iter().any(|line| line.late && !line.tickets.is_empty()))
}

fn compare_standing(state: &State, read: &Conversation) -> Result<(), String> {
    let open: Vec<String> = state.open.iter().map(|ticket| ticket.id.to_string()).collect();
    same("the open tickets", &open, &read.open)?;
    same("the assignee", &state.assignee.as_ref().map(mirror::from_assignee), &read.assignee)?;
    same("the tags", &state.tags, &read.tags)?;
    same("the pause", &state.bot_paused, &read.bot_paused)
}

/// Opener, times, revisions, assignee at closing: from the decisions on the one side, from the log on the other.
fn compare_windows(world: &World, read: &Conversation) -> Result<(), String> {
    let mut closed: Vec<_> = world.reference.closed.iter().collect();
    closed.sort_by_key(|(closed, _)| closed.ticket.id.parts());
    let told: Vec<_> = read.windows.iter().filter(|window| window.close_time.is_some()).collect();
    same("how many windows closed", &closed.len(), &told.len())?;
    for ((closed, time), window) in closed.into_iter().zip(told) {
        let ticket = &closed.ticket;
        same("a closed ticket", &ticket.id.to_string(), &window.id)?;
        same("its primary", &ticket.primary.as_ref().map(ToString::to_string), &window.primary)?;
        same("its opener", &mirror::from_actor(&ticket.opened_by), &window.opener)?;
        same("its times", &(ticket.open_time.0, Some(time.0)), &(window.open_time, window.close_time))?;
        same("its assignee", &closed.assignee.as_ref().map(mirror::from_assignee), &window.assignee)?;
        if ticket.open_revision != 0 {
            same("its opening", &ticket.open_revision, &window.open_revision)?;
        }
    }
    Ok(())
}

fn compare_timeline(world: &World, read: &Conversation) -> Result<(), String> {
    let line =
        |line: &oracle::Line| -> Placed { (line.revision, line.index, line.time, line.late, line.tickets.clone()) };
    let told: Vec<Placed> = read.timeline.iter().map(line).collect();
    same("the timeline", &world.reference.timeline(&world.states.last().unwrap().open), &told)
}

/// Periods that begin and end at the times of the windows themselves, where a count goes wrong if anywhere.
fn compare_counts(read: &Conversation) -> Result<(), String> {
    let mut cuts: Vec<i64> =
        read.windows.iter().flat_map(|window| [Some(window.open_time), window.close_time]).flatten().collect();
    cuts.sort_unstable();
    cuts.dedup();
    let bases = [
        (Basis::Opened, oracle::Basis::Opened),
        (Basis::Closed, oracle::Basis::Closed),
        (Basis::OpenDuring, oracle::Basis::OpenDuring),
    ];
    for cut in cuts.windows(3) {
        for (start, end) in [(cut[0], cut[1]), (cut[0], cut[2]), (cut[1], cut[2] + 1)] {
            let period = Period { start: Time(start), end: Time(end) };
            for (ours, theirs) in bases {
                let counts = |w: &&Window| period.counts(ours, Time(w.open_time), w.close_time.map(Time));
                let domain: Vec<_> = read.windows.iter().filter(counts).collect();
                let oracle: Vec<_> = read.windows.iter().filter(|w| w.falls_into(theirs, start, end)).collect();
                same("the windows of a period", &domain, &oracle)?;
            }
        }
    }
    Ok(())
}

/// What W3 and W4 promise of any history.
fn windows_are_allowed(windows: &[Window]) -> Result<(), String> {
    let end = |window: &Window| window.close_time.unwrap_or(i64::MAX);
    for window in windows {
        let primary = windows.iter().find(|other| Some(&other.id) == window.primary.as_ref());
        let inside = primary.is_none_or(|primary| {
            primary.primary.is_none() && primary.open_time <= window.open_time && end(window) <= end(primary)
        });
        if window.primary.is_some() != primary.is_some() || !inside || end(window) < window.open_time {
            return Err(format!("not a window that lies inside its primary: {window:?}"));
        }
    }
    let primaries: Vec<&Window> = windows.iter().filter(|window| window.primary.is_none()).collect();
    match primaries.windows(2).find(|pair| end(pair[0]) > pair[1].open_time) {
        Some(pair) => Err(format!("primaries overlap: {pair:?}")),
        None => Ok(()),
    }
}

/// The same log pushed backwards, each event twice.
fn shuffled(log: &Log) -> Log {
    let mut shuffled = Log::new();
    for event in log.events().iter().rev().flat_map(|event| [event, event]) {
        shuffled.push(event.clone());
    }
    shuffled
}
