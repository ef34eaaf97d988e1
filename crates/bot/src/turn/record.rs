//! What a turn is recorded as, once, so that the message being handed out again, however late, does nothing.

use bus::{digest, now};
use conversation::{Recent, State};
use proto::v1;
use proto::v1::bot_turn::Deed as Did;
use proto::v1::run::Outcome;

use super::decision::Told;
use super::heard::Heard;
use super::mark::Mark;
use super::options::BOT;

/// What sets a turn off, as runs tell it.
const TRIGGER: &str = "message.received";

/// The run about a message, before anything was done.
pub(super) fn run_of(heard: &Heard) -> v1::Run {
    v1::Run {
        event_revision: i64::try_from(heard.revision).unwrap_or(i64::MAX),
        depth: heard.depth,
        correlation_id: heard.correlation_id.clone(),
        ..run_about(heard.conversation.as_str(), &heard.id)
    }
}

/// What names the run about a message.
pub(super) fn run_about(conversation: &str, message: &str) -> v1::Run {
    v1::Run {
        id: format!("{BOT}/{message}"),
        rule: BOT.to_owned(),
        trigger: TRIGGER.to_owned(),
        event_id: message.to_owned(),
        conversation_id: conversation.to_owned(),
        ..v1::Run::default()
    }
}

/// The command that a turn decides by, as the state remembers it.
pub(super) fn command_of(run: &v1::Run) -> u64 {
    digest(&[b"bot", run.id.as_bytes()])
}

/// The decision of a turn, if it is among the last ones.
pub(super) fn decided(state: &State, run: &v1::Run) -> Option<Recent> {
    let command = command_of(run);
    state.recent.iter().rev().find(|recent| recent.key.command == command).copied()
}

/// A run that did something, or why it did not.
pub(super) fn finished(run: v1::Run, told: Told, turn: v1::BotTurn, revision: u64) -> v1::Run {
    let silent = matches!(turn.deed(), Did::Silent | Did::Joined);
    v1::Run {
        outcome: if silent { Outcome::Skipped } else { Outcome::Done }.into(),
        reason: told.reason,
        actions: told.actions,
        revision: i64::try_from(revision).unwrap_or(i64::MAX),
        time: Some(proto::timestamp(now())),
        turn: Some(turn),
        ..run
    }
}

/// What a turn that was decided before, and not recorded, did.
pub(super) fn found_again(run: v1::Run, recent: Recent) -> v1::Run {
    let mark = Mark::read(recent.key.digest);
    let action = match mark.deed {
        Did::Replied => "reply",
        Did::Clarified => "clarify",
        Did::HandedOff => "hand_off",
        Did::Closed => "close_ticket",
        Did::Unspecified | Did::Joined | Did::Silent => "",
    };
    let done = v1::RunAction {
        action: action.to_owned(),
        outcome: v1::run_action::Outcome::Done.into(),
        detail: format!("done at revision {}", recent.revision),
        ..v1::RunAction::default()
    };
    finished(run, Told { actions: vec![done], reason: String::new() }, turn_of(mark), recent.revision)
}

/// What the next turn has to know of this one.
pub(super) fn turn_of(mark: Mark) -> v1::BotTurn {
    v1::BotTurn {
        deed: mark.deed.into(),
        clarified: mark.clarified,
        unhelpful: mark.unhelpful,
        ..v1::BotTurn::default()
    }
}
