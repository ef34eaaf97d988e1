use proto::v1;
use proto::v1::bot_turn::Deed;
use proto::v1::timeline_entry::Entry;

use crate::world::{BOT, World, deed, world};

#[tokio::test]
async fn a_handoff_is_one_decision_with_ticket_assignee_note_and_words() {
    let mut world = World::start(&format!("{BOT}\nteam = \"support\"\nagent = \"default\"")).await;
    world.staff("support", "ann").await;
    let (conversation, run) = world.say("ana", "Delivery: where is the human").await;
    assert_eq!(deed(&run), Deed::HandedOff);
    let entries = world.timeline(&conversation).await;
    assert!(entries[1..].iter().all(|entry| entry.revision == run.revision), "one decision: {entries:#?}");
    let chat = world.chat(&conversation).await;
    let told = "bot: I'm passing this to a colleague, who will answer you here.";
    assert_eq!(chat[1..], ["Ticket opened by Robo", "Assigned to ann", "note", told]);
    let Some(Entry::Note(note)) = &entries[3].entry else { panic!("no note") };
    assert!(note.text.starts_with("Handed off: the customer asks for a human.\nTopic: Delivery:"), "{}", note.text);
    assert!(note.text.ends_with("Customer: Delivery: where is the human"));
    let request = v1::ListTicketsRequest { workspace: "acme".to_owned(), ..v1::ListTicketsRequest::default() };
    let ticket = world.tickets.list_tickets(request).await.unwrap().into_inner().tickets.remove(0);
    assert_eq!(ticket.topic, "Delivery:");
    let assignee = ticket.assignee.unwrap();
    assert_eq!((assignee.agent_id.as_str(), assignee.team_id.as_str()), ("ann", "support"));
    assert!(run.actions[0].detail.contains("assigned to ann"), "{run:?}");
    assert!(!format!("{run:?}").contains("where is"), "what the customer said stands nowhere in the clear");
    world.stop().await;
}

#[tokio::test]
async fn humans_get_what_the_bot_can_not_or_may_not_answer() {
    let mut world = World::start(&format!("{BOT}\nhandoff_words = \"One moment.\"")).await;
    let cases = [
        ("complaint about you", "what it is about is for humans alone"),
        ("something else", "not sure what the answer is"),
        ("broken", "it could not think about it"),
        ("wordless", "it is known what is meant, and not what to answer"),
    ];
    for (nth, (text, why)) in cases.into_iter().enumerate() {
        let (conversation, run) = world.say(&format!("c{nth}"), text).await;
        assert_eq!(deed(&run), Deed::HandedOff);
        assert!(run.actions[0].detail.starts_with(why), "{run:#?}");
        let chat = world.chat(&conversation).await;
        assert_eq!((chat[1].as_str(), chat.last().unwrap().as_str()), ("Ticket opened by Robo", "bot: One moment."));
    }
    let media = v1::Media { mime_type: "image/jpeg".to_owned(), ..v1::Media::default() };
    let picture = v1::ReceivedMessage {
        id: "p".to_owned(),
        r#type: "image".to_owned(),
        media: Some(media.clone()),
        ..Default::default()
    };
    let (_, revision) = world.receive_message("media", picture.clone()).await;
    let run = world.run_of(revision).await;
    assert!(run.actions[0].detail.starts_with("the customer sent something that can't be read"), "{run:#?}");
    // Words that are understood are answered, whatever stands beside them; what is not understood is not asked back.
    let captioned = |id: &str, text: &str| v1::ReceivedMessage {
        id: id.to_owned(),
        media: Some(v1::Media { caption: text.to_owned(), ..media.clone() }),
        text: text.to_owned(),
        ..picture.clone()
    };
    let (_, revision) = world.receive_message("captioned", captioned("c", "refund")).await;
    assert_eq!(deed(&world.run_of(revision).await), Deed::Replied);
    let (_, revision) = world.receive_message("unclear", captioned("u", "hm")).await;
    assert_eq!(deed(&world.run_of(revision).await), Deed::HandedOff);
    world.stop().await;
}

#[tokio::test]
async fn who_says_twice_that_it_did_not_help_gets_a_human() {
    let mut world = world().await;
    world.say("ana", "refund").await;
    let (_, first) = world.say("ana", "useless").await;
    assert_eq!((deed(&first), first.turn.as_ref().unwrap().unhelpful), (Deed::Clarified, 1));
    let (_, between) = world.say("ana", "refund again").await;
    assert_eq!(deed(&between), Deed::Replied);
    let (_, second) = world.say("ana", "useless").await;
    assert_eq!(deed(&second), Deed::HandedOff);
    assert!(second.actions[0].detail.contains("2 times"), "{second:#?}");
    world.stop().await;
}
