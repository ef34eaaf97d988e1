//! Where an agent writes to the customer, or to colleagues.

use jiff::Timestamp;
use maud::{Markup, html};
use proto::v1;
use v1::timeline_entry::Entry;

use super::load::Piece;
use super::panel::command;
use crate::lang::word;
use crate::session::Who;
use crate::words;

/// How long a customer's message keeps the conversation open for free words, in seconds. WhatsApp's rule.
const WINDOW: i64 = 24 * 3_600;

/// The form below the chat.
pub(crate) fn compose(who: &Who, conversation: &v1::Conversation, piece: &Piece, now: Timestamp) -> Markup {
    let to = |what: &str| format!("/c/{}/{what}", conversation.id);
    html! {
        div.compose {
            form #write method="post" action=(to("send")) data-act="" data-name=(who.name) {
                (command())
                p.answering #answering hidden { input type="hidden" name="reply_to" value=""; (who.t("Answering:")) " " span dir="auto" {} button.quiet type="button" data-forget="" aria-label=(who.t("Answer nothing in particular")) { "×" } }
                p.answering #attached hidden {
                    input type="hidden" name="file" value=""; input type="hidden" name="file_kind" value=""; input type="hidden" name="file_type" value=""; input type="hidden" name="file_name" value="";
                    span dir="auto" {} button.quiet type="button" data-detach="" aria-label=(who.t("Send no file")) { "×" }
                }
                textarea #words name="text" rows="2" maxlength="4096" dir="auto" required aria-label=(who.t("Message")) placeholder=(who.t("Write to the customer …")) {}
                div.line {
                    button #send { (who.t("Send")) }
                    label.button.quiet #attach hidden { (who.t("Attach a file")) input.unseen type="file" data-to=(to("media")); }
                    button.quiet #note formaction=(to("note")) { (who.t("Save as note")) }
                    (window(who, conversation, piece, now))
                    span.hint.keys { kbd { (who.t("Enter")) } " " (who.t("sends,")) " " kbd { (who.t("Shift Enter")) } " " (who.t("begins a line")) }
                }
            }
            details data-what="template" {
                summary { (who.t("Send a template")) }
                form.line method="post" action=(to("template")) data-act="" data-pending=(who.t("Template")) {
                    (command())
                    label { (who.t("Template")) input name="template" required maxlength="512"; }
                    label { (who.t("Language")) input name="language" value="en_US" size="6" maxlength="16"; }
                    label { (who.t("Parameters, one a line")) textarea name="parameters" rows="2" dir="auto" {} }
                    button { (who.t("Send template")) }
                }
            }
        }
    }
}

/// Whether the channel takes free words now, and for how long yet: the page's script counts down, and goes on from what
/// the customer writes. Only WhatsApp's does not always. Where none of the customer's messages is in sight, only the
/// service can tell.
fn window(who: &Who, conversation: &v1::Conversation, piece: &Piece, now: Timestamp) -> Markup {
    if !conversation.channel.starts_with("whatsapp:") || !piece.newer.is_empty() {
        return html! {};
    }
    let said = piece.entries.iter().filter_map(|entry| match &entry.entry {
        Some(Entry::Message(message)) if message.direction() == v1::Direction::Inbound => message.occur_time.as_ref(),
        _ => None,
    });
    let until = said.filter_map(|at| words::instant(Some(at))).max().map(|at| at.as_second() + WINDOW);
    let left = until.map(|until| u64::try_from(until - now.as_second()).unwrap_or(0));
    let shown = left.is_some() || piece.older.is_empty();
    let open = left.filter(|left| *left > 0);
    let shut = who.t("24 hours have passed: only a template reaches the customer");
    let free = word("Free words for {}");
    html! {
        span.window .shut[open.is_none()] hidden[!shown] data-until=(until.unwrap_or(0)) data-open=(who.t(free)) data-shut=(shut) {
            @match open { Some(left) => { (who.fill(free, &[&words::seconds(left, who.zone.lang)])) } None => (shut) }
        }
    }
}
