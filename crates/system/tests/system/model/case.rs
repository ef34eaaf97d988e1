//! One conversation of a random history, and everything that its clients were told.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use oracle::{Command, Nanos, Settings};
use proto::v1;
use serde_json::Value;
use tonic::Code;

/// One business: a workspace with a number.
#[derive(Clone, Debug)]
pub(crate) struct Business {
    pub(crate) workspace: String,
    /// The channel's id of the number.
    pub(crate) number: String,
    pub(crate) settings: Settings,
}

impl Business {
    /// What a workspace may choose, it chooses in turn.
    pub(crate) fn nth(nth: usize) -> Business {
        let choices = [(true, true), (false, true), (true, false), (false, false)];
        let (assign_on_write, unassign_on_close) = choices[nth % choices.len()];
        let settings = Settings { assign_on_write, unassign_on_close };
        Business { workspace: format!("world-{nth}"), number: (100_200_300 + nth).to_string(), settings }
    }
}

/// One conversation.
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) workspace: String,
    pub(crate) settings: Settings,
    pub(crate) channel: String,
    /// Set on channels that have a webhook.
    pub(crate) phone_number_id: Option<String>,
    /// The contact's address on the channel.
    pub(crate) contact: String,
    pub(crate) conversation: String,
    /// The highest revision that any client was told.
    newest: AtomicU64,
    journal: Mutex<Journal>,
}

/// What was asked and told, in the order of the answers.
#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) calls: Vec<Call>,
    pub(crate) items: Vec<Item>,
    /// Ids of tickets that were told.
    pub(crate) tickets: Vec<String>,
    /// Ids of messages of ours that were told.
    pub(crate) said: Vec<String>,
    /// Numbers that the contact changed to.
    pub(crate) numbers: Vec<String>,
}

/// A command, and what it was answered.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) command: Command,
    /// What was known before it was sent: the answer can't be of an older state.
    pub(crate) floor: u64,
    /// By our clock.
    pub(crate) sent: Nanos,
    pub(crate) answered: Nanos,
    pub(crate) answer: Answer,
}

/// What a client is told.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Done(Box<Told>),
    Refused(Code, String),
    /// A webhook with an echo was taken: whatever came of the pause, it is done.
    Taken,
    /// An expected revision of something that is no decision held, or did not.
    Expected(bool),
}

/// What a command's success says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) revision: u64,
    /// Of a message or a note.
    pub(crate) words: String,
    pub(crate) opened: Option<v1::Ticket>,
    pub(crate) closed: Vec<v1::Ticket>,
}

/// Something that the world told us, and that was answered as taken.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The channel's id of the message; of a status, of the message that it is about.
    pub(crate) id: String,
    pub(crate) occur: Nanos,
    pub(crate) what: Fact,
    /// As the webhook had it, to be sent again; none of a message without a webhook.
    pub(crate) change: Option<Value>,
}

/// What an item says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Received(String),
    Echoed(String),
    BackFilled {
        inbound: bool,
        text: String,
    },
    Status {
        word: String,
    },
    /// A reaction, an edit or a revocation.
    Changed,
    /// A word of the channel about the contact.
    Contact,
}

impl Case {
    /// One whose conversation is not known yet. Half of the contacts write where there is a webhook.
    pub(crate) fn new(seed: u64, business: &Business) -> Case {
        let webhook = seed.is_multiple_of(2);
        let Business { workspace, number, settings } = business.clone();
        Case {
            seed,
            settings,
            channel: if webhook { format!("whatsapp:{number}") } else { format!("web:{workspace}") },
            workspace,
            phone_number_id: Some(number).filter(|_| webhook),
            contact: format!("{:012}", seed % 1_000_000_000_000),
            conversation: String::new(),
            newest: AtomicU64::new(0),
            journal: Mutex::default(),
        }
    }

    /// The highest revision that was told so far.
    pub(crate) fn newest(&self) -> u64 {
        self.newest.load(Ordering::SeqCst)
    }

    /// A client was told a revision.
    pub(crate) fn tell(&self, revision: u64) {
        self.newest.fetch_max(revision, Ordering::SeqCst);
    }

    pub(crate) fn write(&self, what: impl FnOnce(&mut Journal)) {
        what(&mut self.journal.lock().unwrap());
    }

    pub(crate) fn read<T>(&self, what: impl FnOnce(&Journal) -> T) -> T {
        what(&self.journal.lock().unwrap())
    }
}

/// Our clock.
pub(crate) fn now() -> Nanos {
    bus::now().0
}
