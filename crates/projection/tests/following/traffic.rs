//! Customers who write and agents who act, published as ingest would.

use bus::{Bus, Options, Proposal, TraceParent};
use bytes::Bytes;
use conversation::{
    Action, Actor, ActorKind, Command, CommandKey, ConversationId, IfOpen, Revision, Settings, Time, Which,
};
use proto::v1;
use proto::v1::event::Event as Kind;

pub(crate) const WORKSPACE: &str = "acme";
const CHATS: u64 = 5;

/// A source of events on one bus.
pub(crate) struct Traffic {
    bus: Bus,
    /// Makes ids of one source differ from another's.
    name: &'static str,
    made: u64,
}

pub(crate) async fn connect(url: &str) -> Bus {
    let bus = Bus::connect(&Options::new(url)).await.unwrap();
    bus.ensure_streams().await.unwrap();
    bus
}

impl Traffic {
    pub(crate) fn new(bus: Bus, name: &'static str) -> Traffic {
        Traffic { bus, name, made: 0 }
    }

    /// So many messages with a command after every third; returns the last revision.
    pub(crate) async fn go_on(&mut self, messages: u64) -> Revision {
        let mut last = 0;
        for _ in 0..messages {
            self.made += 1;
            let chat = ConversationId::parse(&format!("chat{}", self.made % CHATS)).unwrap();
            let mut published = self.bus.publish_facts(vec![self.message(&chat)], &TraceParent::start()).await;
            last = published.remove(0).unwrap();
            if self.made.is_multiple_of(3) {
                last = last.max(self.command(chat).await);
            }
        }
        last
    }

    /// So many messages and nothing else, many at once; returns the last revision.
    pub(crate) async fn flood(&mut self, messages: u64) -> Revision {
        let mut last = 0;
        let end = self.made + messages;
        while self.made < end {
            let mut chunk = Vec::new();
            while self.made < end && chunk.len() < 500 {
                self.made += 1;
                chunk.push(self.message(&ConversationId::parse(&format!("chat{}", self.made % CHATS)).unwrap()));
            }
            let published = self.bus.publish_facts(chunk, &TraceParent::start()).await;
            last = published.into_iter().map(Result::unwrap).fold(last, Revision::max);
        }
        last
    }

    fn message(&self, chat: &ConversationId) -> v1::Event {
        let now = proto::timestamp(Time(1_760_000_000_000_000_000 + self.made as i64 * 1_000_000_000));
        let sealed = Bytes::copy_from_slice(format!("sealed {}", self.made).as_bytes());
        v1::Event {
            id: format!("{}{}", self.name, self.made),
            workspace: WORKSPACE.to_owned(),
            conversation: chat.as_str().to_owned(),
            actor: Some(proto::actor_to(&Actor::new(ActorKind::Customer, ""))),
            occur_time: Some(now),
            record_time: Some(now),
            channel: "web:shop".to_owned(),
            event: Some(Kind::MessageReceived(v1::MessageReceived {
                r#type: "text".to_owned(),
                sealed,
                names_contact: false,
            })),
            ..v1::Event::default()
        }
    }

    /// What comes of it, if anything does.
    async fn command(&self, conversation: ConversationId) -> Revision {
        let open = Action::OpenTicket { topic: "refund".to_owned(), assignee: None, if_open: IfOpen::Nest };
        let action = match self.made % 4 {
            0 => Action::CloseTicket(Which::Last),
            1 => Action::SendMessage { kind: "text".to_owned(), sealed: b"sealed".to_vec() },
            _ => open,
        };
        let command = Command {
            actor: Actor::new(ActorKind::Agent, "ann"),
            actions: vec![action],
            key: CommandKey { command: self.made, digest: self.made, causation: 0 },
            expected_revision: None,
        };
        let proposal = Proposal {
            workspace: WORKSPACE.to_owned(),
            conversation,
            channel: "web:shop".to_owned(),
            command,
            settings: Settings::default(),
            causation_id: String::new(),
            correlation_id: String::new(),
            depth: 0,
            trace: TraceParent::start(),
        };
        self.bus.decide(&proposal).await.map_or(0, |outcome| outcome.revision)
    }
}
