use std::time::Duration;

use bus::{Bus, Options, Proposal, TraceParent, digest};
use conversation::{Action, Actor, ActorKind, Command, CommandKey, ConversationId, IfOpen, Settings};
use proto::v1;
use testkit::NatsServer;

pub(crate) async fn connect(url: &str) -> Bus {
    let options = Options { duplicate_window: Duration::from_millis(100), ..Options::new(url) };
    Bus::connect(&options).await.unwrap()
}

pub(crate) async fn bus() -> (NatsServer, Bus) {
    let server = NatsServer::start().await;
    let bus = connect(&server.url()).await;
    bus.ensure_streams().await.unwrap();
    (server, bus)
}

pub(crate) fn conversation() -> ConversationId {
    ConversationId::parse("c1").unwrap()
}

pub(crate) fn agent(name: &str) -> Actor {
    Actor::new(ActorKind::Agent, name)
}

pub(crate) fn open(if_open: IfOpen) -> Action {
    Action::OpenTicket { topic: "refund".to_owned(), assignee: None, if_open }
}

/// A proposal under its own command id, whose payload is `payload`.
pub(crate) fn proposal(id: &str, payload: &str, actions: Vec<Action>) -> Proposal {
    Proposal {
        workspace: "acme".to_owned(),
        conversation: conversation(),
        channel: "web".to_owned(),
        command: Command {
            actor: agent("ana"),
            actions,
            key: CommandKey { command: digest(&[id.as_bytes()]), digest: digest(&[payload.as_bytes()]), causation: 0 },
            expected_revision: None,
        },
        settings: Settings::default(),
        causation_id: String::new(),
        correlation_id: String::new(),
        depth: 0,
        trace: TraceParent::start(),
    }
}

pub(crate) fn received(id: &str) -> v1::Event {
    v1::Event {
        id: id.to_owned(),
        workspace: "acme".to_owned(),
        conversation: "c1".to_owned(),
        event: Some(v1::event::Event::MessageReceived(v1::MessageReceived::default())),
        ..v1::Event::default()
    }
}

/// Every event of the stream so far.
pub(crate) async fn everything(bus: &Bus) -> Vec<(u64, v1::Event)> {
    let last = bus.events_info().await.unwrap().state.last_sequence;
    let mut reader = bus.reader(0);
    let mut all = Vec::new();
    while all.last().map_or(0, |(revision, _)| *revision) < last {
        for recorded in reader.next().await {
            all.push((recorded.revision, recorded.event().unwrap()));
        }
    }
    all
}
