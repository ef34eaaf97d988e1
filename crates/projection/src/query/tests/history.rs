//! Random histories: events as ingest would publish them, with what was said left in the clear.

use std::time::Duration;

use bytes::Bytes;
use conversation::{
    Action, Actor, ActorKind, Assignee, Command, CommandKey, ConversationId, IfOpen, Settings, State, TicketId, Time,
    Verdict, Which, decide,
};
use prost::Message as _;
use proto::v1;

pub(crate) const WORKSPACE: &str = "acme";
pub(crate) const MINUTE: i64 = 60_000_000_000;

/// SplitMix64: small, seeded, the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// What one conversation of the history remembers.
pub(crate) struct Chat {
    pub(crate) id: ConversationId,
    pub(crate) channel: String,
    pub(crate) number: String,
    state: State,
    messages: Vec<String>,
}

/// A history in the making. `events` holds what stands on the stream, from revision 1.
pub(crate) struct History {
    pub(crate) random: Random,
    pub(crate) now: Time,
    pub(crate) chats: Vec<Chat>,
    pub(crate) events: Vec<(u64, v1::Event)>,
    workspace: String,
    /// Longest pause between two events.
    pub(crate) pause: Duration,
}

const WORDS: [&str; 10] = ["order", "refund", "hello", "thanks", "Broken", "parcel", "née", "invoice", "late", "cat"];
const AGENTS: [&str; 3] = ["ana", "ben", "cleo"];
const TEAMS: [&str; 2] = ["billing", "returns"];
const TOPICS: [&str; 4] = ["", "refund", "billing/eu", "ähm"];
const CHANNELS: [&str; 2] = ["whatsapp:100", "web:shop"];

impl History {
    pub(crate) fn new(seed: u64, start: Time, conversations: usize) -> History {
        History::of(WORKSPACE, seed, start, conversations)
    }

    pub(crate) fn of(workspace: &str, seed: u64, start: Time, conversations: usize) -> History {
        let mut random = Random(seed);
        let chats = (0..conversations).map(|n| chat(workspace, n, &mut random)).collect();
        let pause = Duration::from_secs(40 * 60);
        History { random, now: start, chats, events: Vec::new(), workspace: workspace.to_owned(), pause }
    }

    /// Lets `n` random things happen; returns the events of them.
    pub(crate) fn go_on(&mut self, n: usize) -> Vec<(u64, v1::Event)> {
        let before = self.events.len();
        while self.events.len() < before + n {
            self.pass_time();
            let chat = self.random.below(self.chats.len());
            match self.random.below(100) {
                0..30 => self.receive(chat),
                30..36 => self.backfill(chat),
                36..42 => self.report_status(chat),
                42..46 => self.react(chat),
                46..49 => self.edit(chat),
                49..51 => self.revoke(chat),
                51..53 => self.rename(chat),
                53..55 => self.read(chat),
                _ => self.command(chat),
            }
        }
        self.events[before..].to_vec()
    }

    /// A chat of `n` messages, of which the first alone has the needle.
    pub(crate) fn long_chat(&mut self, chat: usize, n: usize, needle: &str) -> Vec<(u64, v1::Event)> {
        let before = self.events.len();
        for at in 0..n {
            self.now = self.now.plus(Duration::from_secs(1));
            let sealed = self.sealed(chat, if at == 0 { needle } else { "straw" }, "");
            let received = v1::MessageReceived { r#type: "text".to_owned(), sealed, names_contact: false };
            let id = format!("long{at}");
            self.push(chat, id, customer(), self.now, v1::event::Event::MessageReceived(received));
        }
        self.events[before..].to_vec()
    }

    /// Opens and closes `n` tickets in a chat in which none is open, one after the other.
    pub(crate) fn many_closed(&mut self, chat: usize, n: usize) -> Vec<(u64, v1::Event)> {
        let before = self.events.len();
        let agent = Actor::new(ActorKind::Agent, "ana");
        self.decide(chat, agent.clone(), vec![Action::CloseTicket(Which::All)]);
        for _ in 0..n {
            self.now = self.now.plus(Duration::from_secs(60));
            let open = Action::OpenTicket { topic: String::new(), assignee: None, if_open: IfOpen::Nest };
            self.decide(chat, agent.clone(), vec![open, Action::CloseTicket(Which::Last)]);
        }
        self.events[before..].to_vec()
    }

    /// Closes every open ticket of every chat.
    pub(crate) fn close_all(&mut self) -> Vec<(u64, v1::Event)> {
        let before = self.events.len();
        for chat in 0..self.chats.len() {
            self.decide(chat, Actor::new(ActorKind::Agent, "ana"), vec![Action::CloseTicket(Which::All)]);
        }
        self.events[before..].to_vec()
    }

    fn pass_time(&mut self) {
        let nanos = self.random.next() % (self.pause.as_nanos() as u64);
        self.now = match self.random.below(10) {
            0 => self.now,
            1 => Time((self.now.0 / MINUTE + 1) * MINUTE),
            2 => self.now.plus(Duration::from_nanos(1)),
            3..6 => self.now.plus(Duration::from_nanos(nanos / 60)),
            _ => self.now.plus(Duration::from_nanos(nanos)),
        };
    }

    fn words(&mut self) -> String {
        let n = 1 + self.random.below(4);
        let words: Vec<&str> = (0..n).map(|_| *self.random.pick(&WORDS)).collect();
        format!("{} {}", words.join(" "), self.events.len())
    }

    fn sealed(&mut self, chat: usize, text: &str, name: &str) -> Bytes {
        let contact = v1::Contact {
            id: self.chats[chat].number.clone(),
            display_name: name.to_owned(),
            ..v1::Contact::default()
        };
        let message = v1::Message { text: text.to_owned(), ..v1::Message::default() };
        v1::SealedMessage { contact: Some(contact), message: Some(message) }.encode_to_vec().into()
    }

    fn push(&mut self, chat: usize, id: String, actor: Actor, occur: Time, event: v1::event::Event) {
        let revision = self.events.len() as u64 + 1;
        let event = v1::Event {
            id,
            workspace: self.workspace.clone(),
            conversation: self.chats[chat].id.as_str().to_owned(),
            actor: Some(proto::actor_to(&actor)),
            occur_time: Some(proto::timestamp(occur)),
            record_time: Some(proto::timestamp(self.now)),
            channel: self.chats[chat].channel.clone(),
            event: Some(event),
            ..v1::Event::default()
        };
        self.events.push((revision, event));
    }

    fn fresh_id(&mut self, chat: usize) -> String {
        let id = format!("f{:016x}", self.random.next());
        self.chats[chat].messages.push(id.clone());
        id
    }

    fn occurred(&mut self) -> Time {
        if self.random.chance(80) {
            return Time(self.now.0 - (self.random.below(200) as i64) * 1_000_000_000);
        }
        Time(self.now.0 - (self.random.below(2000) as i64) * MINUTE)
    }

    fn receive(&mut self, chat: usize) {
        let (text, occur) = (self.words(), self.occurred());
        let name = if self.random.chance(70) { format!("Customer {}", self.chats[chat].number) } else { String::new() };
        let sealed = self.sealed(chat, &text, &name);
        let id = self.fresh_id(chat);
        let received = v1::MessageReceived { r#type: "text".to_owned(), sealed, names_contact: !name.is_empty() };
        self.push(chat, id, customer(), occur, v1::event::Event::MessageReceived(received));
    }

    fn backfill(&mut self, chat: usize) {
        let text = self.words();
        let occur = Time(self.now.0 - (self.random.below(5000) as i64) * MINUTE);
        let sealed = self.sealed(chat, &text, "");
        let id = self.fresh_id(chat);
        let direction = v1::Direction::Inbound.into();
        let event = v1::MessageBackfilled { direction, r#type: "text".to_owned(), sealed };
        self.push(chat, id, customer(), occur, v1::event::Event::MessageBackfilled(event));
    }

    fn some_message(&mut self, chat: usize) -> String {
        if self.chats[chat].messages.is_empty() || self.random.chance(5) {
            return format!("unknown{}", self.random.below(4));
        }
        let messages = self.chats[chat].messages.clone();
        self.random.pick(&messages).clone()
    }

    fn fact_id(&mut self) -> String {
        format!("g{:016x}", self.random.next())
    }

    fn report_status(&mut self, chat: usize) {
        let message = self.some_message(chat);
        let status = [v1::MessageStatus::Sent, v1::MessageStatus::Delivered, v1::MessageStatus::Read];
        let status = *self.random.pick(&status);
        let report = v1::StatusReport {
            status: status.into(),
            channel_status: "sent".to_owned(),
            time: Some(proto::timestamp(self.now)),
            ..v1::StatusReport::default()
        };
        let sealed = v1::SealedStatus { channel_message_id: String::new(), report: Some(report) };
        let decided = message.contains("-m");
        let event = v1::MessageStatusChanged {
            message_ref: reference(&message),
            message_id: if decided { message } else { String::new() },
            status: status.into(),
            sealed: sealed.encode_to_vec().into(),
            error_codes: Vec::new(),
        };
        let id = self.fact_id();
        self.push(chat, id, system(), self.now, v1::event::Event::MessageStatusChanged(event));
    }

    fn react(&mut self, chat: usize) {
        let target_ref = reference(&self.some_message(chat));
        let sealed = self.sealed(chat, "👍", "");
        let id = self.fact_id();
        let direction = v1::Direction::Inbound.into();
        let removed = self.random.chance(30);
        let event = v1::ReactionChanged { target_ref, removed, direction, sealed, backfilled: false };
        self.push(chat, id, customer(), self.now, v1::event::Event::ReactionChanged(event));
    }

    fn edit(&mut self, chat: usize) {
        let target_ref = reference(&self.some_message(chat));
        let text = format!("edited {}", self.words());
        let sealed = self.sealed(chat, &text, "");
        let id = self.fact_id();
        let direction = v1::Direction::Inbound.into();
        let event = v1::MessageEdited { target_ref, r#type: "text".to_owned(), direction, sealed };
        self.push(chat, id, customer(), self.now, v1::event::Event::MessageEdited(event));
    }

    fn revoke(&mut self, chat: usize) {
        let target_ref = reference(&self.some_message(chat));
        let sealed = self.sealed(chat, "", "");
        let id = self.fact_id();
        let event = v1::MessageRevoked { target_ref, direction: v1::Direction::Inbound.into(), sealed };
        self.push(chat, id, customer(), self.now, v1::event::Event::MessageRevoked(event));
    }

    fn rename(&mut self, chat: usize) {
        let name = format!("Renamed {}", self.events.len());
        let sealed = self.sealed(chat, "", &name);
        let id = self.fact_id();
        let event =
            v1::ContactChanged { r#type: "profile".to_owned(), sealed, names_contact: true, ..Default::default() };
        self.push(chat, id, system(), self.now, v1::event::Event::ContactChanged(event));
    }

    fn read(&mut self, chat: usize) {
        let id = self.fact_id();
        let event = v1::MessagesRead { through_revision: self.events.len() as i64 };
        let actor = Actor::new(ActorKind::Agent, "ana");
        self.push(chat, id, actor, self.now, v1::event::Event::MessagesRead(event));
    }

    fn command(&mut self, chat: usize) {
        let actor = self.actor();
        let actions = (0..1 + self.random.below(2)).map(|_| self.action(chat)).collect();
        self.decide(chat, actor, actions);
    }

    /// Decides; what is refused leaves no trace.
    pub(crate) fn decide(&mut self, chat: usize, actor: Actor, actions: Vec<Action>) {
        let key = CommandKey { command: self.random.next(), digest: 0, causation: 0 };
        let command = Command { actor: actor.clone(), actions, key, expected_revision: None };
        let state = &self.chats[chat].state;
        let Ok(Verdict::Append(decision)) = decide(state, &command, &Settings::default(), self.now) else { return };
        let revision = self.events.len() as u64 + 1;
        let said: Vec<String> = decision.said().map(|id| id.as_str().to_owned()).collect();
        self.chats[chat].messages.extend(said);
        self.chats[chat].state = decision.after.clone().recorded_at(revision);
        // W10: the decision's clock is never before the last stamp; here the clock never runs back.
        self.now = decision.time;
        let id = self.fact_id();
        let event = v1::event::Event::Decided(proto::decision_to(&decision));
        self.push(chat, id, actor, self.now, event);
    }

    fn actor(&mut self) -> Actor {
        let agent = *self.random.pick(&AGENTS);
        match self.random.below(10) {
            0..6 => Actor { display_name: agent.to_uppercase(), ..Actor::new(ActorKind::Agent, agent) },
            6..8 => Actor::new(ActorKind::Bot, "bot"),
            _ => Actor::new(ActorKind::Automation, "refunds-to-billing"),
        }
    }

    fn action(&mut self, chat: usize) -> Action {
        let text = self.words();
        let if_open = if self.random.chance(50) { IfOpen::Nest } else { IfOpen::ReturnPrimary };
        match self.random.below(100) {
            0..25 => Action::OpenTicket {
                topic: self.random.pick(&TOPICS).to_string(),
                assignee: if self.random.chance(50) { Some(self.assignee()) } else { None },
                if_open,
            },
            25..45 => Action::CloseTicket(self.which(chat)),
            45..55 => Action::Assign(self.assignee()),
            55..60 => Action::Unassign,
            60..85 => Action::SendMessage { kind: "text".to_owned(), sealed: self.sealed(chat, &text, "").to_vec() },
            85..90 => Action::AddNote { sealed: v1::SealedNote { text }.encode_to_vec() },
            90..94 => Action::AddTag(self.random.pick(&["vip", "Late", "eu"]).to_string()),
            94..96 => Action::RemoveTag("vip".to_owned()),
            96..98 => Action::PauseBot,
            _ => Action::ResumeBot,
        }
    }

    fn which(&mut self, chat: usize) -> Which {
        let open: Vec<TicketId> = self.chats[chat].state.open.iter().map(|ticket| ticket.id.clone()).collect();
        match self.random.below(3) {
            0 if !open.is_empty() => Which::Named(self.random.pick(&open).clone()),
            1 => Which::All,
            _ => Which::Last,
        }
    }

    fn assignee(&mut self) -> Assignee {
        let (agent, team) = (self.random.pick(&AGENTS).to_string(), self.random.pick(&TEAMS).to_string());
        match self.random.below(3) {
            0 => Assignee::Agent(agent),
            1 => Assignee::Team(team),
            _ => Assignee::Member { agent, team },
        }
    }
}

fn chat(workspace: &str, n: usize, random: &mut Random) -> Chat {
    let id = ConversationId::parse(&format!("{workspace}chat{n}")).expect("an id");
    Chat {
        state: State::new(id.clone()),
        id,
        channel: random.pick(&CHANNELS).to_string(),
        number: format!("4917000{n:04}"),
        messages: Vec::new(),
    }
}

/// What the channel calls a message, hashed: of one that came from there it is our id too.
pub(crate) fn reference(message: &str) -> String {
    if message.contains("-m") { format!("ref-{message}") } else { message.to_owned() }
}

fn customer() -> Actor {
    Actor::new(ActorKind::Customer, "")
}

fn system() -> Actor {
    Actor::new(ActorKind::System, "threadmark")
}
