//! A command over gRPC, until it is answered.

use oracle::{Action, Command, IfOpen, Nanos, Which};
use proto::v1;
use proto::v1::send_message_request::Content;
use tonic::Status;
use tonic_types::StatusExt;

use super::answers::WINDOW_CLOSED;
use super::case::{Answer, Call, Case, Fact, Told, now};
use crate::adapter::{to_actor, to_assignee};
use crate::deployment::{Clients, is_away, patiently};

/// The window of WhatsApp.
const DAY: Nanos = 86_400_000_000_000;

/// Sends a command under its one id until it is answered, and writes the answer down.
///
/// # Panics
/// When the bus stays away, or an answer is none that a client is promised.
pub(crate) async fn send(clients: &Clients, case: &Case, command: Command) -> Answer {
    let (floor, sent) = (case.newest(), now());
    let written: Vec<Nanos> = case.read(|journal| {
        let received = journal.items.iter().filter(|item| matches!(item.what, Fact::Received(_)));
        received.map(|item| item.occur).collect()
    });
    let answer = patiently("a command to be answered", || async {
        match once(clients, case, &command).await {
            Ok(told) => Some(Answer::Done(Box::new(told))),
            Err(status) if is_away(&status) => None,
            Err(status) => Some(refused(&status)),
        }
    })
    .await;
    if let Answer::Done(told) = &answer {
        case.tell(told.revision);
    }
    if matches!(&answer, Answer::Refused(_, reason) if reason == WINDOW_CLOSED) {
        let open = written.iter().any(|wrote| now() < wrote + DAY);
        assert!(case.channel.starts_with("whatsapp:") && !open, "the window was open: {written:?}");
    }
    let call = Call { command, floor, sent, answered: now(), answer: answer.clone() };
    case.write(|journal| {
        if let Answer::Done(told) = &answer {
            journal.tickets.extend(told.opened.as_ref().map(|ticket| ticket.id.clone()));
            if matches!(call.command.actions[0], Action::Say(_)) {
                journal.said.push(told.words.clone());
            }
        }
        journal.calls.push(call);
    });
    answer
}

/// A refusal as a program tells it: its code and its reason, or the field that is wrong.
pub(crate) fn refused(status: &Status) -> Answer {
    let details = status.get_error_details();
    let field = details.bad_request().and_then(|bad| bad.field_violations.first()).map(|wrong| wrong.field.clone());
    let reason = details.error_info().map(|info| info.reason.clone());
    Answer::Refused(status.code(), field.or(reason).unwrap_or_else(|| status.message().to_owned()))
}

async fn once(clients: &Clients, case: &Case, command: &Command) -> Result<Told, Status> {
    let mut to = clients.conversations.clone();
    let workspace = case.workspace.clone();
    let conversation_id = case.conversation.clone();
    let actor = Some(to_actor(&command.actor));
    let command_id = command.id.clone();
    let expected_revision = command.expected_revision.map(|revision| i64::try_from(revision).unwrap());
    // The fields that every command has, under the same names.
    macro_rules! ask {
        ($request:ident { $($own:tt)* }) => {
            v1::$request { workspace, conversation_id, actor, command_id, expected_revision, $($own)* }
        };
    }
    let [action] = &command.actions[..] else { panic!("each method does one thing: {command:?}") };
    let mut told = Told::default();
    let revision = match action.clone() {
        Action::Open { topic, assignee, if_open } => {
            let assignee = assignee.as_ref().map(to_assignee);
            let unless_open = if_open == IfOpen::ReturnPrimary;
            let done = to.open_ticket(ask!(OpenTicketRequest { topic, assignee, unless_open })).await?.into_inner();
            told.opened = done.ticket;
            done.revision
        }
        Action::Close(which) => {
            let all = which == Which::All;
            let ticket_id = if let Which::Named(id) = which { id } else { String::new() };
            let done = to.close_ticket(ask!(CloseTicketRequest { ticket_id, all })).await?.into_inner();
            told.closed = done.tickets;
            done.revision
        }
        Action::Assign(assignee) => {
            let assignee = Some(to_assignee(&assignee));
            to.assign_conversation(ask!(AssignConversationRequest { assignee })).await?.into_inner().revision
        }
        Action::Unassign => to.unassign_conversation(ask!(UnassignConversationRequest {})).await?.into_inner().revision,
        Action::Say(words) => {
            let (content, reply_to) = (Some(content(&words)), String::new());
            let done = to.send_message(ask!(SendMessageRequest { content, reply_to })).await?.into_inner();
            told.words = done.message_id;
            done.revision
        }
        Action::Note(text) => {
            let done = to.add_note(ask!(AddNoteRequest { text })).await?.into_inner();
            told.words = done.note_id;
            done.revision
        }
        Action::Tag(tag) => to.add_tag(ask!(AddTagRequest { tag })).await?.into_inner().revision,
        Action::Untag(tag) => to.remove_tag(ask!(RemoveTagRequest { tag })).await?.into_inner().revision,
        Action::Pause => to.pause_bot(ask!(PauseBotRequest {})).await?.into_inner().revision,
        Action::Resume => to.resume_bot(ask!(ResumeBotRequest {})).await?.into_inner().revision,
    };
    told.revision = u64::try_from(revision).unwrap();
    Ok(told)
}

/// Every kind of content, chosen by the first word.
pub(crate) fn content(words: &str) -> Content {
    let (kind, rest) = words.split_once(' ').unwrap_or(("text", words));
    match kind {
        "template" => Content::Template(v1::Template {
            name: rest.to_owned(),
            language: "en".to_owned(),
            components_json: "[]".to_owned(),
        }),
        "buttons" => Content::Interactive(v1::Interactive {
            body: rest.to_owned(),
            buttons: vec![v1::Button { id: "yes".to_owned(), title: "Yes".to_owned() }],
            ..v1::Interactive::default()
        }),
        "image" => Content::Media(v1::OutboundMedia {
            r#type: "image".to_owned(),
            media: Some(v1::Media { id: "1".to_owned(), caption: rest.to_owned(), ..v1::Media::default() }),
        }),
        _ => Content::Text(words.to_owned()),
    }
}

/// The text of a message with this content, as the chat shows it.
pub(crate) fn shown(words: &str) -> String {
    match content(words) {
        Content::Text(text) => text,
        Content::Template(_) | Content::Reaction(_) => String::new(),
        Content::Interactive(interactive) => interactive.body,
        Content::Media(media) => media.media.unwrap().caption,
    }
}
