use proto::v1;
use proto::v1::bot_turn::Deed;
use proto::v1::event::Event;

use crate::world::{World, deed, person, world};

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
    pause(&mut world, &conversation, person("ann")).await;
    world.receive("ana", "m2", "refund").await;
    world.idle().await;
    resume(&mut world, &conversation, person("ann")).await;
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
    for act in ["wrote", "opened", "noted", "tagged", "untagged", "paused", "resumed", "assigned", "phoned", "reacted"]
    {
        let (conversation, _) = world.say(act, "human").await;
        tag(&mut world, &conversation, rule(), "old").await;
        do_as_human(&mut world, &conversation, act).await;
        // A rule's decisions stand after the human's, which no longer is the last.
        tag(&mut world, &conversation, rule(), "new").await;
        world.receive(act, &format!("{act}-solved"), "it is solved").await;
        world.idle().await;
        let chat = world.chat(&conversation).await;
        assert!(!chat.iter().any(|line| line.contains("closed")), "{act}: {chat:#?}");
    }
    world.stop().await;
}

#[tokio::test]
async fn what_rules_did_keeps_it_from_closing_nothing() {
    let mut world = world().await;
    let (conversation, _) = world.say("ana", "human").await;
    tag(&mut world, &conversation, rule(), "new").await;
    pause(&mut world, &conversation, rule()).await;
    resume(&mut world, &conversation, rule()).await;
    let (_, run) = world.say("ana", "it is solved").await;
    assert_eq!(deed(&run), Deed::Closed, "{run:#?}");
    world.stop().await;
}

async fn do_as_human(world: &mut World, conversation: &str, act: &str) {
    let (workspace, conversation_id, actor) = ("acme".to_owned(), conversation.to_owned(), Some(person("ann")));
    match act {
        "wrote" => drop(world.send(conversation, "ann", "hi").await),
        "opened" => drop(world.open_ticket(conversation).await),
        "noted" => {
            let text = "mine".to_owned();
            let request = v1::AddNoteRequest { workspace, conversation_id, actor, text, ..Default::default() };
            world.conversations.add_note(request).await.unwrap();
        }
        "tagged" => tag(world, conversation, person("ann"), "mine").await,
        "untagged" => {
            let tag = "old".to_owned();
            let request = v1::RemoveTagRequest { workspace, conversation_id, actor, tag, ..Default::default() };
            world.conversations.remove_tag(request).await.unwrap();
        }
        "paused" => {
            pause(world, conversation, person("ann")).await;
            resume(world, conversation, rule()).await;
        }
        "resumed" => {
            pause(world, conversation, rule()).await;
            resume(world, conversation, person("ann")).await;
        }
        "assigned" => {
            let assignee = Some(v1::Assignee { team_id: "support".to_owned(), ..v1::Assignee::default() });
            let request =
                v1::AssignConversationRequest { workspace, conversation_id, actor, assignee, ..Default::default() };
            world.conversations.assign_conversation(request).await.unwrap();
        }
        "phoned" => {
            on_the_phone(world, conversation, Event::MessageEchoed(v1::MessageEchoed::default())).await;
        }
        _ => on_the_phone(world, conversation, Event::ReactionChanged(v1::ReactionChanged::default())).await,
    }
}

fn rule() -> v1::Actor {
    v1::Actor { kind: v1::actor::Kind::Automation.into(), id: "rule".to_owned(), ..v1::Actor::default() }
}

async fn tag(world: &mut World, conversation: &str, actor: v1::Actor, tag: &str) {
    let (workspace, conversation_id, tag) = ("acme".to_owned(), conversation.to_owned(), tag.to_owned());
    let actor = Some(actor);
    let request = v1::AddTagRequest { workspace, conversation_id, actor, tag, ..Default::default() };
    world.conversations.add_tag(request).await.unwrap();
}

async fn pause(world: &mut World, conversation: &str, actor: v1::Actor) {
    let (workspace, conversation_id, actor) = ("acme".to_owned(), conversation.to_owned(), Some(actor));
    let request = v1::PauseBotRequest { workspace, conversation_id, actor, ..Default::default() };
    world.conversations.pause_bot(request).await.unwrap();
}

async fn resume(world: &mut World, conversation: &str, actor: v1::Actor) {
    let (workspace, conversation_id, actor) = ("acme".to_owned(), conversation.to_owned(), Some(actor));
    let request = v1::ResumeBotRequest { workspace, conversation_id, actor, ..Default::default() };
    world.conversations.resume_bot(request).await.unwrap();
}

/// Somebody did something on the phone of the business, while the bot was paused already: no decision tells of it.
async fn on_the_phone(world: &World, conversation: &str, event: Event) {
    let now = Some(proto::timestamp(bus::now()));
    let fact = v1::Event {
        id: format!("{conversation}/phone"),
        workspace: "acme".to_owned(),
        conversation: conversation.to_owned(),
        actor: Some(person("phone")),
        occur_time: now,
        record_time: now,
        channel: "web:1".to_owned(),
        event: Some(event),
        ..v1::Event::default()
    };
    let done = world.bus.publish_facts([fact], &bus::TraceParent::start()).await;
    assert!(done[0].is_ok(), "{done:?}");
}
