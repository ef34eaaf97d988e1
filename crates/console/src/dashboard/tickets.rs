//! The tickets behind a number.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::response::Html;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use maud::{Markup, html};
use proto::v1;
use tonic::Status;

use super::asked::Asked;
use crate::failure::Failure;
use crate::page::{self, Part};
use crate::server::Shared;
use crate::services::{Services, Staff};
use crate::session::{Who, encode};
use crate::words::{self, Fields, field};

/// Tickets of one page, and most questions to the service for it: where few are of the one value that is asked for, it
/// looks through 5,000 and lets us ask again.
const PAGE: usize = 60;
const QUESTIONS: usize = 40;
/// Conversations asked for at once.
const AT_ONCE: usize = 16;

/// A page of the tickets, newest first.
pub(crate) async fn tickets(
    State(app): State<Shared>,
    who: Who,
    Query(fields): Query<Fields>,
) -> Result<Html<String>, Failure> {
    let asked = Asked::of(&fields, &who, Timestamp::now());
    let ((tickets, next), staff) =
        tokio::try_join!(page(&app.services, &asked, field(&fields, "page")), app.services.staff(&who.workspace))?;
    let names = names(&app.services, &who, &tickets).await;
    let from = words::minute(Some(&words::wire(asked.start)), &asked.zone);
    let to = words::minute(Some(&words::wire(asked.end)), &asked.zone);
    let body = html! {
        main.page #main {
            p { a href={ "/dashboard?" (Asked { only: None, ..asked.clone() }.query()) } { "‹ Dashboard" } }
            h1 { "Tickets " (asked.basis.1.to_lowercase()) ", " (from) " to " (to) }
            @if let Some((kind, id)) = &asked.only { p.hint { "Of one " (kind) " alone: " bdi { (words::called(id.rsplit_once('/').map_or(id, |(first, last)| words::called(last, first)), "none")) } } }
            section.box.wide { (table(&tickets, &names, &staff, &who, &asked)) }
            @if !next.is_empty() { p.more { a href={ "/tickets?" (asked.query()) "&page=" (encode(&next)) } { "Further ones" } } }
        }
    };
    Ok(Html(page::page(&who, Part::Dashboard, "Tickets", body).into_string()))
}

/// Tickets until a page is full, and where the next one begins.
async fn page(services: &Services, asked: &Asked, token: &str) -> Result<(Vec<v1::Ticket>, String), Status> {
    let mut request = v1::ListTicketsRequest { page_size: PAGE as i32, page_token: token.to_owned(), ..asked.list() };
    let mut found = Vec::new();
    for _ in 0..QUESTIONS {
        let page = services.tickets().list_tickets(request.clone()).await?.into_inner();
        found.extend(page.tickets.into_iter().filter(|ticket| asked.is_of(ticket)));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || found.len() >= PAGE {
            break;
        }
    }
    Ok((found, request.page_token))
}

/// How the customers are called.
async fn names(services: &Services, who: &Who, tickets: &[v1::Ticket]) -> HashMap<String, String> {
    let mut ids: Vec<&String> = tickets.iter().map(|ticket| &ticket.conversation_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut asks = Vec::new();
    for id in ids {
        asks.push(name(services.clone(), who.workspace.clone(), id.clone()));
    }
    stream::iter(asks).buffer_unordered(AT_ONCE).collect().await
}

async fn name(services: Services, workspace: String, id: String) -> (String, String) {
    let request = v1::GetConversationRequest { workspace, conversation_id: id.clone(), min_revision: 0 };
    let found = services.tickets().get_conversation(request).await;
    let name = found.map(|found| words::contact(found.get_ref().contact.as_ref()).to_owned());
    (id, name.unwrap_or_else(|_| "Customer".to_owned()))
}

fn table(tickets: &[v1::Ticket], names: &HashMap<String, String>, staff: &Staff, who: &Who, asked: &Asked) -> Markup {
    let who = Who { zone: asked.zone.clone(), ..who.clone() };
    html! {
        table {
            thead { tr { th { "Ticket" } th { "Customer" } th { "Opened" } th { "Closed" } th { "Assignee" } th.num { "First response" } th.num { "Resolution" } } }
            tbody {
                @for ticket in tickets {
                    @let metrics = ticket.metrics.unwrap_or_default();
                    @let number = words::number(&ticket.id);
                    tr {
                        th scope="row" {
                            a href={ "/c/" (ticket.conversation_id) "?ticket=" (&number[1..]) "#t" (&number[1..]) } { (number) " " bdi { (words::called(&ticket.topic, "no topic")) } }
                            @if !ticket.primary_id.is_empty() { " " span.tag { "nested" } }
                        }
                        td dir="auto" { (names.get(&ticket.conversation_id).map_or("", String::as_str)) }
                        td { (words::minute(ticket.open_time.as_ref(), &who.zone)) br; span.hint { "by " bdi { (words::actor(ticket.opened_by.as_ref())) } } }
                        td { @if ticket.close_time.is_some() { (words::minute(ticket.close_time.as_ref(), &who.zone)) br; span.hint { "by " bdi { (words::actor(ticket.closed_by.as_ref())) } } } @else { span.tag.open { "open" } } }
                        td dir="auto" { (staff.assignee(ticket.assignee.as_ref())) }
                        td.num { (words::duration(metrics.first_response.as_ref())) }
                        td.num { (words::duration(metrics.resolution.as_ref())) }
                    }
                }
                @if tickets.is_empty() { tr { td colspan="7" { "No tickets." } } }
            }
        }
    }
}
