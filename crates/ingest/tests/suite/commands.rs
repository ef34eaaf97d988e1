//! What every command has in common, and tickets.

use proto::v1;
use proto::v1::send_message_request::Content;
use tonic::{Code, Status};

use crate::asks::{CHANNEL, actor, agent, ask, assignee, fields, ids, reason, received, text, with_conversation};
use crate::world::{ACME, World};

/// What each command on a conversation says of this head.
async fn each_command(world: &mut World, workspace: &str, conversation: &str, actor: Option<v1::Actor>) -> Vec<Status> {
    let grpc = &mut world.grpc;
    macro_rules! call {
        ($method:ident, $kind:ident $(, $field:ident: $value:expr)*) => {
            grpc.$method(v1::$kind {
                workspace: workspace.to_owned(),
                conversation_id: conversation.to_owned(),
                actor: actor.clone(),
                $($field: $value,)*
                ..Default::default()
            }).await.map(|_| ()).unwrap_err()
        };
    }
    vec![
        call!(send_message, SendMessageRequest, content: Some(Content::Text("hi".to_owned()))),
        call!(add_note, AddNoteRequest, text: "note".to_owned()),
        call!(add_tag, AddTagRequest, tag: "tag".to_owned()),
        call!(remove_tag, RemoveTagRequest, tag: "tag".to_owned()),
        call!(open_ticket, OpenTicketRequest),
        call!(close_ticket, CloseTicketRequest),
        call!(assign_conversation, AssignConversationRequest, assignee: assignee("anna", "")),
        call!(unassign_conversation, UnassignConversationRequest),
        call!(pause_bot, PauseBotRequest),
        call!(resume_bot, ResumeBotRequest),
        call!(mark_read, MarkReadRequest),
    ]
}

#[tokio::test]
async fn every_command_checks_its_head() {
    let (mut world, conversation) = with_conversation().await;
    let mut each = async |workspace: &str, conversation: &str, actor| {
        each_command(&mut world, workspace, conversation, actor).await
    };
    for status in each("nobody", &conversation, agent()).await {
        assert_eq!(reason(&status), (Code::NotFound, "WORKSPACE_NOT_FOUND".to_owned()));
    }
    for unknown in ["unknown", "has-dash", "has.dot", "*", "ünknown"] {
        for status in each(ACME, unknown, agent()).await {
            assert_eq!(reason(&status), (Code::NotFound, "CONVERSATION_NOT_FOUND".to_owned()), "{unknown}");
        }
    }
    // Another workspace's conversation does not exist in this one.
    for status in each("beta", &conversation, agent()).await {
        assert_eq!(status.code(), Code::NotFound);
    }
    for status in each("Acme", "", None).await {
        assert_eq!(fields(&status), ["workspace", "conversation_id", "actor"]);
    }
    let nobody = Some(v1::Actor { display_name: "x".repeat(257), ..Default::default() });
    for status in each(ACME, "a\nb", nobody).await {
        assert_eq!(fields(&status), ["conversation_id", "actor.kind", "actor.display_name"]);
    }
    for kind in [v1::actor::Kind::Agent, v1::actor::Kind::Bot, v1::actor::Kind::Automation] {
        for status in each(ACME, &conversation, actor(kind, "")).await {
            assert_eq!(fields(&status), ["actor.id"]);
        }
    }
    // W8: a customer can do none of these.
    for status in each(ACME, &conversation, actor(v1::actor::Kind::Customer, "")).await {
        assert_eq!(fields(&status), ["actor.kind"]);
    }
    assert_eq!(world.events().await.len(), 1, "nothing was decided");
}

#[tokio::test]
async fn tickets_open_nest_and_close() {
    let (mut world, conversation) = with_conversation().await;
    let open = ask!(OpenTicketRequest, conversation, topic: "refund".to_owned(), assignee: assignee("", "billing"));
    let opened = world.grpc.open_ticket(open).await.unwrap().into_inner();
    let first = opened.ticket.unwrap();
    assert_eq!(
        (first.state(), first.topic.as_str(), first.primary_id.as_str()),
        (v1::ticket::State::Open, "refund", "")
    );
    assert_eq!(
        (first.channel.as_str(), first.conversation_id.as_str(), first.workspace.as_str()),
        (CHANNEL, conversation.as_str(), ACME)
    );
    assert_eq!((first.assignee.clone(), first.opened_by.clone()), (assignee("", "billing"), agent()));
    assert_eq!((first.open_revision, first.close_revision, first.close_time), (opened.revision, 0, None));
    assert!(first.metrics.is_none() && first.assignments.is_empty() && first.open_time.is_some());

    let found = ask!(OpenTicketRequest, conversation, unless_open: true);
    let found = world.grpc.open_ticket(found).await.unwrap().into_inner();
    assert_eq!((found.ticket.as_ref(), found.revision), (Some(&first), opened.revision), "nothing was to do");

    let nested =
        world.grpc.open_ticket(ask!(OpenTicketRequest, conversation)).await.unwrap().into_inner().ticket.unwrap();
    assert_eq!((nested.primary_id.as_str(), nested.assignee.clone()), (first.id.as_str(), assignee("", "billing")));
    let third =
        world.grpc.open_ticket(ask!(OpenTicketRequest, conversation)).await.unwrap().into_inner().ticket.unwrap();
    assert_eq!(third.primary_id, first.id, "nesting is flat");

    let last = world.grpc.close_ticket(ask!(CloseTicketRequest, conversation)).await.unwrap().into_inner();
    assert_eq!(ids(&last.tickets), [third.id.as_str()]);
    let named = ask!(CloseTicketRequest, conversation, ticket_id: first.id.clone());
    let closed = world.grpc.close_ticket(named).await.unwrap().into_inner();
    assert_eq!(ids(&closed.tickets), [nested.id.as_str(), first.id.as_str()], "the nested one first");
    let whole = &closed.tickets[1];
    assert_eq!(
        (whole.state(), whole.closed_by.clone(), whole.close_revision),
        (v1::ticket::State::Closed, agent(), closed.revision)
    );
    assert_eq!(
        (whole.open_revision, whole.open_time, whole.assignee.clone()),
        (first.open_revision, first.open_time, assignee("", "billing"))
    );
    assert!(whole.close_time.is_some() && whole.metrics.is_none());

    let refused = (Code::FailedPrecondition, "TICKET_NOT_OPEN".to_owned());
    for ticket_id in [String::new(), first.id.clone(), "unknown".to_owned()] {
        let again = ask!(CloseTicketRequest, conversation, ticket_id: ticket_id);
        assert_eq!(reason(&world.grpc.close_ticket(again).await.unwrap_err()), refused);
    }
    let all = ask!(CloseTicketRequest, conversation, all: true);
    assert_eq!(reason(&world.grpc.close_ticket(all.clone()).await.unwrap_err()), refused);
    let both = v1::CloseTicketRequest { ticket_id: first.id, ..all };
    assert_eq!(fields(&world.grpc.close_ticket(both).await.unwrap_err()), ["ticket_id"]);
}

#[tokio::test]
async fn at_most_32_tickets_are_open() {
    let (mut world, conversation) = with_conversation().await;
    for _ in 0..32 {
        world.grpc.open_ticket(ask!(OpenTicketRequest, conversation)).await.unwrap();
    }
    let refused = world.grpc.open_ticket(ask!(OpenTicketRequest, conversation)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::ResourceExhausted, "TOO_MANY_OPEN".to_owned()));
    let all = ask!(CloseTicketRequest, conversation, all: true);
    assert_eq!(world.grpc.close_ticket(all).await.unwrap().into_inner().tickets.len(), 32);
}

#[tokio::test]
async fn a_repeated_command_is_answered_as_the_first_time() {
    let (mut world, conversation) = with_conversation().await;
    let open = ask!(OpenTicketRequest, conversation, command_id: "open-1".to_owned(), topic: "a".to_owned());
    let first = world.grpc.open_ticket(open.clone()).await.unwrap().into_inner();
    let say = v1::SendMessageRequest { command_id: "say-1".to_owned(), ..text(&conversation, "hi") };
    let said = world.grpc.send_message(say.clone()).await.unwrap().into_inner();
    let close = ask!(CloseTicketRequest, conversation, command_id: "close-1".to_owned());
    let closed = world.grpc.close_ticket(close.clone()).await.unwrap().into_inner();
    let before = world.events().await.len();

    assert_eq!(world.grpc.open_ticket(open.clone()).await.unwrap().into_inner(), first);
    assert_eq!(world.grpc.send_message(say).await.unwrap().into_inner(), said);
    assert_eq!(world.grpc.close_ticket(close).await.unwrap().into_inner(), closed);
    assert_eq!(world.events().await.len(), before);

    let reused = (Code::AlreadyExists, "COMMAND_REUSED".to_owned());
    let other = v1::OpenTicketRequest { topic: "b".to_owned(), ..open };
    assert_eq!(reason(&world.grpc.open_ticket(other).await.unwrap_err()), reused);
    let other = ask!(PauseBotRequest, conversation, command_id: "open-1".to_owned());
    assert_eq!(reason(&world.grpc.pause_bot(other).await.unwrap_err()), reused, "another method is another command");
    // Scoped to its conversation.
    let mut elsewhere = received("m-9");
    elsewhere.contact.as_mut().unwrap().id = "visitor-2".to_owned();
    let elsewhere = world.grpc.receive_message(elsewhere).await.unwrap().into_inner().conversation_id;
    world.grpc.pause_bot(ask!(PauseBotRequest, elsewhere, command_id: "open-1".to_owned())).await.unwrap();
}

#[tokio::test]
async fn a_later_decision_than_expected_aborts() {
    let (mut world, conversation) = with_conversation().await;
    let first = world
        .grpc
        .pause_bot(ask!(PauseBotRequest, conversation, expected_revision: Some(0)))
        .await
        .unwrap()
        .into_inner()
        .revision;
    // Facts do not count.
    world.grpc.receive_message(received("m-2")).await.unwrap();
    let second = ask!(ResumeBotRequest, conversation, expected_revision: Some(first));
    world.grpc.resume_bot(second).await.unwrap();
    let moved_on = (Code::Aborted, "MOVED_ON".to_owned());
    let late = ask!(PauseBotRequest, conversation, expected_revision: Some(first));
    assert_eq!(reason(&world.grpc.pause_bot(late).await.unwrap_err()), moved_on);
    let late = ask!(MarkReadRequest, conversation, expected_revision: Some(first));
    assert_eq!(reason(&world.grpc.mark_read(late).await.unwrap_err()), moved_on);
    let late = v1::ReceiveMessageRequest { expected_revision: Some(first), ..received("m-3") };
    assert_eq!(reason(&world.grpc.receive_message(late).await.unwrap_err()), moved_on);
    let negative = ask!(PauseBotRequest, conversation, expected_revision: Some(-1));
    assert_eq!(fields(&world.grpc.pause_bot(negative).await.unwrap_err()), ["expected_revision"]);
}
