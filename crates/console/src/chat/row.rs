//! One entry of the chat as a row: its brackets at the left, what it is beside them.

use std::borrow::Cow;
use std::collections::HashMap;

use maud::{Markup, html};
use proto::v1;
use v1::stamp::Kind;
use v1::timeline_entry::Entry;

use super::lanes::{Lanes, ordinal};
use super::{message, panel};
use crate::lang::Lang;
use crate::page;
use crate::services::Staff;
use crate::session::Who;
use crate::words;

/// What rows are drawn with.
pub(crate) struct Rows<'a> {
    pub(crate) who: &'a Who,
    pub(crate) conversation: &'a str,
    pub(crate) staff: &'a Staff,
    pub(crate) lanes: &'a Lanes,
}

impl Rows<'_> {
    /// A piece of the chat, oldest first.
    pub(crate) fn piece(&self, entries: &[v1::TimelineEntry]) -> Markup {
        let mut quotes = HashMap::new();
        for message in entries.iter().filter_map(message_of) {
            for id in [&message.id, &message.channel_message_id] {
                if !id.is_empty() {
                    quotes.insert(id.as_str(), message);
                }
            }
        }
        let mut day = None;
        html! {
            @for entry in entries {
                @let its = words::zoned(entry.time.as_ref(), &self.who.zone).map(|at| at.date());
                @let begins = its.is_some() && std::mem::replace(&mut day, its) != its;
                (self.row(entry, begins, &quotes))
            }
        }
    }

    /// One row. The first of its day says which day it is.
    pub(crate) fn row(
        &self,
        entry: &v1::TimelineEntry,
        first_of_day: bool,
        quotes: &HashMap<&str, &v1::Message>,
    ) -> Markup {
        let day = words::zoned(entry.time.as_ref(), &self.who.zone);
        let class = match &entry.entry {
            Some(Entry::Message(message)) if message.direction() == v1::Direction::Inbound => "in",
            Some(Entry::Message(_)) => "out",
            Some(Entry::Note(_)) => "out",
            _ => "mark",
        };
        let names = message_of(entry).map(|message| format!("{} {}", message.id, message.channel_message_id));
        html! {
            li.row.(class).late[entry.late].newday[first_of_day] id=(id(entry)) data-k=(key(entry))
                data-day=[day.as_ref().map(|at| at.date())] data-m=[names.as_deref().map(str::trim)] {
                (self.brackets(entry))
                div.what {
                    @if let Some(at) = &day { h2.day { span { (words::day(at, self.who.zone.lang)) } } }
                    @match &entry.entry {
                        Some(Entry::Message(message)) => { (self.message(entry, &said(entry, message), quotes)) }
                        Some(Entry::Note(note)) => { (self.note(entry, &noted(entry, note))) }
                        Some(Entry::Stamp(stamp)) => { (self.stamp(entry, stamp)) }
                        None => {}
                    }
                }
            }
        }
    }

    /// The brackets that begin, end or pass here. That of a ticket which a late entry does not lie in is broken.
    fn brackets(&self, entry: &v1::TimelineEntry) -> Markup {
        let (begins, ends) = match kind(entry) {
            Some(Kind::Opened(opened)) => (opened.ticket_id.as_str(), ""),
            Some(Kind::Closed(closed)) => ("", closed.ticket_id.as_str()),
            _ => ("", ""),
        };
        let passes = entry.late.then_some(entry.time.as_ref()).flatten();
        let broken = passes.into_iter().flat_map(|at| self.lanes.around(at)).map(|ticket| ticket.id.as_str());
        let broken: Vec<&str> = broken.filter(|id| !entry.ticket_ids.iter().any(|lies_in| lies_in == id)).collect();
        let open = |id: &str| self.lanes.ticket(id).is_some_and(|ticket| ticket.state() == v1::ticket::State::Open);
        html! {
            div.lanes aria-hidden="true" {
                @for (id, through) in entry.ticket_ids.iter().map(|id| (id.as_str(), true)).chain(broken.into_iter().map(|id| (id, false))) {
                    @if let Some(lane) = self.lanes.lane(id) {
                        i .{ "n" (lane) } .open[open(id)] .begins[id == begins] .ends[id == ends] .broken[!through] data-t=(ordinal(id)) {}
                    }
                }
            }
        }
    }

    fn stamp(&self, entry: &v1::TimelineEntry, stamp: &v1::Stamp) -> Markup {
        let (ticket, topic) = match &stamp.kind {
            Some(Kind::Opened(opened)) => (Some(opened.ticket_id.as_str()), opened.topic.as_str()),
            Some(Kind::Closed(closed)) => (Some(closed.ticket_id.as_str()), ""),
            _ => (None, ""),
        };
        let opens = matches!(stamp.kind, Some(Kind::Opened(_)));
        html! {
            div.stamp id=[ticket.filter(|_| opens).map(|id| format!("t{}", ordinal(id)))] {
                span.words dir="auto" { (self.said(stamp)) }
                @if let Some(id) = ticket {
                    " " (self.label(id, topic))
                }
                " " (page::time(self.who, entry.time.as_ref(), &words::clock(entry.time.as_ref(), &self.who.zone)))
            }
        }
    }

    /// What a stamp says. English is how the service puts it.
    fn said(&self, stamp: &v1::Stamp) -> String {
        let lang = self.who.zone.lang;
        let who = words::actor(stamp.actor.as_ref(), lang);
        match &stamp.kind {
            Some(Kind::Opened(_)) => lang.fill("Ticket opened by {}", &[who]),
            Some(Kind::Closed(_)) => lang.fill("Ticket closed by {}", &[who]),
            Some(Kind::Assigned(to)) if lang != Lang::default() => {
                lang.fill("Assigned to {}", &[&self.staff.assignee(to.assignee.as_ref(), lang)])
            }
            Some(Kind::Unassigned(_)) => lang.t("Unassigned").to_owned(),
            _ => stamp.text.clone(),
        }
    }

    /// "#3 refund", which tells all about its ticket to whoever points at it or comes to it by keyboard.
    fn label(&self, id: &str, topic: &str) -> Markup {
        let known = self.lanes.ticket(id);
        let topic = known.map_or(topic, |ticket| ticket.topic.as_str());
        let open = known.is_some_and(|ticket| ticket.state() == v1::ticket::State::Open);
        let about = known.map(|ticket| panel::summary(ticket, self.staff, self.who)).unwrap_or_default();
        html! {
            a.ticket .open[open] href={ "#card" (ordinal(id)) } data-t=(ordinal(id)) title=(about) {
                (words::number(id)) @if !topic.is_empty() { " " bdi { (topic) } }
            }
        }
    }

    fn note(&self, entry: &v1::TimelineEntry, note: &v1::Note) -> Markup {
        html! {
            article.bubble.note {
                p.by { (self.who.t("Note, for colleagues only:")) " " bdi { (words::actor(note.actor.as_ref(), self.who.zone.lang)) } }
                (message::text(&note.text))
                p.foot { (page::time(self.who, entry.time.as_ref(), &words::clock(entry.time.as_ref(), &self.who.zone))) }
            }
        }
    }

    fn message(
        &self,
        entry: &v1::TimelineEntry,
        message: &v1::Message,
        quotes: &HashMap<&str, &v1::Message>,
    ) -> Markup {
        use v1::actor::Kind as Who;
        let class = match message.actor.as_ref().map(v1::Actor::kind) {
            Some(Who::Bot) => "bot",
            Some(Who::Automation) => "rule",
            _ => "",
        };
        let said = match class {
            "bot" => self.who.t(" · bot"),
            "rule" => self.who.t(" · rule"),
            _ => "",
        };
        let lang = self.who.zone.lang;
        let answer = self.who.t("Answer this message");
        html! {
            article class={ "bubble " (class) } {
                p.by { bdi { (words::actor(message.actor.as_ref(), self.who.zone.lang)) } (said) }
                @if !message.reply_to.is_empty() { (quoted(lang, &message.reply_to, quotes)) }
                (message::body(lang, self.conversation, message))
                (message::reactions(lang, message))
                p.foot {
                    @if message.edited { span { (lang.t("edited")) " " } }
                    @if entry.late { (self.late(entry, message)) } @else {
                        (page::time(self.who, entry.time.as_ref(), &words::clock(entry.time.as_ref(), &self.who.zone)))
                    }
                    (message::ticks(lang, message))
                    @if !message.revoked { button.answer.quiet type="button" data-reply=(message.id) title=(answer) { "↩" (page::unseen(answer)) } }
                }
                @if let Some(why) = message::failure(lang, message) { p.why role="note" { (lang.t("Not delivered:")) " " (why) } }
            }
        }
    }

    /// Both times of a message that came late.
    fn late(&self, entry: &v1::TimelineEntry, message: &v1::Message) -> Markup {
        let zone = &self.who.zone;
        let day = |time| words::zoned(time, zone).map(|at| at.date());
        let recorded = message.record_time.as_ref();
        let same = day(recorded) == day(entry.time.as_ref());
        let came = if same { words::clock(recorded, zone) } else { words::minute(recorded, zone) };
        html! {
            span.came title=(self.who.t("It counts for no metric")) {
                (self.who.t("said")) " " (page::time(self.who, entry.time.as_ref(), &words::clock(entry.time.as_ref(), zone)))
                ", " (self.who.t("came late")) " " (page::time(self.who, recorded, &came))
            }
        }
    }
}

fn quoted(lang: Lang, id: &str, quotes: &HashMap<&str, &v1::Message>) -> Markup {
    let known = quotes.get(id);
    html! {
        blockquote.quote data-q=(id) dir="auto" {
            @match known {
                Some(message) => { b { (words::actor(message.actor.as_ref(), lang)) } " " (message::quote(lang, message)) }
                None => { (lang.t("an earlier message")) }
            }
        }
    }
}

/// The name of a row in the page.
pub(crate) fn id(entry: &v1::TimelineEntry) -> String {
    format!("e{}-{}", entry.revision, entry.index)
}

/// Sorts rows, as text: place time, revision, index (W7). Times are in 1970 to 2100.
pub(crate) fn key(entry: &v1::TimelineEntry) -> String {
    let (seconds, nanos) = entry.time.as_ref().map_or((0, 0), |time| (time.seconds, time.nanos));
    format!("{seconds:011}{nanos:09}-{:012}-{:03}", entry.revision, entry.index)
}

pub(crate) fn kind(entry: &v1::TimelineEntry) -> Option<&Kind> {
    match &entry.entry {
        Some(Entry::Stamp(stamp)) => stamp.kind.as_ref(),
        _ => None,
    }
}

/// What stands in place of words that are gone with the contact.
const ERASED: &str = "[erased]";

fn said<'a>(entry: &v1::TimelineEntry, message: &'a v1::Message) -> Cow<'a, v1::Message> {
    if !entry.erased {
        return Cow::Borrowed(message);
    }
    Cow::Owned(v1::Message { r#type: "text".to_owned(), text: ERASED.to_owned(), ..message.clone() })
}

fn noted<'a>(entry: &v1::TimelineEntry, note: &'a v1::Note) -> Cow<'a, v1::Note> {
    if entry.erased { Cow::Owned(v1::Note { text: ERASED.to_owned(), ..note.clone() }) } else { Cow::Borrowed(note) }
}

fn message_of(entry: &v1::TimelineEntry) -> Option<&v1::Message> {
    match &entry.entry {
        Some(Entry::Message(message)) => Some(message),
        _ => None,
    }
}

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
