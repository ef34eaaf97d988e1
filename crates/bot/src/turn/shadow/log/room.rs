//! What is kept of all conversations, and what goes when there is too much of it: the oldest.

use std::collections::VecDeque;
use std::sync::Arc;

use conversation::Revision;
use proto::v1::ShadowActual as Actual;

use super::super::ask::Line;
use super::chat::Chat;
use super::{Log, Out};
use crate::turn::gather::Stand;

/// Lines of a conversation that are kept: what a brain is told of the past is no longer.
pub(super) const MAX_LINES: usize = 100;
/// Bytes of lines that are kept of all conversations; the oldest go first.
pub(super) const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Turns of a conversation, and of all, that wait for somebody to do something about them; the oldest go first.
pub(super) const MAX_WAITING: usize = 16;
const MAX_WAITING_IN_ALL: usize = 100_000;

impl Log {
    pub(super) fn keep(&mut self, conversation: &Arc<str>, line: Line) {
        self.bytes += line.bytes();
        self.lines.push(line.revision, conversation);
        let chat = self.chat(conversation);
        chat.lines.push_back(line);
        if chat.lines.len() > MAX_LINES {
            self.drop_line(conversation);
        }
    }

    fn drop_line(&mut self, conversation: &Arc<str>) {
        let line = self.chats.get_mut(conversation).and_then(|chat| chat.lines.pop_front());
        if let Some(line) = line {
            self.bytes -= line.bytes();
            self.lines.live -= 1;
        }
    }

    /// The oldest turn of a conversation that waits is given up: nobody did anything about it.
    pub(super) fn give_up(&mut self, conversation: &Arc<str>) {
        let first = self.chats.get_mut(conversation).and_then(|chat| chat.waiting.pop_front());
        if let Some((revision, half)) = first {
            self.waiting.live -= 1;
            self.given_up += 1;
            self.out.push(Out::Done(revision, half.unwrap_or(Actual::Nobody)));
        }
    }

    pub(super) fn make_room(&mut self) {
        while self.bytes > MAX_BYTES {
            let Some((revision, conversation)) = self.lines.all.pop_front() else { break };
            let first = |chat: &Chat| chat.lines.front().is_some_and(|line| line.revision <= revision);
            if self.chats.get(&conversation).is_some_and(first) {
                self.drop_line(&conversation);
                self.forget(&conversation);
            }
        }
        while self.waiting.live > MAX_WAITING_IN_ALL {
            let Some((revision, conversation)) = self.waiting.all.pop_front() else { break };
            let first = |chat: &Chat| chat.waiting.front().is_some_and(|(waits, _)| *waits <= revision);
            if self.chats.get(&conversation).is_some_and(first) {
                self.give_up(&conversation);
                self.forget(&conversation);
            }
        }
        let chats = &self.chats;
        self.lines.tidy(|revision, conversation| {
            let first = chats.get(conversation).and_then(|chat| chat.lines.front());
            first.is_some_and(|line| line.revision <= revision)
        });
        self.waiting.tidy(|revision, conversation| {
            let first = chats.get(conversation).and_then(|chat| chat.waiting.front());
            first.is_some_and(|(waits, _)| *waits <= revision)
        });
    }

    /// Forgets a conversation of which nothing is to be known.
    pub(super) fn forget(&mut self, conversation: &Arc<str>) {
        let plain = |chat: &Chat| {
            let holds = chat.stand == Some(Stand::Holds);
            holds && chat.lines.is_empty() && chat.turn.is_none() && chat.waiting.is_empty()
        };
        if self.chats.get(conversation).is_some_and(plain) {
            self.chats.remove(conversation);
        }
    }
}

/// Places in conversations, oldest first; some may be gone already.
#[derive(Default)]
pub(super) struct Oldest {
    pub(super) all: VecDeque<(Revision, Arc<str>)>,
    pub(super) live: usize,
}

impl Oldest {
    pub(super) fn push(&mut self, revision: Revision, conversation: &Arc<str>) {
        self.all.push_back((revision, conversation.clone()));
        self.live += 1;
    }

    /// Takes out those that are gone, once they are the most.
    pub(super) fn tidy(&mut self, is_there: impl Fn(Revision, &str) -> bool) {
        if self.all.len() > 2 * self.live + 1_024 {
            self.all.retain(|(revision, conversation)| is_there(*revision, conversation));
        }
    }
}
