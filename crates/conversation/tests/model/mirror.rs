//! The oracle's words in the domain's, and back, to lay both answers side by side.

use std::hash::{DefaultHasher, Hash, Hasher};

use conversation::{
    ActorKind, BotChange, Command, CommandKey, Decision, Entry, Refusal, Settings, StampKind, State, TicketId, Time,
    Verdict,
};
use oracle::{Actor, Answer, Assignee, Kind, OpenTicket, Reason, Standing, Step};

/// What came of a command, as far as both sides tell: tags and pause by their net change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done { time: i64, entries: Vec<Step>, added: Vec<String>, removed: Vec<String>, paused: Option<bool> },
    Repeat(u64),
    Nothing { revision: u64, primary: Option<String> },
    Refused(Reason),
}

pub(crate) fn digest(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

pub(crate) fn command(command: &oracle::Command) -> Command {
    let wanted = format!("{:?}{:?}", command.actor, command.actions);
    Command {
        actor: to_actor(&command.actor),
        actions: command.actions.iter().map(action).collect(),
        key: CommandKey { command: digest(&command.id), digest: digest(&wanted), causation: 0 },
        expected_revision: command.expected_revision,
    }
}

fn action(action: &oracle::Action) -> conversation::Action {
    use conversation::Action;
    use oracle::Action as Wanted;
    match action {
        Wanted::Open { topic, assignee, if_open } => Action::OpenTicket {
            topic: topic.clone(),
            assignee: assignee.as_ref().map(to_assignee),
            if_open: match if_open {
                oracle::IfOpen::Nest => conversation::IfOpen::Nest,
                oracle::IfOpen::ReturnPrimary => conversation::IfOpen::ReturnPrimary,
                oracle::IfOpen::Refuse => conversation::IfOpen::Refuse,
            },
        },
        Wanted::Close(which) => Action::CloseTicket(match which {
            oracle::Which::Last => conversation::Which::Last,
            oracle::Which::All => conversation::Which::All,
            oracle::Which::Named(id) => conversation::Which::Named(TicketId::new(id)),
        }),
        Wanted::Assign(assignee) => Action::Assign(to_assignee(assignee)),
        Wanted::Unassign => Action::Unassign,
        Wanted::Say(text) => Action::SendMessage { kind: "text".to_owned(), sealed: text.clone().into_bytes() },
        Wanted::Note(text) => Action::AddNote { sealed: text.clone().into_bytes() },
        Wanted::Tag(tag) => Action::AddTag(tag.clone()),
        Wanted::Untag(tag) => Action::RemoveTag(tag.clone()),
        Wanted::Pause => Action::PauseBot,
        Wanted::Resume => Action::ResumeBot,
    }
}

pub(crate) fn to_actor(actor: &Actor) -> conversation::Actor {
    let kind = match actor.kind {
        Kind::Customer => ActorKind::Customer,
        Kind::Bot => ActorKind::Bot,
        Kind::Automation => ActorKind::Automation,
        Kind::Agent => ActorKind::Agent,
        Kind::System => ActorKind::System,
    };
    conversation::Actor::new(kind, &actor.id)
}

pub(crate) fn to_assignee(assignee: &Assignee) -> conversation::Assignee {
    conversation::Assignee::from_ids(&assignee.agent, &assignee.team).unwrap()
}

pub(crate) fn from_assignee(assignee: &conversation::Assignee) -> Assignee {
    Assignee::new(assignee.agent().unwrap_or_default(), assignee.team().unwrap_or_default())
}

pub(crate) fn of_domain(verdict: &Result<Verdict, Refusal>) -> Outcome {
    match verdict {
        Ok(Verdict::Append(decision)) => done(decision),
        Ok(Verdict::Repeat(revision)) => Outcome::Repeat(*revision),
        Ok(Verdict::Nothing { revision, primary }) => {
            let primary = primary.as_ref().map(|primary| primary.id.to_string());
            Outcome::Nothing { revision: *revision, primary }
        }
        Err(refusal) => Outcome::Refused(reason(refusal)),
    }
}

fn done(decision: &Decision) -> Outcome {
    let mut closed = decision.closed.iter();
    let step = |entry: &Entry| match entry {
        Entry::Message { id, .. } => Step::Said(id.as_str().to_owned()),
        Entry::Note { id, .. } => Step::Noted(id.as_str().to_owned()),
        Entry::Stamp(stamp) => {
            assert_eq!(
                (stamp.time, &stamp.actor),
                (decision.time, &decision.actor),
                "a stamp of another time or actor"
            );
            match &stamp.kind {
                StampKind::Opened { ticket, primary, topic } => Step::Opened {
                    ticket: ticket.to_string(),
                    primary: primary.as_ref().map(TicketId::to_string),
                    topic: topic.clone(),
                },
                StampKind::Closed { ticket } => {
                    let window = closed.next().filter(|closed| closed.ticket.id == *ticket).expect("its window");
                    let assignee = window.assignee.as_ref().map(from_assignee);
                    Step::Closed { ticket: ticket.to_string(), assignee }
                }
                StampKind::Assigned { assignee } => Step::Assigned(from_assignee(assignee)),
                StampKind::Unassigned => Step::Unassigned,
            }
        }
    };
    Outcome::Done {
        time: decision.time.0,
        entries: decision.entries.iter().map(step).collect(),
        added: decision.tags_added.clone(),
        removed: decision.tags_removed.clone(),
        paused: decision.bot_change.map(|change| change == BotChange::Paused),
    }
}

fn reason(refusal: &Refusal) -> Reason {
    match refusal {
        Refusal::ActorMayNot => Reason::ActorMayNot,
        Refusal::TicketNotOpen { ticket } => Reason::TicketNotOpen(ticket.to_string()),
        Refusal::NothingOpen => Reason::NothingOpen,
        Refusal::TicketOpen { primary } => Reason::TicketOpen(primary.to_string()),
        Refusal::TooManyOpen => Reason::TooManyOpen,
        Refusal::BotDoesNotHold => Reason::BotDoesNotHold,
        Refusal::TooManyTags => Reason::TooManyTags,
        Refusal::CommandReused => Reason::CommandReused,
        Refusal::MovedOn { revision } => Reason::MovedOn(*revision),
    }
}

/// The oracle's answer, given how things stood before it and how they stand after.
pub(crate) fn of_oracle(answer: &Answer, before: &Standing, after: &Standing) -> Outcome {
    match answer {
        Answer::Done { time, steps } => Outcome::Done {
            time: *time,
            entries: steps.iter().filter(|step| step.is_entry()).cloned().collect(),
            added: after.tags.difference(&before.tags).cloned().collect(),
            removed: before.tags.difference(&after.tags).cloned().collect(),
            paused: (before.paused != after.paused).then_some(after.paused),
        },
        Answer::Repeat(revision) => Outcome::Repeat(*revision),
        Answer::Nothing { revision, primary } => Outcome::Nothing { revision: *revision, primary: primary.clone() },
        Answer::Refused(reason) => Outcome::Refused(reason.clone()),
    }
}

/// The domain's state in the oracle's words.
pub(crate) fn standing_of(state: &State) -> Standing {
    let open = state.open.iter().map(|ticket| OpenTicket {
        id: ticket.id.to_string(),
        primary: ticket.primary.as_ref().map(TicketId::to_string),
        topic: ticket.topic.clone(),
        opener: from_actor(&ticket.opened_by),
        open_time: ticket.open_time.0,
        open_revision: ticket.open_revision,
    });
    Standing {
        open: open.collect(),
        assignee: state.assignee.as_ref().map(from_assignee),
        paused: state.bot_paused,
        tags: state.tags.clone(),
        tickets: state.ticket_ordinal,
        words: state.message_ordinal,
        last_stamp: state.last_stamp_time.map(|time| time.0),
    }
}

pub(crate) fn from_actor(actor: &conversation::Actor) -> Actor {
    let kind = match actor.kind {
        ActorKind::Customer => Kind::Customer,
        ActorKind::Bot => Kind::Bot,
        ActorKind::Automation => Kind::Automation,
        ActorKind::Agent => Kind::Agent,
        ActorKind::System => Kind::System,
    };
    Actor::new(kind, &actor.id)
}

pub(crate) fn settings(settings: oracle::Settings) -> Settings {
    Settings { assign_on_write: settings.assign_on_write, unassign_on_close: settings.unassign_on_close }
}

pub(crate) fn to_settings(settings: Settings) -> oracle::Settings {
    let Settings { assign_on_write, unassign_on_close } = settings;
    oracle::Settings { assign_on_write, unassign_on_close }
}

pub(crate) fn to_time(time: i64) -> Time {
    Time(time)
}
