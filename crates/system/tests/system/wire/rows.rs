//! Mistakes, and what a client is told of each.

use serde_json::{Value, json};
use tonic::Code;

/// What a field is set to.
#[derive(Clone, Debug)]
pub(super) enum Bad {
    Text(String),
    Int(i64),
    /// A number of an enum.
    Enum(i32),
    Enums(Vec<i32>),
    /// Seconds and nanoseconds.
    Time(i64, i32),
    Float(f64),
    Missing,
    /// A whole message.
    Message(Value),
}

/// One mistake in an otherwise fine request.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) method: &'static str,
    /// Where: names of fields, joined by dots.
    pub(super) field: &'static str,
    pub(super) bad: Bad,
    pub(super) code: Code,
    /// The field that the answer names, or its reason.
    pub(super) named: &'static str,
}

/// Those that change a conversation which the request names.
const COMMANDS: [&str; 11] = [
    "SendMessage",
    "AddNote",
    "AddTag",
    "RemoveTag",
    "OpenTicket",
    "CloseTicket",
    "AssignConversation",
    "UnassignConversation",
    "PauseBot",
    "ResumeBot",
    "MarkRead",
];
const QUERIES: [&str; 9] = [
    "GetTicket",
    "ListTickets",
    "CountTickets",
    "GetTicketStats",
    "WatchTickets",
    "GetConversation",
    "ListConversations",
    "ListTimeline",
    "WatchTimeline",
];

const KIB_64: usize = 64 * 1024;

/// All of them.
pub(super) fn all() -> Vec<Row> {
    let mut rows = Vec::new();
    everywhere(&mut rows);
    commands(&mut rows);
    single_commands(&mut rows);
    content(&mut rows);
    received(&mut rows);
    queries(&mut rows);
    periods(&mut rows);
    rows
}

/// INVALID_ARGUMENT, naming the field itself.
fn invalid(rows: &mut Vec<Row>, methods: &[&'static str], field: &'static str, bads: &[Bad]) {
    named(rows, methods, field, bads, field);
}

/// INVALID_ARGUMENT, naming another field.
fn named(rows: &mut Vec<Row>, methods: &[&'static str], field: &'static str, bads: &[Bad], named: &'static str) {
    for method in methods {
        rows.extend(bads.iter().cloned().map(|bad| Row { method, field, bad, code: Code::InvalidArgument, named }));
    }
}

fn not_found(rows: &mut Vec<Row>, methods: &[&'static str], field: &'static str, id: &str, reason: &'static str) {
    let bad = Bad::Text(id.to_owned());
    let row = |method: &&'static str| Row { method, field, bad: bad.clone(), code: Code::NotFound, named: reason };
    rows.extend(methods.iter().map(row));
}

fn text(text: &str) -> Bad {
    Bad::Text(text.to_owned())
}

fn long(length: usize) -> Bad {
    Bad::Text("x".repeat(length))
}

/// Too long for an id, or with characters that nobody sees.
fn no_ids() -> Vec<Bad> {
    vec![long(257), text("a\nb"), text("a\u{85}b"), text("\0")]
}

/// And empty ones, where there has to be one.
fn no_required_ids() -> Vec<Bad> {
    [no_ids(), vec![text("")]].concat()
}

fn everywhere(rows: &mut Vec<Row>) {
    let methods = [COMMANDS.as_slice(), QUERIES.as_slice(), &["ReceiveMessage"]].concat();
    let bads = ["", "Acme", "ac me", "ac_me", "acmé", "acme\n"].map(text);
    invalid(rows, &methods, "workspace", &bads);
    invalid(rows, &methods, "workspace", &[long(64)]);
    not_found(rows, &methods, "workspace", "nowhere", "WORKSPACE_NOT_FOUND");
}

fn commands(rows: &mut Vec<Row>) {
    let of_a_conversation = [COMMANDS.as_slice(), &["GetConversation", "ListTimeline", "WatchTimeline"]].concat();
    invalid(rows, &of_a_conversation, "conversation_id", &no_required_ids());
    for id in ["nowhere", "c.*", "a-1"] {
        not_found(rows, &of_a_conversation, "conversation_id", id, "CONVERSATION_NOT_FOUND");
    }
    invalid(rows, &COMMANDS, "actor", &[Bad::Missing]);
    invalid(rows, &COMMANDS, "actor.kind", &[Bad::Enum(0), Bad::Enum(99), Bad::Enum(-1), Bad::Enum(1)]);
    invalid(rows, &COMMANDS, "actor.id", &no_required_ids());
    invalid(rows, &COMMANDS, "actor.display_name", &no_ids());
    let with_ids = [COMMANDS.as_slice(), &["ReceiveMessage"]].concat();
    invalid(rows, &with_ids, "command_id", &no_ids());
    invalid(rows, &with_ids, "expected_revision", &[Bad::Int(-1), Bad::Int(i64::MIN)]);
}

fn single_commands(rows: &mut Vec<Row>) {
    invalid(rows, &["AddNote"], "text", &[text(""), long(KIB_64 + 1)]);
    invalid(rows, &["AddTag", "RemoveTag"], "tag", &[text(""), long(65), text("a\tb")]);
    invalid(rows, &["OpenTicket"], "topic", &no_ids());
    let with_assignee = ["OpenTicket", "AssignConversation"];
    invalid(rows, &with_assignee, "assignee", &[Bad::Message(json!({}))]);
    invalid(rows, &with_assignee, "assignee.agent_id", &no_ids());
    invalid(rows, &with_assignee, "assignee.team_id", &no_ids());
    invalid(rows, &["AssignConversation"], "assignee", &[Bad::Missing]);
    invalid(rows, &["CloseTicket"], "ticket_id", &no_ids());
    invalid(rows, &["MarkRead"], "through_revision", &[Bad::Int(-1)]);
    for id in ["nowhere-1", "nowhere", "-", "c-99"] {
        rows.push(Row {
            method: "CloseTicket",
            field: "ticket_id",
            bad: text(id),
            code: Code::FailedPrecondition,
            named: "TICKET_NOT_OPEN",
        });
    }
}

fn content(rows: &mut Vec<Row>) {
    let send = &["SendMessage"];
    named(rows, send, "text", &[Bad::Missing], "content");
    invalid(rows, send, "text", &[text(""), long(4_097), long(KIB_64 + 1), Bad::Text("ß".repeat(4_097))]);
    invalid(rows, send, "reply_to", &no_ids());
    let whole: [(&str, Value, &str); 18] = [
        ("template", json!({"language": "en"}), "template.name"),
        ("template", json!({"name": "x".repeat(513), "language": "en"}), "template.name"),
        ("template", json!({"name": "t"}), "template.language"),
        ("template", json!({"name": "t", "language": "en", "componentsJson": "{"}), "template.components_json"),
        ("template", json!({"name": "t", "language": "en", "componentsJson": "{}"}), "template.components_json"),
        (
            "template",
            json!({"name": "t", "language": "en", "componentsJson": format!("[{}]", " ".repeat(16 * 1024))}),
            "template.components_json",
        ),
        ("interactive", json!({"buttons": [button(1)]}), "interactive.body"),
        ("interactive", json!({"body": "b"}), "interactive.buttons"),
        ("interactive", json!({"body": "b", "buttons": (1..5).map(button).collect::<Vec<_>>()}), "interactive.buttons"),
        ("interactive", json!({"body": "b", "buttons": [button(1), button(1)]}), "interactive.buttons[1].id"),
        (
            "interactive",
            json!({"body": "b", "listButton": "l", "listSections": [{"rows": (0..11).map(button).collect::<Vec<_>>()}]}),
            "interactive.list_sections",
        ),
        (
            "interactive",
            json!({"body": "b", "buttons": [button(1)], "listSections": [{"rows": [button(1)]}]}),
            "interactive.list_sections",
        ),
        ("media", json!({"type": "hologram", "media": {"id": "1"}}), "media.type"),
        ("media", json!({"type": "image"}), "media.media"),
        ("media", json!({"type": "image", "media": {}}), "media.media.id"),
        ("media", json!({"type": "image", "media": {"link": "file:///etc/passwd"}}), "media.media.link"),
        ("reaction", json!({"emoji": "👍"}), "reaction.message_id"),
        ("reaction", json!({"messageId": "m", "emoji": "x".repeat(65)}), "reaction.emoji"),
    ];
    for (field, message, naming) in whole {
        named(rows, send, field, &[Bad::Message(message)], naming);
    }
}

fn button(n: i32) -> Value {
    json!({"id": format!("b{n}"), "title": "B"})
}

fn received(rows: &mut Vec<Row>) {
    let receive = &["ReceiveMessage"];
    invalid(rows, receive, "channel", &no_required_ids());
    invalid(rows, receive, "contact", &[Bad::Missing]);
    invalid(rows, receive, "contact.id", &no_required_ids());
    invalid(rows, receive, "contact.user_id", &no_ids());
    invalid(rows, receive, "contact.display_name", &no_ids());
    invalid(rows, receive, "contact.username", &no_ids());
    invalid(rows, receive, "message", &[Bad::Missing]);
    invalid(rows, receive, "message.id", &no_required_ids());
    invalid(rows, receive, "message.text", &[long(KIB_64 + 1)]);
    invalid(rows, receive, "message.type", &[long(65), text("a\nb")]);
    invalid(rows, receive, "message.reply_to", &no_ids());
    invalid(rows, receive, "message.raw_json", &[text("{"), text("[1,]"), text("null null")]);
    invalid(rows, receive, "message.media.id", &no_ids());
    invalid(
        rows,
        receive,
        "message.media.link",
        &[text("javascript:1"), Bad::Text(format!("https://{}", "x".repeat(2_048)))],
    );
    invalid(rows, receive, "message.location.latitude", &[Bad::Float(90.1), Bad::Float(f64::NAN)]);
    invalid(rows, receive, "message.location.longitude", &[Bad::Float(-180.1), Bad::Float(f64::INFINITY)]);
    let times =
        [(-1, 0), (4_102_444_801, 0), (4_102_444_800, 1), (0, -1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, 0)];
    invalid(rows, receive, "message.occur_time", &times.map(|(seconds, nanos)| Bad::Time(seconds, nanos)));
}

fn queries(rows: &mut Vec<Row>) {
    invalid(rows, &QUERIES, "min_revision", &[Bad::Int(-1)]);
    invalid(rows, &["GetTicket"], "ticket_id", &no_required_ids());
    for id in ["nowhere", "nowhere-1", "-", "a-b-c", "nowhere-99999999999999999999"] {
        not_found(rows, &["GetTicket"], "ticket_id", id, "TICKET_NOT_FOUND");
    }
    let filtered = ["ListTickets", "WatchTickets"];
    invalid(rows, &filtered, "conversation_id", &no_ids());
    invalid(rows, &filtered, "state", &[Bad::Enum(99)]);
    invalid(rows, &filtered, "opener_kind", &[Bad::Enum(-7)]);
    invalid(rows, &filtered, "assignee.agent_id", &no_ids());
    invalid(rows, &filtered, "assignee.team_id", &no_ids());
    let paged = ["ListTickets", "ListConversations", "ListTimeline"];
    invalid(rows, &paged, "page_size", &[Bad::Int(-1)]);
    invalid(rows, &paged, "page_token", &["x", "AAAA", "né", "../../etc", "%00"].map(text));
    invalid(rows, &paged, "page_token", &[long(100_000)]);
    invalid(rows, &["WatchTickets", "WatchTimeline"], "after_revision", &[Bad::Int(-1)]);
    invalid(rows, &["ListConversations"], "view", &[Bad::Enum(99)]);
    named(rows, &["ListConversations"], "view", &[Bad::Enum(2)], "agent_id");
    named(rows, &["ListConversations"], "view", &[Bad::Enum(5)], "team_id");
    invalid(rows, &["ListConversations"], "channel", &no_ids());
    invalid(rows, &["ListConversations"], "query", &[long(KIB_64 + 1)]);
    invalid(rows, &["ListTimeline"], "direction", &[Bad::Enum(99)]);
}

fn periods(rows: &mut Vec<Row>) {
    let periods = ["ListTickets", "CountTickets", "GetTicketStats"];
    let times = [(-62_135_596_801, 0), (253_402_300_800, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)];
    let times = times.map(|(seconds, nanos)| Bad::Time(seconds, nanos));
    for field in ["start_time", "end_time", "as_of_time"] {
        invalid(rows, &periods, field, &times);
    }
    invalid(rows, &["ListTimeline"], "from_time", &times);
    invalid(rows, &periods, "basis", &[Bad::Enum(99)]);
    let counts = ["CountTickets", "GetTicketStats"];
    invalid(rows, &counts, "time_zone", &["Mars/Olympus", "../UTC", "Europe/", "+99:99"].map(text));
    invalid(rows, &counts, "group_by", &[Bad::Enums(vec![99]), Bad::Enums(vec![0]), Bad::Enums(vec![3, 4])]);
    invalid(rows, &["CountTickets"], "group_by", &[Bad::Enums(vec![1, 2])]);
    named(rows, &["CountTickets"], "group_by", &[Bad::Enums(vec![1]), Bad::Enums(vec![2])], "start_time");
    invalid(rows, &["GetTicketStats"], "group_by", &[Bad::Enums(vec![1])]);
    invalid(rows, &["GetTicketStats"], "basis", &[Bad::Enum(3)]);
}
