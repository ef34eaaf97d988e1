//! The list of conversations: newest activity first.

use std::collections::HashMap;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use maud::{Markup, html};
use proto::v1;
use tonic::Status;

use super::views::{Choice, tabs};
use crate::page;
use crate::services::{Services, Staff};
use crate::session::{Who, encode};
use crate::words;

/// Conversations of one page.
const PAGE: i32 = 40;
/// Tickets asked for at once.
const AT_ONCE: usize = 16;

/// A page of the inbox.
pub(crate) struct Listed {
    choice: Choice,
    conversations: Vec<v1::Conversation>,
    /// The open primaries of those that have one.
    tickets: HashMap<String, v1::Ticket>,
    counts: v1::CountConversationsResponse,
    next: String,
}

/// Asks for a page.
pub(crate) async fn load(who: &Who, choice: Choice, page_token: &str) -> Result<Listed, Status> {
    let counting = v1::CountConversationsRequest { workspace: who.workspace.clone(), min_revision: 0 };
    let request = v1::ListConversationsRequest { page_size: PAGE, ..choice.request(who, page_token) };
    let mut asks = (who.services.tickets(), who.services.tickets());
    let (page, counts) = tokio::try_join!(asks.0.list_conversations(request), asks.1.count_conversations(counting))?;
    let page = page.into_inner();
    let mut asks = Vec::new();
    for id in page.conversations.iter().filter_map(|conversation| conversation.open_ticket_ids.first()) {
        asks.push(primary(who.services.clone(), who.workspace.clone(), id.clone()));
    }
    let found: Vec<_> = stream::iter(asks).buffer_unordered(AT_ONCE).collect().await;
    let tickets = found.into_iter().flatten().map(|ticket| (ticket.conversation_id.clone(), ticket)).collect();
    let counts = counts.into_inner();
    Ok(Listed { choice, conversations: page.conversations, tickets, counts, next: page.next_page_token })
}

/// A ticket, if it can be had.
async fn primary(services: Services, workspace: String, ticket_id: String) -> Option<v1::Ticket> {
    let request = v1::GetTicketRequest { workspace, ticket_id, min_revision: 0 };
    services.tickets().get_ticket(request).await.ok().map(tonic::Response::into_inner)
}

impl Listed {
    /// The column with the views, the search and the list.
    pub(crate) fn column(&self, who: &Who, staff: &Staff) -> Markup {
        html! {
            div.list {
                div #views { (tabs(&self.choice, who, staff, &self.counts)) }
                form.find role="search" action="/inbox" {
                    input type="hidden" name="view" value=(self.choice.field());
                    input #find type="search" name="q" value=(self.choice.words) placeholder=(who.t("Name, number or words")) aria-label=(who.t("Search in this view"));
                    button.quiet { (who.t("Search")) }
                }
                nav.chats #chats aria-label=(who.t("Chats")) data-query=(self.choice.query()) { (self.rows(who, staff)) }
            }
        }
    }

    /// The parts of the column that change, for the page's script.
    pub(crate) fn parts(&self, who: &Who, staff: &Staff) -> Markup {
        html! {
            div data-for="views" { (tabs(&self.choice, who, staff, &self.counts)) }
            div data-for="chats" { (self.rows(who, staff)) }
        }
    }

    fn rows(&self, who: &Who, staff: &Staff) -> Markup {
        let now = Timestamp::now();
        html! {
            @if self.conversations.is_empty() {
                p.more { @if self.next.is_empty() { (who.t("No chat here.")) } @else { (who.t("Nothing found so far.")) } }
            }
            ul { @for conversation in &self.conversations { (self.row(conversation, who, staff, now)) } }
            @if !self.next.is_empty() {
                p.more { a href={ "/inbox" (self.choice.query()) "&page=" (encode(&self.next)) } { (who.t("Further ones")) } }
            }
        }
    }

    fn row(&self, conversation: &v1::Conversation, who: &Who, staff: &Staff, now: Timestamp) -> Markup {
        let name = words::contact(conversation.contact.as_ref(), who.zone.lang);
        let unread = conversation.unread_count;
        let ticket = self.tickets.get(&conversation.id);
        let waits = ticket.and_then(|ticket| waits(ticket, now));
        let assignee = staff.assignee(conversation.assignee.as_ref(), who.zone.lang);
        let last = conversation.last_entry_time.as_ref();
        html! {
            li.unread[unread > 0] {
                a href={ "/c/" (conversation.id) (self.choice.query()) } data-chat=(conversation.id) {
                    (page::face(name))
                    span.name { bdi { (name) } }
                    span.when { (page::time(who, last, &words::ago(last, now, &who.zone))) }
                    span.sub {
                        @if unread > 0 { span.badge title=(who.t("unread")) { (unread) " " (page::unseen(who.t("unread"))) } }
                        @if let Some(ticket) = ticket {
                            span.tag.open dir="auto" { (words::number(&ticket.id)) " " (words::called(&ticket.topic, who.t("open"))) }
                        }
                        @if conversation.open_ticket_count > 1 { span.tag { "+" (conversation.open_ticket_count - 1) " " (who.t("nested")) } }
                        @if let Some(waits) = waits { span.tag.wait { (who.t("waits")) " " (words::seconds(waits, who.zone.lang)) } }
                        @if !assignee.is_empty() { bdi { (assignee) } }
                        @for tag in conversation.tags.iter().take(3) { span.tag dir="auto" { (tag) } }
                    }
                }
            }
        }
    }
}

/// How long the customer has waited for a first answer, in seconds; `None` when one was given.
fn waits(ticket: &v1::Ticket, now: Timestamp) -> Option<u64> {
    let answered = ticket.metrics.as_ref().is_some_and(|metrics| metrics.first_response.is_some());
    let since = words::instant(ticket.open_time.as_ref()).filter(|_| !answered)?;
    u64::try_from(now.as_second() - since.as_second()).ok()
}
