//! Tickets: each by its id, and lists of them.

use std::collections::BTreeSet;

use fastrand::Rng;
use oracle::{Conversation, Kind, Metrics, Nanos, Span, Window};
use proto::v1;
use v1::ticket::State;

use super::{Read, basis};
use crate::adapter::{self, length, nanos, some};

impl Read<'_> {
    pub(super) async fn windows(&self, conversation: &Conversation) {
        for wanted in &conversation.windows {
            let request = v1::GetTicketRequest {
                workspace: self.name(),
                ticket_id: wanted.id.clone(),
                min_revision: self.min_revision(),
            };
            let given = self.clients().tickets.clone().get_ticket(request).await.unwrap().into_inner();
            assert_eq!(given.workspace, self.workspace.name);
            assert_eq!(given.channel, self.channels[&conversation.id]);
            assert_eq!(given.state() == State::Closed, wanted.close_time.is_some(), "{}", wanted.id);
            assert_eq!(window(&given), *wanted);
        }
    }

    /// Lists with random filters, by random pages.
    pub(super) async fn lists(&self, random: &mut Rng) {
        for _ in 0..16 {
            let asked = Asked::of(self, random);
            let listed = self.list_tickets(&asked, random).await;
            let given: BTreeSet<&str> = listed.iter().map(|ticket| ticket.id.as_str()).collect();
            assert_eq!(given.len(), listed.len(), "a ticket is listed twice: {asked:?}");
            let as_of = asked.as_of.map(|at| oracle::read_as_of(&self.log, at));
            let view = as_of.as_ref().unwrap_or(&self.view);
            let wanted: BTreeSet<&str> =
                view.windows().filter(|window| asked.takes(window)).map(|window| window.id.as_str()).collect();
            assert_eq!(given, wanted, "{asked:?}");
            for ticket in &listed {
                let wanted = view.window(&ticket.id).unwrap();
                let measured = Window { metrics: Metrics::default(), ..window(ticket) };
                assert_eq!(measured, Window { metrics: Metrics::default(), ..wanted.clone() }, "{asked:?}");
            }
            asked.newest_first(&listed);
        }
    }

    async fn list_tickets(&self, asked: &Asked, random: &mut Rng) -> Vec<v1::Ticket> {
        let mut all = Vec::new();
        let mut request =
            v1::ListTicketsRequest { workspace: self.name(), min_revision: self.min_revision(), ..asked.request() };
        loop {
            request.page_size = random.i32(1..80);
            let page = self.clients().tickets.clone().list_tickets(request.clone()).await.unwrap().into_inner();
            assert!(page.tickets.len() <= usize::try_from(request.page_size).unwrap());
            all.extend(page.tickets);
            if page.next_page_token.is_empty() {
                return all;
            }
            request.page_token = page.next_page_token;
        }
    }
}

/// A random list.
#[derive(Debug)]
struct Asked {
    conversation: Option<String>,
    open: Option<bool>,
    opener: Option<Kind>,
    agent: Option<String>,
    topic: Option<String>,
    start: Option<Nanos>,
    end: Option<Nanos>,
    basis: (v1::Basis, oracle::Basis),
    nested: bool,
    as_of: Option<Nanos>,
}

impl Asked {
    fn of(read: &Read<'_>, random: &mut Rng) -> Asked {
        let (start, end) = read.period(random);
        let chats: Vec<&String> = read.view.conversations.keys().collect();
        let mut maybe = |times: u8| random.u8(..times) == 0;
        let [conversation, state, opener, agent, topic, from, to, as_of, nested] =
            [maybe(3), maybe(3), maybe(4), maybe(4), maybe(4), maybe(2), maybe(2), maybe(4), maybe(2)];
        Asked {
            conversation: random.choice(&chats).filter(|_| conversation).map(|chat| (*chat).clone()),
            open: state.then(|| random.bool()),
            opener: random.choice([Kind::Agent, Kind::Bot, Kind::Automation]).filter(|_| opener),
            agent: random.choice(["ann", "ben"]).filter(|_| agent).map(str::to_owned),
            topic: random.choice(["", "refund", "order"]).filter(|_| topic).map(str::to_owned),
            start: Some(start).filter(|_| from),
            end: Some(end).filter(|_| to),
            basis: basis(random),
            nested,
            as_of: Some(read.instant(random)).filter(|_| as_of),
        }
    }

    fn request(&self) -> v1::ListTicketsRequest {
        let state = self.open.map_or(State::Unspecified, |open| if open { State::Open } else { State::Closed });
        let opener = self.opener.map(|kind| adapter::to_actor(&oracle::Actor::new(kind, "")).kind);
        v1::ListTicketsRequest {
            conversation_id: self.conversation.clone().unwrap_or_default(),
            state: state.into(),
            opener_kind: opener.unwrap_or_default(),
            assignee: self.agent.clone().map(|agent_id| v1::Assignee { agent_id, team_id: String::new() }),
            topic: self.topic.clone(),
            start_time: self.start.map(adapter::to_time),
            end_time: self.end.map(adapter::to_time),
            basis: self.basis.0.into(),
            include_nested: self.nested,
            as_of_time: self.as_of.map(adapter::to_time),
            ..v1::ListTicketsRequest::default()
        }
    }

    fn takes(&self, window: &Window) -> bool {
        let (start, end) = (self.start.unwrap_or(Nanos::MIN), self.end.unwrap_or(Nanos::MAX));
        let holds = |agent: &String| window.assignee.as_ref().is_some_and(|assignee| assignee.agent == *agent);
        self.conversation.as_ref().is_none_or(|chat| *chat == window.conversation)
            && self.open.is_none_or(|open| open == window.close_time.is_none())
            && self.opener.is_none_or(|kind| kind == window.opener.kind)
            && self.agent.as_ref().is_none_or(holds)
            && self.topic.as_ref().is_none_or(|topic| *topic == window.topic)
            && (self.nested || window.primary.is_none())
            && window.falls_into(self.basis.1, start, end)
    }

    /// By the time of the basis.
    fn newest_first(&self, listed: &[v1::Ticket]) {
        let time = |ticket: &v1::Ticket| match self.basis.0 {
            v1::Basis::Closed => nanos(ticket.close_time.as_ref()),
            _ => nanos(ticket.open_time.as_ref()),
        };
        let times: Vec<Nanos> = listed.iter().map(time).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "{self:?} is not newest first: {times:?}");
    }
}

/// A ticket in the words of the oracle.
pub(super) fn window(ticket: &v1::Ticket) -> Window {
    let metrics = ticket.metrics.as_ref().expect("what was measured");
    let revision = |revision: i64| Some(u64::try_from(revision).unwrap()).filter(|revision| *revision > 0);
    Window {
        id: ticket.id.clone(),
        conversation: ticket.conversation_id.clone(),
        primary: some(&ticket.primary_id),
        topic: ticket.topic.clone(),
        opener: adapter::actor(ticket.opened_by.as_ref().expect("an opener")),
        closer: ticket.closed_by.as_ref().map(adapter::actor),
        open_time: nanos(ticket.open_time.as_ref()),
        close_time: ticket.close_time.as_ref().map(|time| nanos(Some(time))),
        open_revision: revision(ticket.open_revision).expect("where it was opened"),
        close_revision: revision(ticket.close_revision),
        assignee: ticket.assignee.as_ref().map(adapter::assignee),
        assignments: ticket.assignments.iter().map(span).collect(),
        metrics: Metrics {
            first_response: metrics.first_response.as_ref().map(length),
            first_bot_response: metrics.first_bot_response.as_ref().map(length),
            resolution: metrics.resolution.as_ref().map(length),
            inbound_count: metrics.inbound_count,
            outbound_count: metrics.outbound_count,
        },
    }
}

fn span(assignment: &v1::Assignment) -> Span {
    Span {
        assignee: adapter::assignee(assignment.assignee.as_ref().expect("an assignee")),
        actor: adapter::actor(assignment.actor.as_ref().expect("who assigned")),
        start: nanos(assignment.start_time.as_ref()),
        end: assignment.end_time.as_ref().map(|time| nanos(Some(time))),
    }
}
