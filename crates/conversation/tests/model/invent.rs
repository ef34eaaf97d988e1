//! What the actors of a random history come up with.

use oracle::{Action, Actor, Assignee, IfOpen, Kind, Settings, Which};

use crate::dice::Dice;

/// What a history has most of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taste {
    /// Something of everything.
    Mixed,
    /// Many decisions, and repeats of old ones.
    Repeating,
    /// Many openings and few closings.
    Opening,
}

/// What an actor knows of the conversation, or thinks to know.
pub(crate) struct Known<'a> {
    pub(crate) conversation: &'a str,
    pub(crate) tickets: u64,
    pub(crate) open: Vec<&'a str>,
    pub(crate) assignee: Option<&'a Assignee>,
}

pub(crate) fn actor(dice: &mut Dice, taste: Taste) -> Actor {
    let agents_alone = taste == Taste::Repeating && dice.one_in(2);
    let (kind, id) = match dice.roll(if agents_alone { 9 } else { 20 }) {
        0..=5 => (Kind::Agent, "ann"),
        6..=8 => (Kind::Agent, "ben"),
        9..=14 => (Kind::Bot, "bot"),
        15..=17 => (Kind::Automation, "rule"),
        18 => (Kind::System, "system"),
        _ => (Kind::Customer, ""),
    };
    Actor::new(kind, id)
}

pub(crate) fn settings(dice: &mut Dice) -> Settings {
    let (assign_on_write, unassign_on_close) = match dice.roll(8) {
        0..=4 => (true, true),
        5 => (false, true),
        6 => (true, false),
        _ => (false, false),
    };
    Settings { assign_on_write, unassign_on_close }
}

/// One action, several, a handoff or a farewell.
pub(crate) fn actions(dice: &mut Dice, taste: Taste, known: &Known) -> Vec<Action> {
    if taste == Taste::Opening && dice.one_in(4) {
        return towards_the_bounds(dice);
    }
    if taste == Taste::Repeating && !dice.one_in(3) {
        return vec![Action::Note("so that there is a decision".to_owned())];
    }
    match dice.roll(12) {
        0..=7 => vec![action(dice, taste, known)],
        8 => handoff(dice),
        9 => farewell(dice, known),
        10 => (0..2 + dice.roll(3)).map(|_| action(dice, taste, known)).collect(),
        _ => (0..dice.roll(4)).map(|_| action(dice, taste, known)).collect(),
    }
}

/// Many tickets, or many tags, at once.
fn towards_the_bounds(dice: &mut Dice) -> Vec<Action> {
    let nest = Action::Open { topic: String::new(), assignee: None, if_open: IfOpen::Nest };
    match dice.roll(2) {
        0 => vec![nest; usize::try_from(2 + dice.roll(9)).unwrap()],
        _ => {
            let first = dice.roll(70);
            (first..first + 2 + dice.roll(20)).map(|n| Action::Tag(format!("t{n}"))).collect()
        }
    }
}

fn handoff(dice: &mut Dice) -> Vec<Action> {
    let if_open = if_open(dice);
    let open = Action::Open { topic: "help".to_owned(), assignee: maybe_assignee(dice), if_open };
    let mut all = vec![open, Action::Note("summary".to_owned()), say(dice)];
    if dice.one_in(3) {
        all.rotate_right(1);
    }
    all
}

fn farewell(dice: &mut Dice, known: &Known) -> Vec<Action> {
    let mut all = vec![say(dice), Action::Close(which(dice, known))];
    if dice.one_in(2) {
        all.reverse();
    }
    all
}

fn action(dice: &mut Dice, taste: Taste, known: &Known) -> Action {
    let opens_up_to = if taste == Taste::Opening { 15 } else { 5 };
    let closes_up_to = if taste == Taste::Opening { 16 } else { 10 };
    match dice.roll(24) {
        n if n < opens_up_to => open(dice),
        n if n < closes_up_to && taste == Taste::Opening => Action::Close(Which::Last),
        n if n < closes_up_to => Action::Close(which(dice, known)),
        10..=12 => Action::Assign(assignee(dice, known)),
        13 | 14 => Action::Unassign,
        15..=17 => say(dice),
        18 => Action::Note("note".to_owned()),
        19 | 20 => Action::Tag(tag(dice)),
        21 => Action::Untag(tag(dice)),
        22 => Action::Pause,
        _ => Action::Resume,
    }
}

fn open(dice: &mut Dice) -> Action {
    let if_open = if_open(dice);
    let topic = ["", "refund", "order"][dice.roll(3) as usize].to_owned();
    Action::Open { topic, assignee: maybe_assignee(dice), if_open }
}

fn if_open(dice: &mut Dice) -> IfOpen {
    match dice.roll(6) {
        0..=3 => IfOpen::Nest,
        4 => IfOpen::ReturnPrimary,
        _ => IfOpen::Refuse,
    }
}

fn which(dice: &mut Dice, known: &Known) -> Which {
    match dice.roll(10) {
        0..=2 => Which::Last,
        3..=5 => Which::Named((*dice.pick(&known.open).unwrap_or(&"")).to_owned()),
        6 | 7 => Which::All,
        8 => Which::Named(format!("{}-{}", known.conversation, dice.roll(known.tickets + 3))),
        _ => Which::Named(["other-1", "", "-", "c-01", "c-m1"][dice.roll(5) as usize].to_owned()),
    }
}

fn assignee(dice: &mut Dice, known: &Known) -> Assignee {
    match dice.roll(5) {
        0 => Assignee::new("ann", ""),
        1 => Assignee::new("ben", ""),
        2 => Assignee::new("", "billing"),
        3 => Assignee::new("ann", "billing"),
        _ => known.assignee.cloned().unwrap_or(Assignee::new("ann", "")),
    }
}

fn maybe_assignee(dice: &mut Dice) -> Option<Assignee> {
    match dice.roll(6) {
        0..=3 => None,
        4 => Some(Assignee::new("", "billing")),
        _ => Some(Assignee::new("ann", "")),
    }
}

fn say(dice: &mut Dice) -> Action {
    Action::Say(["hello", "solved", "wait"][dice.roll(3) as usize].to_owned())
}

/// A few that come and go, and now and then one of so many that the bound is met.
fn tag(dice: &mut Dice) -> String {
    if dice.one_in(3) { format!("t{}", dice.roll(80)) } else { ["vip", "late"][dice.roll(2) as usize].to_owned() }
}
