use jiff::tz::TimeZone;
use proto::v1;
use v1::MessageStatus as Status;

use super::*;
use crate::lang::Local;
use crate::session::Acting;

const AT: i64 = 1_700_000_000;

fn drawn(entry: &v1::TimelineEntry, lanes: &Lanes) -> String {
    let (who, staff) = (who(), Staff::default());
    Rows { who: &who, conversation: "c", staff: &staff, lanes }.row(entry, true, &HashMap::new()).into_string()
}

fn who() -> Who {
    // A connection wants a runtime, though nothing is asked here.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    Who {
        workspace: "acme".to_owned(),
        agent: "ana".to_owned(),
        name: "Ana".to_owned(),
        acting: Acting::Itself,
        zone: Local { zone: TimeZone::get("Europe/Berlin").unwrap(), lang: Lang::default() },
        services: crate::services::Services::at("http://127.0.0.1:1", &service::Certificates::default()).unwrap(),
    }
}

#[test]
fn a_rail_of_thousands_of_tickets_stays_light() {
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let ticket = |nth: i64| v1::Ticket {
        id: format!("{}-{nth}", "c".repeat(22)),
        topic: "where is my parcel".to_owned(),
        state: v1::ticket::State::Closed.into(),
        open_time: at(AT + nth * 3_600),
        close_time: at(AT + nth * 3_600 + 900),
        open_revision: nth * 10,
        close_revision: nth * 10 + 5,
        ..v1::Ticket::default()
    };
    let lanes = Lanes::new((1..=4_000).map(ticket).collect());
    let now = jiff::Timestamp::from_second(AT + 4_001 * 3_600).unwrap();
    let rail = super::super::rail::rail(&lanes, &"c".repeat(22), &who(), &Staff::default(), now).into_string();
    assert_eq!(rail.matches("<rect").count(), 4_000);
    assert_eq!(rail.matches("Closed by").count(), 250);
    // Unpacked, of the most that a page shows.
    assert!(rail.len() < 1_000_000, "{} bytes", rail.len());
}

fn said(change: impl FnOnce(&mut v1::Message)) -> String {
    let mut message = v1::Message {
        id: "m1".to_owned(),
        direction: v1::Direction::Outbound.into(),
        r#type: "text".to_owned(),
        text: "hello".to_owned(),
        ..v1::Message::default()
    };
    change(&mut message);
    drawn(&entry(Entry::Message(message)), &Lanes::default())
}

fn entry(entry: Entry) -> v1::TimelineEntry {
    v1::TimelineEntry {
        revision: 17,
        index: 2,
        time: Some(prost_types::Timestamp { seconds: AT, nanos: 5 }),
        entry: Some(entry),
        ..v1::TimelineEntry::default()
    }
}

#[track_caller]
fn check(html: &str, words: &[&str]) {
    for word in words {
        assert!(html.contains(word), "{word:?} in {html}");
    }
}

#[test]
fn a_row_has_its_identity_its_place_and_its_day() {
    let html = said(|_| {});
    let key = "01700000000000000005-000000000017-002";
    check(&html, &["id=\"e17-2\"", key, "data-day=\"2023-11-14\"", "Tuesday, 14 November 2023", "23:13"]);
}

#[test]
fn a_message_shows_how_far_it_came_and_why_no_further() {
    let cases = [(Status::Sent, "sent"), (Status::Delivered, "delivered"), (Status::Read, "read")];
    for (status, word) in cases {
        check(&said(|message| message.status = status.into()), &[&format!("title=\"{word}\"")]);
    }
    let html = said(|message| {
        message.status = Status::Failed.into();
        let error = v1::StatusError { code: 131_047, title: "Re-engagement".to_owned(), ..Default::default() };
        message.statuses = vec![v1::StatusReport { errors: vec![error], ..Default::default() }];
    });
    check(&html, &["title=\"failed\"", "Not delivered: 131047 Re-engagement"]);
}

#[test]
fn a_message_shows_what_became_of_it() {
    check(&said(|message| message.edited = true), &["edited"]);
    let gone = said(|message| message.revoked = true);
    check(&gone, &["taken back"]);
    assert!(!gone.contains("hello"), "{gone}");
    let html = said(|message| {
        message.reactions = vec![v1::Reaction { emoji: "👍".to_owned(), ..v1::Reaction::default() }];
        message.reply_to = "m0".to_owned();
    });
    check(&html, &["👍", "data-q=\"m0\"", "an earlier message"]);
}

#[test]
fn a_message_shows_what_it_is_besides_words() {
    let media = v1::Media { file_name: "bill.pdf".to_owned(), ..v1::Media::default() };
    let html = said(|message| {
        message.r#type = "document".to_owned();
        message.media = Some(media);
    });
    check(&html, &["Document", "bill.pdf"]);
    let location =
        v1::Location { latitude: 37.388_63, longitude: -5.995_34, name: "Café".to_owned(), ..Default::default() };
    check(&said(|message| message.location = Some(location)), &["Café", "37.38863, -5.99534"]);
    let unknown = said(|message| {
        message.r#type = "order".to_owned();
        message.text = String::new();
    });
    check(&unknown, &["order message"]);
}

#[test]
fn the_bracket_of_a_ticket_that_a_late_entry_does_not_lie_in_is_broken() {
    let ticket = v1::Ticket {
        id: "c-1".to_owned(),
        state: v1::ticket::State::Open.into(),
        open_time: Some(prost_types::Timestamp { seconds: AT - 10, nanos: 0 }),
        open_revision: 3,
        ..v1::Ticket::default()
    };
    let lanes = Lanes::new(vec![ticket]);
    let note = Entry::Note(v1::Note { text: "a note".to_owned(), ..v1::Note::default() });
    let late = v1::TimelineEntry { late: true, ..entry(note) };
    check(&drawn(&late, &lanes), &["class=\"n0 open broken\"", "row out late newday"]);
    let inside = v1::TimelineEntry { ticket_ids: vec!["c-1".to_owned()], late: false, ..late };
    check(&drawn(&inside, &lanes), &["class=\"n0 open\""]);
}
