//! W1: whose conversation an item belongs to, whatever its addresses are.

use std::collections::{BTreeMap, HashSet};

use proto::v1;
use proto::v1::event::Event as Kind;
use serde_json::{Value, json};

use crate::bodies::{CUSTOMER, body, change, status};
use crate::world::{World, name, names};

/// A text from these addresses.
fn from(id: &str, number: Option<&str>, user_id: Option<&str>) -> Value {
    let mut one = json!({"id": id, "timestamp": "1700000000", "type": "text", "text": {"body": id}});
    if let Some(number) = number {
        one["from"] = json!(number);
    }
    if let Some(user_id) = user_id {
        one["from_user_id"] = json!(user_id);
    }
    one
}

async fn tell(world: &World, all: &[Value]) {
    world.send(&body(&[change("messages", json!({"messages": all}))])).await;
}

/// The conversation of each message, by its text.
async fn places(world: &World) -> BTreeMap<String, String> {
    let mut places = BTreeMap::new();
    for event in world.distinct().await {
        if name(&event) == "MessageReceived" {
            places.insert(world.open(&event).await.message.unwrap().text, event.conversation.clone());
        }
    }
    places
}

fn system(id: &str, from: Option<&str>, system: Value) -> Value {
    let mut one = json!({"id": id, "timestamp": "1700000001", "type": "system", "system": system});
    if let Some(from) = from {
        one["from"] = json!(from);
    }
    one
}

#[tokio::test]
async fn w1_a_new_number_stays_in_the_conversation() {
    let world = World::start().await;
    tell(&world, &[from("old", Some("11"), None)]).await;
    let moved = system("s", Some("11"), json!({"type": "user_changed_number", "wa_id": "22", "body": "11 is now 22"}));
    // The message from the new number comes first in the body: order says nothing.
    tell(&world, &[from("new", Some("22"), None), moved]).await;
    tell(&world, &[from("newer", Some("22"), None), from("older", Some("11"), None)]).await;
    let places = places(&world).await;
    assert_eq!(places.values().collect::<HashSet<_>>().len(), 1, "{places:?}");
    let changed = world.distinct().await.into_iter().find(|event| name(event) == "ContactChanged").unwrap();
    assert_eq!(changed.actor.as_ref().unwrap().kind(), v1::actor::Kind::System);
    let sealed = world.open(&changed).await;
    assert_eq!((sealed.contact.unwrap().id.as_str(), sealed.message.unwrap().text.as_str()), ("22", "11 is now 22"));
    let Some(Kind::ContactChanged(change)) = &changed.event else { panic!("{changed:?}") };
    assert_eq!((change.r#type.as_str(), change.continues.as_str()), ("user_changed_number", ""));
}

#[tokio::test]
async fn w1_two_conversations_stay_two_and_are_linked() {
    let world = World::start().await;
    tell(&world, &[from("old", Some("11"), None), from("new", Some("22"), None)]).await;
    tell(&world, &[system("s", Some("11"), json!({"type": "user_changed_number", "new_wa_id": "22"}))]).await;
    tell(&world, &[from("newer", Some("22"), None)]).await;
    let places = places(&world).await;
    assert_ne!(places["old"], places["new"]);
    assert_eq!(places["new"], places["newer"]);
    let changed = world.distinct().await.into_iter().find(|event| name(event) == "ContactChanged").unwrap();
    let Some(Kind::ContactChanged(change)) = &changed.event else { panic!("{changed:?}") };
    assert_eq!((&changed.conversation, &change.continues), (&places["new"], &places["old"]));
}

#[tokio::test]
async fn w1_a_user_id_beats_the_number() {
    let world = World::start().await;
    tell(&world, &[from("number", Some("11"), None)]).await;
    tell(&world, &[from("both", Some("11"), Some("DE.1"))]).await;
    tell(&world, &[from("id", None, Some("DE.1")), from("moved", Some("22"), Some("DE.1"))]).await;
    tell(&world, &[from("only-number", Some("22"), None)]).await;
    let found = places(&world).await;
    assert_eq!(found.values().collect::<HashSet<_>>().len(), 1, "{found:?}");
    // Another contact's id and this one's number: the id says where it goes, and the two are linked once.
    tell(&world, &[from("other", None, Some("DE.2"))]).await;
    tell(&world, &[from("clash-1", Some("11"), Some("DE.2"))]).await;
    tell(&world, &[from("clash-2", Some("11"), Some("DE.2"))]).await;
    let found = places(&world).await;
    assert_ne!(found["other"], found["number"]);
    assert_eq!((&found["clash-1"], &found["clash-2"]), (&found["other"], &found["other"]));
    let links: Vec<_> =
        world.events().await.into_iter().filter(|found| name(&found.event) == "ContactChanged").collect();
    assert_eq!(links.len(), 1);
    let Some(Kind::ContactChanged(change)) = &links[0].event.event else { panic!("{links:?}") };
    assert_eq!((&links[0].event.conversation, &change.continues), (&found["other"], &found["number"]));
}

#[tokio::test]
async fn w1_a_new_user_id_stays_in_the_conversation() {
    let world = World::start().await;
    tell(&world, &[from("old", None, Some("DE.old"))]).await;
    let words = json!({"type": "user_changed_user_id", "previous_user_id": "DE.old", "user_id": "DE.new"});
    tell(&world, &[system("s", None, words)]).await;
    tell(&world, &[from("new", None, Some("DE.new")), from("number", Some("11"), Some("DE.new"))]).await;
    let words =
        json!({"type": "user_changed_number", "previous_user_id": "DE.new", "user_id": "DE.newest", "wa_id": "22"});
    tell(&world, &[system("s-2", Some("11"), words)]).await;
    tell(&world, &[from("last", Some("22"), None), from("last-id", None, Some("DE.newest"))]).await;
    let places = places(&world).await;
    assert_eq!((places.len(), places.values().collect::<HashSet<_>>().len()), (5, 1), "{places:?}");
}

#[tokio::test]
async fn a_status_finds_the_conversation_of_its_recipient() {
    let world = World::start().await;
    tell(&world, &[from("m", Some(CUSTOMER), None)]).await;
    let conversation = places(&world).await["m"].clone();
    let mut own = status("out-1", "read", 1_700_000_009);
    own["biz_opaque_callback_data"] = json!(format!("{conversation}-m1"));
    let all = json!([own, status("out-1", "delivered", 1_700_000_008), status("out-1", "delivered", 1_700_000_008)]);
    world.send(&body(&[change("messages", json!({"statuses": all}))])).await;
    let events = world.distinct().await;
    assert_eq!(names(&events), ["MessageReceived", "MessageStatusChanged", "MessageStatusChanged"]);
    let changed = |at: usize| match events[at].event.as_ref().unwrap() {
        Kind::MessageStatusChanged(changed) => changed,
        other => panic!("{other:?}"),
    };
    assert!(events.iter().all(|event| event.conversation == conversation));
    assert_eq!(
        (changed(1).status(), changed(1).message_id.as_str()),
        (v1::MessageStatus::Read, format!("{conversation}-m1").as_str())
    );
    assert_eq!((changed(2).status(), changed(2).message_id.as_str()), (v1::MessageStatus::Delivered, ""));
    assert_eq!(changed(1).message_ref, changed(2).message_ref);
}
