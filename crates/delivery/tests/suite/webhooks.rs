//! Events reach who subscribed: signed, at least once, each endpoint for itself.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bus::{Address, AddressKind, Bus, Options, TraceParent};
use conversation::ConversationId;
use delivery::{HookOptions, Hooks};
use proto::v1;
use proto::v1::webhook_service_server::WebhookService;
use service::outbound::hmac_sha256;
use service::{Shutdown, Supervisor};
use testkit::{NatsServer, eventually};
use tonic::{Code, Request};
use tonic_types::StatusExt;

use crate::receiver::{Answer, Got, Receiver};

pub(crate) const ACME: &str = "acme";
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) options: HookOptions,
    pub(crate) service: delivery::Webhooks,
    pub(crate) supervisor: Supervisor,
    pub(crate) conversation: ConversationId,
    pub(crate) nats: NatsServer,
}

pub(crate) fn options() -> HookOptions {
    HookOptions {
        allow_private_targets: true,
        timeout: Duration::from_secs(30),
        pause: Duration::from_millis(50),
        disable_after: Duration::from_secs(86_400),
        workspaces: BTreeSet::from([ACME.to_owned()]),
    }
}

impl World {
    pub(crate) async fn start(options: HookOptions) -> World {
        let nats = NatsServer::start().await;
        let bus = Bus::connect(&Options::new(nats.url())).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let address = Address { kind: AddressKind::Id, value: "ada".to_owned() };
        let conversation = bus.resolve(ACME, "web:1", &[address]).await.unwrap().conversation;
        let (service, supervisor) = work(&bus, &options).await;
        World { bus, options, service, supervisor, conversation, nats }
    }

    pub(crate) async fn create(&self, url: &str, events: &[&str]) -> (v1::Webhook, String) {
        let created = self.service.create_webhook(Request::new(create(url, events))).await.unwrap().into_inner();
        (created.webhook.unwrap(), created.secret)
    }

    /// The customer writes. Returns the revision.
    pub(crate) async fn receive(&self, id: &str, text: &str) -> u64 {
        let keyring = self.bus.keyring(ACME, &self.conversation).await.unwrap();
        let message = v1::Message { text: text.to_owned(), ..v1::Message::default() };
        let sealed = keyring.seal(&v1::SealedMessage { message: Some(message), contact: None });
        let received = v1::MessageReceived { r#type: "text".to_owned(), sealed: sealed.into(), names_contact: false };
        let event = v1::Event {
            id: id.to_owned(),
            workspace: ACME.to_owned(),
            conversation: self.conversation.as_str().to_owned(),
            channel: "web:1".to_owned(),
            occur_time: Some(proto::timestamp(bus::now())),
            record_time: Some(proto::timestamp(bus::now())),
            event: Some(v1::event::Event::MessageReceived(received)),
            ..v1::Event::default()
        };
        self.bus.publish_facts(vec![event], &TraceParent::start()).await.remove(0).unwrap()
    }

    pub(crate) async fn log(&self, id: &str) -> Vec<v1::WebhookDelivery> {
        let request = v1::ListWebhookDeliveriesRequest { workspace: ACME.to_owned(), id: id.to_owned(), page_size: 0 };
        self.service.list_webhook_deliveries(Request::new(request)).await.unwrap().into_inner().deliveries
    }

    pub(crate) async fn list(&self) -> Vec<v1::Webhook> {
        let request = v1::ListWebhooksRequest { workspace: ACME.to_owned() };
        self.service.list_webhooks(Request::new(request)).await.unwrap().into_inner().webhooks
    }
}

/// Everything as a new process has it.
pub(crate) async fn work(bus: &Bus, options: &HookOptions) -> (delivery::Webhooks, Supervisor) {
    let hooks = Hooks::new(bus.clone(), options.clone()).unwrap();
    hooks.prepare().await.unwrap();
    let supervisor = Supervisor::new(Shutdown::new());
    hooks.start(&supervisor);
    (delivery::Webhooks::new(hooks), supervisor)
}

pub(crate) fn create(url: &str, events: &[&str]) -> v1::CreateWebhookRequest {
    v1::CreateWebhookRequest {
        workspace: ACME.to_owned(),
        url: url.to_owned(),
        events: events.iter().map(|&event| event.to_owned()).collect(),
        description: String::new(),
    }
}

pub(crate) async fn wait_for(what: &str, receiver: &Receiver, count: usize) -> Vec<Got> {
    eventually(what, DEADLINE, async || Some(receiver.got()).filter(|got| got.len() >= count)).await
}

/// As a receiver checks it, by the specification.
pub(crate) fn verified(got: &Got, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed =
        [format!("{}.{}.", got.header("webhook-id"), got.header("webhook-timestamp")).as_bytes(), got.body.as_ref()]
            .concat();
    got.header("webhook-signature") == format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &signed)))
}

#[tokio::test]
async fn an_event_comes_signed_with_its_words_and_again_until_it_is_taken() {
    let world = World::start(options()).await;
    let (receiver, url) = Receiver::start(&[Answer::Status(500), Answer::Status(302)], Answer::Status(204)).await;
    let (webhook, secret) = world.create(&url, &["message.received"]).await;
    let revision = world.receive("m1", "hello").await;
    let got = wait_for("the third try", &receiver, 3).await;
    for got in &got {
        assert!(verified(got, &secret), "{got:?}");
        assert_eq!(got.header("webhook-id"), "m1.0");
        let json = got.json();
        assert_eq!((json["type"].as_str(), json["data"]["text"].as_str()), (Some("message.received"), Some("hello")));
        assert_eq!(json["revision"].as_u64(), Some(revision));
    }
    let log = eventually("the log", DEADLINE, async || Some(world.log(&webhook.id).await).filter(|log| log.len() == 3));
    let outcomes: Vec<_> = log.await.iter().map(|tried| (tried.outcome(), tried.attempt)).collect();
    use v1::webhook_delivery::Outcome;
    assert_eq!(outcomes, [(Outcome::Delivered, 3), (Outcome::Failed, 2), (Outcome::Failed, 1)]);
    let healthy =
        async || world.list().await.first().is_some_and(|webhook| webhook.failing_since.is_none()).then_some(());
    eventually("the failure to be over", DEADLINE, healthy).await;
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other() {
    let world = World::start(options()).await;
    let (stuck, stuck_url) = Receiver::start(&[], Answer::Hang).await;
    let (fine, fine_url) = Receiver::start(&[], Answer::Status(200)).await;
    world.create(&stuck_url, &["*"]).await;
    world.create(&fine_url, &["*"]).await;
    for n in 0..100 {
        world.receive(&format!("m{n}"), "hello").await;
    }
    let got = wait_for("all of them", &fine, 100).await;
    let ids: BTreeSet<_> = got.iter().map(|got| got.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 100);
    assert!(stuck.got().len() <= 16, "no more are under way than may be");
}

#[tokio::test]
async fn what_was_recorded_while_nobody_worked_comes_after_a_restart() {
    let world = World::start(options()).await;
    let (receiver, url) = Receiver::start(&[], Answer::Hang).await;
    world.create(&url, &["message.received"]).await;
    world.receive("m1", "before").await;
    wait_for("the try that is cut off", &receiver, 1).await;
    world.supervisor.shutdown().begin();
    world.supervisor.finish().await;
    world.receive("m2", "while away").await;
    receiver.answer(Answer::Status(200));
    let (_service, _supervisor) = work(&world.bus, &world.options).await;
    eventually("both", DEADLINE, async || {
        let ids: BTreeSet<_> = receiver.got().iter().map(|got| got.header("webhook-id").to_owned()).collect();
        (ids.len() == 2).then_some(())
    })
    .await;
    drop(world.nats);
}

#[tokio::test]
async fn an_answer_that_takes_long_is_waited_for_once() {
    let world = World::start(options()).await;
    // Longer than what was handed out may go without a word.
    let (receiver, url) = Receiver::start(&[], Answer::Late(Duration::from_secs(9))).await;
    let (webhook, _) = world.create(&url, &["message.received"]).await;
    for nth in 0..20 {
        world.receive(&format!("m{nth}"), "hello").await;
    }
    let all = async || Some(world.log(&webhook.id).await).filter(|log| log.len() >= 20);
    let log = eventually("all answers", DEADLINE, all).await;
    assert!(log.iter().all(|tried| tried.attempt == 1), "{log:?}");
    assert_eq!(receiver.got().len(), 20, "each once");
}

#[tokio::test]
async fn replay_posts_again_under_the_same_ids() {
    let world = World::start(options()).await;
    let first = world.receive("m1", "one").await;
    world.receive("m2", "two").await;
    let (receiver, url) = Receiver::start(&[], Answer::Status(200)).await;
    let (webhook, _) = world.create(&url, &["message.received"]).await;
    let replay =
        |after| v1::ReplayWebhookRequest { workspace: ACME.to_owned(), id: webhook.id.clone(), after_revision: after };
    let all = world.service.replay_webhook(Request::new(replay(0))).await.unwrap().into_inner();
    assert_eq!((all.event_count, all.next_revision), (2, 0));
    wait_for("both", &receiver, 2).await;
    let after = i64::try_from(first).unwrap();
    assert_eq!(world.service.replay_webhook(Request::new(replay(after))).await.unwrap().into_inner().event_count, 1);
    let got = wait_for("the second again", &receiver, 3).await;
    assert_eq!(got[2].header("webhook-id"), "m2.0");
}

#[tokio::test]
async fn an_endpoint_that_takes_nothing_is_disabled_says_so_and_goes_on_when_enabled() {
    let world = World::start(HookOptions { disable_after: Duration::ZERO, ..options() }).await;
    let (receiver, url) = Receiver::start(&[], Answer::Status(500)).await;
    let (webhook, _) = world.create(&url, &["message.received"]).await;
    world.receive("m1", "hello").await;
    let disabled = eventually("it to be disabled", DEADLINE, async || {
        world.list().await.into_iter().find(|webhook| !webhook.enabled)
    })
    .await;
    assert!(disabled.disabled_reason.contains("answered 500"), "{disabled:?}");
    let told = eventually("it to be told", DEADLINE, async || world.bus.external_at(1).await.unwrap()).await;
    assert_eq!(told.subject.as_str(), "ext.acme.webhook.disabled");
    receiver.answer(Answer::Status(200));
    let enable = v1::UpdateWebhookRequest {
        workspace: ACME.to_owned(),
        id: webhook.id.clone(),
        enabled: Some(true),
        ..v1::UpdateWebhookRequest::default()
    };
    world.service.update_webhook(Request::new(enable)).await.unwrap();
    eventually("what waited", DEADLINE, async || {
        use v1::webhook_delivery::Outcome;
        let log = world.log(&webhook.id).await;
        log.iter().any(|tried| tried.outcome() == Outcome::Delivered).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_subscribed_names_its_field() {
    let world = World::start(HookOptions { allow_private_targets: false, ..options() }).await;
    let cases = [
        ("url", create("http://127.0.0.1:1/", &["*"])),
        ("url", create("http://[::1]/", &["*"])),
        ("url", create("http://169.254.169.254/", &["*"])),
        ("url", create("ftp://example.com/", &["*"])),
        ("url", create("no url", &["*"])),
        ("url", create(&format!("https://example.com/{}", "x".repeat(2_048)), &["*"])),
        ("events", create("https://example.com/", &[])),
        ("events[1]", create("https://example.com/", &["message.received", "message.recieved"])),
    ];
    for (field, request) in cases {
        let refused = world.service.create_webhook(Request::new(request)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        let details = refused.get_details_bad_request().unwrap();
        assert_eq!(details.field_violations[0].field, field, "{refused}");
    }
    for _ in 0..20 {
        world.create("https://example.com/", &["*"]).await;
    }
    let full = world.service.create_webhook(Request::new(create("https://example.com/", &["*"]))).await.unwrap_err();
    assert_eq!(full.code(), Code::ResourceExhausted);
}
