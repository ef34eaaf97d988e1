//! A request of every method that is fine as it is.

use proto::v1;
use serde_json::{Value, json};

use crate::deployment::Clients;

/// What every picture of this type begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

/// Something to ask for.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) workspace: String,
    pub(super) conversation: String,
    pub(super) ticket: String,
    /// A file of that conversation.
    pub(super) media: String,
    /// What is said there and nowhere else.
    pub(super) words: &'static str,
}

/// A customer wrote, an agent opened a ticket, wrote, noted and tagged.
pub(super) async fn chat(clients: &Clients, workspace: &str) -> Known {
    const WORDS: &str = "porcupine";
    let mut to = clients.conversations.clone();
    let workspace = workspace.to_owned();
    let received = v1::ReceiveMessageRequest {
        workspace: workspace.clone(),
        channel: "web:shop".to_owned(),
        contact: Some(v1::Contact {
            id: format!("{WORDS}-7"),
            display_name: format!("Ms {WORDS}"),
            ..v1::Contact::default()
        }),
        message: Some(v1::ReceivedMessage {
            id: format!("{WORDS}-1"),
            text: format!("where is my {WORDS}?"),
            ..v1::ReceivedMessage::default()
        }),
        ..v1::ReceiveMessageRequest::default()
    };
    let conversation_id = to.receive_message(received).await.unwrap().into_inner().conversation_id;
    let actor = Some(v1::Actor {
        kind: v1::actor::Kind::Agent.into(),
        id: format!("agent-{WORDS}"),
        display_name: String::new(),
    });
    macro_rules! ask {
        ($request:ident { $($own:tt)* }) => {
            v1::$request {
                workspace: workspace.clone(),
                conversation_id: conversation_id.clone(),
                actor: actor.clone(),
                $($own)*,
                ..v1::$request::default()
            }
        };
    }
    let opened = to.open_ticket(ask!(OpenTicketRequest { topic: format!("topic-{WORDS}") })).await.unwrap();
    let said = v1::send_message_request::Content::Text(format!("the {WORDS} is on its way"));
    to.send_message(ask!(SendMessageRequest { content: Some(said) })).await.unwrap();
    to.add_note(ask!(AddNoteRequest { text: format!("a note about a {WORDS}") })).await.unwrap();
    let tagged = to.add_tag(ask!(AddTagRequest { tag: format!("tag-{WORDS}") })).await.unwrap().into_inner();
    let file = v1::UploadMediaRequest {
        workspace: workspace.clone(),
        conversation_id: conversation_id.clone(),
        mime_type: "image/png".to_owned(),
        file_name: format!("{WORDS}.png"),
        data: PNG.to_vec().into(),
        ..v1::UploadMediaRequest::default()
    };
    let media = to.upload_media(file).await.unwrap().into_inner().media_id;
    let ticket_id = opened.into_inner().ticket.unwrap().id;
    let seen = v1::GetTicketRequest {
        workspace: workspace.clone(),
        ticket_id: ticket_id.clone(),
        min_revision: tagged.revision,
    };
    clients.tickets.clone().get_ticket(seen).await.unwrap();
    Known { workspace, conversation: conversation_id, ticket: ticket_id, media, words: WORDS }
}

/// By method: a request as JSON.
pub(super) fn requests(known: &Known) -> Vec<(&'static str, Value)> {
    let commands = [
        ("SendMessage", json!({"text": "hello"})),
        ("AddNote", json!({"text": "a note"})),
        ("AddTag", json!({"tag": "vip"})),
        ("RemoveTag", json!({"tag": "vip"})),
        ("OpenTicket", json!({"topic": "refund", "assignee": {"agentId": "ann"}})),
        ("CloseTicket", json!({})),
        ("AssignConversation", json!({"assignee": {"agentId": "ann", "teamId": "billing"}})),
        ("UnassignConversation", json!({})),
        ("PauseBot", json!({})),
        ("ResumeBot", json!({})),
        ("MarkRead", json!({})),
    ];
    let agent = json!({"kind": "AGENT", "id": "ann", "displayName": "Ann"});
    let command = |own: &Value| {
        let conversation = &known.conversation;
        with(json!({"workspace": known.workspace, "conversationId": conversation, "actor": agent}), own)
    };
    let mut all: Vec<(&str, Value)> = commands.iter().map(|(method, own)| (*method, command(own))).collect();
    let message = json!({"id": "m-1", "text": "hi", "media": {}, "location": {"latitude": 1, "longitude": 2}});
    let contact = json!({"id": "c-1", "displayName": "C"});
    let queries = [
        ("ReceiveMessage", json!({"channel": "web:shop", "contact": contact, "message": message})),
        ("GetTicket", json!({"ticketId": known.ticket})),
        ("ListTickets", json!({})),
        ("CountTickets", json!({})),
        ("GetTicketStats", json!({})),
        ("WatchTickets", json!({})),
        ("GetConversation", json!({"conversationId": known.conversation})),
        ("ListConversations", json!({})),
        ("CountConversations", json!({})),
        ("UploadMedia", json!({"conversationId": known.conversation, "mimeType": "image/png", "data": "iVBORw0KGgo="})),
        ("GetMedia", json!({"conversationId": known.conversation, "mediaId": known.media})),
        ("ListTimeline", json!({"conversationId": known.conversation})),
        ("WatchTimeline", json!({"conversationId": known.conversation})),
    ];
    all.extend(queries.iter().map(|(method, own)| (*method, with(json!({"workspace": known.workspace}), own))));
    all.extend([("GetProjectionStatus", json!({})), ("VerifyProjection", json!({}))]);
    all
}

fn with(mut request: Value, own: &Value) -> Value {
    request.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    request
}
