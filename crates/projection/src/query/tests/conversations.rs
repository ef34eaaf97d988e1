//! ListConversations, its views and its search, against going through every conversation.

use proto::v1;
use proto::v1::ticket_service_server::TicketService as _;
use tonic::Request;
use v1::list_conversations_request::View;
use v1::list_timeline_request::Direction;
use v1::timeline_entry::Entry;

use super::history::{Random, WORKSPACE};
use super::tickets::world;
use super::world::{ClearKeys, World};
use crate::query::Queries;

async fn walk(
    queries: &Queries<ClearKeys>,
    mut request: v1::ListConversationsRequest,
    random: &mut Random,
) -> Vec<v1::Conversation> {
    let mut conversations = Vec::new();
    loop {
        request.page_size = random.below(5) as i32;
        let page = queries.list_conversations(Request::new(request.clone())).await.expect("a page").into_inner();
        assert!(request.page_size == 0 || page.conversations.len() <= request.page_size as usize);
        conversations.extend(page.conversations);
        if page.next_page_token.is_empty() {
            return conversations;
        }
        request.page_token = page.next_page_token;
    }
}

/// Whether a view lists a conversation.
fn chosen(request: &v1::ListConversationsRequest, conversation: &oracle::Conversation) -> bool {
    let assignee = conversation.assignee.clone();
    match request.view() {
        View::Unspecified | View::All => true,
        View::Mine => assignee.is_some_and(|assignee| assignee.agent == request.agent_id),
        View::Team => assignee.is_some_and(|assignee| assignee.team == request.team_id),
        View::Unassigned => assignee.is_none() && !conversation.open.is_empty(),
        View::Bot => assignee.is_none() && conversation.open.is_empty() && !conversation.bot_paused,
    }
}

/// Everything that a search may find in a conversation, in small letters.
async fn words(queries: &Queries<ClearKeys>, conversation: &v1::Conversation) -> String {
    let timeline = v1::ListTimelineRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: conversation.id.clone(),
        direction: Direction::Newer.into(),
        ..v1::ListTimelineRequest::default()
    };
    let entries = super::timeline::walk(queries, timeline, &mut Random(1)).await;
    let contact = conversation.contact.clone().expect("a contact");
    let mut words = conversation.tags.clone();
    words.extend([contact.display_name, contact.id, contact.user_id]);
    words.extend(entries.into_iter().filter_map(|entry| match entry.entry {
        Some(Entry::Message(message)) => Some(message.text),
        _ => None,
    }));
    words.join("\n").to_lowercase()
}

#[tokio::test]
async fn views_and_searches_list_what_they_should_newest_activity_first() {
    for seed in 70..74 {
        let world = world(seed, 14, 160);
        let queries = world.queries();
        let mut random = Random(seed);
        let view = world.oracle();
        let all = walk(&queries, request(View::All, "", ""), &mut random).await;
        let mut texts = std::collections::BTreeMap::new();
        for conversation in &all {
            texts.insert(conversation.id.clone(), words(&queries, conversation).await);
        }
        for choice in [View::Unspecified, View::All, View::Mine, View::Team, View::Unassigned, View::Bot] {
            for query in ["", "  ", "refund", "REFUND née", "late vip", "0003", "renamed", "customer 4917", "nowhere"]
            {
                for channel in ["", "web:shop"] {
                    let request = request(choice, query, channel);
                    let found = walk(&queries, request.clone(), &mut random).await;
                    let holds =
                        |id: &str| query.split_whitespace().all(|word| texts[id].contains(&word.to_lowercase()));
                    let mut expected: Vec<_> = view
                        .conversations
                        .values()
                        .filter(|conversation| chosen(&request, conversation))
                        .filter(|conversation| channel.is_empty() || world.channel(&conversation.id) == channel)
                        .filter(|conversation| holds(&conversation.id))
                        .map(|conversation| (conversation.last_entry_time, conversation.id.clone()))
                        .collect();
                    let same = |conversation: &v1::Conversation| {
                        let last = conversation.last_entry_time.as_ref().map(|last| super::world::nanos(Some(last)));
                        (last, conversation.id.clone())
                    };
                    let mut pairs: Vec<_> = found.iter().map(same).collect();
                    assert!(pairs.is_sorted_by(|one, two| one.0 >= two.0), "newest first: {request:?}");
                    pairs.sort();
                    expected.sort();
                    assert_eq!(pairs, expected, "{request:?}");
                }
            }
        }
        all.iter().for_each(|found| same(&world, found, &view.conversations[&found.id]));
    }
}

fn request(view: View, query: &str, channel: &str) -> v1::ListConversationsRequest {
    v1::ListConversationsRequest {
        workspace: WORKSPACE.to_owned(),
        view: view.into(),
        agent_id: "ana".to_owned(),
        team_id: "billing".to_owned(),
        query: query.to_owned(),
        channel: channel.to_owned(),
        ..v1::ListConversationsRequest::default()
    }
}

fn same(world: &World, found: &v1::Conversation, expected: &oracle::Conversation) {
    assert_eq!(found.workspace, WORKSPACE);
    assert_eq!(found.channel, world.channel(&expected.id));
    let assignee = found.assignee.as_ref();
    let assignee = assignee.map(|assignee| oracle::Assignee::new(&assignee.agent_id, &assignee.team_id));
    assert_eq!(assignee, expected.assignee);
    assert_eq!(found.open_ticket_ids, expected.open);
    assert_eq!(found.open_ticket_count as usize, expected.open.len());
    assert_eq!(found.tags, expected.tags.iter().cloned().collect::<Vec<_>>());
    assert_eq!(found.bot_paused, expected.bot_paused);
    let chat = world.history.chats.iter().find(|chat| chat.id.as_str() == expected.id).expect("a chat");
    let named = world.history.events.iter().any(|(_, event)| {
        event.conversation == expected.id
            && !matches!(event.event, Some(v1::event::Event::Decided(_) | v1::event::Event::MessagesRead(_)))
    });
    if named {
        let id = found.contact.as_ref().expect("a contact").id.as_str();
        assert!(id == chat.number || id.is_empty());
    }
    assert_eq!(newest_name(world, &expected.id), found.contact.as_ref().expect("a contact").display_name);
}

/// The name in the newest event that names the contact.
fn newest_name(world: &World, conversation: &str) -> String {
    let names = world.history.events.iter().filter(|(_, event)| event.conversation == conversation);
    let names = names.filter_map(|(_, event)| match event.event.as_ref()? {
        v1::event::Event::MessageReceived(event) if event.names_contact => Some(&event.sealed),
        v1::event::Event::ContactChanged(event) if event.names_contact => Some(&event.sealed),
        _ => None,
    });
    let Some(sealed) = names.last() else { return String::new() };
    let sealed = <v1::SealedMessage as prost::Message>::decode(sealed.clone()).expect("not sealed");
    sealed.contact.expect("a contact").display_name
}

#[tokio::test]
async fn a_long_search_goes_on_from_page_to_page_inside_a_conversation() {
    let mut world = World::new(super::history::History::new(80, super::tickets::START, 2));
    let needle = "Ärger-im-Heuhaufen";
    let events = world.history.long_chat(0, 25_000, needle);
    world.apply(&events, 2_000);
    let queries = world.queries();
    let mut request = request(View::All, &format!("{} straw", needle.to_uppercase()), "");
    let mut pages = 0;
    let found = loop {
        let page = queries.list_conversations(Request::new(request.clone())).await.expect("a page").into_inner();
        pages += 1;
        if !page.conversations.is_empty() || page.next_page_token.is_empty() {
            break page.conversations;
        }
        request.page_token = page.next_page_token;
    };
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, world.history.chats[0].id.as_str());
    assert!(pages >= 3, "each page looks at a bounded number of entries, {pages} pages");
}

#[tokio::test]
async fn counts_are_those_of_the_views() {
    for seed in 80..84 {
        let world = world(seed, 14, 160);
        let queries = world.queries();
        let request = v1::CountConversationsRequest { workspace: WORKSPACE.to_owned(), min_revision: 0 };
        let counts = queries.count_conversations(Request::new(request)).await.expect("counts").into_inner();
        let mut random = Random(seed);
        let list = |view: View| v1::ListConversationsRequest {
            workspace: WORKSPACE.to_owned(),
            view: view.into(),
            ..v1::ListConversationsRequest::default()
        };
        let all = walk(&queries, list(View::All), &mut random).await;
        assert_eq!(counts.all_count, all.len() as i64);
        assert_eq!(counts.bot_count, walk(&queries, list(View::Bot), &mut random).await.len() as i64);
        assert_eq!(counts.unassigned_count, walk(&queries, list(View::Unassigned), &mut random).await.len() as i64);
        for assigned in &counts.assigned {
            let of_them = all.iter().filter(|conversation| conversation.assignee == assigned.assignee);
            assert_eq!(assigned.count, of_them.count() as i64, "{assigned:?}");
        }
        let held = all.iter().filter(|conversation| conversation.assignee.is_some()).count();
        assert_eq!(counts.assigned.iter().map(|assigned| assigned.count).sum::<i64>(), held as i64);
        assert!(!counts.more);
    }
}
