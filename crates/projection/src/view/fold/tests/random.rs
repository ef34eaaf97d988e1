//! Random histories, with clocks that disagree, repeats, and messages that arrive before and after what they speak of.

use conversation::{Action, Actor, ActorKind, Assignee, IfOpen, TicketId, Time, Which};
use proto::v1;
use proto::v1::event::Event as Kind;

use super::log::{Log, SECOND, agent, bot, sealed};

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }
}

const CHATS: [&str; 3] = ["ada", "bo", "cy"];
const AGENTS: [&str; 3] = ["ann", "ben", "cat"];

/// A history of so many events, more or less.
pub(super) fn history(seed: u64, events: usize) -> Log {
    let mut maker = Maker { random: Random(seed), log: Log::new(), clock: 1_700_000_000, said: Vec::new(), serial: 0 };
    while maker.log.events.len() < events {
        maker.step();
    }
    maker.log
}

struct Maker {
    random: Random,
    log: Log,
    /// In seconds.
    clock: i64,
    /// Messages by chat: what they are known by.
    said: Vec<(String, String)>,
    serial: u64,
}

impl Maker {
    fn step(&mut self) {
        self.clock += self.random.pick(&[0, 1, 7, 60, 200, 3_000, 40_000]);
        // Every process has a clock of its own, up to a minute off.
        let skew = self.random.below(120) as i64 - 60;
        self.log.at(self.clock + skew);
        let chat = self.random.pick(&CHATS);
        match self.random.below(100) {
            0..30 => self.receive(chat),
            30..36 => self.echo(chat),
            36..42 => self.backfill(chat),
            42..52 => self.report(chat),
            52..58 => self.change(chat),
            58..60 => self.contact(chat),
            60..63 => self.read(chat),
            63..67 => self.repeat(),
            _ => self.command(chat),
        }
    }

    fn id(&mut self) -> String {
        self.serial += 1;
        format!("id{}", self.serial)
    }

    /// Mostly now, sometimes minutes ago, sometimes long ago or ahead.
    fn occurred(&mut self) -> Time {
        let ago = match self.random.below(10) {
            0 => self.random.below(900) as i64,
            1 => self.random.below(90_000) as i64,
            2 => -(self.random.below(600) as i64),
            _ => self.random.below(3) as i64,
        };
        Time(self.log.now.0 - ago * SECOND)
    }

    fn receive(&mut self, chat: &str) {
        let (id, occur) = (self.id(), self.occurred());
        self.log.received_at(chat, &id, occur);
        self.said.push((chat.to_owned(), id));
    }

    fn echo(&mut self, chat: &str) {
        let (id, occur) = (self.id(), self.occurred());
        let message = v1::MessageEchoed { r#type: "text".to_owned(), sealed: sealed(&id) };
        self.log.fact(chat, &id, ActorKind::Agent, occur, Kind::MessageEchoed(message));
        self.said.push((chat.to_owned(), id));
    }

    fn backfill(&mut self, chat: &str) {
        let (id, occur) = (self.id(), self.occurred());
        let direction = self.random.pick(&[v1::Direction::Inbound, v1::Direction::Outbound]);
        let message =
            v1::MessageBackfilled { direction: direction.into(), r#type: "text".to_owned(), sealed: sealed(&id) };
        self.log.fact(chat, &id, ActorKind::Customer, occur, Kind::MessageBackfilled(message));
        self.said.push((chat.to_owned(), id));
    }

    /// A message of the chat, or one that is not there yet or never will be.
    fn some_message(&mut self, chat: &str) -> String {
        let here: Vec<String> = self.said.iter().filter(|said| said.0 == chat).map(|said| said.1.clone()).collect();
        if here.is_empty() || self.random.below(5) == 0 {
            return format!("id{}", self.serial + self.random.below(9));
        }
        self.random.pick(&here)
    }

    fn report(&mut self, chat: &str) {
        use v1::MessageStatus::{Accepted, Delivered, Failed, Read, Sent};
        let (id, message) = (self.id(), self.some_message(chat));
        let status = self.random.pick(&[Accepted, Sent, Failed, Delivered, Read]);
        if message.starts_with(&format!("{chat}-m")) {
            // Our own report tells what the channel calls the message; the channel's reports know no other name.
            let reference = format!("ref-{message}");
            let known = self.random.below(3) > 0;
            self.log.status(chat, &id, (&reference, if known { &message } else { "" }), status);
            if known {
                self.said.push((chat.to_owned(), reference));
            }
        } else {
            self.log.status(chat, &id, (&message, ""), status);
        }
    }

    fn change(&mut self, chat: &str) {
        let (id, target_ref, occur) = (self.id(), self.some_message(chat), self.occurred());
        if target_ref.starts_with(&format!("{chat}-m")) {
            return;
        }
        let (direction, sealed) = (v1::Direction::Inbound.into(), sealed(&id));
        let kind = match self.random.below(3) {
            0 => {
                let (removed, backfilled) = (self.random.below(3) == 0, self.random.below(4) == 0);
                Kind::ReactionChanged(v1::ReactionChanged { target_ref, removed, direction, sealed, backfilled })
            }
            1 => Kind::MessageEdited(v1::MessageEdited { target_ref, r#type: "text".to_owned(), direction, sealed }),
            _ => Kind::MessageRevoked(v1::MessageRevoked { target_ref, direction, sealed }),
        };
        self.log.fact(chat, &id, ActorKind::Customer, occur, kind);
    }

    fn contact(&mut self, chat: &str) {
        let id = self.id();
        let r#type = self.random.pick(&["user_changed_number", ""]).to_owned();
        let contact = v1::ContactChanged { r#type, sealed: sealed(&id), names_contact: true, ..Default::default() };
        let now = self.log.now;
        self.log.fact(chat, &id, ActorKind::System, now, Kind::ContactChanged(contact));
    }

    fn read(&mut self, chat: &str) {
        let (id, through) = (self.id(), self.random.below(self.log.revision() + 2));
        self.log.read(chat, &id, through);
    }

    /// Something stands on the stream again.
    fn repeat(&mut self) {
        if self.log.events.is_empty() {
            return;
        }
        let (_, event) = self.random.pick(&self.log.events);
        self.log.append(event);
    }

    fn command(&mut self, chat: &str) {
        let actor = match self.random.below(10) {
            0..6 => agent(self.random.pick(&AGENTS)),
            6..8 => bot(),
            _ => Actor::new(ActorKind::Automation, "rule"),
        };
        let actions = (0..1 + self.random.below(3)).map(|_| self.action(chat)).collect();
        let before = self.log.states.get(chat).map_or(0, |state| state.message_ordinal);
        self.log.decide(chat, actor, actions);
        let after = self.log.states.get(chat).map_or(0, |state| state.message_ordinal);
        self.said.extend((before + 1..=after).map(|ordinal| (chat.to_owned(), format!("{chat}-m{ordinal}"))));
    }

    fn action(&mut self, chat: &str) -> Action {
        let assignee = self.assignee();
        match self.random.below(100) {
            0..28 => Action::OpenTicket {
                topic: self.random.pick(&["", "refund", "parcel"]).to_owned(),
                assignee: Some(assignee).filter(|_| self.random.below(2) == 0),
                if_open: self.random.pick(&[IfOpen::Nest, IfOpen::Nest, IfOpen::ReturnPrimary]),
            },
            28..48 => Action::CloseTicket(self.which(chat)),
            48..58 => Action::Assign(assignee),
            58..63 => Action::Unassign,
            63..84 => Action::SendMessage { kind: "text".to_owned(), sealed: b"words".to_vec() },
            84..90 => Action::AddNote { sealed: b"note".to_vec() },
            90..94 => Action::AddTag(self.random.pick(&["vip", "eu"]).to_owned()),
            94..96 => Action::RemoveTag("vip".to_owned()),
            96..98 => Action::PauseBot,
            _ => Action::ResumeBot,
        }
    }

    fn assignee(&mut self) -> Assignee {
        let agent = self.random.pick(&AGENTS).to_owned();
        match self.random.below(3) {
            0 => Assignee::Agent(agent),
            1 => Assignee::Team("team".to_owned()),
            _ => Assignee::Member { agent, team: "team".to_owned() },
        }
    }

    fn which(&mut self, chat: &str) -> Which {
        let open: Vec<TicketId> =
            self.log.states.get(chat).iter().flat_map(|state| &state.open).map(|ticket| ticket.id.clone()).collect();
        match self.random.below(3) {
            0 if !open.is_empty() => Which::Named(self.random.pick(&open)),
            1 => Which::All,
            _ => Which::Last,
        }
    }
}
