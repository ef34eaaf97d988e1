//! A contact is exported, then erased: its words are nowhere, and everything else is as before.

use std::path::Path;

use proto::v1;
use proto::v1::contact_service_client::ContactServiceClient;
use proto::v1::erase_contact_response::Step;
use proto::v1::timeline_entry::Entry;
use testkit::{NatsServer, holders};
use tonic::Code;

use crate::deployment::{Beside, Clients, Deployment, Settings};

const WORKSPACE: &str = "acme";
const WORDS: &str = "the porcupine of Zwickau never arrived";
const NOTE: &str = "a quarrelsome hedgehog fancier";
const NAME: &str = "Persephone Quillfeather";
const NUMBER: &str = "contact-34600987123";
const FILE: &str = "a photograph of an umbrella stand";

fn settings(nats: &str) -> impl Fn(&Path) -> Settings {
    let nats = nats.to_owned();
    move |data| {
        let defaults = oracle::Settings { assign_on_write: true, unassign_on_close: true };
        Settings::new(&nats, data, "sled").workspace(WORKSPACE, &defaults)
    }
}

async fn write(clients: &Clients, from: &str, name: &str, id: &str, text: &str) -> String {
    let request = v1::ReceiveMessageRequest {
        workspace: WORKSPACE.to_owned(),
        channel: "web:shop".to_owned(),
        contact: Some(v1::Contact { id: from.to_owned(), display_name: name.to_owned(), ..v1::Contact::default() }),
        message: Some(v1::ReceivedMessage {
            id: id.to_owned(),
            text: text.to_owned(),
            ..v1::ReceivedMessage::default()
        }),
        ..v1::ReceiveMessageRequest::default()
    };
    clients.conversations.clone().receive_message(request).await.unwrap().into_inner().conversation_id
}

/// A ticket in which both sides speak; returns the last revision.
async fn serve(clients: &Clients, conversation: &str, note: &str) -> i64 {
    let mut to = clients.conversations.clone();
    let actor =
        || Some(v1::Actor { kind: v1::actor::Kind::Agent.into(), id: "ana".to_owned(), ..v1::Actor::default() });
    macro_rules! ask {
        ($request:ident { $($own:tt)* }) => {
            v1::$request {
                workspace: WORKSPACE.to_owned(),
                conversation_id: conversation.to_owned(),
                actor: actor(),
                $($own)*,
                ..v1::$request::default()
            }
        };
    }
    to.open_ticket(ask!(OpenTicketRequest { topic: "refund".to_owned() })).await.unwrap();
    let said = v1::send_message_request::Content::Text(format!("sorry that {note}"));
    to.send_message(ask!(SendMessageRequest { content: Some(said) })).await.unwrap();
    to.add_note(ask!(AddNoteRequest { text: note.to_owned() })).await.unwrap();
    let file = v1::UploadMediaRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: conversation.to_owned(),
        mime_type: "image/png".to_owned(),
        data: FILE.as_bytes().to_vec().into(),
        ..v1::UploadMediaRequest::default()
    };
    to.upload_media(file).await.unwrap();
    to.close_ticket(ask!(CloseTicketRequest { all: true })).await.unwrap().into_inner().revision
}

/// What is counted and measured of everybody, without words.
async fn figures(clients: &Clients, min_revision: i64) -> (v1::CountTicketsResponse, Vec<v1::Ticket>) {
    let workspace = WORKSPACE.to_owned();
    let count = v1::CountTicketsRequest { workspace, min_revision, ..v1::CountTicketsRequest::default() };
    let count = clients.tickets.clone().count_tickets(count).await.unwrap().into_inner();
    let workspace = WORKSPACE.to_owned();
    let list = v1::ListTicketsRequest { workspace, include_nested: true, ..v1::ListTicketsRequest::default() };
    (count, clients.tickets.clone().list_tickets(list).await.unwrap().into_inner().tickets)
}

async fn timeline(clients: &Clients, conversation: &str) -> Vec<v1::TimelineEntry> {
    let request = v1::ListTimelineRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: conversation.to_owned(),
        ..v1::ListTimelineRequest::default()
    };
    clients.tickets.clone().list_timeline(request).await.unwrap().into_inner().entries
}

async fn is_whole(clients: &Clients) -> bool {
    let mut verifying =
        clients.projection.clone().verify_projection(v1::VerifyProjectionRequest {}).await.unwrap().into_inner();
    let mut verdict = None;
    while let Some(step) = verifying.message().await.unwrap() {
        verdict = step.verdict.or(verdict);
    }
    verdict.unwrap().equal
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_exported_then_erased_and_figures_stay() {
    let mut nats = NatsServer::start().await;
    let deployment = Deployment::start(settings(&nats.url())).await;
    let clients = deployment.clients();
    let mut contacts = ContactServiceClient::new(clients.channel.clone());
    let gone = write(&clients, NUMBER, NAME, "m-1", WORDS).await;
    let other = write(&clients, "contact-2", "Ben", "m-2", "hello").await;
    serve(&clients, &other, "it took long").await;
    let revision = serve(&clients, &gone, NOTE).await;
    let before = figures(&clients, revision).await;
    let entries = timeline(&clients, &gone).await;
    let bystander = timeline(&clients, &other).await;

    let export = v1::ExportContactRequest { workspace: WORKSPACE.to_owned(), conversation_id: gone.clone() };
    let mut items = contacts.export_contact(export.clone()).await.unwrap().into_inner();
    let mut exported = String::new();
    while let Some(item) = items.message().await.unwrap() {
        exported.push_str(&format!("{item:?}"));
    }
    for text in [WORDS, NOTE, NAME, NUMBER] {
        assert!(exported.contains(text), "{text} is in the export");
    }

    let actor = v1::Actor { kind: v1::actor::Kind::Agent.into(), id: "ana".to_owned(), ..v1::Actor::default() };
    let request =
        v1::EraseContactRequest { workspace: WORKSPACE.to_owned(), conversation_id: gone.clone(), actor: Some(actor) };
    let mut steps = contacts.erase_contact(request).await.unwrap().into_inner();
    let mut last = None;
    while let Some(step) = steps.message().await.unwrap() {
        last = Some(step);
    }
    let last = last.unwrap();
    assert_eq!(last.step(), Step::Erased);

    assert_eq!(figures(&clients, last.revision).await, before, "windows and counts");
    let after = timeline(&clients, &gone).await;
    assert_eq!(after.len(), entries.len());
    for (entry, was) in after.iter().zip(&entries) {
        assert_eq!((entry.revision, entry.index, &entry.time), (was.revision, was.index, &was.time));
        match &entry.entry {
            Some(Entry::Message(message)) => assert!(entry.erased && message.text.is_empty(), "{entry:?}"),
            Some(Entry::Note(note)) => assert!(entry.erased && note.text.is_empty(), "{entry:?}"),
            _ => assert_eq!(entry, was, "stamps stay"),
        }
    }
    assert_eq!(timeline(&clients, &other).await, bystander, "nobody else is affected");
    assert!(is_whole(&clients).await);
    let refused = contacts.export_contact(export).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "{refused}");
    let found = deployment.bus.event_at(u64::try_from(last.revision).unwrap()).await.unwrap().unwrap();
    assert!(matches!(found.event, Some(v1::event::Event::ContactErased(_))) && found.actor.unwrap().id == "ana");
    let again = write(&clients, NUMBER, "somebody", "m-3", "hello again").await;
    assert_ne!(again, gone, "who writes again is somebody new");

    // A view that is built anew has the same, and no words either.
    let beside = Beside::start(&deployment.bus, settings(&nats.url())).await;
    assert_eq!(figures(&beside.clients(&deployment), last.revision).await, before);
    assert_eq!(timeline(&beside.clients(&deployment), &gone).await, after);
    beside.stop().await;
    let store = nats.store_dir();
    let kept = deployment.end().await;
    nats.kill();
    for text in [WORDS, NOTE, NAME, NUMBER, FILE] {
        for directory in [store.as_path(), kept.path()] {
            assert_eq!(holders(directory, text.as_bytes()), [""; 0], "{text}");
        }
    }
}
