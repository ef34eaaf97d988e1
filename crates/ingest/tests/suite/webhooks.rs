//! Webhooks, from the wire to the stream.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use ingest::{HttpOptions, PHONE_ACTOR};
use proto::v1;
use proto::v1::event::Event as Kind;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::bodies::{self, CUSTOMER, NUMBER, body, change, echo, message, messages, text};
use crate::fixtures::{self, Fixture};
use crate::observed::{self, Seen};
use crate::world::{ACME, SECRET, VERIFY, World, channel, name, names, sign};

/// What the stream says of a fixture, in the words of its index.
async fn stored(world: &World) -> Value {
    let (mut messages, mut statuses) = (Vec::new(), Vec::new());
    for event in world.distinct().await {
        let number = event.channel.strip_prefix("whatsapp:").unwrap().to_owned();
        let seconds = event.occur_time.as_ref().unwrap().seconds;
        if let Kind::MessageStatusChanged(changed) = event.event.as_ref().unwrap() {
            let sealed: v1::SealedStatus = world.unseal(&event, &changed.sealed).await;
            let report = sealed.report.unwrap();
            let raw: Value = serde_json::from_str(&report.raw_json).unwrap_or_default();
            let recipient = raw["recipient_id"].as_str().unwrap_or("CUSTOMER_PHONE_NUMBER");
            statuses.push(observed::report(&number, &sealed.channel_message_id, recipient, &report));
            continue;
        }
        let sealed = world.open(&event).await;
        let (mut contact, message) = (sealed.contact.unwrap(), sealed.message.unwrap());
        let new_number = contact.id.clone();
        let (mut removed, mut system) = (false, None);
        match event.event.as_ref().unwrap() {
            Kind::ReactionChanged(reaction) => removed = reaction.removed,
            Kind::ContactChanged(changed) => {
                system = Some(changed.r#type.clone());
                let raw: Value = serde_json::from_str(&message.raw_json).unwrap();
                contact.id = raw["from"].as_str().unwrap().to_owned();
            }
            _ => {}
        }
        let seen = Seen {
            phone_number_id: &number,
            contact,
            message: &message,
            seconds,
            removed,
            system: system.as_deref(),
            new_number: Some(&new_number),
        };
        messages.push(observed::message(&seen));
    }
    let others = world.externals().await.iter().map(|(_, json)| observed::external(json)).collect();
    observed::whole(messages, statuses, others)
}

async fn send_fixture(fixture: Fixture) {
    let world = World::with(vec![channel(ACME, "*", fixtures::SECRET)], HttpOptions::default()).await;
    let post = async || world.post("", Some(fixture.signature()), &fixture.body).await.status().as_u16();
    let wanted = if fixture.kind() == "invalid" { 400 } else { 200 };
    assert_eq!(post().await, wanted, "{}", fixture.name());
    let first = stored(&world).await;
    assert_eq!(first, fixture.row["expected"], "{}", fixture.name());
    let rejected = world.rejected().await.len();
    assert_eq!(rejected, usize::from(fixture.kind() == "invalid"), "{}", fixture.name());
    // Again, after the server has forgotten the ids.
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(post().await, wanted, "{}", fixture.name());
    assert_eq!(stored(&world).await, first, "{}: the same bytes twice", fixture.name());
    assert_eq!(world.rejected().await.len(), rejected, "{}: the same bytes twice", fixture.name());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fixture_is_stored_as_expected_and_adds_nothing_twice() {
    use futures::StreamExt;
    futures::stream::iter(fixtures::all()).for_each_concurrent(4, send_fixture).await;
}

#[tokio::test]
async fn the_challenge_is_answered_to_who_knows_the_token() {
    let world = World::start().await;
    let ask = async |path: &str, mode: &str, token: &str| {
        world.get(path, &[("hub.mode", mode), ("hub.verify_token", token), ("hub.challenge", "1158201444")]).await
    };
    assert_eq!(ask("", "subscribe", VERIFY).await, (200, "1158201444".to_owned()));
    assert_eq!(ask("/acme", "subscribe", VERIFY).await, (200, "1158201444".to_owned()));
    for (path, mode, token) in
        [("", "subscribe", "x"), ("", "listen", VERIFY), ("/beta", "subscribe", VERIFY), ("", "subscribe", "")]
    {
        assert_eq!(ask(path, mode, token).await.0, 403, "{path} {mode} {token}");
    }
    assert_eq!(world.get("", &[]).await.0, 403);
}

#[tokio::test]
async fn an_unsigned_body_stores_nothing() {
    let world =
        World::with(vec![channel(ACME, NUMBER, SECRET), channel("beta", "9", "beta-secret")], HttpOptions::default())
            .await;
    let body = body(&[messages(&[text("m", "hi")])]).to_string();
    let body = body.as_bytes();
    let wrong = sign("another", body);
    for signature in [None, Some(""), Some("sha256=00"), Some("sha1=0000"), Some(wrong.as_str())] {
        assert_eq!(world.post("", signature, body).await.status(), 401, "{signature:?}");
    }
    assert_eq!(world.send_as("/acme", "beta-secret", body).await, 401, "the path allows only its own secrets");
    assert_eq!(world.send_as("/nobody", SECRET, body).await, 401);
    let bent = String::from_utf8_lossy(body).replace("hi", "ho");
    assert_eq!(world.post("", Some(&sign(SECRET, body)), bent.as_bytes()).await.status(), 401);
    assert!(world.events().await.is_empty() && world.rejected().await.is_empty());
}

#[tokio::test]
async fn what_is_no_webhook_is_filed_whole() {
    let world = World::start().await;
    let bodies: [&[u8]; 5] = [b"", b"not json", b"\xff\xfe", b"[]", br#"{"object":"whatsapp_business_account"}"#];
    for body in bodies {
        assert_eq!(world.send_as("", SECRET, body).await, 400, "{}", String::from_utf8_lossy(body));
    }
    let filed = world.rejections().await;
    assert_eq!(filed.len(), bodies.len());
    assert!(filed.iter().all(|(reason, workspace, _)| reason.starts_with("body is not") && workspace == ACME));
    assert!(filed.iter().any(|(_, _, raw)| raw == "not json"));
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn a_bad_item_is_filed_and_the_good_ones_are_stored() {
    let world = World::start().await;
    let bad = json!({"id": "bad\u{0}id", "from": CUSTOMER, "timestamp": "1", "type": "text", "text": {"body": "lost"}});
    world.send(&body(&[messages(&[text("m-1", "one"), bad.clone(), text("m-2", "two")])])).await;
    let events = world.distinct().await;
    assert_eq!(names(&events), ["MessageReceived"; 2]);
    let filed = world.rejections().await;
    assert_eq!(filed.len(), 1);
    assert!(filed[0].0.contains("control characters") && filed[0].1 == ACME);
    assert_eq!(serde_json::from_str::<Value>(&filed[0].2).unwrap(), bad);
    let rejected = &world.rejected().await[0];
    assert!(!String::from_utf8_lossy(&rejected.sealed).contains("lost"), "rejected bytes are sealed");
}

#[tokio::test]
async fn no_secret_signs_for_anothers_number() {
    let channels = vec![
        channel(ACME, "1", SECRET),
        channel("beta", "2", "beta-secret"),
        channel("gamma", "3", "shared"),
        channel("delta", "3", "shared"),
    ];
    let world = World::with(channels, HttpOptions::default()).await;
    let to = |number: &str| {
        let mut change = messages(&[text(&format!("to-{number}"), "hi")]);
        change["value"]["metadata"]["phone_number_id"] = json!(number);
        body(&[change]).to_string()
    };
    for (path, secret, number) in [("", SECRET, "2"), ("", SECRET, "9"), ("", "shared", "3"), ("/acme", SECRET, "2")] {
        assert_eq!(world.send_as(path, secret, to(number).as_bytes()).await, 200);
    }
    assert!(world.events().await.is_empty());
    let mut reasons: Vec<String> = world.rejections().await.into_iter().map(|(reason, ..)| reason).collect();
    reasons.sort();
    let starts = ["more than one", "no channel", "no channel", "the channel of this"];
    assert!(
        reasons.len() == 4 && reasons.iter().zip(starts).all(|(reason, start)| reason.starts_with(start)),
        "{reasons:?}"
    );
    let homes: Vec<String> = world.rejections().await.into_iter().map(|(_, workspace, _)| workspace).collect();
    assert_eq!(homes, ["", ACME, "", ACME], "an unknown number is nobody else's");
    assert_eq!(world.send_as("/gamma", "shared", to("3").as_bytes()).await, 200);
    assert_eq!(world.send_as("", "beta-secret", to("2").as_bytes()).await, 200);
    let events = world.distinct().await;
    let of: Vec<(&str, &str)> = events.iter().map(|event| (event.workspace.as_str(), event.channel.as_str())).collect();
    assert_eq!(of, [("gamma", "whatsapp:3"), ("beta", "whatsapp:2")]);
}

#[tokio::test]
async fn bodies_are_bounded_in_size_and_time() {
    let http = HttpOptions {
        body_limit: 10_000,
        body_deadline: Duration::from_millis(300),
        concurrency: 1,
        ..HttpOptions::default()
    };
    let world = World::with(vec![channel(ACME, "*", SECRET)], http).await;
    let large = body(&[messages(&[text("m", &"x".repeat(10_000))])]).to_string();
    assert_eq!(world.send_as("", SECRET, large.as_bytes()).await, 413);

    let address = world.http.strip_prefix("http://").unwrap();
    let head =
        format!("POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: {}\r\n", sign(SECRET, b"x"));
    let open = async |rest: &str| {
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        connection.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
        connection
    };
    let answer = async |mut connection: tokio::net::TcpStream| {
        let mut bytes = vec![0; 16];
        connection.read_exact(&mut bytes).await.unwrap();
        String::from_utf8_lossy(&bytes[9..12]).into_owned()
    };
    // One that says nothing of its size and never stops.
    let mut endless = open("Transfer-Encoding: chunked\r\n\r\n").await;
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    for _ in 0..3 {
        endless.write_all(chunk.as_bytes()).await.unwrap();
    }
    assert_eq!(answer(endless).await, "413");
    // One that never comes holds the only permit, and only for a while.
    let slow = open("Content-Length: 100\r\n\r\nx").await;
    let busy = testkit::eventually("the second request to be turned away", Duration::from_secs(5), async || {
        let answer = world.post("", Some(&sign(SECRET, b"{}")), b"{}").await;
        (answer.status() == 503).then_some(answer)
    });
    assert!(busy.await.headers().contains_key("retry-after"));
    assert_eq!(answer(slow).await, "408");
    world.send(&body(&[messages(&[text("m", "after")])])).await;
    assert_eq!(world.events().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_bus_the_channel_is_asked_to_come_again() {
    let mut world = World::start().await;
    let hello = body(&[messages(&[text("m-1", "hello")])]);
    world.send(&hello).await;
    world.nats.kill();
    let again = body(&[messages(&[text("m-2", "again")])]).to_string();
    let answer = world.post("", Some(&sign(SECRET, again.as_bytes())), again.as_bytes()).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    world.nats.restart().await;
    testkit::eventually("the body to be taken", Duration::from_secs(30), async || {
        (world.send_as("", SECRET, again.as_bytes()).await == 200).then_some(())
    })
    .await;
    assert_eq!(names(&world.distinct().await), ["MessageReceived"; 2]);
}

#[tokio::test]
async fn every_kind_of_item_becomes_its_event() {
    let world = World::start().await;
    let whole = bodies::everything();
    world.send(&whole).await;
    let events = world.distinct().await;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &events {
        *counts.entry(name(event)).or_default() += 1;
    }
    let wanted = [
        ("ContactChanged", 1),
        ("Decided", 1),
        ("MessageBackfilled", 2),
        ("MessageEchoed", 1),
        ("MessageEdited", 1),
        ("MessageReceived", 10),
        ("MessageRevoked", 1),
        ("MessageStatusChanged", 2),
        ("ReactionChanged", 2),
    ];
    assert_eq!(counts, wanted.into_iter().collect());
    assert!(events.iter().all(|event| event.workspace == ACME && event.channel == format!("whatsapp:{NUMBER}")));
    let conversations: HashSet<&str> = events.iter().map(|event| event.conversation.as_str()).collect();
    assert_eq!(conversations.len(), 1, "one contact, one conversation");
    let externals = world.externals().await;
    assert_eq!(externals.len(), 1);
    assert_eq!(externals[0].0, "ext.acme.whatsapp.account_update");
    for event in &events {
        let words = format!("{event:?}");
        for secret in [CUSTOMER, "Ada", "hello", "typed on the phone", "bob@example.com"] {
            assert!(!words.contains(secret), "{secret} stands in the clear: {words}");
        }
    }
    tokio::time::sleep(Duration::from_millis(150)).await;
    world.send(&whole).await;
    assert_eq!(names(&world.distinct().await), names(&events), "the same body adds nothing");
}

#[tokio::test]
async fn changes_point_to_their_message_by_its_ref() {
    let world = World::start().await;
    world.send(&bodies::everything()).await;
    let events = world.distinct().await;
    let mut ids = BTreeMap::new();
    for event in &events {
        if matches!(name(event), "MessageReceived" | "MessageBackfilled") {
            ids.insert(world.open(event).await.message.unwrap().channel_message_id, event.id.clone());
        }
    }
    for event in &events {
        match event.event.as_ref().unwrap() {
            Kind::MessageEdited(edited) => {
                assert_eq!((&edited.target_ref, edited.r#type.as_str()), (&ids["m-text"], "text"));
                assert_eq!(world.open(event).await.message.unwrap().text, "hello!");
            }
            Kind::MessageRevoked(revoked) => assert_eq!(revoked.target_ref, ids["m-image"]),
            Kind::ReactionChanged(reaction) if reaction.backfilled => assert_eq!(reaction.target_ref, ids["past-2"]),
            Kind::ReactionChanged(reaction) => assert_eq!(reaction.target_ref, ids["m-text"]),
            Kind::MessageBackfilled(old) => {
                let ours = old.direction() == v1::Direction::Outbound;
                let wanted = if ours { v1::actor::Kind::Agent } else { v1::actor::Kind::Customer };
                assert_eq!(event.actor.as_ref().unwrap().kind(), wanted);
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn w12_an_echo_pauses_the_bot_in_its_conversation() {
    let world = World::start().await;
    let echoes = change("smb_message_echoes", json!({"message_echoes": [echo("e-1", "hi"), echo("e-2", "there")]}));
    let whole = body(&[echoes]);
    world.send(&whole).await;
    world.send(&whole).await;
    let events = world.distinct().await;
    assert_eq!(names(&events), ["MessageEchoed", "MessageEchoed", "Decided"]);
    let actor = events[0].actor.as_ref().unwrap();
    assert_eq!(
        (actor.kind(), actor.id.as_str(), actor.display_name.as_str()),
        (v1::actor::Kind::Agent, PHONE_ACTOR, "Phone")
    );
    let decided = &events[2];
    assert_eq!(decided.actor.as_ref().unwrap().kind(), v1::actor::Kind::System);
    assert_eq!(
        (decided.conversation.as_str(), decided.causation_id.as_str()),
        (events[0].conversation.as_str(), events[0].id.as_str())
    );
    let Kind::Decided(decision) = decided.event.as_ref().unwrap() else { panic!("{decided:?}") };
    assert_eq!(decision.bot_change(), v1::decided::BotChange::Paused);
    assert!(decision.after.as_ref().unwrap().bot_paused && decision.entries.is_empty());
}

/// The pause after the old one is a repeat, which changes nothing: the new one needs its own.
#[tokio::test]
async fn w12_an_echo_behind_one_that_is_told_again_pauses_the_bot() {
    let mut world = World::start().await;
    let echoes = |all: &[Value]| body(&[change("smb_message_echoes", json!({"message_echoes": all}))]);
    world.send(&echoes(&[echo("e-1", "hi")])).await;
    let conversation = world.distinct().await[0].conversation.clone();
    let resume = v1::ResumeBotRequest {
        workspace: "acme".to_owned(),
        conversation_id: conversation,
        actor: Some(v1::Actor { kind: v1::actor::Kind::Agent.into(), id: "ann".to_owned(), ..Default::default() }),
        ..Default::default()
    };
    world.grpc.resume_bot(resume).await.unwrap();
    world.send(&echoes(&[echo("e-1", "hi"), echo("e-2", "there")])).await;
    let events = world.distinct().await;
    assert_eq!(names(&events), ["MessageEchoed", "Decided", "Decided", "MessageEchoed", "Decided"]);
    let Kind::Decided(decision) = events[4].event.as_ref().unwrap() else { panic!("{:?}", events[4]) };
    assert!(decision.after.as_ref().unwrap().bot_paused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_a_thousand_over_many_entries_is_stored_whole() {
    let world = World::start().await;
    let one = |n: usize| {
        let customer = format!("4916{:06}", n % 300);
        let mut one = text(&format!("m-{n}"), &format!("text {n}"));
        one["from"] = json!(customer);
        json!({"id": format!("waba-{}", n % 7), "changes": [change("messages", json!({
            "contacts": [{"wa_id": customer, "profile": {"name": format!("C{n}")}}],
            "messages": [one, message(&format!("extra-{n}"), "text", json!({"body": 1})).as_object().filter(|_| n.is_multiple_of(100))],
        }))]})
    };
    let entries: Vec<Value> = (0..1_000).map(one).collect();
    let whole = json!({"object": "whatsapp_business_account", "entry": entries});
    world.send(&whole).await;
    let events = world.distinct().await;
    assert!(events.len() >= 1_000, "{}", events.len());
    let mut texts = HashSet::new();
    let mut conversations: BTreeMap<String, HashSet<String>> = BTreeMap::new();
    for event in &events {
        let sealed = world.open(event).await;
        texts.insert(sealed.message.unwrap().channel_message_id);
        conversations.entry(sealed.contact.unwrap().id).or_default().insert(event.conversation.clone());
    }
    assert!((0..1_000).all(|n| texts.contains(&format!("m-{n}"))));
    assert!(conversations.len() >= 300 && conversations.values().all(|of| of.len() == 1));
    // Every item of the body is an event, a repeat or a rejection: a null in a list is rejected.
    let rejected = world.rejected().await.len();
    assert_eq!((events.len(), rejected), (1_010, 1), "990 nulls read the same: one rejection");
}
