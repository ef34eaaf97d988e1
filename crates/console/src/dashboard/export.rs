//! The tickets of a period as a file, one row for each window, sent while it is read.

use axum::body::Body;
use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use jiff::Timestamp;
use proto::v1;
use serde_json::{Value, json};
use tonic::Status;

use super::asked::Asked;
use crate::failure::Failure;
use crate::session::Who;
use crate::words::{self, Fields};

/// Tickets of one question to the service.
const PAGE: i32 = 1_000;

const COLUMNS: [&str; 18] = [
    "ticket",
    "conversation",
    "primary",
    "topic",
    "state",
    "channel",
    "open_time",
    "close_time",
    "opener_kind",
    "opener",
    "closer_kind",
    "closer",
    "assignee_agent",
    "assignee_team",
    "first_response_seconds",
    "resolution_seconds",
    "inbound_messages",
    "outbound_messages",
];

/// As CSV (RFC 4180), the first row naming the columns.
pub(crate) async fn csv(who: Who, Query(fields): Query<Fields>) -> Result<Response, Failure> {
    let head = format!("{}\r\n", COLUMNS.join(","));
    let row = |ticket: &v1::Ticket| {
        let cells: Vec<String> = values(ticket).iter().map(cell).collect();
        format!("{}\r\n", cells.join(","))
    };
    send(who, &fields, head, row, ("text/csv; charset=utf-8", "tickets.csv")).await
}

/// As JSON, one object on each line.
pub(crate) async fn jsonl(who: Who, Query(fields): Query<Fields>) -> Result<Response, Failure> {
    let row = |ticket: &v1::Ticket| {
        let object: serde_json::Map<_, _> = COLUMNS.into_iter().map(str::to_owned).zip(values(ticket)).collect();
        format!("{}\n", Value::Object(object))
    };
    send(who, &fields, String::new(), row, ("application/x-ndjson", "tickets.jsonl")).await
}

/// Sends page after page. One that fails ends the answer in the middle, so that nobody takes it for the whole.
async fn send(
    who: Who,
    fields: &Fields,
    head: String,
    row: fn(&v1::Ticket) -> String,
    (kind, name): (&'static str, &'static str),
) -> Result<Response, Failure> {
    let asked = Asked::of(fields, &who, Timestamp::now());
    let first = v1::ListTicketsRequest { page_size: PAGE, ..asked.list() };
    // The first page is asked for before the answer begins, so that a refusal is told as one.
    let page = who.services.tickets().list_tickets(first.clone()).await?.into_inner();
    let begin = (head, Some((first, page)));
    let rows = stream::try_unfold(begin, move |(mut text, state)| {
        let (services, asked) = (who.services.clone(), asked.clone());
        async move {
            let Some((mut request, page)) = state else { return Ok::<_, Status>(None) };
            text.extend(page.tickets.iter().filter(|ticket| asked.is_of(ticket)).map(row));
            let next = if page.next_page_token.is_empty() {
                None
            } else {
                request.page_token = page.next_page_token;
                let page = services.tickets().list_tickets(request.clone()).await?.into_inner();
                Some((request, page))
            };
            Ok(Some((Bytes::from(text), (String::new(), next))))
        }
    });
    let file = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, file)];
    Ok((headers, Body::from_stream(rows)).into_response())
}

/// The values of [`COLUMNS`].
fn values(ticket: &v1::Ticket) -> [Value; 18] {
    let time = |time: Option<&prost_types::Timestamp>| json!(words::instant(time).map(|at| at.to_string()));
    let seconds = |length: Option<&prost_types::Duration>| {
        json!(length.map(|length| length.seconds as f64 + f64::from(length.nanos) / 1e9))
    };
    let (opener, closer) = (ticket.opened_by.clone().unwrap_or_default(), ticket.closed_by.clone());
    let kind = |actor: &v1::Actor| json!(actor.kind().as_str_name().to_lowercase());
    let assignee = ticket.assignee.clone().unwrap_or_default();
    let metrics = ticket.metrics.unwrap_or_default();
    [
        json!(ticket.id),
        json!(ticket.conversation_id),
        json!(ticket.primary_id),
        json!(ticket.topic),
        json!(ticket.state().as_str_name().to_lowercase()),
        json!(ticket.channel),
        time(ticket.open_time.as_ref()),
        time(ticket.close_time.as_ref()),
        kind(&opener),
        json!(opener.id),
        closer.as_ref().map_or(Value::Null, kind),
        closer.map_or(Value::Null, |closer| json!(closer.id)),
        json!(assignee.agent_id),
        json!(assignee.team_id),
        seconds(metrics.first_response.as_ref()),
        seconds(metrics.resolution.as_ref()),
        json!(metrics.inbound_count),
        json!(metrics.outbound_count),
    ]
}

/// A value in a cell. What a spreadsheet would take for a formula gets a quote before it.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => return other.to_string(),
    };
    let plain = !text.contains(['"', ',', '\n', '\r']);
    if plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formulas() {
        let cases = [
            (json!("refund"), "refund"),
            (json!("a,b"), "\"a,b\""),
            (json!("say \"no\""), "\"say \"\"no\"\"\""),
            (json!("=HYPERLINK(1)"), "'=HYPERLINK(1)"),
            (json!(-1.5), "-1.5"),
            (Value::Null, ""),
        ];
        for (value, text) in cases {
            assert_eq!(cell(&value), text);
        }
    }
}
