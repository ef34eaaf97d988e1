//! Webhooks that are wrong, wholly or in part, and what of them is seen in the end.

use std::time::{SystemTime, UNIX_EPOCH};

use proto::v1;
use serde_json::{Value, json};
use v1::timeline_entry::Entry;

use super::{ACME, ACME_NUMBER, ACME_SECRET, World};
use crate::log::rejected;
use crate::signed::{self, Sender};

fn text(id: &str, body: &Value) -> Value {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    signed::message(id, "4915100", i64::try_from(seconds).unwrap(), "text", &json!({"body": body}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_signed_leaves_nothing() {
    let world = World::start().await;
    let sender = Sender::new(&world.deployment.endpoints.http, ACME_SECRET);
    let body = signed::body(&[signed::received(ACME_NUMBER, "C", &text("m-1", &json!("hi")))]);
    let right = signed::signature(ACME_SECRET, &body);
    let others = signed::signature("another-secret", &body);
    let bent = [&body[..], b" "].concat();
    let bad = [None, Some(""), Some("sha256="), Some("sha1=00"), Some(&right[..70]), Some(&others)];
    for signature in bad {
        assert_eq!(sender.post_as(signature, body.clone()).await.unwrap(), 401, "{signature:?}");
    }
    assert_eq!(sender.post_as(Some(&right), bent).await.unwrap(), 401);
    assert_eq!(world.recorded().await, 0);
    assert_eq!(rejected(&world.deployment.bus).await, []);
    assert_eq!(sender.post_as(Some(&right), body).await.unwrap(), 200);
    assert_eq!(world.recorded().await, 1);
    world.deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_webhook_is_kept_aside() {
    let world = World::start().await;
    let sender = Sender::new(&world.deployment.endpoints.http, ACME_SECRET);
    let bodies: [&[u8]; 6] =
        [b"", b"not json", b"[]", b"{\"object\": \"page\", \"entry\": []}", b"{\"object\":1}", b"\xff"];
    for body in bodies {
        assert_eq!(sender.post(body.to_vec()).await.unwrap(), 400, "{}", String::from_utf8_lossy(body));
    }
    assert_eq!(world.recorded().await, 0);
    let kept = rejected(&world.deployment.bus).await;
    assert_eq!(kept.len(), bodies.len(), "{kept:?}");
    assert!(kept.iter().all(|(reason, _)| !reason.is_empty()), "{kept:?}");
    world.deployment.stop().await;
}

/// The good items are in the chat, whatever stands beside them; types that nobody knows are, too.
#[tokio::test(flavor = "multi_thread")]
async fn bad_items_spoil_no_good_ones_and_unknown_types_are_shown() {
    let world = World::start().await;
    let sender = Sender::new(&world.deployment.endpoints.http, ACME_SECRET);
    let mut unknown = text("m-new", &json!("x"));
    unknown["type"] = "hologram".into();
    unknown["hologram"] = json!({"depth": 3});
    let mut no_id = text("m-x", &json!("lost"));
    no_id.as_object_mut().unwrap().remove("id");
    let mut of_tomorrow = text("m-y", &json!("late"));
    of_tomorrow["timestamp"] = "4102444801".into();
    let bad = [no_id, of_tomorrow, text("a\nb", &json!("control")), text(&"x".repeat(257), &json!("long")), json!(7)];
    let huge = text("m-huge", &json!("x".repeat(64 * 1024 + 1)));
    let full = text("m-full", &json!("x".repeat(64 * 1024)));
    let odd = text("m-odd", &json!({"not": "a text"}));
    let all: Vec<&Value> = bad.iter().chain([&huge]).collect();
    let good = [text("m-1", &json!("first")), unknown, full, odd];
    let messages: Vec<Value> =
        all.iter().zip(good.iter().cycle()).flat_map(|(bad, good)| [(*bad).clone(), good.clone()]).collect();
    let change = signed::change("messages", ACME_NUMBER, &json!({"messages": messages}));
    assert_eq!(sender.post(signed::body(&[change])).await.unwrap(), 200);

    let kept = rejected(&world.deployment.bus).await;
    assert_eq!(kept.len(), all.len(), "{:?}", kept.iter().map(|(reason, _)| reason).collect::<Vec<_>>());
    for (bad, (reason, raw)) in all.iter().zip(&kept) {
        let same = serde_json::from_str::<Value>(raw).ok();
        assert!(same.as_ref() == Some(*bad) && !reason.is_empty(), "{reason}: {raw:.80}");
    }
    let messages = timeline(&world).await;
    let shown = |id: &str| messages.iter().find(|message| message.channel_message_id == id).unwrap();
    assert_eq!(messages.len(), good.len());
    assert_eq!(shown("m-1").text, "first");
    assert_eq!(shown("m-full").text.len(), 64 * 1024);
    assert_eq!(shown("m-new").r#type, "hologram");
    assert!(shown("m-new").raw_json.contains("\"depth\":3"), "{:?}", shown("m-new"));
    assert!(shown("m-odd").raw_json.contains("a text"), "what can't be read is kept: {:?}", shown("m-odd"));
    world.deployment.stop().await;
}

/// The messages of the only conversation.
async fn timeline(world: &World) -> Vec<v1::Message> {
    let newest = i64::try_from(world.recorded().await).unwrap();
    let mut tickets = world.deployment.clients().tickets;
    let all = v1::ListConversationsRequest { workspace: ACME.to_owned(), min_revision: newest, ..Default::default() };
    let conversations = tickets.list_conversations(all).await.unwrap().into_inner().conversations;
    let [conversation] = &conversations[..] else { panic!("{conversations:?}") };
    let request = v1::ListTimelineRequest {
        workspace: ACME.to_owned(),
        conversation_id: conversation.id.clone(),
        ..Default::default()
    };
    let entries = tickets.list_timeline(request).await.unwrap().into_inner().entries;
    let message = |entry: v1::TimelineEntry| match entry.entry {
        Some(Entry::Message(message)) => message,
        other => panic!("{other:?}"),
    };
    entries.into_iter().map(message).collect()
}
