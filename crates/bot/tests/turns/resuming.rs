use proto::v1;
use proto::v1::bot_turn::Deed;

use crate::world::{deed, person, world};

#[tokio::test]
async fn it_is_silent_while_humans_have_the_conversation_and_resumes_with_a_clean_context() {
    let mut world = world().await;
    let (conversation, _) = world.say("ana", "human").await;
    world.send(&conversation, "ann", "I am here").await;
    world.receive("ana", "m2", "refund").await;
    world.receive("ana", "m3", "refund").await;
    world.close_all(&conversation).await;
    let (_, run) = world.say("ana", "refund").await;
    assert_eq!(deed(&run), Deed::Replied);
    let asked = world.brain.asked();
    assert_eq!(asked.len(), 2, "{asked:#?}");
    assert!(asked[1].history.is_empty() && !asked[1].clarified, "{asked:#?}");
    let chat = world.chat(&conversation).await;
    assert_eq!(chat.iter().filter(|line| line.starts_with("bot:")).count(), 2, "{chat:#?}");
    world.stop().await;
}

#[tokio::test]
async fn pausing_and_resuming_is_obeyed() {
    let mut world = world().await;
    let (conversation, _) = world.say("ana", "hello").await;
    let request = v1::PauseBotRequest {
        workspace: "acme".to_owned(),
        conversation_id: conversation.clone(),
        actor: Some(person("ann")),
        ..v1::PauseBotRequest::default()
    };
    world.conversations.pause_bot(request).await.unwrap();
    world.receive("ana", "m2", "refund").await;
    world.idle().await;
    let request = v1::ResumeBotRequest {
        workspace: "acme".to_owned(),
        conversation_id: conversation.clone(),
        actor: Some(person("ann")),
        ..v1::ResumeBotRequest::default()
    };
    world.conversations.resume_bot(request).await.unwrap();
    let (_, run) = world.say("ana", "refund").await;
    assert_eq!(deed(&run), Deed::Replied);
    assert_eq!(world.brain.asked().len(), 2);
    assert_eq!(world.chat(&conversation).await.iter().filter(|line| line.starts_with("bot:")).count(), 2);
    world.stop().await;
}

#[tokio::test]
async fn it_closes_a_ticket_of_its_own_making_if_no_human_has_acted() {
    let mut world = world().await;
    let (conversation, _) = world.say("ana", "human").await;
    let (_, run) = world.say("ana", "it is solved").await;
    assert_eq!(deed(&run), Deed::Closed, "{run:#?}");
    let chat = world.chat(&conversation).await;
    assert_eq!(chat[chat.len() - 2..], ["bot: Glad to hear it.", "Ticket closed by Robo"]);
    // The conversation is the bot's again, with nothing of before.
    let (_, run) = world.say("ana", "refund").await;
    assert_eq!(deed(&run), Deed::Replied);
    let last = world.brain.asked().pop().unwrap();
    assert!(last.history.is_empty(), "{last:#?}");
    world.stop().await;
}

#[tokio::test]
async fn it_never_closes_what_humans_have_touched_or_opened() {
    let mut world = world().await;
    for (contact, what) in [("wrote", 0), ("opened", 1), ("noted", 2)] {
        let (conversation, _) = world.say(contact, "human").await;
        match what {
            0 => drop(world.send(&conversation, "ann", "hi").await),
            1 => drop(world.open_ticket(&conversation).await),
            _ => {
                let request = v1::AddNoteRequest {
                    workspace: "acme".to_owned(),
                    conversation_id: conversation.clone(),
                    actor: Some(person("ann")),
                    text: "mine".to_owned(),
                    ..v1::AddNoteRequest::default()
                };
                world.conversations.add_note(request).await.unwrap();
            }
        }
        world.receive(contact, &format!("{contact}-solved"), "it is solved").await;
        world.idle().await;
        let chat = world.chat(&conversation).await;
        assert!(!chat.iter().any(|line| line.contains("closed")), "{contact}: {chat:#?}");
    }
    world.stop().await;
}
