//! Every service has a user of its own on the bus: with it, it does all of its work and nothing else.

mod raw;
mod town;

use bus::User;
use serde_json::json;

use raw::Wire;
use town::{Town, bus_with_users};

const RULES: &str = r#"rules:
  - name: refunds
    on: message.received
    when: message.text.matches("(?i)refund") && conversation.open_ticket_count == 0
    do:
      - open_ticket: { topic: refund }
      - assign: { agent: ana }
      - send_message: { text: "A colleague is on it." }
  - name: idle
    on: { customer.idle: { for: 1h } }
    do:
      - add_note: "still open"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_service_does_its_work_as_its_own_user() {
    let town = Town::start().await;
    let rules = town.file("rules.yaml", RULES);
    town.command("ingest", &["agents", "add", "ana", "--name", "Ana"]).expect("an agent");
    town.command("ingest", &["presence", "ana", "online"]).expect("presence");
    town.command("automation-engine", &["rules", "apply", "--file", &rules]).expect("rules");
    let knowledge = town.file("shop.md", "# Opening hours\nWe are open from 9 to 17 on weekdays.\n");
    town.command("bot", &["knowledge", "import", &knowledge]).expect("knowledge");

    town.receive("491", "Maya", "I want a refund").await;
    let chat = town.until("projection", &["timeline", "Maya"], "A colleague is on it.").await;
    assert!(chat.contains("Ticket opened") && chat.contains("Assigned to"), "{chat}");
    testkit::eventually("the message at the channel", crate::deployment::DEADLINE, async || {
        (town.graph.sent_count() > 0).then_some(())
    })
    .await;
    // What the channel reports of it comes back by a webhook.
    town.until("projection", &["timeline", "Maya", "--json"], "DELIVERED").await;
    // The bot has the other one.
    town.receive("492", "Noah", "When are you open?").await;
    town.until("projection", &["timeline", "Noah", "--json"], "\"BOT\"").await;
    let media = town.graph.put_media("image/png", png());
    let content = json!({"type": "image", "image": {"id": media, "mime_type": "image/png"}});
    town.graph_says("492", "Noah", content).await;
    town.until("projection", &["timeline", "Noah", "--json"], "image/png").await;
    // By hand: decided, posted to others, exported, and forgotten.
    let id = town.id("Noah");
    town.command("delivery", &["webhooks", "add", "http://127.0.0.1:9/hook", "*"]).expect("a webhook");
    let hooks = town.command("delivery", &["webhooks", "list", "--json"]).expect("webhooks");
    let hook: serde_json::Value = serde_json::from_str(hooks.lines().next().unwrap()).unwrap();
    let _ = (town.command("ingest", &["open", &id]), town.command("ingest", &["tag", "add", &id, "vip"]));
    town.command("ingest", &["send", &id, "Hello Noah", "--agent", "ana"]).expect("a message");
    town.until("delivery", &["webhooks", "log", hook["id"].as_str().unwrap()], "ticket.opened").await;
    town.command("ingest", &["close", &id, "--all"]).expect("closed");
    assert!(town.export(&id).await.contains("Hello Noah"));
    town.erase(&id).await;
    town.command("automation-engine", &["rules", "runs"]).expect("runs");
    town.command("automation-engine", &["rules", "delete", "idle"]).expect("a rule deleted");
    town.command("bot", &["knowledge", "delete", "shop.md"]);
    town.command("ingest", &["agents", "remove", "ana"]);
    town.command("projection", &["count"]).expect("a count");
    town.command("projection", &["verify"]).expect("the view verified");
    assert_eq!(town.denied(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_user_may_not_is_denied() {
    let dir = tempfile::tempdir().unwrap();
    let nats = bus_with_users(dir.path()).await;
    let admin = Wire::open(&nats.url(), dir.path(), User::Admin).await;
    drop(admin);
    let made = crate::programs::run(
        "threadmark",
        &["admin", "streams", "--nats", &nats.url(), "--keys", dir.path().join("keys/admin").to_str().unwrap()],
    );
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut denials = 0;
    for user in User::ALL.into_iter().filter(|&user| user != User::Admin) {
        let mut wire = Wire::open(&nats.url(), dir.path(), user).await;
        let rights = user.rights();
        for subject in raw::publishes() {
            let allowed = rights.publish.iter().any(|right| raw::covers(right, &subject));
            assert_eq!(wire.publish(&subject).await, allowed, "{} publishes {subject}", user.name());
            denials += usize::from(!allowed);
        }
        for subject in raw::subscribes() {
            let allowed = rights.subscribe.iter().any(|right| raw::covers(right, &subject));
            assert_eq!(wire.subscribe(&subject).await, allowed, "{} subscribes {subject}", user.name());
            denials += usize::from(!allowed);
        }
    }
    assert!(denials > 1_000, "{denials}");
    // Said once more in the words of the promise, apart from the table of rights.
    let mut view = Wire::open(&nats.url(), dir.path(), User::Projection).await;
    for kind in ["message", "fact", "decision"] {
        assert!(!view.publish(&format!("ev.1.acme.c1.{kind}")).await, "the view writes no events");
    }
    let mut leaked = Wire::open(&nats.url(), dir.path(), User::Ingest).await;
    assert!(leaked.publish("ev.1.acme.c1.message").await, "the intake appends");
    for subject in [
        "$JS.API.STREAM.MSG.GET.EVENTS",
        "$JS.API.DIRECT.GET.EVENTS",
        "$JS.API.DIRECT.GET.EVENTS.ev.1.acme.c1.message",
        "$JS.API.CONSUMER.CREATE.EVENTS.mine",
        "$JS.API.CONSUMER.CREATE.EVENTS.mine.ev.>",
        "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.mine",
        "$JS.API.CONSUMER.CREATE.EVENTS",
        "$JS.API.CONSUMER.MSG.NEXT.EVENTS.delivery-0",
        "$JS.API.STREAM.SNAPSHOT.EVENTS",
        "$JS.API.STREAM.CREATE.mirror",
        "ev.1.acme.c1.decision",
    ] {
        assert!(!leaked.publish(subject).await, "a leaked key of the intake: {subject}");
    }
    for subject in ["ev.>", "ev.1.acme.c1.message", ">", "*", "_INBOX_desk.>", "_INBOX.>", "$JS.>", "$KV.>"] {
        assert!(!leaked.subscribe(subject).await, "a leaked key of the intake hears {subject}");
    }
}

/// The smallest picture.
fn png() -> Vec<u8> {
    let hex = "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c6360000002000001000527 \
               d4a20000000049454e44ae426082";
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}
