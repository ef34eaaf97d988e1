//! Every answer that a client got, beside what the oracle answers. Where clients acted at once, one of the states
//! that the answer can be of has to give it: not older than what was known when the command was sent, nor newer than
//! the answer. A client that acts alone leaves only one.

use oracle::{Answer, OpenTicket, Past, Reason, Step, decide, standing};
use proto::v1;
use tonic::Code;

use super::case::{Answer as Given, Call, Case, Told};
use super::census::Census;
use crate::adapter;

/// The reason of a refusal that no state of the conversation gives: the channel does.
pub(crate) const WINDOW_CLOSED: &str = "WINDOW_CLOSED";

/// A client waits this long, in nanoseconds, for the answer to what is done when the first answer to it is lost: the
/// services themselves wait 3 s before they look.
const LATE: i64 = 2_500_000_000;

/// # Errors
/// An answer that no state gives.
pub(crate) fn check(case: &Case, calls: &[Call], past: &[Past], census: &mut Census) -> Result<(), String> {
    for call in calls {
        let oldest = past.partition_point(|past| past.revision <= call.floor);
        let newest = past.iter().rposition(|past| past.time <= call.answered).map_or(0, |at| at + 1).max(oldest);
        let gives = |known: usize| explains(case, call, past, known);
        let Some(known) = (oldest..=newest).find(|known| gives(*known)) else {
            let answers: Vec<Answer> = (oldest..=newest).map(|known| ask(case, call, past, known)).collect();
            let last = past[oldest.saturating_sub(3)..newest].iter().collect::<Vec<_>>();
            return Err(format!(
                "{call:#?}\nbut the oracle, over {oldest} to {newest} decisions:\n{answers:#?}\n{last:#?}"
            ));
        };
        census.answer(&ask(case, call, past, known), newest - oldest);
        let made = past.get(known).filter(|made| made.command.id == call.command.id);
        census.met_times("answered late", usize::from(made.is_some_and(|made| call.answered - made.time > LATE)));
    }
    Ok(())
}

fn ask(case: &Case, call: &Call, past: &[Past], known: usize) -> Answer {
    let clock = past.get(known).map_or(call.answered, |next| next.time);
    decide(&case.conversation, &past[..known], &call.command, &case.settings, clock)
}

fn explains(case: &Case, call: &Call, past: &[Past], known: usize) -> bool {
    let answer = ask(case, call, past, known);
    let own = past.get(known).filter(|next| next.command.id == call.command.id);
    match (&call.answer, answer) {
        (Given::Done(told), Answer::Done { .. }) => {
            own.is_some_and(|made| told.revision == made.revision && shows(case, told, past, known))
        }
        (Given::Done(told), Answer::Repeat(revision)) => {
            let first = past.iter().position(|past| past.revision == revision);
            told.revision == revision && first.is_some_and(|first| shows(case, told, past, first))
        }
        (Given::Done(told), Answer::Nothing { revision, primary }) => {
            let found = told.opened.as_ref().map(|ticket| ticket.id.clone());
            let shown = told.opened.as_ref().is_none_or(|ticket| is_open_ticket(case, ticket, &past[..known]));
            told.revision == revision && found == primary && shown && told.words.is_empty() && told.closed.is_empty()
        }
        // Whether it was right to is judged when the answer comes: see `send`.
        (Given::Refused(Code::FailedPrecondition, reason), Answer::Done { .. }) => reason == WINDOW_CLOSED,
        (Given::Refused(code, reason), Answer::Refused(wanted)) => {
            let (its_code, its_reason) = words(&wanted);
            (*code, reason.as_str()) == (its_code, its_reason)
        }
        (Given::Taken, Answer::Done { .. }) => own.is_some(),
        (Given::Taken, answer) => !matches!(answer, Answer::Refused(_)),
        (Given::Expected(held), _) => {
            let last = past[..known].last().map_or(0, |last| last.revision);
            *held == call.command.expected_revision.is_none_or(|expected| expected >= last)
        }
        _ => false,
    }
}

/// What a client is told of a refusal: the code, and the reason or the field.
fn words(reason: &Reason) -> (Code, &'static str) {
    match reason {
        Reason::ActorMayNot => (Code::InvalidArgument, "actor.kind"),
        Reason::TicketNotOpen(_) | Reason::NothingOpen => (Code::FailedPrecondition, "TICKET_NOT_OPEN"),
        Reason::TicketOpen(_) => (Code::FailedPrecondition, "TICKET_OPEN"),
        Reason::TooManyOpen => (Code::ResourceExhausted, "TOO_MANY_OPEN"),
        Reason::BotDoesNotHold => (Code::FailedPrecondition, "BOT_DOES_NOT_HOLD"),
        Reason::TooManyTags => (Code::ResourceExhausted, "TOO_MANY_TAGS"),
        Reason::CommandReused => (Code::AlreadyExists, "COMMAND_REUSED"),
        Reason::MovedOn(_) => (Code::Aborted, "MOVED_ON"),
    }
}

/// Whether a client was shown just what the decision at `at` did.
fn shows(case: &Case, told: &Told, past: &[Past], at: usize) -> bool {
    let (before, made) = (standing(&past[..at]), &past[at]);
    let after = standing(&past[..=at]);
    let words = made.steps.iter().find_map(|step| match step {
        Step::Said(id) | Step::Noted(id) => Some(id.clone()),
        _ => None,
    });
    let opened = made.steps.iter().find_map(|step| match step {
        Step::Opened { ticket, .. } => after.open.iter().find(|open| open.id == *ticket),
        _ => None,
    });
    let opened = opened.map(|ticket| v1::Ticket {
        assignee: after.assignee.as_ref().map(adapter::to_assignee),
        ..shown(case, ticket)
    });
    let closed: Vec<v1::Ticket> = made
        .steps
        .iter()
        .filter_map(|step| {
            let Step::Closed { ticket, assignee } = step else { return None };
            let opened = before.open.iter().find(|open| open.id == *ticket)?;
            Some(v1::Ticket {
                state: v1::ticket::State::Closed.into(),
                close_time: Some(adapter::to_time(made.time)),
                closed_by: Some(adapter::to_actor(&made.command.actor)),
                close_revision: i64::try_from(made.revision).unwrap(),
                assignee: assignee.as_ref().map(adapter::to_assignee),
                ..shown(case, opened)
            })
        })
        .collect();
    told.words == words.unwrap_or_default() && told.opened == opened && told.closed == closed
}

/// An open ticket as a command's answer shows it: without what is measured.
fn shown(case: &Case, ticket: &OpenTicket) -> v1::Ticket {
    v1::Ticket {
        id: ticket.id.clone(),
        workspace: case.workspace.clone(),
        conversation_id: case.conversation.clone(),
        primary_id: ticket.primary.clone().unwrap_or_default(),
        topic: ticket.topic.clone(),
        state: v1::ticket::State::Open.into(),
        open_time: Some(adapter::to_time(ticket.open_time)),
        opened_by: Some(adapter::to_actor(&ticket.opener)),
        open_revision: i64::try_from(ticket.open_revision).unwrap(),
        channel: case.channel.clone(),
        ..v1::Ticket::default()
    }
}

/// The primary that an opening found. Who is assigned may have changed since it was decided to do nothing.
fn is_open_ticket(case: &Case, ticket: &v1::Ticket, past: &[Past]) -> bool {
    let open = standing(past).open;
    let same = |open: &OpenTicket| shown(case, open) == v1::Ticket { assignee: None, ..ticket.clone() };
    open.iter().any(same)
}
