//! The page of a chat.

use jiff::Timestamp;
use maud::{Markup, html};
use proto::v1;

use super::compose::compose;
use super::lanes::Lanes;
use super::load::Piece;
use super::panel::Panel;
use super::rail::rail;
use super::row::Rows;
use crate::inbox::{Listed, keys};
use crate::page;
use crate::services::Staff;
use crate::session::Who;
use crate::words;

/// What the addresses of channels begin with that say how far a message came.
const REPORTING: [&str; 2] = ["whatsapp:", "messenger:"];

/// All that the page is made from.
pub(crate) struct View<'a> {
    pub(crate) who: &'a Who,
    pub(crate) staff: &'a Staff,
    pub(crate) conversation: &'a v1::Conversation,
    pub(crate) lanes: &'a Lanes,
    pub(crate) piece: &'a Piece,
    pub(crate) rules: &'a [String],
    pub(crate) listed: &'a Listed,
    pub(crate) now: Timestamp,
}

impl View<'_> {
    pub(crate) fn draw(&self) -> Markup {
        let conversation = self.conversation;
        let panel = Panel { who: self.who, staff: self.staff, conversation, lanes: self.lanes, rules: self.rules };
        html! {
            div.columns.chatting {
                (self.listed.column(self.who, self.staff))
                main.chat #main {
                    (self.head())
                    div #railbox { (rail(self.lanes, &conversation.id, self.who, self.staff, self.now)) }
                    (self.scroll())
                    (compose(self.who, conversation, self.piece, self.now))
                }
                aside.panel #panel aria-label=(self.who.t("About this chat")) { (panel.draw()) }
            }
            (keys(self.who))
        }
    }

    fn head(&self) -> Markup {
        let contact = self.conversation.contact.as_ref();
        let (name, id) =
            (words::contact(contact, self.who.zone.lang), contact.map_or("", |contact| contact.id.as_str()));
        html! {
            header.chathead {
                a.back href="/inbox" { "‹" (page::unseen(self.who.t("Back to the inbox"))) }
                (page::face(name))
                div {
                    h1 { bdi { (name) } }
                    p.hint { @if id != name { bdi { (id) } " · " } bdi { (self.conversation.channel) } }
                }
                p.status #connection role="status" {}
                a.button.quiet.onlyphone href="#panel" { (self.who.t("About")) }
            }
        }
    }

    fn scroll(&self) -> Markup {
        let (conversation, piece) = (self.conversation, self.piece);
        let reports = REPORTING.iter().any(|kind| conversation.channel.starts_with(kind));
        let rows = Rows { who: self.who, conversation: &conversation.id, staff: self.staff, lanes: self.lanes };
        html! {
            div.scroll.reports[reports] #scroll tabindex="0" role="region" aria-label=(self.who.t("Messages")) data-chat=(conversation.id) data-after=(conversation.revision)
                data-older=[some(&piece.older)] data-newer=[some(&piece.newer)] data-unread=[(conversation.unread_count > 0).then_some("")] {
                @if !piece.older.is_empty() {
                    p.more #older { a href={ "/c/" (conversation.id) "?before=" (piece.older) } { (self.who.t("Older messages")) } }
                } @else {
                    p.more #older { (self.who.t("The chat begins here")) }
                }
                ol class={ "rows w" (self.lanes.width()) } #rows { (rows.piece(&piece.entries)) }
                @if !piece.newer.is_empty() {
                    p.more #newer { a href={ "/c/" (conversation.id) "?after=" (piece.newer) } { (self.who.t("Newer messages")) } }
                }
                @if piece.entries.is_empty() { p.hint.centred { (self.who.t("Nothing has been said yet.")) } }
                div #end {}
            }
            a.latest.button #latest href={ "/c/" (conversation.id) } hidden { "↓ " (self.who.t("Newest")) }
        }
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
