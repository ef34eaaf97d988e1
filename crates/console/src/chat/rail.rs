//! All tickets of a conversation as a miniature timeline: primaries above, nested ones below.

use jiff::Timestamp;
use maud::{Markup, html};
use proto::v1;

use super::lanes::{Lanes, ordinal};
use super::panel;
use crate::services::Staff;
use crate::session::Who;
use crate::words;

/// Units from side to side.
const WIDE: i64 = 1_000;
/// The least width of a ticket that can be hit.
const LEAST: i64 = 9;
/// Tickets that tell all about themselves, the newest; older ones say which they are, so that a page stays light.
const TOLD: usize = 250;
/// Height of a line of windows, and of all.
const LINE: usize = 9;

/// The rail.
pub(crate) fn rail(lanes: &Lanes, conversation: &str, who: &Who, staff: &Staff, now: Timestamp) -> Markup {
    let Some(first) = lanes.tickets().iter().filter_map(|ticket| words::instant(ticket.open_time.as_ref())).min()
    else {
        return html! {};
    };
    let (start, end) = (first.as_second(), now.as_second().max(first.as_second() + 60));
    let at = |time: Option<&prost_types::Timestamp>| {
        let second = time.map_or(end, |time| time.seconds).clamp(start, end);
        (second - start) * (WIDE - LEAST) / (end - start)
    };
    let high = lanes.width().min(3) * LINE + 2;
    html! {
        nav.rail #rail aria-label=(who.t("Tickets of this chat, oldest first")) {
            span.from { (who.zone.lang.date(&first.to_zoned(who.zone.zone.clone()))) }
            svg viewBox={ "0 0 " (WIDE) " " (high) } preserveAspectRatio="none" {
                @for (nth, ticket) in lanes.tickets().iter().enumerate() {
                    @let from = at(ticket.open_time.as_ref());
                    @let to = at(ticket.close_time.as_ref()).max(from + LEAST);
                    @let line = lanes.lane(&ticket.id).unwrap_or(2).min(2);
                    @let open = ticket.state() == v1::ticket::State::Open;
                    a href={ "/c/" (conversation) "?ticket=" (ordinal(&ticket.id)) "#t" (ordinal(&ticket.id)) } data-jump=(ordinal(&ticket.id)) {
                        title { (if nth + TOLD >= lanes.tickets().len() { panel::summary(ticket, staff, who) } else { panel::label(ticket) }) }
                        rect .open[open] .nested[!ticket.primary_id.is_empty()] x=(from) y=(line * LINE + 1) width=(to - from) height=(LINE - 2) rx="2" {}
                    }
                }
            }
            span.to { (who.t("now")) }
        }
    }
}
