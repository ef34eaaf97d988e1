use conversation::{TicketId, Time};
use proto::v1;

use super::super::counters::{Counted, Dimension};
use super::super::error::Error;
use super::super::keys::{self, WorkspaceKey};
use super::super::rows::{SpanRow, TicketRow, nanos_between};
use super::conversation::Ticket;
use super::turn::Turn;

/// Most spans kept of who held a window; later ones are not told apart.
const MAX_SPANS: usize = 1_000;

/// Who a live message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Customer,
    /// A human of the business, from the inbox or from the business's own phone.
    Agent,
    Bot,
    Rule,
}

impl Turn<'_> {
    /// A window begins. While a primary is open it is nested there (W3), whatever the stamp says.
    pub(super) fn open(
        &mut self,
        opened: &v1::TicketOpened,
        time: Time,
        actor: Option<&v1::Actor>,
    ) -> Result<(), Error> {
        let Some(ordinal) = self.new_ordinal(&opened.ticket_id)? else {
            tracing::warn!(revision = self.revision, ticket = %opened.ticket_id, "skipping an opening of no new ticket");
            return Ok(());
        };
        let conversation = &mut self.conversation;
        let primary = conversation.open.iter().find(|ticket| !ticket.row.nested());
        let row = &conversation.row;
        let assignment = row.assignee.as_ref().map(|assignee| SpanRow {
            assignee: Some(assignee.clone()),
            actor: row.assigned_by.clone(),
            start_time: time.0,
            end_time: None,
        });
        let ticket = Box::new(Ticket::opened(TicketRow {
            conversation: row.id.clone(),
            ordinal,
            primary: primary.map_or(0, |primary| primary.row.ordinal),
            topic: opened.topic.clone(),
            channel: row.channel.clone(),
            open_time: time.0,
            open_revision: self.revision,
            opened_by: actor.cloned(),
            assignee: row.assignee.clone(),
            assignments: assignment.into_iter().collect(),
            change_revision: self.revision,
            ..TicketRow::default()
        }));
        self.tally.opened(self.rows, &counted(conversation.workspace, &ticket))?;
        conversation.row.last_ordinal = conversation.row.last_ordinal.max(ordinal);
        let first = conversation.row.first_open_time.get_or_insert(time.0);
        *first = time.0.min(*first);
        let nested = ticket.row.nested();
        conversation.open.push(ticket);
        self.ticket_changed();
        self.put_late_right(time, |tickets| tickets.insert(if nested { tickets.len() } else { 0 }, ordinal))
    }

    /// The ordinal of a ticket of this conversation that was never opened.
    fn new_ordinal(&self, id: &str) -> Result<Option<u64>, Error> {
        let Some(ordinal) = self.ordinal(id) else { return Ok(None) };
        let conversation = &self.conversation;
        if ordinal > conversation.row.last_ordinal {
            return Ok(Some(ordinal));
        }
        let here = conversation.open.iter().chain(&conversation.closed).any(|ticket| ticket.row.ordinal == ordinal);
        let stored = here || self.rows.get(&keys::window(conversation.key, ordinal))?.is_some();
        Ok((!stored).then_some(ordinal))
    }

    fn ordinal(&self, id: &str) -> Option<u64> {
        let (conversation, ordinal) = TicketId::new(id).parts()?;
        (conversation.as_str() == self.conversation.row.id && ordinal > 0).then_some(ordinal)
    }

    /// A window ends; a primary takes its nested ones along (W4). Closing what is not open does nothing.
    pub(super) fn close(&mut self, id: &str, time: Time, actor: Option<&v1::Actor>) -> Result<(), Error> {
        let open = |ordinal: &u64| self.conversation.open.iter().any(|ticket| ticket.row.ordinal == *ordinal);
        let Some(ordinal) = self.ordinal(id).filter(open) else {
            tracing::warn!(revision = self.revision, ticket = id, "skipping the closing of no open ticket");
            return Ok(());
        };
        let nested = self.conversation.open.iter().filter(|ticket| ticket.row.primary == ordinal);
        let closing: Vec<u64> = nested.map(|ticket| ticket.row.ordinal).chain([ordinal]).collect();
        for ordinal in closing {
            self.close_one(ordinal, time, actor)?;
        }
        Ok(())
    }

    fn close_one(&mut self, ordinal: u64, time: Time, actor: Option<&v1::Actor>) -> Result<(), Error> {
        let Some(mut ticket) = self.conversation.take_open(ordinal) else { return Ok(()) };
        let row = &mut ticket.row;
        // Stamps do not go back in time (W10); a window that did would end before it began.
        let close = time.0.max(row.open_time);
        row.close_time = Some(close);
        row.close_revision = self.revision;
        row.closed_by = actor.cloned();
        row.change_revision = self.revision;
        end_span(row, close);
        let closer = ticket.values.get(Dimension::Closer);
        ticket.values.renew(Dimension::Closer, &ticket.row);
        self.tally.closed(self.rows, &counted(self.conversation.workspace, &ticket), closer)?;
        self.conversation.closed.push(ticket);
        self.ticket_changed();
        self.put_late_right(Time(close), |tickets| tickets.retain(|held| *held != ordinal))
    }

    /// The conversation has another owner, and with it every open window.
    pub(super) fn assign(
        &mut self,
        assignee: Option<&v1::Assignee>,
        time: Time,
        actor: Option<&v1::Actor>,
    ) -> Result<(), Error> {
        if self.conversation.is_assigned_to(assignee) {
            return Ok(());
        }
        let conversation = &mut self.conversation;
        conversation.row.assignee = assignee.cloned();
        conversation.row.assigned_by = assignee.and(actor).cloned();
        for ticket in &mut conversation.open {
            let row = &mut ticket.row;
            end_span(row, time.0);
            if let Some(assignee) = assignee.filter(|_| row.assignments.len() < MAX_SPANS) {
                row.assignments.push(SpanRow {
                    assignee: Some(assignee.clone()),
                    actor: actor.cloned(),
                    start_time: time.0.max(row.open_time),
                    end_time: None,
                });
            }
            row.assignee = assignee.cloned();
            row.change_revision = self.revision;
            ticket.changed = true;
            let before = ticket.values.get(Dimension::Assignee);
            ticket.values.renew(Dimension::Assignee, &ticket.row);
            let counted = counted(conversation.workspace, ticket);
            self.tally.moved(self.rows, &counted, Dimension::Assignee, before)?;
        }
        if !self.conversation.open.is_empty() {
            self.ticket_changed();
        }
        Ok(())
    }

    /// A live message was said in the open windows; it answers when it is recorded.
    pub(super) fn said(&mut self, said: Said) -> Result<(), Error> {
        let time = self.record_time();
        let mut changed = false;
        for ticket in &mut self.conversation.open {
            ticket.changed = true;
            let row = &mut ticket.row;
            let count = if said == Said::Customer { &mut row.inbound_count } else { &mut row.outbound_count };
            *count = count.saturating_add(1);
            let took = nanos_between(row.open_time, time.0);
            let first = match said {
                Said::Agent => &mut row.first_response,
                Said::Bot => &mut row.first_bot_response,
                Said::Customer | Said::Rule => continue,
            };
            if first.is_some() {
                continue;
            }
            *first = Some(took);
            row.change_revision = self.revision;
            changed = true;
            if said == Said::Agent {
                self.tally.answered(self.rows, &counted(self.conversation.workspace, ticket))?;
            }
        }
        if changed {
            self.ticket_changed();
        }
        Ok(())
    }

    fn ticket_changed(&mut self) {
        self.pending.workspaces.insert(self.conversation.workspace);
    }
}

fn counted(workspace: WorkspaceKey, ticket: &Ticket) -> Counted<'_> {
    Counted { workspace, row: &ticket.row, values: &ticket.values }
}

/// Ends the span that lasts still.
fn end_span(row: &mut TicketRow, time: i64) {
    if let Some(span) = row.assignments.last_mut().filter(|span| span.end_time.is_none()) {
        span.end_time = Some(time.max(span.start_time));
    }
}
