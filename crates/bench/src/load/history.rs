//! A year of a busy inbox, event by event in the order of time.
//!
//! Each chat has a story now and then: the customer writes, a ticket is opened and assigned, an agent answers, the
//! customer writes again, the ticket is closed. That is five events for a ticket; in each tenth story the agent opens a
//! nested one beside. What is decided comes from `conversation::decide` itself.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use anyhow::Context as _;
use bus::{Bus, Keyring};
use bytes::Bytes;
use conversation::{
    Action, Actor, ActorKind, Assignee, Command, CommandKey, ConversationId, IfOpen, Settings, State, Time, Verdict,
    Which,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use prost::Message as _;
use proto::v1;
use proto::v1::event::Event as Kind;

use super::webhook::words;

/// The workspace that all of it is in.
pub(crate) const WORKSPACE: &str = "history";
/// Topics of tickets.
pub(crate) const TOPICS: [&str; 12] = [
    "refund",
    "delivery",
    "invoice",
    "damaged",
    "warranty",
    "address",
    "login",
    "cancel",
    "exchange",
    "price",
    "complaint",
    "other",
];
/// When it begins: 2025-11-01T00:00:00Z.
pub(crate) const BEGIN: Time = Time(1_761_955_200 * SECOND);
/// How long it lasts.
pub(crate) const YEAR: i64 = 365 * 24 * 3600 * SECOND;
const SECOND: i64 = 1_000_000_000;

/// Events of a story.
const STEPS: u8 = 5;
/// Stories in a chat in the whole year.
const STORIES_OF_CHAT: u64 = 10;
/// Who works there, "agent-0" and so on, and their teams, "team-0" and so on.
pub(crate) const AGENTS: usize = 40;
pub(crate) const TEAMS: usize = 8;
/// Keys made at once.
const KEYS_AT_ONCE: usize = 64;

/// Events of a year, in order, without end but with the year's.
pub(crate) struct History {
    dice: fastrand::Rng,
    chats: Vec<Chat>,
    stories: u64,
    begun: u64,
    due: BinaryHeap<Reverse<Due>>,
    revision: u64,
}

/// An event as it is put on the stream.
pub(crate) struct Ready {
    pub(crate) subject: String,
    pub(crate) name: &'static str,
    pub(crate) payload: Bytes,
}

struct Chat {
    state: State,
    keyring: Keyring,
    channel: String,
}

/// The next event of a story.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    time: i64,
    story: u64,
    step: u8,
}

impl History {
    /// A year with so many events, to be appended to an empty EVENTS.
    pub(crate) async fn new(bus: &Bus, events: u64) -> anyhow::Result<History> {
        let stories = events.div_ceil(u64::from(STEPS));
        let count = stories.div_ceil(STORIES_OF_CHAT);
        let chats = stream::iter(0..count).map(|nth| chat(bus, nth)).buffered(KEYS_AT_ONCE).try_collect().await?;
        let dice = fastrand::Rng::with_seed(2);
        Ok(History { dice, chats, stories, begun: 0, due: BinaryHeap::new(), revision: 0 })
    }

    /// The ids of all chats.
    pub(crate) fn chats(&self) -> impl Iterator<Item = &ConversationId> {
        self.chats.iter().map(|chat| &chat.state.conversation)
    }

    /// The next event; `None` at the end of the year.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Ready>> {
        let begins = BEGIN.0 + (YEAR / self.stories.max(1) as i64).saturating_mul(self.begun as i64);
        if self.begun < self.stories && self.due.peek().is_none_or(|Reverse(due)| due.time > begins) {
            self.due.push(Reverse(Due { time: begins, story: self.begun, step: 0 }));
            self.begun += 1;
        }
        let Some(Reverse(due)) = self.due.pop() else { return Ok(None) };
        self.revision += 1;
        let event = self.event(due)?;
        if due.step + 1 < STEPS {
            let pause = self.pause(due.step);
            self.due.push(Reverse(Due { time: due.time + pause * SECOND, step: due.step + 1, ..due }));
        }
        let kind = event.event.as_ref().context("an event that holds nothing")?;
        let partition = bus::partition(&event.workspace, &event.conversation);
        Ok(Some(Ready {
            subject: format!("ev.{partition}.{WORKSPACE}.{}.{}", event.conversation, proto::subject_kind(kind)),
            name: proto::event_name(kind),
            payload: event.encode_to_vec().into(),
        }))
    }

    /// Seconds until the next step: seconds to open, minutes to answer, hours to close; two days at most in all.
    fn pause(&mut self, step: u8) -> i64 {
        match step {
            0 => self.dice.i64(1..60),
            1 => self.dice.i64(10..3_600),
            2 => self.dice.i64(10..14_400),
            _ => self.dice.i64(60..150_000),
        }
    }

    fn event(&mut self, due: Due) -> anyhow::Result<v1::Event> {
        // A story is over long before the next one of its chat begins.
        let nth = (due.story % self.chats.len() as u64) as usize;
        let id = format!("{:032x}", self.dice.u128(..));
        match due.step {
            0 | 3 => Ok(self.received(nth, id, Time(due.time))),
            _ => {
                let (actor, actions) = self.doing(nth, due);
                self.decided(nth, id, Time(due.time), actor, actions)
            }
        }
    }

    fn received(&mut self, nth: usize, id: String, time: Time) -> v1::Event {
        let sealed = self.sealed(nth, &id);
        let kind = v1::MessageReceived { r#type: "text".to_owned(), sealed, names_contact: true };
        let customer = v1::Actor { kind: v1::actor::Kind::Customer.into(), ..v1::Actor::default() };
        self.envelope(nth, id, time, customer, Kind::MessageReceived(kind))
    }

    /// Who does what in a step of a story.
    fn doing(&mut self, nth: usize, due: Due) -> (Actor, Vec<Action>) {
        let agent = format!("agent-{}", self.dice.usize(0..AGENTS));
        let topic = TOPICS[self.dice.usize(0..TOPICS.len())].to_owned();
        let nests = due.story.is_multiple_of(10);
        match due.step {
            1 => {
                let opener = match self.dice.usize(0..10) {
                    0..5 => Actor::new(ActorKind::Bot, "bot"),
                    5..7 => Actor::new(ActorKind::Automation, "route-by-topic"),
                    _ => named(&agent),
                };
                let assignee = match self.dice.usize(0..4) {
                    0 => Assignee::Team(format!("team-{}", self.dice.usize(0..TEAMS))),
                    _ => Assignee::Agent(agent),
                };
                (opener, vec![Action::OpenTicket { topic, assignee: Some(assignee), if_open: IfOpen::Nest }])
            }
            2 => {
                let sealed = self.sealed(nth, "").to_vec();
                let nested = Action::OpenTicket { topic, assignee: None, if_open: IfOpen::Nest };
                let says = Action::SendMessage { kind: "text".to_owned(), sealed };
                (named(&agent), nests.then_some(nested).into_iter().chain([says]).collect())
            }
            _ => (named(&agent), vec![Action::CloseTicket(Which::All)]),
        }
    }

    fn decided(
        &mut self,
        nth: usize,
        id: String,
        time: Time,
        actor: Actor,
        actions: Vec<Action>,
    ) -> anyhow::Result<v1::Event> {
        let key = CommandKey { command: self.dice.u64(1..), digest: self.dice.u64(1..), causation: 0 };
        let command = Command { actor, actions, key, expected_revision: None };
        let state = &self.chats[nth].state;
        let Verdict::Append(decision) = conversation::decide(state, &command, &Settings::default(), time)? else {
            anyhow::bail!("a step of a story decided nothing")
        };
        let actor = proto::actor_to(&decision.actor);
        let event = self.envelope(nth, id, decision.time, actor, Kind::Decided(proto::decision_to(&decision)));
        self.chats[nth].state = decision.after.recorded_at(self.revision);
        Ok(event)
    }

    fn envelope(&self, nth: usize, id: String, time: Time, actor: v1::Actor, kind: Kind) -> v1::Event {
        let chat = &self.chats[nth];
        v1::Event {
            correlation_id: id.clone(),
            id,
            workspace: WORKSPACE.to_owned(),
            conversation: chat.state.conversation.as_str().to_owned(),
            actor: Some(actor),
            occur_time: Some(proto::timestamp(time)),
            record_time: Some(proto::timestamp(time)),
            causation_id: String::new(),
            depth: 0,
            channel: chat.channel.clone(),
            event: Some(kind),
        }
    }

    /// Words, sealed; with the channel's id those of the customer.
    fn sealed(&mut self, nth: usize, channel_message_id: &str) -> Bytes {
        let contact = (!channel_message_id.is_empty()).then(|| v1::Contact {
            id: format!("4915{nth:08}"),
            display_name: format!("Customer {nth}"),
            ..v1::Contact::default()
        });
        let message = v1::Message {
            channel_message_id: channel_message_id.to_owned(),
            r#type: "text".to_owned(),
            text: words(&mut self.dice),
            ..v1::Message::default()
        };
        self.chats[nth].keyring.seal(&v1::SealedMessage { contact, message: Some(message) }).into()
    }
}

fn named(agent: &str) -> Actor {
    Actor { display_name: format!("{agent} of the staff"), ..Actor::new(ActorKind::Agent, agent) }
}

async fn chat(bus: &Bus, nth: u64) -> anyhow::Result<Chat> {
    // As long as those that `bus` makes.
    let conversation = ConversationId::parse(&format!("chist{nth:018}")).context("no id")?;
    let keyring = bus.keyring(WORKSPACE, &conversation).await?;
    Ok(Chat { state: State::new(conversation), keyring, channel: format!("whatsapp:{}", nth % 4) })
}
