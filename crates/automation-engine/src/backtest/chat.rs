//! One conversation in the simulation. Most of a log is conversations that the period does not touch: of those only the
//! state is kept.

use std::collections::VecDeque;

use conversation::{ConversationId, Recent, State, TicketId, Time};

use super::count::Counts;
use super::metrics::Metrics;
use crate::condition::{LastMessageFields, TicketFields};

/// A conversation as the simulation has it.
#[derive(Debug)]
pub(super) struct Chat {
    pub(super) id: ConversationId,
    /// The address of the business.
    pub(super) channel: Box<str>,
    /// `None` while nothing was decided.
    pub(super) state: Option<Box<State>>,
    /// Whether the customer ever wrote.
    pub(super) wrote: bool,
    pub(super) unread: u32,
    /// What was said last, if any rule asks for it.
    pub(super) last_message: Option<Box<LastMessageFields>>,
    /// The primary that was closed last, if any rule asks for it.
    pub(super) last_ticket: Option<Box<TicketFields>>,
    /// The last message of the customer, sealed, if any rule asks who that is.
    pub(super) last_sealed: Option<Box<[u8]>>,
    /// Once the period has come.
    pub(super) live: Option<Box<Live>>,
}

/// What is only known of conversations in the period.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Tickets of the log that are open, and their like in the simulation.
    pub(super) tickets: Vec<(TicketId, TicketId)>,
    pub(super) timers: Vec<Armed>,
    /// Rules that fire once, and for what they did.
    pub(super) fired: Vec<(usize, String)>,
    /// When rules fired lately.
    pub(super) rates: Vec<(usize, VecDeque<Time>)>,
    pub(super) metrics: Metrics,
    /// Facts that were looked at lately, by a hash of their ids.
    pub(super) heard: VecDeque<u64>,
    /// Messages of automations that are in the log and not in the simulation: the last ones.
    pub(super) unsaid: VecDeque<String>,
    /// Places in the simulation of what was said last, by whom.
    pub(super) customer_said: u64,
    pub(super) agent_said: u64,
    pub(super) business_said: u64,
    pub(super) actual: Counts,
    pub(super) simulated: Counts,
}

/// A timer that runs.
#[derive(Clone, Debug)]
pub(super) struct Armed {
    /// Which entry of the queue of time it is.
    pub(super) slot: u64,
    pub(super) rule: usize,
    /// Of timers that wait on a ticket.
    pub(super) ticket: String,
    pub(super) due: Time,
    /// Where in the simulation it was armed.
    pub(super) place: u64,
    pub(super) event_id: String,
    pub(super) revision: u64,
    pub(super) correlation_id: String,
    pub(super) depth: u32,
}

impl Chat {
    pub(super) fn new(id: ConversationId) -> Chat {
        Chat {
            id,
            channel: Box::default(),
            state: None,
            wrote: false,
            unread: 0,
            last_message: None,
            last_ticket: None,
            last_sealed: None,
            live: None,
        }
    }

    /// What is known once the period has come: the tickets open at that moment are the log's own.
    pub(super) fn live(&mut self) -> &mut Live {
        let (state, live) = (&self.state, &mut self.live);
        live.get_or_insert_with(|| {
            let open = state.iter().flat_map(|state| &state.open);
            let tickets = open.map(|ticket| (ticket.id.clone(), ticket.id.clone())).collect();
            Box::new(Live { tickets, ..Live::default() })
        })
    }

    /// The state, made up where nothing was decided yet.
    pub(super) fn state(&mut self) -> &mut State {
        let id = &self.id;
        self.state.get_or_insert_with(|| Box::new(State::new(id.clone())))
    }

    /// The state after a decision. Commands need not be remembered: none comes twice.
    pub(super) fn decided(&mut self, after: State, place: u64) {
        let after = State { recent: VecDeque::<Recent>::new(), ..after };
        self.state = Some(Box::new(after.recorded_at(place)));
    }
}
