use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use prost_types::Timestamp;
use proto::v1;
use v1::stamp::Kind;
use v1::timeline_entry::Entry;

use super::block::{Block, below, name};
use super::brackets::Brackets;
use super::text::{clean, clean_line, fit, isolate, width};
use super::{Line, Style, message, words};

/// A chat wider than this is hard to read.
const WIDEST: usize = 100;
/// Narrower than this nothing can be laid out.
const NARROWEST: usize = 24;
/// Messages whose text a reply may quote.
const REMEMBERED: usize = 10_000;

/// How a chat is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// Cells from side to side.
    pub(crate) width: usize,
    /// The zone of its times and days.
    pub(crate) zone: TimeZone,
}

/// A chat in the making: entries in the order of the timeline, lines out.
///
/// The customer stands at the left, the business at the right, stamps in the middle. Tickets are brackets at the very
/// left, nested ones inside their primary's.
pub(crate) struct Chat {
    look: Look,
    brackets: Brackets,
    day: Option<Date>,
    /// Who spoke last, if the last line was a message.
    speaker: Option<(v1::Direction, String)>,
    tickets: HashMap<String, Opened>,
    quotes: HashMap<String, String>,
}

/// What an opened stamp said.
struct Opened {
    time: Option<Timestamp>,
    topic: String,
}

impl Chat {
    /// A chat that begins with `entries`, which are not drawn yet: tickets that were opened before the first of them
    /// have their bracket from the start, and there is room for all brackets.
    pub(crate) fn new(look: Look, entries: &[v1::TimelineEntry]) -> Chat {
        let look = Look { width: look.width.clamp(NARROWEST, WIDEST), ..look };
        let mut chat = Chat {
            brackets: Brackets::within(look.width),
            look,
            day: None,
            speaker: None,
            tickets: HashMap::new(),
            quotes: HashMap::new(),
        };
        chat.open_earlier(entries);
        chat.reserve(entries);
        chat
    }

    /// The lines of one entry.
    pub(crate) fn entry(&mut self, entry: &v1::TimelineEntry) -> Vec<Line> {
        let mut lines = Vec::new();
        self.day_of(entry, &mut lines);
        match &entry.entry {
            Some(Entry::Message(message)) => self.message(entry, message, &mut lines),
            Some(Entry::Note(note)) => self.note(entry, note, &mut lines),
            Some(Entry::Stamp(stamp)) => self.stamp(entry, stamp, &mut lines),
            None => {}
        }
        lines
    }

    /// The lines below the newest entry: which tickets are open now.
    pub(crate) fn end(&self) -> Vec<Line> {
        let open: Vec<String> = self.brackets.open().map(|ticket| self.label(ticket)).collect();
        if open.is_empty() {
            return Vec::new();
        }
        let mut line = self.brackets.fading();
        line.push(Style::Dim, fit(&format!("open: {}", open.join(", ")), self.area()));
        vec![line]
    }

    /// What changed about an entry that was drawn before: one line. That a message was sent and delivered is no news.
    pub(crate) fn change(&mut self, entry: &v1::TimelineEntry) -> Vec<Line> {
        let Some(Entry::Message(message)) = &entry.entry else { return self.entry(entry) };
        if !message::is_news(message) {
            return Vec::new();
        }
        let mut news = message::ticks(message);
        let mut add = |text: &str| news.append(Line::of(Style::Dim, format!(" {text}")));
        message::failure(message).iter().for_each(|why| add(why));
        message::reactions(message).iter().for_each(|reactions| add(reactions));
        for (is, word) in [(message.edited, "edited"), (message.revoked, "taken back")] {
            if is {
                add(word);
            }
        }
        let mut line = self.brackets.passing(|_| true);
        let what = format!("↻ {} “{}” ", self.clock(entry.time.as_ref()), isolate(&message::quote(message)));
        line.push(Style::Dim, what);
        line.append(news);
        self.speaker = None;
        super::block::wrap_line(line, self.look.width)
    }

    /// Cells beside the brackets.
    fn area(&self) -> usize {
        self.look.width.saturating_sub(self.brackets.width()).max(NARROWEST / 2)
    }

    fn clock(&self, time: Option<&Timestamp>) -> String {
        words::zoned(time, &self.look.zone).map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default()
    }

    /// "#3 refund", or "#3" of a ticket whose topic is not known.
    fn label(&self, ticket: &str) -> String {
        let topic = self.tickets.get(ticket).map(|opened| opened.topic.as_str()).unwrap_or_default();
        format!("{} {}", words::ticket(ticket), isolate(&clean_line(topic))).trim_end().to_owned()
    }

    fn day_of(&mut self, entry: &v1::TimelineEntry, lines: &mut Vec<Line>) {
        let Some(at) = words::zoned(entry.time.as_ref(), &self.look.zone) else { return };
        if self.day.replace(at.date()) == Some(at.date()) {
            return;
        }
        let long = format!("── {} ──", at.strftime("%A, %-d %B %Y"));
        let words = if width(&long) + 2 > self.area() { at.strftime("%-d %b %Y").to_string() } else { long };
        let mut line = self.brackets.passing(|_| true);
        line.append(Line::centred(self.area(), ' ', Line::default(), Line::of(Style::Dim, words), Line::default()));
        lines.push(self.brackets.passing(|_| true));
        lines.push(line);
        self.speaker = None;
    }
}

/// Brackets and stamps.
impl Chat {
    /// Tickets that are spoken of before they are opened were opened earlier.
    fn open_earlier(&mut self, entries: &[v1::TimelineEntry]) {
        let mut opened = HashSet::new();
        for entry in entries {
            if let Some(Kind::Opened(stamp)) = stamp_kind(entry) {
                opened.insert(stamp.ticket_id.clone());
            }
            for (at, ticket) in entry.ticket_ids.iter().enumerate() {
                if opened.insert(ticket.clone()) {
                    self.brackets.begin(ticket, at > 0);
                }
            }
        }
    }

    /// Runs through the stamps once, to see how many brackets stand side by side at most.
    fn reserve(&mut self, entries: &[v1::TimelineEntry]) {
        let mut trial = self.brackets.clone();
        for entry in entries {
            match stamp_kind(entry) {
                Some(Kind::Opened(stamp)) => drop(trial.begin(&stamp.ticket_id, !stamp.primary_id.is_empty())),
                Some(Kind::Closed(stamp)) => drop(trial.closing(&stamp.ticket_id)),
                _ => {}
            }
        }
        self.brackets.reserve(trial.width() / 2);
    }

    fn stamp(&mut self, entry: &v1::TimelineEntry, stamp: &v1::Stamp, lines: &mut Vec<Line>) {
        self.speaker = None;
        let time = Line::of(Style::Dim, self.clock(entry.time.as_ref()));
        let (mut line, fill, label) = match &stamp.kind {
            Some(Kind::Opened(opened)) => {
                self.tickets.insert(opened.ticket_id.clone(), Opened { time: stamp.time, topic: opened.topic.clone() });
                let corner = self.brackets.opening(&opened.ticket_id, !opened.primary_id.is_empty());
                (corner, '─', self.label(&opened.ticket_id))
            }
            Some(Kind::Closed(closed)) => {
                let label = self.closing_label(&closed.ticket_id, stamp.time.as_ref());
                (self.brackets.closing(&closed.ticket_id), '─', label)
            }
            _ => (self.passing(entry), ' ', String::new()),
        };
        let words = Line::of(Style::Stamp, isolate(&fit(&clean_line(&stamp.text), self.area() - 2)));
        line.append(Line::centred(self.area(), fill, Line::of(Style::Dim, label), words, time));
        lines.push(line);
    }

    /// "#3 · 1h 38m"
    fn closing_label(&self, ticket: &str, closed: Option<&Timestamp>) -> String {
        let opened = self.tickets.get(ticket).and_then(|opened| opened.time.as_ref());
        match words::between(opened, closed) {
            Some(lasted) => format!("{} · {}", words::ticket(ticket), words::seconds(lasted)),
            None => words::ticket(ticket),
        }
    }

    fn passing(&self, entry: &v1::TimelineEntry) -> Line {
        self.brackets.passing(|ticket| entry.ticket_ids.iter().any(|lies_in| lies_in == ticket))
    }
}

/// What stands in place of words that are gone.
const ERASED: &str = "[erased]";

/// Messages and notes.
impl Chat {
    fn message(&mut self, entry: &v1::TimelineEntry, message: &v1::Message, lines: &mut Vec<Line>) {
        let actor = message.actor.as_ref();
        let block = Block {
            right: message.direction() == v1::Direction::Outbound,
            name: name(actor),
            above: self.quoted(message),
            text: if entry.erased { vec![ERASED.to_owned()] } else { message::lines(message) },
            style: if message.revoked { Style::Dim } else { Style::Plain },
            foot: self.foot(entry, message),
            below: below(message),
        };
        self.remember(message);
        let speaker = (message.direction(), words::actor(actor));
        let goes_on = self.speaker.as_ref() == Some(&speaker);
        self.block(entry, block, goes_on, lines);
        self.speaker = Some(speaker);
    }

    fn note(&mut self, entry: &v1::TimelineEntry, note: &v1::Note, lines: &mut Vec<Line>) {
        let block = Block {
            right: true,
            name: Line::of(Style::Note, format!("✎ note by {}", words::actor(note.actor.as_ref()))),
            above: Vec::new(),
            text: vec![if entry.erased { ERASED.to_owned() } else { clean(&note.text) }],
            style: Style::Note,
            foot: Line::of(Style::Dim, self.clock(entry.time.as_ref())),
            below: Vec::new(),
        };
        self.block(entry, block, false, lines);
        self.speaker = None;
    }

    fn block(&self, entry: &v1::TimelineEntry, block: Block, goes_on: bool, lines: &mut Vec<Line>) {
        let area = self.area();
        let right = block.right;
        let mut inner = Vec::new();
        if !goes_on {
            lines.push(self.passing(entry));
            inner.push(block.name.clone());
        }
        inner.extend(block.lines(area * 7 / 10));
        let widest = inner.iter().map(Line::width).max().unwrap_or(0);
        for content in inner {
            let mut line = self.passing(entry);
            if right {
                line.push(Style::Plain, " ".repeat(area.saturating_sub(widest)));
            }
            line.append(content);
            lines.push(line);
        }
    }

    /// The time, both times of a late one, and the ticks.
    fn foot(&self, entry: &v1::TimelineEntry, message: &v1::Message) -> Line {
        let mut foot = Line::of(Style::Dim, self.clock(entry.time.as_ref()));
        if message.edited {
            foot.push(Style::Dim, " edited");
        }
        if entry.late {
            foot.push(Style::Note, format!(" late, recorded {}", self.recorded(entry, message)));
        }
        let ticks = message::ticks(message);
        if ticks.width() > 0 {
            foot.push(Style::Plain, " ");
            foot.append(ticks);
        }
        foot
    }

    fn recorded(&self, entry: &v1::TimelineEntry, message: &v1::Message) -> String {
        let day = |time| words::zoned(time, &self.look.zone).map(|at| at.date());
        let recorded = message.record_time.as_ref();
        if day(recorded) == day(entry.time.as_ref()) {
            return self.clock(recorded);
        }
        words::minute(recorded, &self.look.zone)
    }

    /// What the message answers.
    fn quoted(&self, message: &v1::Message) -> Vec<Line> {
        if message.reply_to.is_empty() {
            return Vec::new();
        }
        let said = self.quotes.get(&message.reply_to).map_or("an earlier message", String::as_str);
        vec![Line::of(Style::Dim, format!("↪ {}", isolate(said)))]
    }

    fn remember(&mut self, message: &v1::Message) {
        if self.quotes.len() >= REMEMBERED {
            self.quotes.clear();
        }
        for id in [&message.id, &message.channel_message_id] {
            if !id.is_empty() {
                self.quotes.insert(id.clone(), message::quote(message));
            }
        }
    }
}

fn stamp_kind(entry: &v1::TimelineEntry) -> Option<&Kind> {
    match &entry.entry {
        Some(Entry::Stamp(stamp)) => stamp.kind.as_ref(),
        _ => None,
    }
}

#[cfg(test)]
#[path = "chat_tests.rs"]
mod tests;
