use axum::extract::{Path, Query};
use axum::response::Html;
use jiff::Timestamp;
use maud::html;

use super::lanes::ordinal;
use super::load::{Asked, Piece};
use super::panel::Panel;
use super::rail::rail;
use super::row::Rows;
use super::view::View;
use crate::failure::Failure;
use crate::inbox::{self, Choice};
use crate::page::{self, Part};
use crate::session::Who;
use crate::words::{self, Fields, field};

/// The page of a chat: at its end, at a ticket, or at a place further up.
pub(crate) async fn show(
    who: Who,
    Path(id): Path<String>,
    Query(asked): Query<Fields>,
) -> Result<Html<String>, Failure> {
    let ask = ask(&who, &id, &asked);
    let (conversation, staff, rules, listed) = tokio::try_join!(
        ask.conversation(),
        who.services.staff(&who.workspace),
        who.services.shortcuts(&who.workspace),
        inbox::load(&who, Choice::of(&asked), ""),
    )?;
    // What the page shows is no older than this: whatever comes later comes live.
    let ask = Asked { min_revision: conversation.revision, ..ask };
    let (lanes, newest) = tokio::try_join!(ask.lanes(), async {
        match (field(&asked, "ticket"), field(&asked, "before"), field(&asked, "after")) {
            ("", "", "") => ask.newest().await,
            ("", "", after) => ask.newer(after.to_owned()).await,
            ("", before, _) => ask.older(before.to_owned()).await,
            _ => Ok(Piece::default()),
        }
    })?;
    let number: Option<u64> = field(&asked, "ticket").parse().ok();
    let ticket = number.and_then(|number| lanes.tickets().iter().find(|ticket| ordinal(&ticket.id) == number));
    let piece = match ticket.and_then(|ticket| ticket.open_time) {
        Some(time) => ask.around(time).await?,
        None if newest.entries.is_empty() && number.is_some() => ask.newest().await?,
        None => newest,
    };
    let now = Timestamp::now();
    let view = View {
        who: &who,
        staff: &staff,
        conversation: &conversation,
        lanes: &lanes,
        piece: &piece,
        rules: &rules,
        listed: &listed,
        now,
    };
    let title = words::contact(conversation.contact.as_ref(), who.zone.lang);
    Ok(Html(page::page(&who, Part::Inbox, title, view.draw()).into_string()))
}

/// A piece of the chat above or below what is shown, for the page's script.
pub(crate) async fn entries(
    who: Who,
    Path(id): Path<String>,
    Query(asked): Query<Fields>,
) -> Result<Html<String>, Failure> {
    let ask = ask(&who, &id, &asked);
    let load = async {
        match (field(&asked, "before"), field(&asked, "after")) {
            ("", after) => ask.newer(after.to_owned()).await,
            (before, _) => ask.older(before.to_owned()).await,
        }
    };
    let (lanes, piece, staff) = tokio::try_join!(ask.lanes(), load, who.services.staff(&who.workspace))?;
    let rows = Rows { who: &who, conversation: &id, staff: &staff, lanes: &lanes };
    let older = (!piece.older.is_empty()).then_some(&piece.older);
    let newer = (!piece.newer.is_empty()).then_some(&piece.newer);
    let body = html! {
        ol data-older=[older] data-newer=[newer] { (rows.piece(&piece.entries)) }
    };
    Ok(Html(body.into_string()))
}

/// What stands beside the chat, for the page's script.
pub(crate) async fn panel(
    who: Who,
    Path(id): Path<String>,
    Query(asked): Query<Fields>,
) -> Result<Html<String>, Failure> {
    Ok(Html(draw_panel(&who, &ask(&who, &id, &asked)).await?))
}

/// The panel and the rail as they stand now.
pub(super) async fn draw_panel(who: &Who, ask: &Asked<'_>) -> Result<String, tonic::Status> {
    let (conversation, lanes, staff, rules) = tokio::try_join!(
        ask.conversation(),
        ask.lanes(),
        who.services.staff(&who.workspace),
        who.services.shortcuts(&who.workspace),
    )?;
    let panel = Panel { who, staff: &staff, conversation: &conversation, lanes: &lanes, rules: &rules };
    let rail = rail(&lanes, &conversation.id, who, &staff, Timestamp::now());
    let body = html! {
        div data-for="panel" { (panel.draw()) }
        div data-for="railbox" { (rail) }
    };
    Ok(body.into_string())
}

fn ask<'a>(who: &'a Who, id: &'a str, asked: &Fields) -> Asked<'a> {
    let min_revision = field(asked, "rev").parse().unwrap_or(0);
    Asked { services: &who.services, workspace: &who.workspace, conversation: id, min_revision }
}
