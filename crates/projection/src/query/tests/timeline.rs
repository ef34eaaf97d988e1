//! ListTimeline against the oracle's timeline.

use conversation::Time;
use proto::v1;
use proto::v1::ticket_service_server::TicketService as _;
use tonic::Request;
use v1::event::Event;
use v1::list_timeline_request::Direction;
use v1::timeline_entry::Entry;

use super::history::{Random, WORKSPACE, reference};
use super::tickets::{instant, world};
use super::world::{ClearKeys, World, nanos};
use crate::query::Queries;

fn request(conversation: &str, direction: Direction, from: Option<Time>) -> v1::ListTimelineRequest {
    v1::ListTimelineRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: conversation.to_owned(),
        direction: direction.into(),
        from_time: from.map(proto::timestamp),
        ..v1::ListTimelineRequest::default()
    }
}

async fn page(queries: &Queries<ClearKeys>, request: &v1::ListTimelineRequest) -> v1::ListTimelineResponse {
    queries.list_timeline(Request::new(request.clone())).await.expect("a page").into_inner()
}

/// Every page, of random sizes.
pub(super) async fn walk(
    queries: &Queries<ClearKeys>,
    mut request: v1::ListTimelineRequest,
    random: &mut Random,
) -> Vec<v1::TimelineEntry> {
    let mut entries = Vec::new();
    loop {
        request.page_size = random.below(20) as i32;
        let page = page(queries, &request).await;
        assert!(request.page_size == 0 || page.entries.len() <= request.page_size as usize);
        entries.extend(page.entries);
        if page.next_page_token.is_empty() {
            return entries;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn timelines_are_those_of_the_oracle_in_both_directions_from_anywhere() {
    for seed in 40..44 {
        let world = world(seed, 2, 500);
        let queries = world.queries();
        let mut random = Random(seed);
        let view = world.oracle();
        for conversation in view.conversations.values() {
            for from in [None, Some(instant(&world, &mut random)), Some(instant(&world, &mut random))] {
                let before = |line: &&oracle::Line| from.is_none_or(|from| line.time < from.0);
                let mut older: Vec<&oracle::Line> = conversation.timeline.iter().filter(before).collect();
                older.reverse();
                let found = walk(&queries, request(&conversation.id, Direction::Older, from), &mut random).await;
                same(&world, conversation, &found, &older);
                let after = |line: &&oracle::Line| from.is_none_or(|from| line.time >= from.0);
                let newer: Vec<&oracle::Line> = conversation.timeline.iter().filter(after).collect();
                let found = walk(&queries, request(&conversation.id, Direction::Newer, from), &mut random).await;
                same(&world, conversation, &found, &newer);
            }
        }
    }
}

fn same(world: &World, conversation: &oracle::Conversation, found: &[v1::TimelineEntry], expected: &[&oracle::Line]) {
    let identity = |entry: &v1::TimelineEntry| (entry.revision as u64, entry.index);
    let lines: Vec<(u64, u32)> = expected.iter().map(|line| (line.revision, line.index)).collect();
    assert_eq!(found.iter().map(identity).collect::<Vec<_>>(), lines);
    for (entry, line) in found.iter().zip(expected) {
        assert_eq!(nanos(entry.time.as_ref()), line.time);
        assert_eq!(entry.late, line.late);
        assert_eq!(entry.ticket_ids, line.tickets, "{entry:?}");
        match (entry.entry.as_ref().expect("an entry"), &line.shown) {
            (Entry::Stamp(stamp), oracle::Shown::Stamp(_)) => assert_eq!(stamp, recorded(world, entry)),
            (Entry::Note(note), oracle::Shown::Note(id)) => {
                assert_eq!(note.id, *id);
                assert!(!note.text.is_empty());
            }
            (Entry::Message(message), oracle::Shown::Inbound(id) | oracle::Shown::Outbound(id)) => {
                assert_eq!(message.id, *id);
                same_message(world, conversation, entry, message);
            }
            (Entry::Message(message), oracle::Shown::Other(id)) => assert_eq!(message.id, *id),
            other => panic!("{other:?}"),
        }
    }
}

/// What changed a message: every event that points to it and has no line of its own.
fn same_message(world: &World, conversation: &oracle::Conversation, entry: &v1::TimelineEntry, message: &v1::Message) {
    let events = world.history.events.iter().filter(|(_, event)| event.conversation == conversation.id);
    let name = reference(&message.id);
    let (mut text, mut edited, mut revoked, mut reaction) = (words(world, entry), false, false, None);
    let (mut status, mut reports, mut change) = (0, 0, entry.revision);
    for (revision, event) in events {
        let applies = conversation.line(*revision, 0).is_none();
        match event.event.as_ref().expect("an event") {
            Event::MessageEdited(edit) if edit.target_ref == name && applies => {
                (text, edited) = (said(&edit.sealed).text, true);
            }
            Event::MessageRevoked(revocation) if revocation.target_ref == name && applies => revoked = true,
            Event::ReactionChanged(change) if change.target_ref == name && applies => {
                reaction = (!change.removed).then(|| said(&change.sealed).text);
            }
            Event::MessageStatusChanged(report) if report.message_ref == name => {
                (status, reports) = (report.status.max(status), reports + 1);
            }
            _ => continue,
        }
        change = change.max(*revision as i64);
    }
    assert_eq!((&message.text, message.edited, message.revoked), (&text, edited, revoked), "{entry:?}");
    let emoji: Vec<&str> = message.reactions.iter().map(|reaction| reaction.emoji.as_str()).collect();
    assert_eq!(emoji, reaction.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((message.status, message.statuses.len()), (status, reports), "{entry:?}");
    assert_eq!(entry.change_revision, change, "{entry:?}");
    let inbound = message.direction() == v1::Direction::Inbound;
    assert_eq!(message.actor.as_ref().expect("an actor").kind() == v1::actor::Kind::Customer, inbound);
}

fn said(sealed: &prost::bytes::Bytes) -> v1::Message {
    let sealed = <v1::SealedMessage as prost::Message>::decode(sealed.clone()).expect("not sealed");
    sealed.message.expect("a message")
}

/// The stamp as it was decided, word for word.
fn recorded<'w>(world: &'w World, entry: &v1::TimelineEntry) -> &'w v1::Stamp {
    let (_, event) = &world.history.events[entry.revision as usize - 1];
    let Some(Event::Decided(decided)) = &event.event else { panic!("{event:?} decides nothing") };
    match decided.entries[entry.index as usize].entry.as_ref() {
        Some(v1::decided_entry::Entry::Stamp(stamp)) if !stamp.text.is_empty() => stamp,
        other => panic!("{other:?}"),
    }
}

/// What was said first.
fn words(world: &World, entry: &v1::TimelineEntry) -> String {
    let (_, event) = &world.history.events[entry.revision as usize - 1];
    match event.event.as_ref().expect("an event") {
        Event::MessageReceived(event) => said(&event.sealed).text,
        Event::MessageBackfilled(event) => said(&event.sealed).text,
        Event::Decided(decided) => match decided.entries[entry.index as usize].entry.as_ref() {
            Some(v1::decided_entry::Entry::Message(message)) => said(&message.sealed).text,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_walk_sees_each_entry_of_its_beginning_once_while_new_and_late_ones_arrive() {
    for direction in [Direction::Older, Direction::Newer] {
        let mut world = world(51, 2, 300);
        let queries = world.queries();
        let chat = world.history.chats[0].id.as_str().to_owned();
        let identity = |entry: &v1::TimelineEntry| (entry.revision, entry.index);
        let mut random = Random(7);
        let before = walk(&queries, request(&chat, direction, None), &mut random).await;
        let mut request = v1::ListTimelineRequest { page_size: 7, ..request(&chat, direction, None) };
        let mut seen = Vec::new();
        for _ in 0..200 {
            let page = page(&queries, &request).await;
            seen.extend(page.entries.iter().map(identity));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
            world.go_on(3, 1);
        }
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "an entry twice");
        assert!(before.iter().all(|entry| once.binary_search(&identity(entry)).is_ok()), "an entry was left out");
    }
}

#[tokio::test]
async fn an_erased_person_leaves_stamps_and_times_but_no_words() {
    let world = world(61, 1, 200);
    let queries = world.queries();
    let chat = world.history.chats[0].id.as_str().to_owned();
    let asked = v1::GetConversationRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: chat.clone(),
        ..v1::GetConversationRequest::default()
    };
    let known = queries.get_conversation(Request::new(asked.clone())).await.expect("known").into_inner();
    assert!(!known.contact.as_ref().expect("a contact").display_name.is_empty());
    let before = walk(&queries, request(&chat, Direction::Older, None), &mut Random(1)).await;
    world.keys.erased.lock().expect("not poisoned").insert(chat.clone());
    let erased = queries.get_conversation(Request::new(asked)).await.expect("known").into_inner();
    assert_eq!(erased.contact, Some(v1::Contact::default()));
    assert_eq!(v1::Conversation { contact: None, erased: true, ..known }, v1::Conversation { contact: None, ..erased });
    let after = walk(&queries, request(&chat, Direction::Older, None), &mut Random(1)).await;
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.time, &before.ticket_ids), (&after.time, &after.ticket_ids));
        match after.entry.as_ref().expect("an entry") {
            Entry::Stamp(stamp) => assert!(!stamp.text.is_empty()),
            Entry::Note(note) => assert_eq!(note.text, ""),
            Entry::Message(message) => {
                assert_eq!(
                    (message.text.as_str(), message.reactions.iter().any(|made| !made.emoji.is_empty())),
                    ("", false)
                );
                let actor = message.actor.as_ref().expect("an actor");
                let customer = actor.kind() == v1::actor::Kind::Customer;
                assert!(!customer || (actor.id.as_str(), actor.display_name.as_str()) == ("", ""));
            }
        }
    }
}
