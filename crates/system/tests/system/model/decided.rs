//! The decisions of a conversation, each beside what the oracle decides there.

use std::collections::BTreeSet;

use oracle::{Action, Actor, Answer, Command, Kind, Past, Standing, Step, decide, standing};
use proto::v1;
use proto::v1::decided::BotChange;

use super::case::{Answer as Told, Call, Case};
use crate::adapter;

/// Every decision that stands on the stream, and the command that led to it.
///
/// # Errors
/// What differs from the oracle.
pub(crate) fn check(case: &Case, calls: &[Call], events: &[(u64, v1::Event)]) -> Result<Vec<Past>, String> {
    let mut past: Vec<Past> = Vec::new();
    for (revision, event) in events {
        let Some(v1::event::Event::Decided(decided)) = &event.event else { continue };
        let made = find(case, calls, &past, *revision, event, decided)?;
        past.push(made);
        let after = decided.after.as_ref().ok_or("a decision without a state")?;
        check_state(*revision, after, &past)?;
    }
    Ok(past)
}

/// The command that a decision comes from: it bears its id, and the oracle decides just this.
fn find(
    case: &Case,
    calls: &[Call],
    past: &[Past],
    revision: u64,
    event: &v1::Event,
    decided: &v1::Decided,
) -> Result<Past, String> {
    let time = adapter::nanos(event.record_time.as_ref());
    let actor = adapter::actor(event.actor.as_ref().ok_or("a decision of nobody")?);
    let told = steps(decided);
    // W10: the decision's clock, which here is ours too.
    let during = |call: &Call| call.sent <= time && time <= call.answered;
    let calls: Vec<Call> = calls.iter().filter(|call| during(call)).cloned().collect();
    let calls = &calls;
    let candidates = candidates(calls, revision, event);
    for command in &candidates {
        let Answer::Done { time: decided_at, steps } = decide(&case.conversation, past, command, &case.settings, time)
        else {
            continue;
        };
        let made = Past { revision, command: command.clone(), time, steps };
        let wanted = net(past, &made);
        if decided_at == time && command.actor == actor && told == wanted {
            return stamps_are_its_own(decided, &made).map(|()| made);
        }
    }
    Err(format!("the decision at {revision}\n{event:?}\ncomes from none of\n{candidates:?}\nafter\n{past:?}"))
}

/// The commands that may have led to a decision; first those that were answered so.
fn candidates(calls: &[Call], revision: u64, event: &v1::Event) -> Vec<Command> {
    let echo = echo(&event.causation_id);
    let named = |call: &&Call| call.command.id == event.causation_id || call.command.id == echo.id;
    let answered = |call: &Call| matches!(&call.answer, Told::Done(told) if told.revision == revision);
    let mut commands: Vec<(bool, Command)> =
        calls.iter().filter(named).map(|call| (!answered(call), call.command.clone())).collect();
    commands.sort_by_key(|(not_answered, _)| *not_answered);
    commands.into_iter().map(|(_, command)| command).collect()
}

/// W12: the system pauses the bot because of an echo, known by the echo: by the channel's id of the message while only
/// that is known, by the id of the event in the end.
pub(crate) fn echo(id: &str) -> Command {
    Command {
        id: format!("echo {id}"),
        actor: Actor::new(Kind::System, ""),
        actions: vec![Action::Pause],
        expected_revision: None,
    }
}

/// What a decision did, tags and pause by their net change.
#[derive(Debug, PartialEq, Eq)]
struct Net {
    entries: Vec<Step>,
    added: BTreeSet<String>,
    removed: BTreeSet<String>,
    paused: Option<bool>,
}

fn net(past: &[Past], made: &Past) -> Net {
    let (before, after) = (standing(past), standing(past.iter().chain([made])));
    Net {
        entries: made.steps.iter().filter(|step| step.is_entry()).cloned().collect(),
        added: after.tags.difference(&before.tags).cloned().collect(),
        removed: before.tags.difference(&after.tags).cloned().collect(),
        paused: (before.paused != after.paused).then_some(after.paused),
    }
}

fn steps(decided: &v1::Decided) -> Net {
    let mut closed = decided.closed.iter();
    let entries = adapter::decided(decided).entries.into_iter().map(|entry| match entry {
        oracle::Entry::Message(id) => Step::Said(id),
        oracle::Entry::Note(id) => Step::Noted(id),
        oracle::Entry::Stamp(stamp) => match stamp.mark {
            oracle::Mark::Opened { ticket, primary, topic } => Step::Opened { ticket, primary, topic },
            oracle::Mark::Closed { ticket } => {
                // The window is repeated beside its stamp.
                let window = closed.next().expect("a closed window");
                assert_eq!(window.window.as_ref().expect("a window").ticket_id, ticket);
                Step::Closed { ticket, assignee: window.assignee.as_ref().map(adapter::assignee) }
            }
            oracle::Mark::Assigned(assignee) => Step::Assigned(assignee),
            oracle::Mark::Unassigned => Step::Unassigned,
        },
    });
    Net {
        entries: entries.collect(),
        added: decided.tags_added.iter().cloned().collect(),
        removed: decided.tags_removed.iter().cloned().collect(),
        paused: match decided.bot_change() {
            BotChange::Unspecified => None,
            change => Some(change == BotChange::Paused),
        },
    }
}

/// W10: every stamp has the decision's time, and who decided.
fn stamps_are_its_own(decided: &v1::Decided, made: &Past) -> Result<(), String> {
    for entry in adapter::decided(decided).entries {
        if let oracle::Entry::Stamp(stamp) = entry
            && (stamp.time, &stamp.actor) != (made.time, &made.command.actor)
        {
            return Err(format!("a stamp of another time or actor than its decision: {stamp:?} in {made:?}"));
        }
    }
    Ok(())
}

/// The state that a decision carries is how things stand after it.
fn check_state(revision: u64, after: &v1::ConversationState, past: &[Past]) -> Result<(), String> {
    let Standing { open, assignee, paused, tags, tickets, words, last_stamp } = standing(past);
    let zero_for_now = |at: u64| if at == revision { 0 } else { i64::try_from(at).unwrap() };
    let windows: Vec<v1::OpenWindow> = open
        .iter()
        .map(|ticket| v1::OpenWindow {
            ticket_id: ticket.id.clone(),
            primary_id: ticket.primary.clone().unwrap_or_default(),
            topic: ticket.topic.clone(),
            opened_by: Some(adapter::to_actor(&ticket.opener)),
            open_time: Some(adapter::to_time(ticket.open_time)),
            open_revision: zero_for_now(ticket.open_revision),
        })
        .collect();
    let wanted = v1::ConversationState {
        open: windows,
        assignee: assignee.as_ref().map(adapter::to_assignee),
        bot_paused: paused,
        tags: tags.into_iter().collect(),
        ticket_ordinal: tickets,
        message_ordinal: words,
        last_stamp_time: last_stamp.map(adapter::to_time),
        recent: after.recent.clone(),
    };
    let remembered: Vec<i64> = after.recent.iter().map(|recent| recent.revision).collect();
    let last_64: Vec<i64> =
        past[past.len().saturating_sub(64)..].iter().map(|past| zero_for_now(past.revision)).collect();
    if *after != wanted || remembered != last_64 {
        return Err(format!("the state after {revision}\n{after:?}\nshould be\n{wanted:?}\nremembering {last_64:?}"));
    }
    Ok(())
}
