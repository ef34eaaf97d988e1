//! Notes, tags, assignees and reading, and a bus that is away.

use proto::v1;
use proto::v1::event::Event as Kind;
use tonic::Code;

use crate::asks::{CHANNEL, agent, ask, assignee, fields, reason, received, text, with_conversation};
use crate::world::ACME;

#[tokio::test]
async fn notes_tags_and_assignees_are_decisions_once() {
    let (mut world, conversation) = with_conversation().await;
    let note = world
        .grpc
        .add_note(ask!(AddNoteRequest, conversation, text: "internal".to_owned()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(note.note_id, format!("{conversation}-m1"));
    let event = world.events().await.pop().unwrap().event;
    assert!(!format!("{event:?}").contains("internal"), "notes are sealed");

    let tag = world
        .grpc
        .add_tag(ask!(AddTagRequest, conversation, tag: "vip".to_owned()))
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert!(tag > note.revision);
    let again = world
        .grpc
        .add_tag(ask!(AddTagRequest, conversation, tag: "vip".to_owned()))
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert_eq!(again, tag, "nothing was to do");
    let gone = world
        .grpc
        .remove_tag(ask!(RemoveTagRequest, conversation, tag: "vip".to_owned()))
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert!(gone > tag);

    let assign = ask!(AssignConversationRequest, conversation, assignee: assignee("anna", "billing"));
    let assigned = world.grpc.assign_conversation(assign.clone()).await.unwrap().into_inner().revision;
    assert_eq!(world.grpc.assign_conversation(assign).await.unwrap().into_inner().revision, assigned);
    let unassigned = world
        .grpc
        .unassign_conversation(ask!(UnassignConversationRequest, conversation))
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert!(unassigned > assigned);
    let again = world
        .grpc
        .unassign_conversation(ask!(UnassignConversationRequest, conversation))
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert_eq!(again, unassigned);

    let bad = ask!(AddNoteRequest, conversation, text: "x".repeat(64 * 1024 + 1));
    assert_eq!(fields(&world.grpc.add_note(bad).await.unwrap_err()), ["text"]);
    assert_eq!(fields(&world.grpc.add_note(ask!(AddNoteRequest, conversation)).await.unwrap_err()), ["text"]);
    for tag in [String::new(), "x".repeat(65), "a\nb".to_owned()] {
        let bad = ask!(AddTagRequest, conversation, tag: tag.clone());
        assert_eq!(fields(&world.grpc.add_tag(bad).await.unwrap_err()), ["tag"]);
        assert_eq!(
            fields(&world.grpc.remove_tag(ask!(RemoveTagRequest, conversation, tag: tag)).await.unwrap_err()),
            ["tag"]
        );
    }
    for bad in [None, assignee("", "")] {
        let bad = ask!(AssignConversationRequest, conversation, assignee: bad);
        assert_eq!(fields(&world.grpc.assign_conversation(bad).await.unwrap_err()), ["assignee"]);
    }
    let bad = ask!(OpenTicketRequest, conversation, topic: "x".repeat(257), assignee: assignee("", ""), command_id: "a\n".to_owned());
    assert_eq!(fields(&world.grpc.open_ticket(bad).await.unwrap_err()), ["command_id", "topic", "assignee"]);
    for n in 0..64 {
        world.grpc.add_tag(ask!(AddTagRequest, conversation, tag: format!("t{n}"))).await.unwrap();
    }
    let full = ask!(AddTagRequest, conversation, tag: "one more".to_owned());
    assert_eq!(
        reason(&world.grpc.add_tag(full).await.unwrap_err()),
        (Code::ResourceExhausted, "TOO_MANY_TAGS".to_owned())
    );
}

#[tokio::test]
async fn without_a_decision_a_no_op_has_revision_0() {
    let (mut world, conversation) = with_conversation().await;
    let nothing = world.grpc.resume_bot(ask!(ResumeBotRequest, conversation)).await.unwrap().into_inner();
    assert_eq!(nothing.revision, 0);
}

#[tokio::test]
async fn reading_is_a_fact_up_to_what_is_recorded() {
    let (mut world, conversation) = with_conversation().await;
    let read = world.grpc.mark_read(ask!(MarkReadRequest, conversation)).await.unwrap().into_inner().revision;
    let events = world.events().await;
    let last = events.last().unwrap();
    assert_eq!(
        (last.revision, last.event.channel.as_str(), last.event.actor.clone()),
        (u64::try_from(read).unwrap(), CHANNEL, agent())
    );
    let through = |event: &v1::Event| match &event.event {
        Some(Kind::MessagesRead(read)) => read.through_revision,
        other => panic!("{other:?}"),
    };
    assert_eq!(through(&last.event), 1);
    world.grpc.mark_read(ask!(MarkReadRequest, conversation, through_revision: 1)).await.unwrap();
    world.grpc.mark_read(ask!(MarkReadRequest, conversation, through_revision: 1_000_000)).await.unwrap();
    let read: Vec<i64> = world.distinct().await.iter().skip(1).map(through).collect();
    assert!(
        read.len() == 2 && read[0] == 1 && read[1] < 10,
        "a repeat has the same id, the future is not read: {read:?}"
    );
    let bad = ask!(MarkReadRequest, conversation, through_revision: -1);
    assert_eq!(fields(&world.grpc.mark_read(bad).await.unwrap_err()), ["through_revision"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_bus_commands_are_unavailable() {
    let (mut world, conversation) = with_conversation().await;
    world.grpc.pause_bot(ask!(PauseBotRequest, conversation)).await.unwrap();
    world.nats.kill();
    let away = (Code::Unavailable, "BUS_AWAY".to_owned());
    let say = v1::SendMessageRequest { command_id: "say".to_owned(), ..text(&conversation, "hi") };
    let (mut one, mut two) = (world.grpc.clone(), world.grpc.clone());
    let (said, received) = tokio::join!(one.send_message(say.clone()), two.receive_message(received("m-7")));
    assert_eq!(reason(&said.unwrap_err()), away);
    assert_eq!(reason(&received.unwrap_err()), away);
    world.nats.restart().await;
    let said = testkit::eventually("the command to be decided", std::time::Duration::from_secs(30), async || {
        world.grpc.send_message(say.clone()).await.ok()
    });
    let id = said.await.into_inner().message_id;
    assert_eq!(id, format!("{conversation}-m1"), "decided once");
}
