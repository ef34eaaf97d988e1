use std::collections::BTreeSet;

use crate::{
    Action, Actor, ActorKind, Assignee, BotChange, ClosedTicket, Command, Decision, Entry, IfOpen, MAX_OPEN,
    MAX_RECENT, MAX_TAGS, MessageId, OpenTicket, Recent, Refusal, Settings, Stamp, StampKind, State, Time, Verdict,
    Which, evolve,
};

/// What a command does to a conversation: all of its actions in order, or none.
///
/// # Errors
/// A [`Refusal`], of which nothing is recorded.
pub fn decide(state: &State, command: &Command, settings: &Settings, now: Time) -> Result<Verdict, Refusal> {
    if let Some(recent) = state.recent.iter().rev().find(|recent| recent.key.command == command.key.command) {
        let same = recent.key.digest == command.key.digest;
        return if same { Ok(Verdict::Repeat(recent.revision)) } else { Err(Refusal::CommandReused) };
    }
    if command.expected_revision.is_some_and(|expected| state.revision > expected) {
        return Err(Refusal::MovedOn { revision: state.revision });
    }
    let mut draft = Draft::new(state, command, settings, now);
    for action in &command.actions {
        draft.act(action)?;
    }
    draft.finish(state, command)
}

/// A decision in the making: the state moves on with every entry.
struct Draft<'a> {
    actor: &'a Actor,
    settings: &'a Settings,
    time: Time,
    state: State,
    entries: Vec<Entry>,
    closed: Vec<ClosedTicket>,
    found_primary: Option<OpenTicket>,
}

impl<'a> Draft<'a> {
    fn new(state: &State, command: &'a Command, settings: &'a Settings, now: Time) -> Draft<'a> {
        Draft {
            actor: &command.actor,
            settings,
            time: state.last_stamp_time.map_or(now, |last| last.max(now)),
            state: state.clone(),
            entries: Vec::new(),
            closed: Vec::new(),
            found_primary: None,
        }
    }

    fn act(&mut self, action: &Action) -> Result<(), Refusal> {
        if !self.may(action) {
            return Err(Refusal::ActorMayNot);
        }
        match action {
            Action::OpenTicket { topic, assignee, if_open } => self.open(topic, assignee.as_ref(), *if_open)?,
            Action::CloseTicket(which) => self.close(which)?,
            Action::Assign(assignee) => self.assign(assignee),
            Action::Unassign => self.unassign(),
            Action::SendMessage { kind, sealed } => self.say(kind, sealed),
            Action::AddNote { sealed } => self.note(sealed),
            Action::AddTag(tag) => self.add_tag(tag)?,
            Action::RemoveTag(tag) => drop(self.state.tags.remove(tag)),
            Action::PauseBot => self.state.bot_paused = true,
            Action::ResumeBot => self.state.bot_paused = false,
        }
        Ok(())
    }

    /// W8. The system may only pause the bot and let it go on: that is what it does when the business writes
    /// from its own phone.
    fn may(&self, action: &Action) -> bool {
        let system_may = matches!(action, Action::PauseBot | Action::ResumeBot);
        self.actor.kind.may_decide() || (system_may && self.actor.kind == ActorKind::System)
    }

    fn push(&mut self, entry: Entry) {
        evolve(&mut self.state, &entry);
        self.entries.push(entry);
    }

    fn stamp(&mut self, kind: StampKind) {
        self.push(Entry::Stamp(Stamp { actor: self.actor.clone(), time: self.time, kind }));
    }

    fn open(&mut self, topic: &str, assignee: Option<&Assignee>, if_open: IfOpen) -> Result<(), Refusal> {
        let primary = self.state.primary().cloned();
        match (if_open, &primary) {
            (IfOpen::ReturnPrimary, Some(_)) => {
                self.found_primary = primary;
                return Ok(());
            }
            (IfOpen::Refuse, Some(primary)) => return Err(Refusal::TicketOpen { primary: primary.id.clone() }),
            _ => {}
        }
        if self.state.open.len() >= MAX_OPEN {
            return Err(Refusal::TooManyOpen);
        }
        let ticket = self.state.conversation.ticket(self.state.ticket_ordinal.saturating_add(1));
        let primary = primary.map(|primary| primary.id);
        self.stamp(StampKind::Opened { ticket, primary, topic: topic.to_owned() });
        if let Some(assignee) = assignee {
            self.assign(assignee);
        }
        Ok(())
    }

    fn close(&mut self, which: &Which) -> Result<(), Refusal> {
        let target = match which {
            Which::Last => self.state.open.last().ok_or(Refusal::NothingOpen)?,
            Which::All => self.state.open.first().ok_or(Refusal::NothingOpen)?,
            Which::Named(id) => {
                self.state.open_ticket(id).ok_or_else(|| Refusal::TicketNotOpen { ticket: id.clone() })?
            }
        };
        let (id, whole) = (target.id.clone(), target.primary.is_none() || matches!(which, Which::All));
        let closing: Vec<OpenTicket> =
            if whole { self.all_primary_last() } else { self.state.open_ticket(&id).cloned().into_iter().collect() };
        for ticket in closing {
            let assignee = self.state.assignee.clone();
            self.stamp(StampKind::Closed { ticket: ticket.id.clone() });
            self.closed.push(ClosedTicket { ticket, assignee });
        }
        if self.state.open.is_empty() {
            self.end_ownership();
        }
        Ok(())
    }

    /// W4: the nested ones oldest first, then the primary.
    fn all_primary_last(&self) -> Vec<OpenTicket> {
        let (primary, mut nested): (Vec<_>, Vec<_>) =
            self.state.open.iter().cloned().partition(|ticket| ticket.primary.is_none());
        nested.extend(primary);
        nested
    }

    /// What the closing of the last open ticket ends: ownership (W6) and a pause of the bot (W12).
    fn end_ownership(&mut self) {
        if self.settings.unassign_on_close {
            self.unassign();
        }
        self.state.bot_paused = false;
    }

    fn assign(&mut self, assignee: &Assignee) {
        if self.state.assignee.as_ref() != Some(assignee) {
            self.stamp(StampKind::Assigned { assignee: assignee.clone() });
        }
    }

    fn unassign(&mut self) {
        if self.state.assignee.is_some() {
            self.stamp(StampKind::Unassigned);
        }
    }

    fn say(&mut self, kind: &str, sealed: &[u8]) {
        let takes_over = self.actor.kind == ActorKind::Agent && self.settings.assign_on_write;
        if takes_over && self.state.assignee.is_none() {
            self.assign(&Assignee::Agent(self.actor.id.clone()));
        }
        let id = self.next_message();
        self.push(Entry::Message { id, kind: kind.to_owned(), sealed: sealed.to_vec() });
    }

    fn next_message(&self) -> MessageId {
        self.state.conversation.message(self.state.message_ordinal.saturating_add(1))
    }

    fn note(&mut self, sealed: &[u8]) {
        let id = self.next_message();
        self.push(Entry::Note { id, sealed: sealed.to_vec() });
    }

    fn add_tag(&mut self, tag: &str) -> Result<(), Refusal> {
        if self.state.tags.len() >= MAX_TAGS && !self.state.tags.contains(tag) {
            return Err(Refusal::TooManyTags);
        }
        self.state.tags.insert(tag.to_owned());
        Ok(())
    }

    /// W12, judged on the state before the decision. A farewell passes too: words that go with the closing of
    /// every open ticket, all of them the bot's own.
    fn bot_may_speak(&self, before: &State) -> bool {
        let own = before.open.iter().all(|ticket| ticket.opened_by.kind == ActorKind::Bot);
        let farewell = !before.open.is_empty() && own && !before.bot_paused && self.closes_all_of(before);
        before.bot_holds() || farewell
    }

    fn closes_all_of(&self, before: &State) -> bool {
        before.open.iter().all(|open| self.closed.iter().any(|closed| closed.ticket.id == open.id))
    }

    fn finish(mut self, before: &State, command: &Command) -> Result<Verdict, Refusal> {
        let speaks = self.entries.iter().any(|entry| matches!(entry, Entry::Message { .. }));
        if self.actor.kind == ActorKind::Bot && speaks && !self.bot_may_speak(before) {
            return Err(Refusal::BotDoesNotHold);
        }
        let tags_added = missing(&self.state.tags, &before.tags);
        let tags_removed = missing(&before.tags, &self.state.tags);
        let bot_change = match (before.bot_paused, self.state.bot_paused) {
            (false, true) => Some(BotChange::Paused),
            (true, false) => Some(BotChange::Resumed),
            _ => None,
        };
        if self.entries.is_empty() && tags_added.is_empty() && tags_removed.is_empty() && bot_change.is_none() {
            return Ok(Verdict::Nothing { revision: before.revision, primary: self.found_primary });
        }
        remember(&mut self.state, command);
        Ok(Verdict::Append(Box::new(Decision {
            actor: self.actor.clone(),
            time: self.time,
            entries: self.entries,
            tags_added,
            tags_removed,
            bot_change,
            closed: self.closed,
            after: self.state,
        })))
    }
}

fn missing(from: &BTreeSet<String>, other: &BTreeSet<String>) -> Vec<String> {
    from.difference(other).cloned().collect()
}

fn remember(state: &mut State, command: &Command) {
    if state.recent.len() >= MAX_RECENT {
        state.recent.pop_front();
    }
    state.recent.push_back(Recent { key: command.key, revision: 0 });
}
