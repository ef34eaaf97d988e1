//! What a piece of the chat is made from, asked of the services.

use proto::v1;
use tonic::Status;
use v1::list_timeline_request::Direction;

use super::lanes::Lanes;
use crate::services::Services;

/// Entries of one piece.
pub(crate) const PIECE: i32 = 50;
/// Entries above a ticket that somebody jumps to.
const ABOVE: i32 = 12;
/// Tickets asked for at once, and most times: a conversation that has more shows its newest 4,000.
const TICKETS: i32 = 1_000;
const TICKET_PAGES: usize = 4;

/// A piece of the timeline, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    pub(crate) entries: Vec<v1::TimelineEntry>,
    /// Asks for what stands above; empty at the beginning of the chat.
    pub(crate) older: String,
    /// Asks for what stands below; empty at its end.
    pub(crate) newer: String,
}

/// A conversation of a workspace, to ask about.
#[derive(Clone)]
pub(crate) struct Asked<'a> {
    pub(crate) services: &'a Services,
    pub(crate) workspace: &'a str,
    pub(crate) conversation: &'a str,
    /// Wait until the view has come so far.
    pub(crate) min_revision: i64,
}

impl Asked<'_> {
    /// The conversation itself.
    pub(crate) async fn conversation(&self) -> Result<v1::Conversation, Status> {
        let request = v1::GetConversationRequest {
            workspace: self.workspace.to_owned(),
            conversation_id: self.conversation.to_owned(),
            min_revision: self.min_revision,
        };
        Ok(self.services.tickets().get_conversation(request).await?.into_inner())
    }

    /// Its tickets, nested ones too.
    pub(crate) async fn lanes(&self) -> Result<Lanes, Status> {
        let mut request = v1::ListTicketsRequest {
            workspace: self.workspace.to_owned(),
            conversation_id: self.conversation.to_owned(),
            include_nested: true,
            page_size: TICKETS,
            min_revision: self.min_revision,
            ..v1::ListTicketsRequest::default()
        };
        let mut tickets = Vec::new();
        for _ in 0..TICKET_PAGES {
            let page = self.services.tickets().list_tickets(request.clone()).await?.into_inner();
            tickets.extend(page.tickets);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        Ok(Lanes::new(tickets))
    }

    /// The newest entries.
    pub(crate) async fn newest(&self) -> Result<Piece, Status> {
        self.older(String::new()).await
    }

    /// The entries above a place.
    pub(crate) async fn older(&self, token: String) -> Result<Piece, Status> {
        let (mut entries, older) = self.list(Direction::Older, PIECE, token, None).await?;
        entries.reverse();
        Ok(Piece { entries, older, newer: String::new() })
    }

    /// The entries below a place.
    pub(crate) async fn newer(&self, token: String) -> Result<Piece, Status> {
        let (entries, newer) = self.list(Direction::Newer, PIECE, token, None).await?;
        Ok(Piece { entries, older: String::new(), newer })
    }

    /// The entries around an instant.
    pub(crate) async fn around(&self, at: prost_types::Timestamp) -> Result<Piece, Status> {
        let (above, below) = tokio::try_join!(
            self.list(Direction::Older, ABOVE, String::new(), Some(at)),
            self.list(Direction::Newer, PIECE, String::new(), Some(at)),
        )?;
        let entries = above.0.into_iter().rev().chain(below.0).collect();
        Ok(Piece { entries, older: above.1, newer: below.1 })
    }

    async fn list(
        &self,
        direction: Direction,
        page_size: i32,
        page_token: String,
        from_time: Option<prost_types::Timestamp>,
    ) -> Result<(Vec<v1::TimelineEntry>, String), Status> {
        let request = v1::ListTimelineRequest {
            workspace: self.workspace.to_owned(),
            conversation_id: self.conversation.to_owned(),
            page_size,
            page_token,
            direction: direction.into(),
            from_time,
            min_revision: self.min_revision,
        };
        let page = self.services.tickets().list_timeline(request).await?.into_inner();
        Ok((page.entries, page.next_page_token))
    }
}
