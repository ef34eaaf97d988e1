//! Following live: cut off, it connects again and goes on from where it was, so that nothing is missing.

use clap::Args;
use proto::v1;
use v1::watch_tickets_response::Event as TicketEvent;
use v1::watch_timeline_response::Event as TimelineEvent;

use super::again::{Again, Cut, next};
use super::{tickets, timeline};
use crate::client::timely;
use crate::draw::Chat;
use crate::failure::Failure;
use crate::find::{self, Care};
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  threadmark watch Maya
  threadmark watch Maya --json | jq .message.text
  threadmark watch --tickets --nested        # every ticket that opens, closes or changes hands
Ctrl-C ends it. When the server goes away it waits and goes on from where it was.";

/// Follows a chat, or all tickets, live.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Watch {
    /// Its id, or its contact's name or number
    #[arg(required_unless_present = "tickets")]
    conversation: Option<String>,
    /// Follow tickets instead, of the conversation or of all
    #[arg(long)]
    tickets: bool,
    /// So many of the newest entries first
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: u32,
    /// Everything after this revision first
    #[arg(long, value_name = "REVISION", conflicts_with = "last")]
    after: Option<i64>,
    #[command(flatten)]
    filter: tickets::Filter,
}

impl Watch {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let conversation = match &self.conversation {
            Some(conversation) => find::conversation(session, conversation, Care::Looking).await?,
            None => String::new(),
        };
        if self.tickets {
            self.follow_tickets(session, conversation).await
        } else {
            self.follow_chat(session, conversation).await
        }
    }

    async fn follow_chat(&self, session: &Session, conversation: String) -> Result<(), Failure> {
        let mut seen = Seen::default();
        let mut live = Live { chat: Chat::new(timeline::look(session), &[]), drawn: 0 };
        match self.after {
            Some(revision) => seen = Seen { revision, index: u32::MAX },
            None if self.last == 0 => {
                let now = session.conversation(&conversation, 0).await?;
                seen = Seen { revision: now.revision, index: u32::MAX };
            }
            None => {
                let request = v1::ListTimelineRequest {
                    workspace: session.workspace.clone(),
                    conversation_id: conversation.clone(),
                    ..v1::ListTimelineRequest::default()
                };
                let (entries, _) = timeline::last(session, request, self.last).await?;
                live.chat = Chat::new(timeline::look(session), &entries);
                for entry in &entries {
                    seen.take(entry);
                    live.show(session, entry)?;
                }
            }
        }
        let mut again = Again::default();
        loop {
            let failed = chat_until_cut(session, &conversation, &mut seen, &mut live, &mut again).await;
            again.after(session, failed).await?;
        }
    }

    async fn follow_tickets(&self, session: &Session, conversation: String) -> Result<(), Failure> {
        let mut request = self.filter.watch(&session.workspace, conversation);
        request.after_revision = match self.after {
            Some(revision) => revision,
            None => applied(session).await?,
        };
        let mut again = Again::default();
        loop {
            let failed = tickets_until_cut(session, &mut request, &mut again).await;
            again.after(session, failed).await?;
        }
    }
}

/// The last entry seen, by the event that last changed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    revision: i64,
    index: u32,
}

impl Seen {
    fn take(&mut self, entry: &v1::TimelineEntry) {
        *self = (*self).max(Seen { revision: entry.change_revision, index: entry.index });
    }
}

async fn chat_until_cut(
    session: &Session,
    conversation: &str,
    seen: &mut Seen,
    live: &mut Live,
    again: &mut Again,
) -> Cut {
    let watch = async {
        let request = v1::WatchTimelineRequest {
            workspace: session.workspace.clone(),
            conversation_id: conversation.to_owned(),
            after_revision: seen.revision,
            after_index: seen.index,
            min_revision: 0,
        };
        let mut stream = session.client.tickets().watch_timeline(request).await?.into_inner();
        loop {
            let news = next(&mut stream).await?;
            again.well(session);
            if let Some(TimelineEvent::Entry(entry)) = &news.event {
                live.show(session, entry)?;
            }
            *seen = Seen { revision: news.revision, index: news.index };
        }
    };
    let cut: Result<std::convert::Infallible, Cut> = watch.await;
    match cut {
        Ok(never) => match never {},
        Err(cut) => cut,
    }
}

/// A chat on its way down the screen.
struct Live {
    chat: Chat,
    /// The newest revision that was drawn.
    drawn: i64,
}

impl Live {
    /// An entry that is new is drawn whole; of one that was drawn before, what changed.
    fn show(&mut self, session: &Session, entry: &v1::TimelineEntry) -> Result<(), Failure> {
        if session.out.is_json() {
            return session.out.message("TimelineEntry", entry);
        }
        let changed = entry.revision <= self.drawn && entry.change_revision > entry.revision;
        self.drawn = self.drawn.max(entry.revision);
        let lines = if changed { self.chat.change(entry) } else { self.chat.entry(entry) };
        lines.iter().try_for_each(|line| session.out.line(line))
    }
}

async fn tickets_until_cut(session: &Session, request: &mut v1::WatchTicketsRequest, again: &mut Again) -> Cut {
    let watch = async {
        let mut stream = session.client.tickets().watch_tickets(request.clone()).await?.into_inner();
        loop {
            let news = next(&mut stream).await?;
            again.well(session);
            match &news.event {
                Some(TicketEvent::Ticket(ticket)) if session.out.is_json() => session.out.message("Ticket", ticket)?,
                Some(TicketEvent::Ticket(ticket)) => show_ticket(session, ticket)?,
                _ => {}
            }
            request.after_revision = news.revision;
        }
    };
    let cut: Result<std::convert::Infallible, Cut> = watch.await;
    match cut {
        Ok(never) => match never {},
        Err(cut) => cut,
    }
}

fn show_ticket(session: &Session, ticket: &v1::Ticket) -> Result<(), Failure> {
    let mut table = tickets::table();
    table.row(tickets::row(session, ticket));
    table.lines(session.out.table_width()).iter().skip(1).try_for_each(|line| session.out.line(line))
}

/// How far the view has come.
async fn applied(session: &Session) -> Result<i64, Failure> {
    let answer = session.client.projection().get_projection_status(timely(v1::GetProjectionStatusRequest {})).await;
    Ok(answer.map_err(|status| session.failure(status))?.into_inner().applied_revision)
}
