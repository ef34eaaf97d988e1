//! What agents and the bot decided, decided again on the simulated conversation; what automations decided is left out.

use conversation::{
    Action as Deed, Actor, ActorKind, Assignee, Command, CommandKey, Decision, Entry, IfOpen, Settings, StampKind,
    State, TicketId, Time, Verdict, Which,
};
use proto::v1;
use proto::v1::decided::BotChange;

use super::draft::Words;
use super::sim::{Pending, Sim};
use crate::assign::Reflected;
use crate::condition::{ActorFields, AssigneeFields, TicketFields};
use crate::engine::{actor_fields, assignee_fields};

/// What a decision of the log comes to as a command.
struct Replayed {
    deeds: Vec<Deed>,
    /// Tickets of the log that it opened, in order.
    opened: Vec<TicketId>,
    /// What can't be done, since what it is about is not there.
    left_out: u64,
}

/// What a simulated decision follows from.
pub(super) struct Cause {
    pub(super) event_id: String,
    /// Of the log; 0 for what is only simulated.
    pub(super) revision: u64,
    pub(super) correlation_id: String,
    pub(super) depth: u32,
    /// The rule that decided.
    pub(super) rule: Option<usize>,
}

impl<W: Words> Sim<W> {
    /// A decision before the period is taken as it is.
    pub(super) fn adopt(&mut self, at: usize, event: &v1::Event, decided: &v1::Decided, time: Time) {
        let actor = event.actor.as_ref().and_then(proto::actor_from);
        let says = |entry: &v1::DecidedEntry| matches!(entry.entry, Some(v1::decided_entry::Entry::Message(_)));
        if let Some(actor) = actor.filter(|_| decided.entries.iter().any(says)) {
            self.said(at, &actor, time);
        }
        let (place, chat) = (self.place, &mut self.chats[at]);
        let after = decided.after.clone().unwrap_or_default();
        chat.state = Some(Box::new(proto::state_from(chat.id.clone(), &after, place)));
        if self.draft.needs.last_ticket {
            let mut primaries = decided.closed.iter().filter_map(|closed| Some((closed.window.as_ref()?, closed)));
            if let Some((window, closed)) = primaries.rfind(|(window, _)| window.primary_id.is_empty()) {
                let ticket = TicketFields {
                    id: window.ticket_id.clone(),
                    topic: window.topic.clone(),
                    opened_by: actor_fields(window.opened_by.as_ref()),
                    open_time: window.open_time.as_ref().and_then(proto::time).unwrap_or_default(),
                    closed_by: Some(actor_fields(event.actor.as_ref())),
                    close_time: Some(time),
                    assignee: assignee_fields(closed.assignee.as_ref()),
                    ..TicketFields::default()
                };
                self.chats[at].last_ticket = Some(Box::new(ticket));
            }
        }
        if self.draft.rotates {
            let stamps = decided.entries.iter().filter_map(|entry| match &entry.entry {
                Some(v1::decided_entry::Entry::Stamp(stamp)) => stamp.kind.as_ref(),
                _ => None,
            });
            let (mut assigned, mut any) = (false, false);
            for stamp in stamps {
                any = true;
                assigned |= matches!(stamp, v1::stamp::Kind::Assigned(_));
            }
            if any {
                self.reflect(at, assigned, !decided.closed.is_empty());
            }
        }
    }

    /// A decision in the period.
    pub(super) fn replay(&mut self, at: usize, event: &v1::Event, decided: &v1::Decided, revision: u64) {
        let Some(actor) = event.actor.as_ref().and_then(proto::actor_from) else { return };
        let automated = actor.kind == ActorKind::Automation;
        self.chats[at].live().actual.add_recorded(decided, automated, &mut self.people);
        if automated {
            for entry in &decided.entries {
                if let Some(v1::decided_entry::Entry::Message(message)) = &entry.entry {
                    self.leave_unsaid(at, &message.id);
                }
            }
            return;
        }
        let settings = self.draft.settings;
        let Replayed { deeds, opened, left_out } = self.command(at, &actor, decided, &settings);
        self.left_out += left_out;
        let cause = Cause {
            event_id: event.id.clone(),
            revision,
            correlation_id: if event.correlation_id.is_empty() { &event.id } else { &event.correlation_id }.clone(),
            depth: event.depth,
            rule: None,
        };
        match self.decide(at, &actor, &deeds, &cause) {
            Ok(now_open) => self.pair(at, opened, now_open),
            // The bot is silent in a conversation that it does not hold (W12): nothing of such a decision is left.
            Err(()) if actor.kind == ActorKind::Bot => self.left_out += deeds.len() as u64,
            Err(()) => {
                let mut opened = opened.into_iter();
                for deed in deeds {
                    let opens = matches!(deed, Deed::OpenTicket { .. });
                    let ticket = if opens { opened.next() } else { None };
                    match self.decide(at, &actor, &[deed], &cause) {
                        Ok(now_open) => self.pair(at, ticket.into_iter().collect(), now_open),
                        Err(()) => self.left_out += 1,
                    }
                }
            }
        }
    }

    /// Tickets that the log opened, and what came of opening them here.
    fn pair(&mut self, at: usize, opened: Vec<TicketId>, now_open: Vec<TicketId>) {
        if opened.is_empty() {
            return;
        }
        let primary = self.chats[at].state().primary().map(|primary| primary.id.clone());
        let live = self.chats[at].live();
        if now_open.is_empty() {
            // Found open instead.
            live.tickets.extend(opened.into_iter().zip(primary));
        } else {
            live.tickets.extend(opened.into_iter().zip(now_open));
        }
    }

    fn command(&mut self, at: usize, actor: &Actor, decided: &v1::Decided, settings: &Settings) -> Replayed {
        let chat = &mut self.chats[at];
        chat.live();
        chat.state();
        let (Some(state), Some(live)) = (&chat.state, &mut chat.live) else {
            return Replayed { deeds: Vec::new(), opened: Vec::new(), left_out: 0 };
        };
        let entries: Vec<Entry> = decided.entries.iter().filter_map(proto::entry_from).collect();
        let none_open = decided.after.as_ref().is_none_or(|after| after.open.is_empty());
        let closes_last = !decided.closed.is_empty() && none_open;
        let opens = entries.iter().any(|entry| opened_by(entry).is_some());
        let mut replayed = Replayed { deeds: Vec::new(), opened: Vec::new(), left_out: 0 };
        let mut closing: Vec<TicketId> = Vec::new();
        for (nth, entry) in entries.iter().enumerate() {
            let deed = match entry {
                Entry::Message { kind, sealed, .. } => Deed::SendMessage { kind: kind.clone(), sealed: sealed.clone() },
                Entry::Note { sealed, .. } => Deed::AddNote { sealed: sealed.clone() },
                Entry::Stamp(stamp) => match &stamp.kind {
                    StampKind::Opened { ticket, topic, .. } => {
                        replayed.opened.push(ticket.clone());
                        // The bot opens unless a ticket is open; people open what they ask for.
                        let if_open = if actor.kind == ActorKind::Bot { IfOpen::ReturnPrimary } else { IfOpen::Nest };
                        Deed::OpenTicket { topic: topic.clone(), assignee: None, if_open }
                    }
                    // Opened and closed at once.
                    StampKind::Closed { ticket } if replayed.opened.contains(ticket) => Deed::CloseTicket(Which::Last),
                    StampKind::Closed { ticket } => {
                        let nested = is_nested(decided, ticket);
                        let Some(like) = like(state, &live.tickets, &closing, ticket, nested) else {
                            replayed.left_out += 1;
                            continue;
                        };
                        live.tickets.retain(|(real, _)| real != ticket);
                        closing.push(like.clone());
                        Deed::CloseTicket(Which::Named(like))
                    }
                    StampKind::Assigned { assignee } => {
                        let says = matches!(entries.get(nth + 1), Some(Entry::Message { .. }));
                        let own = *assignee == Assignee::Agent(actor.id.clone()) && actor.kind == ActorKind::Agent;
                        if own && says && !opens && settings.assign_on_write {
                            // It came of writing into a conversation that nobody had, and does so again if it may.
                            continue;
                        }
                        Deed::Assign(assignee.clone())
                    }
                    // It came of closing the last ticket.
                    StampKind::Unassigned if closes_last && settings.unassign_on_close => continue,
                    StampKind::Unassigned => Deed::Unassign,
                },
            };
            replayed.deeds.push(deed);
        }
        replayed.deeds.extend(decided.tags_added.iter().cloned().map(Deed::AddTag));
        replayed.deeds.extend(decided.tags_removed.iter().cloned().map(Deed::RemoveTag));
        match decided.bot_change() {
            BotChange::Paused => replayed.deeds.push(Deed::PauseBot),
            BotChange::Resumed if !closes_last => replayed.deeds.push(Deed::ResumeBot),
            BotChange::Resumed | BotChange::Unspecified => {}
        }
        replayed
    }

    /// Decides in the simulation. Returns the tickets that were opened.
    ///
    /// # Errors
    /// When it is refused.
    pub(super) fn decide(&mut self, at: usize, by: &Actor, deeds: &[Deed], cause: &Cause) -> Result<Vec<TicketId>, ()> {
        if deeds.is_empty() {
            return Ok(Vec::new());
        }
        let command = Command {
            actor: by.clone(),
            actions: deeds.to_vec(),
            key: CommandKey { command: self.place, digest: 0, causation: 0 },
            expected_revision: None,
        };
        let (settings, now) = (self.draft.settings, self.now);
        match conversation::decide(self.chats[at].state(), &command, &settings, now) {
            Ok(Verdict::Append(decision)) => Ok(self.append(at, *decision, cause)),
            Ok(_) => Ok(Vec::new()),
            Err(refusal) => {
                tracing::trace!(%refusal, "refused in the simulation");
                Err(())
            }
        }
    }

    /// What was decided becomes so.
    fn append(&mut self, at: usize, decision: Decision, cause: &Cause) -> Vec<TicketId> {
        self.place += 1;
        let (place, by_rule) = (self.place, cause.rule.is_some());
        let before = self.before(at);
        let hears = self.draft.hears_decisions;
        let decided = hears.then(|| proto::decision_to(&decision));
        self.chats[at].live().simulated.add(&decision, by_rule, &mut self.people);
        if let Some(tally) = cause.rule.and_then(|rule| self.tally.get_mut(rule)) {
            tally.counts.add(&decision, true, &mut self.people);
        }
        let opened = self.follow(at, &decision);
        let (actor, time) = (decision.actor, decision.time);
        let stamps = decision.entries.iter().filter_map(|entry| match entry {
            Entry::Stamp(stamp) => Some(&stamp.kind),
            _ => None,
        });
        let (mut any, mut assigned) = (false, false);
        for kind in stamps {
            any = true;
            assigned |= matches!(kind, StampKind::Assigned { .. });
        }
        let closed = !decision.closed.is_empty();
        self.chats[at].decided(decision.after, place);
        if any && self.draft.rotates {
            self.reflect(at, assigned, closed);
        }
        if let Some(decided) = decided {
            let event = v1::Event {
                id: if by_rule { format!("simulated-{place}") } else { cause.event_id.clone() },
                workspace: self.draft.workspace.clone(),
                conversation: self.chats[at].id.as_str().to_owned(),
                actor: Some(proto::actor_to(&actor)),
                occur_time: Some(proto::timestamp(time)),
                record_time: Some(proto::timestamp(self.now)),
                causation_id: String::new(),
                correlation_id: cause.correlation_id.clone(),
                depth: cause.depth,
                channel: self.chats[at].channel.to_string(),
                event: Some(v1::event::Event::Decided(decided)),
            };
            self.pending.push_back(Pending { at, event, revision: if by_rule { 0 } else { cause.revision }, before });
        }
        opened
    }

    /// Follows a decision entry by entry: windows, and who said what. Returns the tickets that were opened.
    fn follow(&mut self, at: usize, decision: &Decision) -> Vec<TicketId> {
        let mut opened = Vec::new();
        for entry in &decision.entries {
            match entry {
                Entry::Note { .. } => {}
                Entry::Message { .. } => {
                    self.said(at, &decision.actor, self.now);
                    self.chats[at].live().metrics.sent(decision.actor.kind, decision.time);
                }
                Entry::Stamp(stamp) => match &stamp.kind {
                    StampKind::Opened { ticket, .. } => {
                        opened.push(ticket.clone());
                        if self.draft.needs.ticket_metrics || self.draft.counts_answers {
                            self.chats[at].live().metrics.opened(ticket.clone(), stamp.time);
                        }
                    }
                    StampKind::Closed { ticket } => self.closed(at, ticket, decision),
                    StampKind::Assigned { .. } | StampKind::Unassigned => {}
                },
            }
        }
        opened
    }

    fn closed(&mut self, at: usize, ticket: &TicketId, decision: &Decision) {
        let wanted = self.draft.needs.last_ticket;
        let live = self.chats[at].live();
        live.metrics.closed(ticket);
        live.tickets.retain(|(_, like)| like != ticket);
        let closed = decision.closed.iter().find(|closed| closed.ticket.id == *ticket);
        let Some(closed) = closed.filter(|closed| wanted && closed.ticket.primary.is_none()) else { return };
        let fields = |actor: &Actor| -> ActorFields { actor_fields(Some(&proto::actor_to(actor))) };
        let holder: Option<v1::Assignee> = closed.assignee.as_ref().map(proto::assignee_to);
        let assignee: AssigneeFields = assignee_fields(holder.as_ref());
        self.chats[at].last_ticket = Some(Box::new(TicketFields {
            id: ticket.as_str().to_owned(),
            topic: closed.ticket.topic.clone(),
            opened_by: fields(&closed.ticket.opened_by),
            open_time: closed.ticket.open_time,
            closed_by: Some(fields(&decision.actor)),
            close_time: Some(decision.time),
            assignee,
            ..TicketFields::default()
        }));
    }

    /// Tells the rotation who has a conversation.
    fn reflect(&mut self, at: usize, assigned: bool, closed: bool) {
        let place = self.place;
        let chat = &mut self.chats[at];
        let conversation = chat.id.as_str().to_owned();
        let state = chat.state();
        let (assignee, open) = (state.assignee.clone(), !state.open.is_empty());
        self.rotation.reflect(&Reflected { conversation, revision: place, assignee, open, assigned, closed });
    }
}

fn opened_by(entry: &Entry) -> Option<&TicketId> {
    match entry {
        Entry::Stamp(stamp) => match &stamp.kind {
            StampKind::Opened { ticket, .. } => Some(ticket),
            _ => None,
        },
        _ => None,
    }
}

fn is_nested(decided: &v1::Decided, ticket: &TicketId) -> bool {
    let windows = decided.closed.iter().filter_map(|closed| closed.window.as_ref());
    windows.filter(|window| window.ticket_id == ticket.as_str()).any(|window| !window.primary_id.is_empty())
}

/// The simulated ticket that plays the part of one of the log. One that an automation opened there, and that is left
/// out here, is played by one that the draft opened, if there is one in the same place.
fn like(
    state: &State,
    pairs: &[(TicketId, TicketId)],
    closing: &[TicketId],
    ticket: &TicketId,
    nested: bool,
) -> Option<TicketId> {
    if let Some((_, like)) = pairs.iter().find(|(real, _)| real == ticket) {
        return state.open_ticket(like).filter(|open| !closing.contains(&open.id)).map(|open| open.id.clone());
    }
    let free = state.open.iter().filter(|open| !closing.contains(&open.id));
    let mut free = free.filter(|open| !pairs.iter().any(|(_, like)| *like == open.id));
    free.find(|open| open.primary.is_some() == nested).map(|open| open.id.clone())
}
