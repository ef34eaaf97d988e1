use prost_types::Timestamp;
use proto::v1;
use v1::stamp::Kind;
use v1::timeline_entry::Entry;

use super::*;

/// The chat of the tests: each entry one revision further, on 22 November 2026 in Madrid.
#[derive(Default)]
struct Talk {
    entries: Vec<v1::TimelineEntry>,
    open: Vec<String>,
}

fn at(clock: &str) -> Timestamp {
    let time: jiff::civil::DateTime = match clock.len() {
        5 => format!("2026-11-22T{clock}").parse().unwrap(),
        _ => clock.parse().unwrap(),
    };
    let zone = TimeZone::get("Europe/Madrid").unwrap();
    Timestamp { seconds: time.to_zoned(zone).unwrap().timestamp().as_second(), nanos: 0 }
}

fn person(kind: v1::actor::Kind, name: &str) -> v1::Actor {
    v1::Actor { kind: kind.into(), id: name.to_lowercase(), display_name: name.into() }
}

fn maria() -> v1::Actor {
    person(v1::actor::Kind::Customer, "Maria")
}

fn ana() -> v1::Actor {
    person(v1::actor::Kind::Agent, "Ana")
}

impl Talk {
    fn put(&mut self, clock: &str, ticket_ids: Vec<String>, entry: Entry) -> &mut v1::TimelineEntry {
        let revision = i64::try_from(self.entries.len()).unwrap() + 1;
        self.entries.push(v1::TimelineEntry {
            revision,
            change_revision: revision,
            time: Some(at(clock)),
            ticket_ids,
            entry: Some(entry),
            ..v1::TimelineEntry::default()
        });
        self.entries.last_mut().unwrap()
    }

    fn says(&mut self, clock: &str, who: v1::Actor, text: &str) -> &mut v1::Message {
        let inbound = who.kind() == v1::actor::Kind::Customer;
        let message = v1::Message {
            direction: if inbound { v1::Direction::Inbound } else { v1::Direction::Outbound }.into(),
            actor: Some(who),
            r#type: "text".into(),
            text: text.into(),
            record_time: Some(at(clock)),
            ..v1::Message::default()
        };
        let open = self.open.clone();
        match &mut self.put(clock, open, Entry::Message(message)).entry {
            Some(Entry::Message(message)) => message,
            _ => unreachable!(),
        }
    }

    fn stamp(&mut self, clock: &str, who: v1::Actor, text: &str, kind: Kind, ticket_ids: Vec<String>) {
        let stamp = v1::Stamp { actor: Some(who), time: Some(at(clock)), text: text.into(), kind: Some(kind) };
        self.put(clock, ticket_ids, Entry::Stamp(stamp));
    }

    fn opens(&mut self, clock: &str, ticket: &str, topic: &str) {
        let primary_id = self.open.first().cloned().unwrap_or_default();
        self.open.push(format!("c-{ticket}"));
        let opened = v1::TicketOpened { ticket_id: format!("c-{ticket}"), primary_id, topic: topic.into() };
        let lies_in = self.open.clone();
        self.stamp(clock, ana(), "Ticket opened by Ana", Kind::Opened(opened), lies_in);
    }

    fn closes(&mut self, clock: &str, ticket: &str) {
        let ticket_id = format!("c-{ticket}");
        let lies_in = self.open.clone();
        self.open.retain(|open| *open != ticket_id);
        self.stamp(clock, ana(), "Ticket closed by Ana", Kind::Closed(v1::TicketClosed { ticket_id }), lies_in);
    }

    fn assigned(&mut self, clock: &str, to: &str) {
        let assignee = v1::Assignee { agent_id: to.into(), team_id: String::new() };
        let assigned = v1::ConversationAssigned { assignee: Some(assignee) };
        let lies_in = self.open.clone();
        self.stamp(clock, ana(), &format!("Assigned to {to}"), Kind::Assigned(assigned), lies_in);
    }

    fn draw(&self, width: usize) -> Vec<String> {
        let look = Look { width, zone: TimeZone::get("Europe/Madrid").unwrap() };
        let mut chat = Chat::new(look, &self.entries);
        let mut lines: Vec<Line> = self.entries.iter().flat_map(|entry| chat.entry(entry)).collect();
        lines.extend(chat.end());
        for line in &lines {
            assert!(line.width() <= width, "wider than {width}: {:?}", line.render(false));
        }
        lines.iter().map(|line| line.render(false)).collect()
    }
}

/// Compares with a drawing of which the first line and the indentation of the source do not count.
#[track_caller]
fn check(talk: &Talk, width: usize, expect: &str) {
    // Isolates are invisible: here they are seen.
    let drawn = talk.draw(width).join("\n").replace('\u{2068}', "⟨").replace('\u{2069}', "⟩");
    let indent = "        ";
    let expect: Vec<&str> =
        expect.lines().skip(1).map(|line| line.strip_prefix(indent).unwrap_or(line.trim())).collect();
    assert_eq!(drawn, expect.join("\n"), "\ndrawn:\n{drawn}\n");
}

#[test]
fn tickets_are_brackets_and_nested_ones_stand_inside() {
    let mut talk = Talk::default();
    talk.says("10:00", maria(), "Hi! My parcel never came.");
    talk.says("10:00", maria(), "Order 4711");
    talk.opens("10:01", "1", "parcel");
    talk.assigned("10:01", "ana");
    talk.says("10:02", ana(), "Hello Maria, let me look.").status = v1::MessageStatus::Read.into();
    talk.opens("10:05", "2", "customs");
    talk.says("10:06", maria(), "ok");
    talk.closes("10:09", "2");
    talk.says("10:10", ana(), "It is on its way.").status = v1::MessageStatus::Delivered.into();
    talk.closes("11:39", "1");
    talk.says("11:40", maria(), "Thanks!");
    check(
        &talk,
        60,
        r"

                         ── Sunday, 22 November 2026 ──

            Maria
            Hi! My parcel never came.  10:00
            Order 4711  10:00
        ┌──── #1 parcel ───── Ticket opened by Ana ─────────── 10:01
        │                       Assigned to ana                10:01
        │
        │                                  Ana
        │                                  Hello Maria, let me look.
        │                                              10:02 ✓✓ read
        │ ┌── #2 customs ──── Ticket opened by Ana ─────────── 10:05
        │ │
        │ │ Maria
        │ │ ok  10:06
        │ └── #2 · 4m ─────── Ticket closed by Ana ─────────── 10:09
        │
        │                                Ana
        │                                It is on its way.  10:10 ✓✓
        └──── #1 · 1h 38m ─── Ticket closed by Ana ─────────── 11:39

            Maria
            Thanks!  11:40
",
    );
}

#[test]
fn late_messages_show_both_times() {
    let mut talk = Talk::default();
    talk.opens("09:00", "1", "");
    talk.says("09:01", maria(), "said then").record_time = Some(at("09:30"));
    talk.entries.last_mut().unwrap().late = true;
    talk.says("09:02", maria(), "heard a day later").record_time = Some(at("2026-11-23T08:00:00"));
    talk.entries.last_mut().unwrap().late = true;
    check(
        &talk,
        60,
        r"

                        ── Sunday, 22 November 2026 ──
        ┌── #1 ───────────── Ticket opened by Ana ──────────── 09:00
        │
        │ Maria
        │ said then  09:01 late, recorded 09:30
        │ heard a day later
        │ 09:02 late, recorded 2026-11-23 08:00
        ┊ open: #1
",
    );
}

#[test]
fn emoji_and_wide_letters_take_their_cells_and_long_words_are_broken() {
    let mut talk = Talk::default();
    talk.says("09:00", person(v1::actor::Kind::Customer, "佐藤 健"), "領収書をお願いできますか👩‍👩‍👧 ありがとう");
    talk.says("09:01", ana(), "https://shop.example/returns/4711/label.pdf 👍🏽").status = v1::MessageStatus::Sent.into();
    check(
        &talk,
        40,
        r"

             ── Sunday, 22 November 2026 ──

        佐藤 健
        領収書をお願いできますか👩‍👩‍👧
        ありがとう           09:00

                    Ana
                    https://shop.example/returns
                    /4711/label.pdf 👍🏽   09:01 ✓
",
    );
}

#[test]
fn words_from_right_to_left_are_isolated() {
    let mut talk = Talk::default();
    talk.opens("09:00", "1", "توصيل");
    talk.says("09:00", person(v1::actor::Kind::Customer, "ليلى"), "مرحبا، متى يصل طلبي رقم 4711؟");
    check(
        &talk,
        50,
        r"

                   ── Sunday, 22 November 2026 ──
        ┌── #1 ⟨توصيل⟩ ── Ticket opened by Ana ─────── 09:00
        │
        │ ⟨ليلى⟩
        │ ⟨مرحبا، متى يصل طلبي رقم 4711؟⟩
        │                         09:00
        ┊ open: #1 ⟨توصيل⟩
",
    );
}

#[test]
fn a_chat_that_begins_inside_a_ticket_has_its_bracket_from_the_start() {
    let mut talk = Talk { open: vec!["c-1".into(), "c-2".into()], ..Talk::default() };
    talk.says("23:58", maria(), "still there?");
    talk.closes("23:59", "2");
    talk.says("2026-11-23T00:01:00", ana(), "Yes.");
    check(
        &talk,
        50,
        r"
        │ │
        │ │         ── Sunday, 22 November 2026 ──
        │ │
        │ │ Maria
        │ │ still there?  23:58
        │ └── #2 ─────── Ticket closed by Ana ────── 23:59
        │
        │           ── Monday, 23 November 2026 ──
        │
        │                                      Ana
        │                                      Yes.  00:01
        ┊   open: #1
",
    );
}

#[test]
fn what_is_more_than_words_is_said_in_brackets() {
    let mut talk = Talk::default();
    let media = v1::Media { mime_type: "image/jpeg".into(), ..v1::Media::default() };
    let message = talk.says("09:00", maria(), "look at this");
    (message.r#type, message.media) = ("image".into(), Some(media));
    message.id = "m1".into();
    message.reactions = vec![v1::Reaction { actor: Some(ana()), emoji: "👍".into(), time: None }];
    let place = v1::Location { latitude: 37.4, longitude: -5.9, name: "Café".into(), address: String::new() };
    let message = talk.says("09:01", maria(), "");
    (message.r#type, message.location) = ("location".into(), Some(place));
    talk.says("09:02", maria(), "").r#type = "order".into();
    talk.says("09:03", maria(), "secret").revoked = true;
    let message = talk.says("09:04", ana(), "Which one?\nThis?");
    (message.reply_to, message.edited) = ("m1".into(), true);
    message.status = v1::MessageStatus::Failed.into();
    let error = v1::StatusError { code: 131_047, title: "Re-engagement message".into(), details: String::new() };
    message.statuses = vec![v1::StatusReport { errors: vec![error], ..v1::StatusReport::default() }];
    let note = v1::Note { actor: Some(ana()), text: "Ask the\u{1b}[2J boss".into(), ..v1::Note::default() };
    talk.put("09:05", Vec::new(), Entry::Note(note));
    let message = talk.says("09:06", person(v1::actor::Kind::Bot, "Helper"), "Pick one:");
    let button = |title: &str| v1::Button { id: title.into(), title: title.into() };
    let buttons = vec![button("Yes"), button("No")];
    message.interactive = Some(v1::Interactive { body: "Pick one:".into(), buttons, ..v1::Interactive::default() });
    let message = talk.says("09:07", maria(), "Yes");
    message.reply = Some(v1::Reply { title: "Yes".into(), ..v1::Reply::default() });
    check(
        &talk,
        60,
        r"

                       ── Sunday, 22 November 2026 ──

        Maria
        [image]
        look at this  09:00
        👍 Ana
        [location] Café (37.40000, -5.90000)
                                       09:01
        [order]  09:02
        [taken back]  09:03

                                        Ana
                                        ↪ [image] look at this
                                        Which one?
                                        This?  09:04 edited ✗ failed
                                        131047 Re-engagement message

                                             ✎ note by Ana
                                             Ask the�[2J boss  09:05

                                                   Helper (bot)
                                                   Pick one:
                                                   [Yes] [No]  09:06

        Maria
        ▸ Yes  09:07
",
    );
}

#[test]
fn an_entry_outside_a_bracket_that_passes_by_breaks_it() {
    let mut talk = Talk::default();
    talk.opens("09:00", "1", "");
    talk.says("09:01", maria(), "outside");
    talk.entries.last_mut().unwrap().ticket_ids.clear();
    talk.closes("09:02", "1");
    check(
        &talk,
        40,
        r"

              ── Sunday, 22 November 2026 ──
        ┌── #1 ─── Ticket opened by Ana ── 09:00
        ╎
        ╎ Maria
        ╎ outside  09:01
        └───────── Ticket closed by Ana ── 09:02
",
    );
}

#[test]
fn no_width_is_too_narrow_and_no_line_too_wide() {
    let mut talk = Talk::default();
    for nested in 0..40 {
        talk.opens("09:00", &nested.to_string(), "a topic that is longer than any line could be, however wide");
    }
    talk.says("09:01", maria(), &"wide ".repeat(100));
    talk.assigned("09:02", &"n".repeat(256));
    for width in [24, 40, 80, 300] {
        talk.draw(width);
    }
}

#[test]
fn news_of_an_entry_take_one_line() {
    let mut talk = Talk::default();
    talk.says("10:02", ana(), "Hello Maria").status = v1::MessageStatus::Read.into();
    let look = Look { width: 60, zone: TimeZone::get("Europe/Madrid").unwrap() };
    let mut chat = Chat::new(look, &[]);
    let lines: Vec<String> = chat.change(&talk.entries[0]).iter().map(|line| line.render(false)).collect();
    assert_eq!(lines, ["↻ 10:02 “Hello Maria” ✓✓ read"]);
    talk.says("10:03", ana(), "How are you?").status = v1::MessageStatus::Delivered.into();
    assert!(chat.change(&talk.entries[1]).is_empty());
}
