use bytes::Bytes;
use conversation::{Basis, Period, TicketId, Time};
use prost::Message;
use proto::v1;
use tonic::Status;

use super::budget::Budget;
use super::mistakes::Mistakes;
use super::read;
use super::show_ticket::{as_of, show_ticket};
use super::ticket_end::End;
use super::ticket_filter::{Fields, TicketFilter};
use super::ticket_walk::{Spot, Stand, Walk};
use crate::store::View;
use crate::view::error::Error;
use crate::view::keys::{ConversationKey, TicketKey, WorkspaceKey, table};
use crate::view::rows::{TicketGist, TicketRow};
use service::page_token::PageTokens;

/// GetTicket: `None` when the workspace has no such ticket.
pub(crate) fn get_ticket(view: &dyn View, workspace: &str, id: &str) -> Result<Option<v1::Ticket>, Error> {
    let Some((conversation, ordinal)) = TicketId::new(id).parts() else { return Ok(None) };
    let conversation = ConversationKey::of(workspace, conversation.as_str());
    let Some(window) = read::window(view, conversation, ordinal)? else { return Ok(None) };
    let open_time = Time(window.open_time);
    let key = TicketKey { workspace: WorkspaceKey::of(workspace), open_time, conversation, ordinal };
    Ok(read::ticket(view, &key)?.map(|row| show_ticket(workspace, row)))
}

/// Who opened and closed the tickets that are wanted, and on which channel: what only a whole row says.
#[derive(Debug, Default)]
struct Ends {
    opener: Option<v1::Actor>,
    closer: Option<v1::Actor>,
    channel: String,
}

impl Ends {
    fn take(&self, row: &TicketRow) -> bool {
        let is = |wanted: Option<&v1::Actor>, found: Option<&v1::Actor>| {
            wanted.is_none_or(|wanted| found.is_some_and(|found| (found.kind, &found.id) == (wanted.kind, &wanted.id)))
        };
        is(self.opener.as_ref(), row.opened_by.as_ref())
            && is(self.closer.as_ref(), row.closed_by.as_ref())
            && (self.channel.is_empty() || self.channel == row.channel)
    }
}

/// ListTickets, as it was asked for.
#[derive(Debug)]
pub(crate) struct TicketList {
    pub(super) workspace: String,
    pub(super) filter: TicketFilter,
    ends: Ends,
    pub(super) basis: Basis,
    pub(super) period: Period,
    pub(super) as_of: Option<Time>,
    /// Where the page begins.
    pub(super) after: Option<Stand>,
    size: usize,
    tokens: PageTokens,
}

impl TicketList {
    /// # Errors
    /// INVALID_ARGUMENT with all that is wrong.
    pub(crate) fn read(mut request: v1::ListTicketsRequest) -> Result<TicketList, Status> {
        let mut mistakes = Mistakes::default();
        let size = mistakes.page_size(request.page_size);
        let token = std::mem::take(&mut request.page_token);
        mistakes.revision("min_revision", request.min_revision);
        (request.page_size, request.min_revision) = (0, 0);
        let tokens = PageTokens::new("ListTickets", &request);
        let after = mistakes.position(&tokens, &token, Stand::from_bytes);
        let filter = TicketFilter::read(
            &Fields {
                conversation_id: &request.conversation_id,
                state: request.state,
                opener_kind: request.opener_kind,
                assignee: request.assignee.as_ref(),
                topic: request.topic.as_deref(),
                include_nested: request.include_nested,
            },
            &mut mistakes,
        );
        mistakes.actor("opener", request.opener.as_ref());
        mistakes.actor("closer", request.closer.as_ref());
        mistakes.id("channel", &request.channel);
        let (start, end) = mistakes.period(request.start_time.as_ref(), request.end_time.as_ref());
        let period = Period { start: start.unwrap_or(Time::MIN), end: end.unwrap_or(Time::MAX) };
        let basis = mistakes.basis(request.basis);
        let as_of = mistakes.time("as_of_time", request.as_of_time.as_ref());
        mistakes.check()?;
        let ends = Ends { opener: request.opener, closer: request.closer, channel: request.channel };
        Ok(TicketList { workspace: request.workspace, filter, ends, basis, period, as_of, after, size, tokens })
    }

    /// The next page: what was found within the budget, newest first.
    pub(crate) fn page(&self, view: &dyn View) -> Result<v1::ListTicketsResponse, Error> {
        let mut budget = Budget::for_page(self.size);
        let mut end = End::new(self, view, self.after.map_or(0, |stand| stand.met));
        let mut response = v1::ListTicketsResponse::default();
        let mut last: Option<Spot> = None;
        for found in Walk::new(self, view)? {
            let found = found?;
            if end.reached(found.spot.time)? {
                break;
            }
            if let Some(spot) = last.filter(|_| !budget.goes_on()) {
                response.next_page_token = self.tokens.token(&Stand { spot, met: end.met() }.to_bytes());
                break;
            }
            budget.scan();
            last = Some(found.spot);
            let Some(bytes) = found.row(view)? else { continue };
            let length = bytes.len();
            if let Some(row) = self.chosen(bytes, &mut end)? {
                budget.take(length);
                response.tickets.push(show_ticket(&self.workspace, row));
            }
        }
        Ok(response)
    }

    /// As of when the listed tickets have to be open, if that is not now.
    pub(super) fn open_as_of(&self) -> Option<Time> {
        self.as_of.filter(|_| self.filter.state == Some(v1::ticket::State::Open))
    }

    /// A ticket as it is to be shown, if it belongs to the list. What does not is not decoded whole, unless it has to
    /// be looked at as of another time.
    fn chosen(&self, row: Bytes, end: &mut End<'_>) -> Result<Option<TicketRow>, Error> {
        let mut takes = |gist: &TicketGist| {
            if self.filter.has_topic(gist) {
                end.meet(gist);
            }
            self.takes(gist)
        };
        let chosen = match self.as_of {
            Some(at) => as_of(decode_ticket(row)?, at).filter(|row| takes(&row.into())),
            None if takes(&decode_ticket(row.clone())?) => Some(decode_ticket(row)?),
            None => None,
        };
        Ok(chosen.filter(|row| self.ends.take(row)))
    }

    /// Whether a ticket, as it is to be shown, belongs to the list.
    fn takes(&self, row: &TicketGist) -> bool {
        self.period.counts(self.basis, Time(row.open_time), row.close_time.map(Time)) && self.filter.takes(row)
    }
}

/// A ticket's row, or the gist of it.
fn decode_ticket<M: Message + Default>(row: Bytes) -> Result<M, Error> {
    read::decode(&[table::TICKETS], row)
}
