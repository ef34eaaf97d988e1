//! What is counted of the windows of a conversation, as far as the simulation has seen them.

use std::collections::VecDeque;

use conversation::{ActorKind, TicketId, Time};

use crate::condition::MetricsFields;

/// Closed windows that are remembered: rules react to a closing at once.
const CLOSED: usize = 8;

/// The windows of a conversation.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    open: Vec<Window>,
    closed: VecDeque<Window>,
}

#[derive(Debug)]
struct Window {
    ticket: TicketId,
    since: Time,
    counted: MetricsFields,
}

impl Metrics {
    pub(super) fn opened(&mut self, ticket: TicketId, since: Time) {
        self.open.push(Window { ticket, since, counted: MetricsFields::default() });
    }

    pub(super) fn closed(&mut self, ticket: &TicketId) {
        if let Some(at) = self.open.iter().position(|window| window.ticket == *ticket) {
            let window = self.open.remove(at);
            self.closed.push_back(window);
            if self.closed.len() > CLOSED {
                self.closed.pop_front();
            }
        }
    }

    /// The customer wrote.
    pub(super) fn received(&mut self) {
        self.open.iter_mut().for_each(|window| window.counted.inbound_count += 1);
    }

    /// The business wrote.
    pub(super) fn sent(&mut self, by: ActorKind, at: Time) {
        for Window { since, counted, .. } in &mut self.open {
            counted.outbound_count += 1;
            let first = match by {
                ActorKind::Agent => &mut counted.first_response,
                ActorKind::Bot => &mut counted.first_bot_response,
                _ => continue,
            };
            first.get_or_insert(at.since(*since));
        }
    }

    pub(super) fn of(&self, ticket: &str) -> Option<&MetricsFields> {
        let mut all = self.open.iter().chain(self.closed.iter().rev());
        all.find(|window| window.ticket.as_str() == ticket).map(|window| &window.counted)
    }
}
