//! A query that names the revision of a command sees what the command did.

use oracle::{Action, Command};
use proto::v1;
use tonic::{Code, Response, Status};
use v1::timeline_entry::Entry;

use super::case::{Answer, Case, Told};
use crate::deployment::{Clients, is_away, patiently};

/// # Panics
/// When it does not.
pub(crate) async fn check(clients: &Clients, case: &Case, command: &Command, answer: &Answer) {
    let Answer::Done(told) = answer else { return };
    match &command.actions[0] {
        Action::Open { .. } | Action::Close(_) => tickets(clients, case, told).await,
        Action::Say(_) | Action::Note(_) => words(clients, case, told).await,
        _ => conversation(clients, case, told).await,
    }
}

/// Asks again while the view is away, or far behind because the log was.
async fn answer<T, F: Future<Output = Result<Response<T>, Status>>>(mut ask: impl FnMut() -> F) -> T {
    patiently("a query to be answered", || {
        let asked = ask();
        async {
            match asked.await {
                Ok(answer) => Some(answer.into_inner()),
                Err(status) if is_away(&status) || status.code() == Code::DeadlineExceeded => None,
                Err(status) => panic!("{status}"),
            }
        }
    })
    .await
}

fn revision(told: &Told) -> i64 {
    i64::try_from(told.revision).unwrap()
}

async fn tickets(clients: &Clients, case: &Case, told: &Told) {
    for ticket in told.opened.iter().chain(&told.closed) {
        let request = v1::GetTicketRequest {
            workspace: case.workspace.clone(),
            ticket_id: ticket.id.clone(),
            min_revision: revision(told),
        };
        let seen = answer(|| async { clients.tickets.clone().get_ticket(request.clone()).await }).await;
        assert_eq!((&seen.topic, &seen.open_time), (&ticket.topic, &ticket.open_time));
        // A ticket that was opened may have been closed by others since, but none opens again.
        if ticket.state() == v1::ticket::State::Closed {
            assert_eq!((seen.close_revision, &seen.close_time), (ticket.close_revision, &ticket.close_time));
        }
    }
}

async fn words(clients: &Clients, case: &Case, told: &Told) {
    let request = v1::ListTimelineRequest {
        workspace: case.workspace.clone(),
        conversation_id: case.conversation.clone(),
        page_size: 1_000,
        min_revision: revision(told),
        ..v1::ListTimelineRequest::default()
    };
    let seen = answer(|| async { clients.tickets.clone().list_timeline(request.clone()).await }).await;
    let id = |entry: &v1::TimelineEntry| match entry.entry.as_ref()? {
        Entry::Message(message) => Some(message.id.clone()),
        Entry::Note(note) => Some(note.id.clone()),
        Entry::Stamp(_) => None,
    };
    let found = seen.entries.iter().find(|entry| id(entry).as_ref() == Some(&told.words));
    assert_eq!(found.map(|entry| entry.revision), Some(revision(told)), "{} is not in {:?}", told.words, seen.entries);
}

async fn conversation(clients: &Clients, case: &Case, told: &Told) {
    let request = v1::GetConversationRequest {
        workspace: case.workspace.clone(),
        conversation_id: case.conversation.clone(),
        // Nothing was decided yet where the revision is 0, but the contact has written.
        min_revision: i64::try_from(case.newest()).unwrap(),
    };
    let seen = answer(|| async { clients.tickets.clone().get_conversation(request.clone()).await }).await;
    assert!(seen.revision >= revision(told), "{} behind {}", seen.revision, told.revision);
}
