//! The simulation: events of the log in, a count of what would have been out. Pure: time is the time of the events.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use conversation::{Actor, ActorKind, ConversationId, Time, is_late};
use proto::v1;
use proto::v1::event::Event as Kind;

use super::chat::Chat;
use super::count::People;
use super::draft::{Draft, Words};
use super::report::Found;
use super::tally::OfRule;
use super::timers::Queue;
use crate::assign::Rotation;
use crate::condition::{LastMessageFields, WorkspaceFields};
use crate::engine::{Happening, actor_fields, of_event};

/// Facts whose ids are remembered in each conversation of the period: the log may hold one twice, soon after each other.
const REMEMBERED: usize = 32;
/// Messages of automations whose ids are remembered, for what the channel says of them later.
const UNSAID: usize = 32;

/// One event of the log.
pub(super) struct Item {
    pub(super) revision: u64,
    pub(super) event: v1::Event,
    /// Its words, if they were unsealed already.
    pub(super) words: Option<Box<v1::SealedMessage>>,
}

/// Something that the simulation decided, and that rules have not looked at yet.
pub(super) struct Pending {
    pub(super) at: usize,
    pub(super) event: v1::Event,
    pub(super) revision: u64,
    pub(super) before: Option<LastMessageFields>,
}

/// The simulated world, or a part of it: conversations that share nothing can be simulated apart.
pub(super) struct Sim<W> {
    pub(super) draft: Arc<Draft>,
    pub(super) words: W,
    pub(super) chats: Vec<Chat>,
    numbers: HashMap<Box<str>, usize>,
    pub(super) now: Time,
    /// Counts up with everything that is recorded or decided.
    pub(super) place: u64,
    pub(super) pending: VecDeque<Pending>,
    pub(super) queue: Queue,
    pub(super) rotation: Rotation,
    pub(super) tally: Vec<OfRule>,
    pub(super) people: People,
    pub(super) left_out: u64,
    events: u64,
    events_before: u64,
    fields: Option<(i64, WorkspaceFields)>,
    stop: Arc<AtomicBool>,
    pub(super) notes: Vec<String>,
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

impl<W: Words> Sim<W> {
    /// A world before everything. `schedules`: whether it is the part that concerns no conversation, too.
    pub(super) fn new(draft: Arc<Draft>, words: W, schedules: bool, stop: Arc<AtomicBool>) -> Sim<W> {
        let mut sim = Sim {
            now: draft.start,
            tally: (0..draft.len()).map(|_| OfRule::default()).collect(),
            draft,
            words,
            chats: Vec::new(),
            numbers: HashMap::new(),
            place: 0,
            pending: VecDeque::new(),
            queue: Queue::default(),
            rotation: Rotation::default(),
            people: People::default(),
            left_out: 0,
            events: 0,
            events_before: 0,
            fields: None,
            stop,
            notes: Vec::new(),
        };
        if schedules {
            sim.arm_schedules();
        }
        sim
    }

    /// The next event of the log.
    pub(super) fn take(&mut self, item: Item) {
        let time = item.event.record_time.as_ref().and_then(proto::time).unwrap_or_default();
        if time >= self.draft.end {
            return;
        }
        let Some(at) = self.number(&item.event.conversation) else { return };
        self.place += 1;
        if time < self.draft.start && self.chats[at].live.is_none() {
            self.events_before += 1;
            self.remember(at, &item, time);
            return;
        }
        self.advance(time);
        self.now = self.now.max(time);
        self.events += 1;
        self.relive(at, item);
        self.settle();
    }

    /// What was found, once there are no more events.
    pub(super) fn finish(mut self) -> Found {
        self.advance(Time(self.draft.end.0.saturating_sub(1)));
        let mut found = Found::new(std::mem::take(&mut self.tally), &self.people);
        found.events = self.events;
        found.events_before = self.events_before;
        found.left_out = self.left_out;
        found.notes = std::mem::take(&mut self.notes);
        for chat in &self.chats {
            if let Some(live) = &chat.live {
                found.compare(chat.id.as_str(), &live.actual, &live.simulated, &self.people);
            }
        }
        found
    }

    /// Whether nobody waits for the result any more.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn number(&mut self, conversation: &str) -> Option<usize> {
        if let Some(at) = self.numbers.get(conversation) {
            return Some(*at);
        }
        let id = ConversationId::parse(conversation)?;
        let at = self.chats.len();
        self.chats.push(Chat::new(id));
        self.numbers.insert(conversation.into(), at);
        Some(at)
    }

    /// The conversation that is known by an id.
    pub(super) fn found(&self, conversation: &str) -> Option<usize> {
        self.numbers.get(conversation).copied()
    }

    /// What conditions see of the workspace now. Hours begin and end with the minute.
    pub(super) fn workspace_fields(&mut self) -> WorkspaceFields {
        let minute = self.now.0.div_euclid(60_000_000_000);
        match &self.fields {
            Some((known, fields)) if *known == minute => fields.clone(),
            _ => {
                let fields = (self.draft.fields)(self.now);
                self.fields = Some((minute, fields.clone()));
                fields
            }
        }
    }

    /// Before the period: what the event leaves behind.
    fn remember(&mut self, at: usize, item: &Item, time: Time) {
        let event = &item.event;
        self.note_channel(at, event);
        match &event.event {
            Some(Kind::MessageReceived(received)) => self.hear(at, event, received, time),
            Some(Kind::MessageEchoed(_)) => self.hear_business(at, event, time),
            Some(Kind::MessagesRead(_)) => self.chats[at].unread = 0,
            Some(Kind::Decided(decided)) => self.adopt(at, event, decided, time),
            _ => {}
        }
    }

    /// In the period: what happened, happens again.
    fn relive(&mut self, at: usize, mut item: Item) {
        self.draft.workspace.clone_into(&mut item.event.workspace);
        self.note_channel(at, &item.event);
        self.chats[at].live();
        let time = self.now;
        let Some(kind) = item.event.event.take() else { return };
        match &kind {
            Kind::Decided(decided) => return self.replay(at, &item.event, decided, item.revision),
            _ if self.is_repeated(at, &item.event.id) => return,
            Kind::MessageEchoed(_) => return self.hear_business(at, &item.event, time),
            Kind::MessagesRead(_) => return self.chats[at].unread = 0,
            Kind::MessageStatusChanged(status) if self.unsaid(at, &status.message_id) => return,
            _ => {}
        }
        let before = self.before(at);
        let mut first = false;
        if let Kind::MessageReceived(received) = &kind {
            first = !self.chats[at].wrote;
            self.hear(at, &item.event, received, time);
        }
        item.event.event = Some(kind);
        let happenings = self.meant(&item.event, item.revision, first);
        self.happen(at, happenings, before, item.words);
    }

    /// What an event means to rules, if any rule listens to anything of its kind.
    pub(super) fn meant(&self, event: &v1::Event, revision: u64, first: bool) -> Vec<Happening> {
        let listens = match &event.event {
            Some(Kind::MessageReceived(_)) => {
                let wanted = ["message.received", "conversation.started"];
                !self.draft.waiting.is_empty() || wanted.iter().any(|trigger| self.draft.set.of(trigger).is_some())
            }
            _ => true,
        };
        if listens { of_event(event, revision, first) } else { Vec::new() }
    }

    /// What was decided sets off rules, which decide, until nothing more happens; then what waits is given away.
    pub(super) fn settle(&mut self) {
        loop {
            while let Some(pending) = self.pending.pop_front() {
                if self.stopped() {
                    return;
                }
                let happenings = self.meant(&pending.event, pending.revision, false);
                self.happen(pending.at, happenings, pending.before, None);
            }
            if !self.give_away() {
                return;
            }
        }
    }

    fn note_channel(&mut self, at: usize, event: &v1::Event) {
        if self.chats[at].channel.is_empty() && !event.channel.is_empty() {
            self.chats[at].channel = event.channel.as_str().into();
        }
    }

    /// The log may hold a fact twice.
    fn is_repeated(&mut self, at: usize, id: &str) -> bool {
        let heard = &mut self.chats[at].live().heard;
        let hash = hash(id);
        if heard.contains(&hash) {
            return true;
        }
        if heard.len() >= REMEMBERED {
            heard.pop_front();
        }
        heard.push_back(hash);
        false
    }

    fn unsaid(&mut self, at: usize, message: &str) -> bool {
        self.chats[at].live().unsaid.iter().any(|unsaid| unsaid == message)
    }

    /// A message of an automation is in the log alone.
    pub(super) fn leave_unsaid(&mut self, at: usize, message: &str) {
        if self.draft.set.of("message.failed").is_none() {
            return;
        }
        let unsaid = &mut self.chats[at].live().unsaid;
        if unsaid.len() >= UNSAID {
            unsaid.pop_front();
        }
        unsaid.push_back(message.to_owned());
    }

    /// The message before this moment, if any rule asks for it.
    pub(super) fn before(&self, at: usize) -> Option<LastMessageFields> {
        self.chats[at].last_message.as_deref().cloned()
    }

    /// The customer wrote.
    fn hear(&mut self, at: usize, event: &v1::Event, received: &v1::MessageReceived, time: Time) {
        let occurred = event.occur_time.as_ref().and_then(proto::time).unwrap_or(time);
        let (live, place) = (!is_late(occurred, time, false), self.place);
        let keeps = self.draft.keeps_contact;
        let chat = &mut self.chats[at];
        chat.wrote = true;
        if keeps {
            chat.last_sealed = Some(received.sealed.as_ref().into());
        }
        if let Some(period) = &mut chat.live {
            period.customer_said = place;
            if live {
                period.metrics.received();
            }
        }
        if live {
            chat.unread = chat.unread.saturating_add(1);
            let customer = Actor::new(ActorKind::Customer, "");
            self.say(at, &customer, true, time);
        }
    }

    /// The business wrote from its own phone.
    fn hear_business(&mut self, at: usize, event: &v1::Event, time: Time) {
        let person = event.actor.as_ref().and_then(proto::actor_from);
        let person = person.unwrap_or_else(|| Actor::new(ActorKind::Agent, ""));
        let place = self.place;
        if let Some(live) = &mut self.chats[at].live {
            live.metrics.sent(ActorKind::Agent, time);
            live.agent_said = place;
        }
        self.said(at, &person, time);
    }

    /// Somebody wrote to the customer.
    pub(super) fn said(&mut self, at: usize, by: &Actor, time: Time) {
        let place = self.place;
        let chat = &mut self.chats[at];
        if by.kind == ActorKind::Agent {
            chat.unread = 0;
        }
        if let Some(live) = &mut chat.live {
            live.business_said = place;
            if by.kind == ActorKind::Agent {
                live.agent_said = place;
            }
        }
        self.say(at, by, false, time);
    }

    fn say(&mut self, at: usize, by: &Actor, inbound: bool, time: Time) {
        if self.draft.needs.history {
            let actor = actor_fields(Some(&proto::actor_to(by)));
            self.chats[at].last_message = Some(Box::new(LastMessageFields { time, actor, inbound }));
        }
    }
}
