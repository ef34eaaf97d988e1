//! The log of a workspace as turns: which messages belong together, whether the bot might have answered them, and what
//! was really done about them. Pure, and bounded: of a conversation in which nothing is open nothing is kept but what
//! was said last, and of that no more than [`room::MAX_BYTES`] in all.

mod actual;
mod chat;
mod room;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use conversation::{ConversationId, Revision, Time};
use proto::v1;
use proto::v1::ShadowActual as Actual;
use proto::v1::actor::Kind;
use proto::v1::event::Event as What;

use super::ask::{Ask, Line};
use crate::turn::gather::{MAX_MESSAGES, Stand};
use crate::turn::heard::{is_human_act, is_live};
use crate::turn::mark::Mark;
use actual::actual;
use chat::{Chat, Pending};
use room::{MAX_WAITING, Oldest};

/// What comes out of the log.
#[derive(Debug)]
pub(super) enum Out {
    /// A turn that a candidate is asked about.
    Ask(Box<Ask>),
    /// What was really done about the turn of this revision.
    Done(Revision, Actual),
}

/// What is kept of the conversations of a workspace.
pub(super) struct Log {
    period: (Time, Time),
    pause: Duration,
    chats: HashMap<Arc<str>, Chat>,
    lines: Oldest,
    bytes: usize,
    waiting: Oldest,
    /// Turns in the period that came while humans had the conversation.
    pub(super) with_humans: u64,
    /// Turns that were given up, since too many waited.
    pub(super) given_up: u64,
    out: Vec<Out>,
}

impl Log {
    pub(super) fn new(period: (Time, Time), pause: Duration) -> Log {
        Log {
            period,
            pause,
            chats: HashMap::new(),
            lines: Oldest::default(),
            bytes: 0,
            waiting: Oldest::default(),
            with_humans: 0,
            given_up: 0,
            out: Vec::new(),
        }
    }

    /// What came out since this was asked last.
    pub(super) fn drain(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.out)
    }

    /// What a candidate counted in a conversation since anybody else stamped it.
    pub(super) fn mark(&self, conversation: &str, era: u32) -> Mark {
        let known = self.chats.get(conversation).and_then(|chat| chat.mark);
        known.filter(|(of, _)| *of == era).map(|(_, mark)| mark).unwrap_or_default()
    }

    pub(super) fn remember(&mut self, conversation: &str, era: u32, mark: Mark) {
        if let Some(chat) = self.chats.get_mut(conversation) {
            chat.mark = Some((era, mark));
        }
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, revision: Revision, event: v1::Event) {
        let time = event.record_time.as_ref().and_then(proto::time).unwrap_or_default();
        let live = is_live(&event);
        // What a decision did it tells itself.
        let on_phone = is_human_act(&event) && !matches!(event.event, Some(What::Decided(_)));
        let conversation: Arc<str> = event.conversation.as_str().into();
        match &event.event {
            Some(What::MessageReceived(received)) if live => {
                let line = Line::of(revision, Kind::Customer, &event.id, &received.r#type, &received.sealed);
                self.received(&conversation, time, line);
            }
            Some(What::MessageEchoed(echoed)) => {
                self.close(&conversation);
                self.settle(&conversation, Actual::HumanAnswered);
                let line = Line::of(revision, Kind::Agent, &event.id, &echoed.r#type, &echoed.sealed);
                self.keep(&conversation, line);
            }
            Some(What::MessageEdited(edited)) => {
                if let Some(line) = self.line(&conversation, &edited.target_ref) {
                    line.edit(&edited.sealed);
                }
            }
            Some(What::MessageRevoked(revoked)) => {
                if let Some(line) = self.line(&conversation, &revoked.target_ref) {
                    line.revoke();
                }
            }
            Some(What::Decided(decided)) => self.decided(&conversation, revision, &event, decided),
            _ => {}
        }
        if let Some(chat) = self.chats.get_mut(&conversation).filter(|_| on_phone) {
            chat.human_acted = true;
        }
        self.make_room();
    }

    /// Ends every turn.
    pub(super) fn finish(&mut self) {
        let all: Vec<Arc<str>> = self.chats.keys().cloned().collect();
        for conversation in all {
            self.close(&conversation);
            self.settle(&conversation, Actual::Nobody);
        }
    }

    fn received(&mut self, conversation: &Arc<str>, time: Time, line: Line) {
        let (pause, revision, id) = (self.pause, line.revision, line.id().to_owned());
        let goes_on = |turn: &Pending| time.since(turn.time) <= pause && turn.messages < MAX_MESSAGES;
        if !self.chat(conversation).turn.as_ref().is_some_and(goes_on) {
            self.close(conversation);
        }
        self.keep(conversation, line);
        let chat = self.chat(conversation);
        let messages = chat.turn.as_ref().map_or(0, |turn| turn.messages) + 1;
        chat.turn = Some(Pending { last: revision, id, messages, time });
    }

    /// A turn has ended: the customer paused, or somebody did something.
    fn close(&mut self, conversation: &Arc<str>) {
        let period = self.period;
        let Some(chat) = self.chats.get_mut(conversation) else { return };
        let Some(turn) = chat.turn.take().filter(|turn| period.0 <= turn.time && turn.time < period.1) else { return };
        let stand = chat.stand.filter(|stand| *stand == Stand::Holds || !chat.human_acted);
        let Some(stand) = stand else {
            self.with_humans += 1;
            return;
        };
        chat.waiting.push_back((turn.last, None));
        self.waiting.push(turn.last, conversation);
        if chat.waiting.len() > MAX_WAITING {
            self.give_up(conversation);
        }
        let Some(chat) = self.chats.get(conversation) else { return };
        self.out.push(Out::Ask(Box::new(Ask {
            conversation: conversation.clone(),
            revision: turn.last,
            time: turn.time,
            id: turn.id,
            messages: turn.messages,
            stand,
            era: chat.era,
            lines: chat.lines.iter().rev().cloned().collect(),
        })));
    }

    /// Something was done about the turns that wait. A bot answers the last one alone; a human all of them.
    fn settle(&mut self, conversation: &Arc<str>, actual: Actual) {
        let Some(chat) = self.chats.get_mut(conversation) else { return };
        match actual {
            Actual::HumanActed => chat.waiting.iter_mut().for_each(|(_, half)| *half = Some(actual)),
            Actual::RuleActed => chat.waiting.iter_mut().for_each(|(_, half)| *half = half.or(Some(actual))),
            _ => {
                let bots = matches!(actual, Actual::BotReplied | Actual::BotHandedOff | Actual::BotClosed);
                let last = chat.waiting.len().saturating_sub(1);
                for (nth, (revision, half)) in chat.waiting.drain(..).enumerate() {
                    let own = actual == Actual::HumanAnswered || (bots && nth == last);
                    let done = if own { actual } else { half.unwrap_or(Actual::Nobody) };
                    self.waiting.live -= 1;
                    self.out.push(Out::Done(revision, done));
                }
            }
        }
    }

    fn decided(&mut self, conversation: &Arc<str>, revision: Revision, event: &v1::Event, decided: &v1::Decided) {
        use v1::decided_entry::Entry;
        self.close(conversation);
        let kind = event.actor.as_ref().map_or(Kind::Unspecified, v1::Actor::kind);
        if let Some(actual) = actual(kind, decided) {
            self.settle(conversation, actual);
        }
        for entry in decided.entries.iter().filter_map(|entry| entry.entry.as_ref()) {
            match entry {
                Entry::Message(message) => {
                    self.keep(conversation, Line::of(revision, kind, &message.id, &message.r#type, &message.sealed));
                }
                Entry::Stamp(_) if kind == Kind::Bot => self.keep(conversation, Line::own_stamp(revision)),
                Entry::Stamp(_) => {
                    let chat = self.chat(conversation);
                    chat.era += 1;
                    let gone: usize = chat.lines.iter().map(Line::bytes).sum();
                    let count = chat.lines.len();
                    chat.lines.clear();
                    self.bytes -= gone;
                    self.lines.live -= count;
                }
                Entry::Note(_) => {}
            }
        }
        let after = decided.after.clone().unwrap_or_default();
        let Some(id) = ConversationId::parse(conversation) else { return };
        let state = proto::state_from(id, &after, revision);
        let chat = self.chat(conversation);
        chat.stand = Stand::after(&state, Some(event));
        let opened_now = state.open.iter().map(|open| open.open_revision).min() == Some(revision);
        chat.human_acted = !state.open.is_empty() && (is_human_act(event) || (chat.human_acted && !opened_now));
        self.forget(conversation);
    }

    fn chat(&mut self, conversation: &Arc<str>) -> &mut Chat {
        self.chats.entry(conversation.clone()).or_default()
    }

    fn line(&mut self, conversation: &Arc<str>, id: &str) -> Option<&mut Line> {
        self.chats.get_mut(conversation)?.lines.iter_mut().find(|line| line.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::room::{MAX_BYTES, MAX_LINES};
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    fn log() -> Log {
        Log::new((Time(0), Time(i64::MAX)), PAUSE)
    }

    fn event(conversation: &str, second: i64, what: What) -> v1::Event {
        let time = Some(proto::timestamp(Time(second * 1_000_000_000)));
        let (id, conversation) = (format!("{conversation}/{second}"), conversation.to_owned());
        v1::Event { id, conversation, occur_time: time, record_time: time, event: Some(what), ..v1::Event::default() }
    }

    fn said(conversation: &str, second: i64, bytes: usize) -> v1::Event {
        let sealed = vec![0; bytes].into();
        let received = v1::MessageReceived { r#type: "text".to_owned(), sealed, names_contact: false };
        event(conversation, second, What::MessageReceived(received))
    }

    fn echoed(conversation: &str, second: i64) -> v1::Event {
        event(conversation, second, What::MessageEchoed(v1::MessageEchoed::default()))
    }

    fn outs(log: &mut Log) -> Vec<String> {
        let shown = |out: Out| match out {
            Out::Ask(ask) => format!("ask {} of {} messages, {} lines", ask.revision, ask.messages, ask.lines.len()),
            Out::Done(revision, actual) => format!("{revision} {}", actual.as_str_name()),
        };
        log.drain().into_iter().map(shown).collect()
    }

    #[test]
    fn messages_without_a_pause_are_one_turn_and_a_human_answers_all_that_wait() {
        let mut log = log();
        for (revision, second) in [(1, 1), (2, 2), (3, 60)] {
            log.take(revision, said("c", second, 9));
        }
        assert_eq!(outs(&mut log), ["ask 2 of 2 messages, 2 lines"]);
        log.take(4, echoed("c", 90));
        let human = Actual::HumanAnswered.as_str_name();
        let want = ["ask 3 of 1 messages, 3 lines".to_owned(), format!("2 {human}"), format!("3 {human}")];
        assert_eq!(outs(&mut log), want);
        log.finish();
        assert!(outs(&mut log).is_empty());
    }

    #[test]
    fn nothing_grows_without_bound() {
        let mut log = log();
        let (mut asked, mut done) = (0, 0);
        // Customers who are never answered, with messages of a size that no channel takes.
        for nth in 0..3_000_i64 {
            let conversation = format!("c{}", nth % 100);
            log.take(nth.unsigned_abs() + 1, said(&conversation, nth * 10, 64 * 1024));
            assert!(log.bytes <= MAX_BYTES);
            for out in log.drain() {
                match out {
                    Out::Ask(ask) => {
                        asked += 1;
                        assert!(ask.lines.len() <= MAX_LINES);
                    }
                    Out::Done(..) => done += 1,
                }
            }
        }
        assert!(log.chats.values().all(|chat| chat.waiting.len() <= MAX_WAITING));
        assert!(log.lines.all.len() <= 2 * log.lines.live + 1_024 && log.given_up > 0);
        assert_eq!(log.lines.live, log.chats.values().map(|chat| chat.lines.len()).sum::<usize>());
        assert_eq!(log.waiting.live, log.chats.values().map(|chat| chat.waiting.len()).sum::<usize>());
        log.finish();
        let rest = log.drain();
        asked += rest.iter().filter(|out| matches!(out, Out::Ask(_))).count();
        done += rest.iter().filter(|out| matches!(out, Out::Done(..))).count();
        assert_eq!((asked, done), (3_000, 3_000), "each turn is asked about once, and settled once");
    }

    #[test]
    fn turns_outside_of_the_period_are_not_asked_about() {
        let mut log = Log::new((Time(10_000_000_000), Time(20_000_000_000)), PAUSE);
        for (revision, second) in [(1, 5), (2, 15), (3, 25)] {
            log.take(revision, said("c", second, 9));
        }
        log.finish();
        assert_eq!(outs(&mut log), ["ask 2 of 1 messages, 2 lines", "2 SHADOW_ACTUAL_NOBODY"]);
    }
}
