//! The tickets behind a number.

use std::collections::HashMap;

use axum::extract::Query;
use axum::response::Html;
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use maud::{Markup, html};
use proto::v1;
use tonic::Status;

use super::asked::{Asked, DIMENSIONS};
use crate::failure::Failure;
use crate::page::{self, Part};
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
pub(crate) async fn tickets(who: Who, Query(fields): Query<Fields>) -> Result<Html<String>, Failure> {
    let asked = Asked::of(&fields, &who, Timestamp::now());
    let ((tickets, next), staff) =
        tokio::try_join!(page(&who.services, &asked, field(&fields, "page")), who.services.staff(&who.workspace))?;
    let names = names(&who.services, &who, &tickets).await;
    let from = words::minute(Some(&words::wire(asked.start)), &asked.zone);
    let to = words::minute(Some(&words::wire(asked.end)), &asked.zone);
    let body = html! {
        main.page #main {
            p { a href={ "/dashboard?" (Asked { only: None, ..asked.clone() }.query()) } { "‹ " (who.t("Dashboard")) } }
            h1 { (who.t("Tickets")) ": " (who.t(asked.basis.1)) ", " (who.fill("{} to {}", &[&from, &to])) }
            @if let Some((kind, id)) = &asked.only { p.hint { (who.t(dimension(kind))) ": " bdi { (words::called(id.rsplit_once('/').map_or(id, |(first, last)| words::called(last, first)), who.t("nobody"))) } } }
            section.box.wide { (table(&tickets, &names, &staff, &who, &asked)) }
            @if !next.is_empty() { p.more { a href={ "/tickets?" (asked.query()) "&page=" (encode(&next)) } { (who.t("Further ones")) } } }
        }
    };
    Ok(Html(page::page(&who, Part::Dashboard, who.t("Tickets"), body).into_string()))
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
        asks.push(name(services.clone(), who.clone(), id.clone()));
    }
    stream::iter(asks).buffer_unordered(AT_ONCE).collect().await
}

async fn name(services: Services, who: Who, id: String) -> (String, String) {
    let request =
        v1::GetConversationRequest { workspace: who.workspace.clone(), conversation_id: id.clone(), min_revision: 0 };
    let found = services.tickets().get_conversation(request).await;
    let name = found.map(|found| words::contact(found.get_ref().contact.as_ref(), who.zone.lang).to_owned());
    (id, name.unwrap_or_else(|_| who.t("Customer").to_owned()))
}

/// What a kind of an address is called.
fn dimension(kind: &str) -> &'static str {
    DIMENSIONS.iter().find(|(name, ..)| *name == kind).map_or(DIMENSIONS[0].1, |(_, name, _)| name)
}

fn table(tickets: &[v1::Ticket], names: &HashMap<String, String>, staff: &Staff, who: &Who, asked: &Asked) -> Markup {
    let who = Who { zone: asked.zone.clone(), ..who.clone() };
    html! {
        table {
            thead { tr { th { (who.t("Ticket")) } th { (who.t("Customer")) } th { (who.t("Opened")) } th { (who.t("Closed")) } th { (who.t("Assignee")) } th.num { (who.t("First response")) } th.num { (who.t("Resolution")) } } }
            tbody {
                @for ticket in tickets {
                    @let metrics = ticket.metrics.unwrap_or_default();
                    @let number = words::number(&ticket.id);
                    tr {
                        th scope="row" {
                            a href={ "/c/" (ticket.conversation_id) "?ticket=" (&number[1..]) "#t" (&number[1..]) } { (number) " " bdi { (words::called(&ticket.topic, who.t("no topic"))) } }
                            @if !ticket.primary_id.is_empty() { " " span.tag { (who.t("nested")) } }
                        }
                        td { bdi { (names.get(&ticket.conversation_id).map_or("", String::as_str)) } }
                        td { (words::minute(ticket.open_time.as_ref(), &who.zone)) br; span.hint { (who.t("by")) " " bdi { (words::actor(ticket.opened_by.as_ref(), who.zone.lang)) } } }
                        td { @if ticket.close_time.is_some() { (words::minute(ticket.close_time.as_ref(), &who.zone)) br; span.hint { (who.t("by")) " " bdi { (words::actor(ticket.closed_by.as_ref(), who.zone.lang)) } } } @else { span.tag.open { (who.t("open")) } } }
                        td { bdi { (staff.assignee(ticket.assignee.as_ref(), who.zone.lang)) } }
                        td.num { (words::duration(metrics.first_response.as_ref(), who.zone.lang)) }
                        td.num { (words::duration(metrics.resolution.as_ref(), who.zone.lang)) }
                    }
                }
                @if tickets.is_empty() { tr { td colspan="7" { (who.t("No tickets.")) } } }
            }
        }
    }
}
