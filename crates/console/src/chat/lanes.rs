//! Which bracket stands where: a lane for each ticket, the primary's first, so that windows that overlap stand side by
//! side. It depends on the tickets alone, so whichever piece of the chat is drawn, a bracket stays in its lane.

use std::collections::HashMap;

use proto::v1;

/// Lanes side by side: a conversation may have 32 tickets open at once, more than there is room for. Those beyond are
/// not drawn; their stamps still say what happens.
const MOST: usize = 6;

/// The lanes of a conversation's tickets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes {
    of: HashMap<String, usize>,
    tickets: Vec<v1::Ticket>,
    width: usize,
}

impl Lanes {
    /// Gives each ticket a lane.
    pub(crate) fn new(mut tickets: Vec<v1::Ticket>) -> Lanes {
        tickets.sort_by_key(|ticket| (ticket.open_revision, ordinal(&ticket.id)));
        let mut of = HashMap::new();
        // Up to which revision each lane beside the primary's is taken.
        let mut taken: Vec<i64> = Vec::new();
        let mut width = 0;
        for ticket in &tickets {
            let lane = if ticket.primary_id.is_empty() {
                Some(0)
            } else {
                let free = taken.iter().position(|until| *until <= ticket.open_revision).unwrap_or(taken.len());
                let until = if ticket.close_revision == 0 { i64::MAX } else { ticket.close_revision };
                match taken.get_mut(free) {
                    Some(lane) => *lane = until,
                    None if free + 1 < MOST => taken.push(until),
                    None => {}
                }
                (free + 1 < MOST).then_some(free + 1)
            };
            if let Some(lane) = lane {
                width = width.max(lane + 1);
                of.insert(ticket.id.clone(), lane);
            }
        }
        Lanes { of, tickets, width }
    }

    /// How many stand side by side at most.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The tickets, as they were opened.
    pub(crate) fn tickets(&self) -> &[v1::Ticket] {
        &self.tickets
    }

    /// A ticket by its id.
    pub(crate) fn ticket(&self, id: &str) -> Option<&v1::Ticket> {
        self.tickets.iter().find(|ticket| ticket.id == id)
    }

    /// The lane of a ticket, if it has one.
    pub(crate) fn lane(&self, ticket: &str) -> Option<usize> {
        self.of.get(ticket).copied()
    }

    /// The tickets whose window holds an instant.
    pub(crate) fn around(&self, at: &prost_types::Timestamp) -> impl Iterator<Item = &v1::Ticket> {
        let at = (at.seconds, at.nanos);
        let key = |time: &prost_types::Timestamp| (time.seconds, time.nanos);
        self.tickets.iter().filter(move |ticket| {
            let begun = ticket.open_time.as_ref().is_some_and(|open| key(open) <= at);
            begun && ticket.close_time.as_ref().is_none_or(|close| at < key(close))
        })
    }
}

/// Which ticket of its conversation it is, counted from 1.
pub(crate) fn ordinal(ticket: &str) -> u64 {
    ticket.rsplit_once('-').and_then(|(_, ordinal)| ordinal.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(id: &str, primary: &str, open: i64, close: i64) -> v1::Ticket {
        v1::Ticket {
            id: id.to_owned(),
            primary_id: primary.to_owned(),
            open_revision: open,
            close_revision: close,
            ..v1::Ticket::default()
        }
    }

    #[test]
    fn nested_windows_stand_beside_each_other_and_give_their_lane_free() {
        let lanes = Lanes::new(vec![
            ticket("c-4", "c-1", 12, 0),
            ticket("c-1", "", 1, 0),
            ticket("c-2", "c-1", 2, 10),
            ticket("c-3", "c-1", 5, 0),
        ]);
        let of = ["c-1", "c-2", "c-3", "c-4"].map(|id| lanes.lane(id));
        assert_eq!(of, [Some(0), Some(1), Some(2), Some(1)]);
        assert_eq!(lanes.width(), 3);
    }

    #[test]
    fn more_windows_than_there_is_room_for_are_not_drawn() {
        let nested = (2..40).map(|n| ticket(&format!("c-{n}"), "c-1", n, 0));
        let lanes = Lanes::new(nested.chain([ticket("c-1", "", 1, 0)]).collect());
        assert_eq!(lanes.width(), MOST);
        assert_eq!((lanes.lane("c-6"), lanes.lane("c-7")), (Some(5), None));
    }
}
