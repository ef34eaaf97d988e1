//! The oracle's reading of a log, by hand-worked examples: who tests the tester.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of #[test] functions")]

use oracle::{
    Actor, Assignee, Basis, Conversation, Count, Decided, Entry, Event, Kind, Log, Mark, Metrics, Nanos, Span, Stamp,
    View, What, Window, read, read_as_of,
};

const SECOND: Nanos = 1_000_000_000;

/// A log of conversation "c" that is written second by second; event ids are "e" and the revision.
#[derive(Default)]
struct Chat {
    log: Log,
    revision: u64,
}

impl Chat {
    fn event(&mut self, actor: Actor, occur: i64, record: i64, what: What) -> &mut Chat {
        self.revision += 10;
        self.log.push(Event {
            revision: self.revision,
            id: format!("e{}", self.revision),
            conversation: "c".to_owned(),
            actor,
            occur_time: occur * SECOND,
            record_time: record * SECOND,
            what,
        });
        self
    }

    fn decided(&mut self, actor: Actor, at: i64, entries: Vec<Say>) -> &mut Chat {
        let entry = |say| match say {
            Say::Mark(mark) => Entry::Stamp(Stamp { actor: actor.clone(), time: at * SECOND, mark }),
            Say::Message => Entry::Message("m".to_owned()),
            Say::Note => Entry::Note("n".to_owned()),
        };
        let entries = entries.into_iter().map(entry).collect();
        self.event(actor.clone(), at, at, What::Decided(Decided { entries, ..Decided::default() }))
    }

    fn received(&mut self, occur: i64, record: i64) -> &mut Chat {
        self.event(Actor::new(Kind::Customer, ""), occur, record, What::Received)
    }

    fn view(&self) -> View {
        read(&self.log)
    }

    fn conversation(&self) -> Conversation {
        self.view().conversations["c"].clone()
    }

    fn window(&self, id: &str) -> Window {
        self.view().window(id).cloned().unwrap()
    }

    /// "revision.index@seconds[tickets]", in the order of the timeline; late ones with a "~".
    fn timeline(&self) -> Vec<String> {
        let lines = self.conversation().timeline.into_iter().map(|line| {
            let (late, tickets) = (if line.late { "~" } else { "" }, line.tickets.join(" "));
            format!("{late}{}.{}@{}[{tickets}]", line.revision, line.index, line.time / SECOND)
        });
        lines.collect()
    }
}

enum Say {
    Mark(Mark),
    Message,
    Note,
}

fn opened(ticket: &str) -> Say {
    Say::Mark(Mark::Opened { ticket: ticket.to_owned(), primary: None, topic: String::new() })
}

fn nested(ticket: &str, primary: &str) -> Say {
    Say::Mark(Mark::Opened { ticket: ticket.to_owned(), primary: Some(primary.to_owned()), topic: String::new() })
}

fn closed(ticket: &str) -> Say {
    Say::Mark(Mark::Closed { ticket: ticket.to_owned() })
}

fn assigned(agent: &str) -> Say {
    Say::Mark(Mark::Assigned(Assignee::new(agent, "")))
}

fn unassigned() -> Say {
    Say::Mark(Mark::Unassigned)
}

fn ann() -> Actor {
    Actor::new(Kind::Agent, "ann")
}

fn bot() -> Actor {
    Actor::new(Kind::Bot, "bot")
}

fn rule() -> Actor {
    Actor::new(Kind::Automation, "rule")
}

#[test]
fn w7_live_entries_lie_in_the_windows_open_at_their_place_in_the_log() {
    let mut chat = Chat::default();
    chat.received(5, 5).decided(bot(), 10, vec![Say::Message, opened("1"), Say::Message]);
    chat.received(3, 11).decided(ann(), 12, vec![nested("2", "1"), Say::Note, closed("2"), closed("1"), Say::Message]);
    let expected = [
        "10.0@5[]",
        "20.0@10[]",
        "20.1@10[1]",
        "20.2@10[1]",
        "30.0@11[1]",
        "40.0@12[1 2]",
        "40.1@12[1 2]",
        "40.2@12[1 2]",
        "40.3@12[1]",
        "40.4@12[]",
    ];
    assert_eq!(chat.timeline(), expected);
}

#[test]
fn w7_the_stamp_of_a_sister_lies_in_the_nested_window_that_is_open_around_it() {
    let mut chat = Chat::default();
    chat.decided(ann(), 1, vec![opened("1"), nested("2", "1"), nested("3", "1"), assigned("ann")]);
    chat.decided(ann(), 2, vec![closed("2"), closed("3"), closed("1"), unassigned()]);
    let expected = [
        "10.0@1[1]",
        "10.1@1[1 2]",
        "10.2@1[1 2 3]",
        "10.3@1[1 2 3]",
        "20.0@2[1 2 3]",
        "20.1@2[1 3]",
        "20.2@2[1]",
        "20.3@2[]",
    ];
    assert_eq!(chat.timeline(), expected);
}

#[test]
fn w7_late_entries_lie_where_they_happened_wherever_they_were_recorded() {
    let mut chat = Chat::default();
    chat.decided(ann(), 1_000, vec![opened("1")]).decided(ann(), 2_000, vec![closed("1")]);
    chat.decided(ann(), 3_000, vec![opened("2")]);
    for occur in [999, 1_000, 1_999, 2_000, 3_100] {
        chat.received(occur, 4_000);
    }
    let expected = [
        "~40.0@999[]",
        "10.0@1000[1]",
        "~50.0@1000[1]",
        "~60.0@1999[1]",
        "20.0@2000[1]",
        "~70.0@2000[]",
        "30.0@3000[2]",
        "~80.0@3100[2]",
    ];
    assert_eq!(chat.timeline(), expected);
}

#[test]
fn w7_five_minutes_are_live_and_the_future_is_too() {
    let mut chat = Chat::default();
    chat.received(700, 1_000).received(699, 1_000).received(5_000, 1_001);
    chat.event(ann(), 1_002, 1_002, What::BackFilled { inbound: true });
    chat.event(ann(), 1_003, 1_002, What::BackFilled { inbound: true });
    let expected = ["~20.0@699[]", "10.0@1000[]", "30.0@1001[]", "~40.0@1002[]", "50.0@1002[]"];
    assert_eq!(chat.timeline(), expected);
}

#[test]
fn w7_a_live_entry_never_stands_before_the_previous_live_one() {
    let mut chat = Chat::default();
    chat.received(100, 100).received(20, 90).received(95, 95).received(101, 101);
    assert_eq!(chat.timeline(), ["10.0@100[]", "20.0@100[]", "30.0@100[]", "40.0@101[]"]);
    assert_eq!(chat.conversation().last_entry_time, Some(101 * SECOND));
}

#[test]
fn a_change_is_an_entry_where_its_message_is_not_known() {
    let mut chat = Chat::default();
    let change = |target: &str| What::Changed { target: target.to_owned(), backfilled: false };
    let status = |message: &str| What::Status { reference: "wamid".to_owned(), message: message.to_owned() };
    chat.received(1, 1).event(ann(), 2, 2, change("e10")).event(ann(), 3, 3, change("wamid"));
    chat.event(ann(), 4, 4, status("")).event(ann(), 5, 5, change("wamid"));
    chat.event(ann(), 6, 6, status("m")).event(ann(), 7, 7, change("wamid"));
    chat.decided(ann(), 8, vec![Say::Message]).event(ann(), 9, 9, change("wamid"));
    assert_eq!(chat.timeline(), ["10.0@1[]", "30.0@3[]", "50.0@5[]", "70.0@7[]", "80.0@8[]"]);
}

#[test]
fn an_echo_of_what_we_sent_ourselves_is_there_already() {
    let mut chat = Chat::default();
    let sent = What::Status { reference: "e30".to_owned(), message: "m".to_owned() };
    chat.decided(ann(), 1, vec![Say::Message]).event(ann(), 2, 2, sent).event(ann(), 3, 3, What::Echoed);
    assert_eq!(chat.timeline(), ["10.0@1[]"]);
}

#[test]
fn what_the_chat_does_not_show_is_an_event_of_the_conversation_all_the_same() {
    let mut chat = Chat::default();
    chat.event(ann(), 1, 1, What::Silent);
    assert_eq!((chat.timeline().len(), chat.conversation().revision), (0, 10));
}

#[test]
fn metrics_are_of_the_live_messages_in_the_window() {
    let mut chat = Chat::default();
    chat.received(9, 9).decided(bot(), 10, vec![opened("1"), Say::Note, Say::Message]);
    chat.received(11, 11).received(12, 500).decided(rule(), 510, vec![Say::Message]);
    chat.decided(ann(), 520, vec![nested("2", "1"), Say::Note, Say::Message]).received(530, 530);
    chat.decided(ann(), 540, vec![closed("2"), closed("1"), Say::Message]).received(550, 550);
    let first = Metrics {
        first_response: Some(510 * SECOND),
        first_bot_response: Some(0),
        resolution: Some(530 * SECOND),
        inbound_count: 2,
        outbound_count: 3,
    };
    assert_eq!(chat.window("1").metrics, first);
    let second = Metrics {
        first_response: Some(0),
        first_bot_response: None,
        resolution: Some(20 * SECOND),
        inbound_count: 1,
        outbound_count: 1,
    };
    assert_eq!(chat.window("2").metrics, second);
}

#[test]
fn an_echo_is_a_human_speaking_and_a_change_of_contact_is_nobody() {
    let mut chat = Chat::default();
    chat.decided(bot(), 10, vec![opened("1")]).event(Actor::new(Kind::System, ""), 15, 15, What::ContactChanged);
    chat.event(Actor::new(Kind::System, ""), 20, 21, What::Echoed);
    let metrics = chat.window("1").metrics;
    assert_eq!((metrics.first_response, metrics.inbound_count, metrics.outbound_count), (Some(11 * SECOND), 0, 1));
    assert_eq!(metrics.resolution, None);
}

#[test]
fn w7_back_filled_messages_are_measured_nowhere_not_even_future_ones() {
    let mut chat = Chat::default();
    chat.decided(ann(), 10, vec![opened("1")]);
    for (inbound, occur) in [(true, 11), (true, 99), (false, 11), (false, 99)] {
        chat.event(ann(), occur, 20, What::BackFilled { inbound });
    }
    assert_eq!(chat.window("1").metrics, Metrics::default());
    assert_eq!(chat.timeline(), ["10.0@10[1]", "~20.0@11[1]", "~40.0@11[1]", "30.0@20[1]", "50.0@20[1]"]);
}

#[test]
fn metrics_go_by_the_clock_that_recorded_the_message_and_never_below_zero() {
    let mut chat = Chat::default();
    chat.decided(ann(), 100, vec![opened("1")]).received(500, 500).decided(bot(), 40, vec![Say::Message]);
    chat.decided(ann(), 160, vec![Say::Message]);
    let metrics = chat.window("1").metrics;
    assert_eq!((metrics.first_bot_response, metrics.first_response), (Some(0), Some(60 * SECOND)));
}

#[test]
fn w6_the_assignee_of_a_window_is_the_one_now_or_at_closing() {
    let mut chat = Chat::default();
    chat.decided(ann(), 1, vec![assigned("ann")]).decided(bot(), 2, vec![opened("1")]);
    chat.decided(ann(), 3, vec![assigned("ben")]).decided(ann(), 4, vec![closed("1"), unassigned()]);
    chat.decided(bot(), 5, vec![opened("2")]).decided(ann(), 6, vec![assigned("cleo")]);
    let assignees = ["1", "2"].map(|id| chat.window(id).assignee.unwrap().agent);
    assert_eq!(assignees, ["ben", "cleo"]);
    assert_eq!(chat.conversation().assignee, Some(Assignee::new("cleo", "")));
}

#[test]
fn w6_assignments_span_from_opening_to_closing() {
    let mut chat = Chat::default();
    chat.decided(rule(), 1, vec![assigned("ann")]).decided(bot(), 2, vec![opened("1")]);
    chat.decided(ann(), 3, vec![unassigned()]).decided(bot(), 5, vec![assigned("ben")]);
    chat.decided(ann(), 6, vec![closed("1"), unassigned()]);
    let span = |agent: &str, actor, start: i64, end: i64| Span {
        assignee: Assignee::new(agent, ""),
        actor,
        start: start * SECOND,
        end: Some(end * SECOND),
    };
    assert_eq!(chat.window("1").assignments, [span("ann", rule(), 2, 3), span("ben", bot(), 5, 6)]);
}

#[test]
fn w11_primary_tickets_are_counted_and_nested_ones_beside_them() {
    let mut chat = Chat::default();
    chat.decided(ann(), 10, vec![opened("1")]).decided(ann(), 20, vec![nested("2", "1")]);
    chat.decided(ann(), 30, vec![closed("2"), closed("1")]).decided(ann(), 40, vec![opened("3")]);
    let count = |basis, start: i64, end: i64| {
        let Count { primary, nested } = chat.view().count(basis, start * SECOND, end * SECOND);
        (primary, nested)
    };
    assert_eq!(count(Basis::Opened, 10, 20), (1, 0));
    assert_eq!(count(Basis::Opened, 10, 41), (2, 1));
    assert_eq!(count(Basis::Closed, 0, 30), (0, 0));
    assert_eq!(count(Basis::Closed, 30, 31), (1, 1));
    assert_eq!(count(Basis::OpenDuring, 25, 26), (1, 1));
    assert_eq!(count(Basis::OpenDuring, 30, 40), (0, 0));
    assert_eq!(count(Basis::OpenDuring, 50, 60), (1, 0));
}

#[test]
fn as_of_an_instant_later_stamps_are_ignored() {
    let mut chat = Chat::default();
    chat.decided(ann(), 10, vec![opened("1"), assigned("ann")]).decided(ann(), 30, vec![closed("1"), unassigned()]);
    chat.decided(ann(), 40, vec![opened("2")]);
    let then = read_as_of(&chat.log, 29 * SECOND);
    let window = then.window("1").unwrap();
    assert_eq!((window.close_time, window.assignee.clone()), (None, Some(Assignee::new("ann", ""))));
    assert_eq!(then.windows().count(), 1);
    assert_eq!(read_as_of(&chat.log, 30 * SECOND).window("1").unwrap().close_time, Some(30 * SECOND));
}

#[test]
fn an_event_counts_once_however_often_and_in_whatever_order_it_comes() {
    let mut chat = Chat::default();
    chat.decided(bot(), 10, vec![opened("1")]).received(11, 11).decided(ann(), 12, vec![closed("1")]);
    let mut again = Log::new();
    for event in chat.log.events().iter().rev() {
        again.push(event.clone());
    }
    let mut repeat = chat.log.events()[1].clone();
    repeat.revision = 25;
    again.push(repeat);
    again.push(chat.log.events()[2].clone());
    assert_eq!(read(&again), chat.view());
}

#[test]
fn conversations_have_nothing_of_each_other() {
    let mut chat = Chat::default();
    chat.decided(bot(), 10, vec![opened("1"), assigned("ann")]);
    let mut other = chat.log.events()[0].clone();
    (other.conversation, other.id, other.revision, other.what) = ("d".into(), "x".into(), 11, What::Received);
    chat.log.push(other);
    let view = chat.view();
    let other = &view.conversations["d"];
    assert_eq!((other.assignee.clone(), other.windows.len(), other.timeline[0].tickets.len()), (None, 0, 0));
}

#[test]
fn stamps_show_the_display_name_else_the_id() {
    let stamp = |name: &str, mark| Stamp { actor: Actor { name: name.to_owned(), ..ann() }, time: 0, mark };
    assert_eq!(stamp("Ann B.", Mark::Closed { ticket: "1".into() }).text(), "Ticket closed by Ann B.");
    assert_eq!(stamp("", Mark::Closed { ticket: "1".into() }).text(), "Ticket closed by ann");
    assert_eq!(stamp("", Mark::Assigned(Assignee::new("", "billing"))).text(), "Assigned to billing");
    assert_eq!(stamp("", Mark::Assigned(Assignee::new("ben", "billing"))).text(), "Assigned to ben");
    assert_eq!(stamp("", Mark::Unassigned).text(), "Unassigned");
}
