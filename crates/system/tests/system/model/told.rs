//! Everything that was answered as taken is there once, in the words in which it was said.

use std::collections::{BTreeMap, BTreeSet};

use oracle::{Action, Nanos};
use proto::v1;
use v1::event::Event as Wire;
use v1::timeline_entry::Entry;

use super::case::{Answer, Call, Case, Fact, Item, Journal};
use super::send::shown;
use super::tell::channel_id;
use crate::adapter::nanos;
use crate::deployment::Clients;

/// # Panics
/// When something is missing, doubled, or reads otherwise.
pub(crate) async fn check(case: &Case, clients: &Clients, events: &[(u64, v1::Event)], newest: u64) {
    let (calls, items, said) =
        case.read(|Journal { calls, items, said, .. }| (calls.clone(), items.clone(), said.clone()));
    facts_are_the_items(events, &items);
    let request = v1::ListTimelineRequest {
        workspace: case.workspace.clone(),
        conversation_id: case.conversation.clone(),
        page_size: 1_000,
        min_revision: i64::try_from(newest).unwrap(),
        ..v1::ListTimelineRequest::default()
    };
    let page = clients.tickets.clone().list_timeline(request).await.unwrap().into_inner();
    assert!(page.next_page_token.is_empty(), "one page holds a whole case");
    received_are_shown(&page.entries, &items, &said);
    said_are_shown(&page.entries, &calls);
}

/// What makes two items one.
type Identity = (&'static str, String, Nanos);

/// Distinct items are distinct events, and the other way round.
fn facts_are_the_items(events: &[(u64, v1::Event)], items: &[Item]) {
    let mut recorded: BTreeMap<&'static str, BTreeSet<&String>> = BTreeMap::new();
    for (_, event) in events {
        let kind = match event.event.as_ref().unwrap() {
            Wire::MessageReceived(_) => "received",
            Wire::MessageEchoed(_) => "echoed",
            Wire::MessageBackfilled(_) => "back-filled",
            Wire::MessageStatusChanged(_) => "status",
            Wire::ReactionChanged(_) | Wire::MessageEdited(_) | Wire::MessageRevoked(_) => "changed",
            Wire::ContactChanged(_) => "contact",
            Wire::MessagesRead(_) | Wire::Decided(_) | Wire::ContactErased(_) => continue,
        };
        recorded.entry(kind).or_default().insert(&event.id);
    }
    let mut told: BTreeMap<&'static str, BTreeSet<Identity>> = BTreeMap::new();
    for item in items {
        let (kind, detail) = match &item.what {
            Fact::Received(_) => ("received", 0),
            Fact::Echoed(_) => ("echoed", 0),
            Fact::BackFilled { .. } => ("back-filled", 0),
            Fact::Status { .. } => ("status", item.occur),
            Fact::Changed => ("changed", 0),
            Fact::Contact => ("contact", 0),
        };
        let word = if let Fact::Status { word } = &item.what { word.as_str() } else { "" };
        told.entry(kind).or_default().insert((kind, format!("{}{word}", item.id), detail));
    }
    let count = |sets: BTreeMap<&'static str, usize>| sets;
    let recorded = count(recorded.into_iter().map(|(kind, ids)| (kind, ids.len())).collect());
    let told = count(told.into_iter().map(|(kind, ids)| (kind, ids.len())).collect());
    assert_eq!(recorded, told, "distinct events and distinct items");
}

fn received_are_shown(entries: &[v1::TimelineEntry], items: &[Item], said: &[String]) {
    let mut shown: BTreeMap<&str, Vec<&v1::Message>> = BTreeMap::new();
    for entry in entries {
        if let Some(Entry::Message(message)) = &entry.entry
            && !message.channel_message_id.is_empty()
        {
            shown.entry(&message.channel_message_id).or_default().push(message);
        }
    }
    let own: BTreeMap<String, &String> = said.iter().map(|own| (channel_id(own), own)).collect();
    for item in items {
        let (text, direction) = match &item.what {
            Fact::Received(text) => (text, v1::Direction::Inbound),
            Fact::Echoed(text) => (text, v1::Direction::Outbound),
            Fact::BackFilled { inbound: true, text } => (text, v1::Direction::Inbound),
            Fact::BackFilled { inbound: false, text } => (text, v1::Direction::Outbound),
            _ => continue,
        };
        // A message of ours, too, shows what the channel calls it, once that is known.
        let own = own.get(&item.id);
        let found = shown.get(item.id.as_str()).into_iter().flatten().filter(|message| Some(&&message.id) != own);
        match &found.collect::<Vec<_>>()[..] {
            [message] => {
                assert_eq!(message.direction(), direction, "{item:?}");
                assert!(message.edited || message.text == *text, "{item:?} reads {:?}", message.text);
                let moments = items.iter().filter(|other| other.id == item.id).map(|other| other.occur);
                assert!(moments.into_iter().any(|occur| occur == nanos(message.occur_time.as_ref())), "{item:?}");
            }
            // We sent it ourselves, and the channel told us so before.
            [] if own.is_some() => {}
            other => panic!("{item:?} is shown {} times", other.len()),
        }
    }
}

fn said_are_shown(entries: &[v1::TimelineEntry], calls: &[Call]) {
    let mut words: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for entry in entries {
        let (id, text) = match entry.entry.as_ref().unwrap() {
            // A message of ours, too, may be edited on the channel.
            Entry::Message(message) => (message.id.as_str(), Some(message.text.clone()).filter(|_| !message.edited)),
            Entry::Note(note) => (note.id.as_str(), Some(note.text.clone())),
            Entry::Stamp(_) => continue,
        };
        assert!(words.insert(id, text).is_none(), "{id} is shown twice");
    }
    for call in calls {
        let Answer::Done(told) = &call.answer else { continue };
        let wanted = match &call.command.actions[0] {
            Action::Say(text) => shown(text),
            Action::Note(text) => text.clone(),
            _ => continue,
        };
        let shown = words.get(told.words.as_str()).unwrap_or_else(|| panic!("not shown: {call:?}"));
        assert!(shown.as_ref().is_none_or(|shown| *shown == wanted), "{shown:?} is shown: {call:?}");
    }
}
