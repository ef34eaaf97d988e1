//! Nothing of one workspace is visible, or to be changed, through another.

use prost::Message as _;
use prost_reflect::DynamicMessage;
use proto::v1;
use serde_json::json;
use tonic::Code;

use super::bases::Known;
use super::raw::{call, methods};
use super::{ACME, ACME_NUMBER, ACME_SECRET, BETA, BETA_NUMBER, BETA_SECRET, World, bases};
use crate::signed::{self, Sender};

#[tokio::test(flavor = "multi_thread")]
async fn no_method_shows_or_changes_anything_of_another_workspace() {
    let world = World::start().await;
    let known = world.chat().await;
    let channel = world.deployment.clients().channel;
    let through_beta = Known { workspace: BETA.to_owned(), ..known.clone() };
    let mut searching = bases::requests(&through_beta);
    searching.push(("ListConversations", json!({"workspace": BETA, "query": known.words})));
    searching
        .push(("ListTickets", json!({"workspace": BETA, "conversationId": known.conversation, "includeNested": true})));
    searching.push(("CountTickets", json!({"workspace": BETA, "groupBy": ["OPENER"]})));
    searching.push(("GetTicketStats", json!({"workspace": BETA, "groupBy": ["TOPIC"], "includeNested": true})));
    let before = world.recorded().await;
    let mut stored = 0;
    for (name, request) in searching {
        let method = methods().into_iter().find(|method| method.name() == name).unwrap();
        if method.input().get_field_by_name("workspace").is_none() {
            continue; // The view as a whole: it says nothing of what is in it.
        }
        let request = DynamicMessage::deserialize(method.input(), request).unwrap();
        match call(&channel, &method, request.encode_to_vec().into()).await {
            Err(status) => assert_eq!(status.code(), Code::NotFound, "{name}: {status}"),
            Ok(answer) => {
                assert!(request.get_field_by_name("actor").is_none(), "{name} changed a conversation of another");
                stored += u64::from(name == "ReceiveMessage");
                let shown = answer.map(|answer| serde_json::to_string(&answer).unwrap()).unwrap_or_default();
                for secret in [known.words, &known.conversation, &known.ticket, ACME] {
                    assert!(!shown.contains(secret), "{name} shows {secret}: {shown}");
                }
            }
        }
    }
    assert_eq!(world.recorded().await, before + stored, "something was changed");
    world.deployment.stop().await;
}

/// The same contact on the same channel is somebody else's customer in another business.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_contact_has_a_conversation_in_each_workspace() {
    let world = World::start().await;
    let clients = world.deployment.clients();
    let acme = bases::chat(&clients, ACME).await;
    let beta = bases::chat(&clients, BETA).await;
    assert_ne!(acme.conversation, beta.conversation);
    for (workspace, own) in [(ACME, &acme), (BETA, &beta)] {
        let request = v1::ListConversationsRequest {
            workspace: workspace.to_owned(),
            query: own.words.to_owned(),
            ..v1::ListConversationsRequest::default()
        };
        let listed = clients.tickets.clone().list_conversations(request).await.unwrap().into_inner().conversations;
        let ids: Vec<&String> = listed.iter().map(|conversation| &conversation.id).collect();
        assert_eq!(ids, [&own.conversation], "{workspace}");
    }
    world.deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_of_one_workspace_is_none_of_another() {
    let world = World::start().await;
    let clients = world.deployment.clients();
    bases::chat(&clients, ACME).await;
    let page = |workspace: &str, page_token: String| {
        let (mut tickets, workspace) = (clients.tickets.clone(), workspace.to_owned());
        async move {
            let request = v1::ListConversationsRequest {
                workspace,
                page_size: 1,
                page_token,
                ..v1::ListConversationsRequest::default()
            };
            tickets.list_conversations(request).await.map(tonic::Response::into_inner)
        }
    };
    let second = v1::ReceiveMessageRequest {
        workspace: ACME.to_owned(),
        channel: "web:shop".to_owned(),
        contact: Some(v1::Contact { id: "second".to_owned(), ..v1::Contact::default() }),
        message: Some(v1::ReceivedMessage { id: "second".to_owned(), ..v1::ReceivedMessage::default() }),
        ..v1::ReceiveMessageRequest::default()
    };
    let told = clients.conversations.clone().receive_message(second).await.unwrap().into_inner();
    let seen = v1::GetConversationRequest {
        workspace: ACME.to_owned(),
        conversation_id: told.conversation_id,
        min_revision: told.revision,
    };
    clients.tickets.clone().get_conversation(seen).await.unwrap();
    let token = page(ACME, String::new()).await.unwrap().next_page_token;
    assert!(!token.is_empty());
    assert_eq!(page(ACME, token.clone()).await.unwrap().conversations.len(), 1);
    let refused = page(BETA, token).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    world.deployment.stop().await;
}

/// A secret signs for its own workspace alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_one_workspace_signs_nothing_of_another() {
    let world = World::start().await;
    let http = &world.deployment.endpoints.http;
    let message = signed::message("m-1", "4915100", 1_700_000_000, "text", &json!({"body": "hello"}));
    let to = |number: &str| signed::body(&[signed::received(number, "C", &message)]);
    // On the bare path the item is taken apart, and then it is nobody's.
    let sender = Sender::new(http, ACME_SECRET);
    assert_eq!(sender.post(to(BETA_NUMBER)).await.unwrap(), 200);
    assert_eq!(world.recorded().await, 0);
    // On the path of the other workspace it is not even that.
    let through_beta = Sender::new_at(http, BETA, ACME_SECRET);
    assert_eq!(through_beta.post(to(BETA_NUMBER)).await.unwrap(), 401);
    let own_path = Sender::new_at(http, ACME, ACME_SECRET);
    assert_eq!(own_path.post(to(BETA_NUMBER)).await.unwrap(), 200);
    assert_eq!(world.recorded().await, 0);
    for (secret, number) in [(ACME_SECRET, ACME_NUMBER), (BETA_SECRET, BETA_NUMBER)] {
        assert_eq!(Sender::new(http, secret).post(to(number)).await.unwrap(), 200);
    }
    assert_eq!(world.recorded().await, 2);
    world.deployment.stop().await;
}
