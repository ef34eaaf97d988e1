//! What the actors of a random history come up with.

use fastrand::Rng;
use oracle::{Action, Actor, Assignee, Command, IfOpen, Kind, Which};

use super::case::{Case, Journal};

/// A command of any actor, under a fresh id.
pub(crate) fn command(random: &mut Rng, case: &Case) -> Command {
    let actor = actor(random);
    Command {
        id: format!("command-{:x}", random.u64(..)),
        actions: vec![case.read(|journal| action(random, &case.conversation, journal))],
        actor,
        expected_revision: expectation(random, case),
    }
}

/// Mostly none; what was told last, something older, or a fact since.
pub(crate) fn expectation(random: &mut Rng, case: &Case) -> Option<u64> {
    let newest = case.newest();
    match random.u8(..16) {
        0..11 => None,
        11..13 => Some(newest),
        13 => Some(newest.saturating_sub(random.u64(1..60))),
        14 => Some(newest + random.u64(..40)),
        _ => Some(0),
    }
}

/// A command of before: as it was, with another payload, or expecting something else.
pub(crate) fn again(random: &mut Rng, case: &Case) -> Option<Command> {
    let mut command = case.read(|journal| {
        let asked: Vec<&Command> =
            journal.calls.iter().map(|call| &call.command).filter(|command| is_ours(command)).collect();
        // The last ones more often than those that may be forgotten.
        let last = asked.len().saturating_sub(6);
        let from = if random.bool() { last } else { 0 };
        (!asked.is_empty()).then(|| asked[random.usize(from..asked.len())].clone())
    })?;
    match random.u8(..8) {
        0..5 => {}
        5 => command.actions = vec![Action::Tag("other".to_owned())],
        6 => command.actor = Actor::new(Kind::Agent, "cleo"),
        _ => command.expected_revision = expectation(random, case),
    }
    Some(command)
}

/// Whether a client sent it: pauses after echoes are the system's own.
fn is_ours(command: &Command) -> bool {
    command.id.starts_with("command-")
}

fn actor(random: &mut Rng) -> Actor {
    let (kind, id) = match random.u8(..20) {
        0..6 => (Kind::Agent, "ann"),
        6..9 => (Kind::Agent, "ben"),
        9..15 => (Kind::Bot, "bot"),
        15..18 => (Kind::Automation, "rule"),
        18 => (Kind::System, "system"),
        _ => (Kind::Customer, ""),
    };
    let name = if random.u8(..3) == 0 { format!("{id} of Acme") } else { String::new() };
    Actor { name, ..Actor::new(kind, id) }
}

fn action(random: &mut Rng, conversation: &str, known: &Journal) -> Action {
    match random.u8(..24) {
        0..5 => open(random),
        5..9 => Action::Close(which(random, conversation, known)),
        9..12 => Action::Assign(assignee(random)),
        12..14 => Action::Unassign,
        14..18 => Action::Say(words(random)),
        18 => Action::Note(format!("note {}", random.u32(..))),
        19..21 => Action::Tag(tag(random)),
        21 => Action::Untag(tag(random)),
        22 => Action::Pause,
        _ => Action::Resume,
    }
}

/// Many tickets, or many tags: up to the bounds and past them.
pub(crate) fn towards_the_bounds(random: &mut Rng, nth: usize, tags: bool) -> Command {
    let action = if tags {
        Action::Tag(format!("t{nth}"))
    } else {
        Action::Open { topic: String::new(), assignee: None, if_open: IfOpen::Nest }
    };
    Command {
        id: format!("command-{:x}", random.u64(..)),
        actor: Actor::new(Kind::Agent, "ann"),
        actions: vec![action],
        expected_revision: None,
    }
}

fn open(random: &mut Rng) -> Action {
    let if_open = if random.u8(..4) == 0 { IfOpen::ReturnPrimary } else { IfOpen::Nest };
    let topic = random.choice(["", "refund", "order"]).unwrap().to_owned();
    let assignee = (random.u8(..3) == 0).then(|| assignee(random));
    Action::Open { topic, assignee, if_open }
}

fn which(random: &mut Rng, conversation: &str, known: &Journal) -> Which {
    match random.u8(..10) {
        0..3 => Which::Last,
        3..6 if !known.tickets.is_empty() => Which::Named(random.choice(&known.tickets).unwrap().clone()),
        3..8 => Which::All,
        8 => Which::Named(format!("{conversation}-{}", random.usize(..known.tickets.len() + 3))),
        _ => Which::Named((*random.choice(&["other-1", "-", "c-01", "c-m1"]).unwrap()).to_owned()),
    }
}

fn assignee(random: &mut Rng) -> Assignee {
    match random.u8(..4) {
        0 => Assignee::new("ann", ""),
        1 => Assignee::new("ben", ""),
        2 => Assignee::new("", "billing"),
        _ => Assignee::new("ann", "billing"),
    }
}

fn words(random: &mut Rng) -> String {
    let kind = random.choice(["", "", "template ", "buttons ", "image "]).unwrap();
    format!("{kind}hello{}", random.u32(..))
}

fn tag(random: &mut Rng) -> String {
    (*random.choice(&["vip", "late", "eu"]).unwrap()).to_owned()
}
