use std::collections::BTreeSet;

use crate::{Actor, Assignee, Nanos, Past, Step};

/// How a conversation stands after some decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The open tickets in the order of their opening.
    pub open: Vec<OpenTicket>,
    /// Who owns the conversation.
    pub assignee: Option<Assignee>,
    /// Whether the bot was silenced.
    pub paused: bool,
    /// The tags.
    pub tags: BTreeSet<String>,
    /// Tickets opened so far.
    pub tickets: u64,
    /// Messages and notes decided so far.
    pub words: u64,
    /// The latest time of a stamp.
    pub last_stamp: Option<Nanos>,
}

/// A ticket that was opened and not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTicket {
    /// Its id.
    pub id: String,
    /// The primary of a nested one.
    pub primary: Option<String>,
    /// What it is about.
    pub topic: String,
    /// Who opened it.
    pub opener: Actor,
    /// When.
    pub open_time: Nanos,
    /// The decision.
    pub open_revision: u64,
}

/// How a conversation stands after all these decisions, from the first one on.
pub fn standing<'a>(past: impl IntoIterator<Item = &'a Past>) -> Standing {
    let all: Vec<(&Past, &Step)> =
        past.into_iter().flat_map(|past| past.steps.iter().map(move |s| (past, s))).collect();
    let count = |which: fn(&Step) -> bool| all.iter().filter(|(_, step)| which(step)).count() as u64;
    Standing {
        open: open(&all),
        assignee: assignee(&all),
        paused: paused(&all),
        tags: tags(&all),
        tickets: count(|step| matches!(step, Step::Opened { .. })),
        words: count(|step| matches!(step, Step::Said(_) | Step::Noted(_))),
        last_stamp: all.iter().filter(|(_, step)| step.is_stamp()).map(|(past, _)| past.time).max(),
    }
}

fn open(all: &[(&Past, &Step)]) -> Vec<OpenTicket> {
    let closed = |id: &String| all.iter().any(|(_, step)| matches!(step, Step::Closed { ticket, .. } if ticket == id));
    let mut open = Vec::new();
    for (past, step) in all {
        let Step::Opened { ticket, primary, topic } = step else { continue };
        if !closed(ticket) {
            open.push(OpenTicket {
                id: ticket.clone(),
                primary: primary.clone(),
                topic: topic.clone(),
                opener: past.command.actor.clone(),
                open_time: past.time,
                open_revision: past.revision,
            });
        }
    }
    open
}

fn assignee(all: &[(&Past, &Step)]) -> Option<Assignee> {
    let mut assignee = None;
    for (_, step) in all {
        match step {
            Step::Assigned(to) => assignee = Some(to.clone()),
            Step::Unassigned => assignee = None,
            _ => {}
        }
    }
    assignee
}

fn paused(all: &[(&Past, &Step)]) -> bool {
    let last = all.iter().rfind(|(_, step)| matches!(step, Step::Paused | Step::Resumed));
    last.is_some_and(|(_, step)| **step == Step::Paused)
}

fn tags(all: &[(&Past, &Step)]) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    for (_, step) in all {
        match step {
            Step::Tagged(tag) => drop(tags.insert(tag.clone())),
            Step::Untagged(tag) => drop(tags.remove(tag)),
            _ => {}
        }
    }
    tags
}
