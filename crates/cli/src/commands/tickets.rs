use clap::{Args, ValueEnum};
use proto::v1;

use super::count::BasisName;
use super::facts;
use super::page::Paging;
use crate::client::timely;
use crate::draw::{Align, Style, Table, words};
use crate::failure::Failure;
use crate::find::{self, Care};
use crate::session::Session;
use crate::who;

const EXAMPLES: &str = "\
Examples:
  threadmark tickets                                    # primaries, newest first
  threadmark tickets Maya --nested                      # of one chat, with nested ones
  threadmark tickets --state open --assignee team:billing
  threadmark tickets --from yesterday --to today --basis closed --json";

/// Lists tickets, newest first.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct List {
    /// Of this conversation alone: its id, or its contact's name or number
    conversation: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// The first moment of the period
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The moment at which the period has ended
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Which tickets a period holds
    #[arg(long, value_enum, default_value = "opened")]
    basis: BasisName,
    /// As it stood then
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

/// Which tickets.
#[derive(Clone, Debug, Args)]
pub(crate) struct Filter {
    /// Open or closed ones alone
    #[arg(long, value_enum)]
    state: Option<StateName>,
    /// Opened by this kind of actor
    #[arg(long, value_enum, value_name = "KIND")]
    opener: Option<OpenerName>,
    /// Assigned to agent:ID, team:ID or AGENT@TEAM
    #[arg(long, value_name = "WHO", value_parser = who::assignee)]
    assignee: Option<v1::Assignee>,
    /// About this topic; "" for none
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// With nested ones
    #[arg(long)]
    nested: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateName {
    Open,
    Closed,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OpenerName {
    Agent,
    Bot,
    Rule,
}

impl Filter {
    fn state(&self) -> v1::ticket::State {
        match self.state {
            None => v1::ticket::State::Unspecified,
            Some(StateName::Open) => v1::ticket::State::Open,
            Some(StateName::Closed) => v1::ticket::State::Closed,
        }
    }

    fn opener(&self) -> v1::actor::Kind {
        match self.opener {
            None => v1::actor::Kind::Unspecified,
            Some(OpenerName::Agent) => v1::actor::Kind::Agent,
            Some(OpenerName::Bot) => v1::actor::Kind::Bot,
            Some(OpenerName::Rule) => v1::actor::Kind::Automation,
        }
    }

    /// The same filter for watching.
    pub(crate) fn watch(&self, workspace: &str, conversation_id: String) -> v1::WatchTicketsRequest {
        v1::WatchTicketsRequest {
            workspace: workspace.to_owned(),
            conversation_id,
            state: self.state().into(),
            opener_kind: self.opener().into(),
            assignee: self.assignee.clone(),
            topic: self.topic.clone(),
            include_nested: self.nested,
            ..v1::WatchTicketsRequest::default()
        }
    }
}

impl List {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut request = self.request(session).await?;
        let mut table = table();
        let mut have = 0;
        while let Some(page_size) = self.paging.next(have) {
            request.page_size = page_size;
            let answer = session.client.tickets().list_tickets(timely(request.clone())).await;
            let page = answer.map_err(|status| session.failure(status))?.into_inner();
            have += page.tickets.len();
            for ticket in &page.tickets {
                if session.out.is_json() {
                    session.out.message("Ticket", ticket)?;
                } else {
                    table.row(row(session, ticket));
                }
            }
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        if session.out.is_json() {
            return Ok(());
        }
        session.out.table(&table, "no tickets")?;
        if !request.page_token.is_empty() {
            session.out.remark("there are more: --all shows every one");
        }
        Ok(())
    }

    async fn request(&self, session: &Session) -> Result<v1::ListTicketsRequest, Failure> {
        let conversation_id = match &self.conversation {
            Some(conversation) => find::conversation(session, conversation, Care::Looking).await?,
            None => String::new(),
        };
        Ok(v1::ListTicketsRequest {
            workspace: session.workspace.clone(),
            conversation_id,
            state: self.filter.state().into(),
            opener_kind: self.filter.opener().into(),
            assignee: self.filter.assignee.clone(),
            topic: self.filter.topic.clone(),
            start_time: session.instant(self.from.as_deref())?,
            end_time: session.instant(self.to.as_deref())?,
            basis: self.basis.wire().into(),
            include_nested: self.filter.nested,
            as_of_time: session.instant(self.as_of.as_deref())?,
            min_revision: self.paging.min_revision,
            ..v1::ListTicketsRequest::default()
        })
    }
}

/// The columns of tickets.
pub(crate) fn table() -> Table {
    Table::new(&[
        ("TICKET", Align::Whole),
        ("TOPIC", Align::Left),
        ("OPENED", Align::Whole),
        ("BY", Align::Left),
        ("CLOSED", Align::Whole),
        ("BY", Align::Left),
        ("ASSIGNEE", Align::Left),
        ("FIRST RESPONSE", Align::Right),
        ("RESOLUTION", Align::Right),
    ])
}

/// A ticket in these columns; a nested one is set in.
pub(crate) fn row(session: &Session, ticket: &v1::Ticket) -> [(Style, String); 9] {
    let nested = !ticket.primary_id.is_empty();
    let closed = ticket.state() == v1::ticket::State::Closed;
    let metrics = ticket.metrics.unwrap_or_default();
    [
        (
            if nested { Style::Nested } else { Style::Primary },
            format!("{}{}", if nested { "↳ " } else { "" }, ticket.id),
        ),
        (Style::Plain, ticket.topic.clone()),
        (Style::Plain, session.recent(ticket.open_time.as_ref())),
        (Style::Plain, words::actor(ticket.opened_by.as_ref())),
        match closed {
            true => (Style::Plain, session.recent(ticket.close_time.as_ref())),
            false => (Style::Strong, "open".to_owned()),
        },
        (Style::Plain, ticket.closed_by.as_ref().map(|by| words::actor(Some(by))).unwrap_or_default()),
        (Style::Plain, words::assignee(ticket.assignee.as_ref())),
        (Style::Plain, words::duration(metrics.first_response.as_ref())),
        (Style::Plain, words::duration(metrics.resolution.as_ref())),
    ]
}

/// Shows a ticket.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  threadmark ticket cGzKp2b7QwXyZ0123456789-3")]
pub(crate) struct Show {
    /// Its id
    ticket: String,
    /// Wait until the view has come to this revision
    #[arg(long, value_name = "REVISION", default_value_t = 0, hide_default_value = true)]
    min_revision: i64,
}

impl Show {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::GetTicketRequest {
            workspace: session.workspace.clone(),
            ticket_id: self.ticket,
            min_revision: self.min_revision,
        };
        let answer = session.client.tickets().get_ticket(timely(request)).await;
        let ticket = answer.map_err(|status| session.failure(status))?.into_inner();
        if session.out.is_json() {
            return session.out.message("Ticket", &ticket);
        }
        facts(&session.out, &describe(session, &ticket))?;
        assignments(session, &ticket)
    }
}

fn describe(session: &Session, ticket: &v1::Ticket) -> Vec<(&'static str, String)> {
    let metrics = ticket.metrics.unwrap_or_default();
    let stamp = |time: Option<&prost_types::Timestamp>, by: Option<&v1::Actor>| match time {
        Some(_) => format!("{} by {}", words::minute(time, &session.zone), words::actor(by)),
        None => String::new(),
    };
    let open = ticket.state() == v1::ticket::State::Open;
    vec![
        ("ticket", ticket.id.clone()),
        ("nested within", ticket.primary_id.clone()),
        ("conversation", ticket.conversation_id.clone()),
        ("channel", ticket.channel.clone()),
        ("topic", ticket.topic.clone()),
        ("state", if open { "open" } else { "closed" }.to_owned()),
        ("opened", stamp(ticket.open_time.as_ref(), ticket.opened_by.as_ref())),
        ("closed", stamp(ticket.close_time.as_ref(), ticket.closed_by.as_ref())),
        ("assignee", words::assignee(ticket.assignee.as_ref())),
        ("first response", words::duration(metrics.first_response.as_ref())),
        ("bot response", words::duration(metrics.first_bot_response.as_ref())),
        ("resolution", words::duration(metrics.resolution.as_ref())),
        ("messages", format!("{} in, {} out", metrics.inbound_count, metrics.outbound_count)),
    ]
}

/// Who held the conversation during the window.
fn assignments(session: &Session, ticket: &v1::Ticket) -> Result<(), Failure> {
    if ticket.assignments.is_empty() {
        return Ok(());
    }
    let mut table =
        Table::new(&[("HELD BY", Align::Left), ("FROM", Align::Left), ("TO", Align::Left), ("BY", Align::Left)]);
    for held in &ticket.assignments {
        table.row([
            (Style::Plain, words::assignee(held.assignee.as_ref())),
            (Style::Plain, words::minute(held.start_time.as_ref(), &session.zone)),
            (Style::Plain, words::minute(held.end_time.as_ref(), &session.zone)),
            (Style::Plain, words::actor(held.actor.as_ref())),
        ]);
    }
    session.out.text("")?;
    session.out.table(&table, "")
}
