use std::time::Duration;

use conversation::MAX_TAG_BYTES;
use saphyr_parser::ScalarStyle;

use super::parse::{ON_REFUSAL, optional};
use super::parse_trigger::{MAX_WAIT, MIN_WAIT, is_event_name};
use super::read::Reader;
use super::yaml::{Node, Yaml};
use super::{Action, CallWebhook, CloseWhich, Json, OnRefusal, Step, Trigger, nearest, parse_assign, parse_message};
use crate::condition::Scopes;

/// Every action, as it is written.
pub(super) const ACTIONS: &[&str] = &[
    "open_ticket",
    "close_ticket",
    "assign",
    "unassign",
    "send_message",
    "add_note",
    "add_tag",
    "remove_tag",
    "pause_bot",
    "resume_bot",
    "call_webhook",
    "publish",
    "wait",
    "run",
];
pub(super) const OPEN_KEYS: &[&str] = &["topic", "assignee", "unless_open"];
pub(super) const CLOSE_KEYS: &[&str] = &["which"];
pub(super) const NOTE_KEYS: &[&str] = &["text"];
pub(super) const TAG_KEYS: &[&str] = &["tag"];
pub(super) const WEBHOOK_KEYS: &[&str] = &["url", "headers", "body", "timeout", "attempts"];
pub(super) const PUBLISH_KEYS: &[&str] = &["name", "data"];
pub(super) const WAIT_KEYS: &[&str] = &["for"];
pub(super) const RUN_KEYS: &[&str] = &["rule"];
pub(super) const WHICH: &[(&str, CloseWhich)] =
    &[("this", CloseWhich::This), ("last", CloseWhich::Last), ("all", CloseWhich::All)];
/// Longest topic, in bytes: the state of a conversation travels with every decision.
const MAX_TOPIC_BYTES: usize = 256;
/// JSON of a rule is nested no deeper than this.
const MAX_JSON_DEPTH: usize = 12;

/// What the reading of actions has to know.
pub(super) struct Place<'r> {
    /// `None` where the trigger could not be read: then all is taken that some trigger would allow.
    on: Option<&'r Trigger>,
    pub(super) scopes: Scopes,
}

impl Place<'_> {
    pub(super) fn of(on: Option<&Trigger>) -> Place<'_> {
        Place { on, scopes: on.map_or_else(Scopes::all, Trigger::scopes) }
    }
}

/// One item of `do`: an action's name, or a mapping of it to its parameters, with `on_refusal` beside it.
pub(super) fn step(reader: &mut Reader<'_>, node: &Node, place: &Place<'_>, refusal: OnRefusal) -> Option<Step> {
    let empty = Node { start: node.start, end: node.end, value: Yaml::Scalar(String::new(), ScalarStyle::Plain) };
    match &node.value {
        Yaml::Scalar(name, _) if !node.is_null() => {
            let action = named(reader, node, name, &empty, place)?;
            Some(Step { action, on_refusal: refusal })
        }
        Yaml::Map(entries) => {
            let mut own = refusal;
            let mut actions = Vec::new();
            for (key, value) in entries {
                match key.text() {
                    Some("on_refusal") => own = reader.word(value, "on_refusal", ON_REFUSAL).unwrap_or(refusal),
                    Some(name) => actions.push((key, name, value)),
                    None => reader.wrong(key, "an action has a name"),
                }
            }
            match actions.as_slice() {
                [(key, name, value)] => {
                    let action = reader.inside(format!(".{name}"), |reader| named(reader, key, name, value, place))?;
                    Some(Step { action, on_refusal: own })
                }
                [] => {
                    reader.wrong(node, "names no action");
                    None
                }
                [_, (second, name, _), ..] => {
                    reader.wrong(
                        second,
                        format!("each item of `do` is one action: start `{name}` with a dash of its own"),
                    );
                    None
                }
            }
        }
        _ => {
            reader.wrong(node, format!("an action is a mapping such as `add_tag: vip`; this is {}", node.kind()));
            None
        }
    }
}

fn named(reader: &mut Reader<'_>, at: &Node, name: &str, node: &Node, place: &Place<'_>) -> Option<Action> {
    let outside = matches!(name, "call_webhook" | "publish" | "wait" | "run");
    if ACTIONS.contains(&name)
        && !outside
        && let Some(on) = place.on.filter(|on| !on.concerns_conversation())
    {
        let how = match on {
            Trigger::External { .. } => ": say which with `conversation`, or with `channel` and `contact`",
            _ => "",
        };
        reader.wrong(at, format!("`{name}` acts on a conversation, and {on} concerns none{how}"));
        return None;
    }
    match name {
        "open_ticket" => open_ticket(reader, node),
        "close_ticket" => close_ticket(reader, node, place.on),
        "assign" => parse_assign::assign(reader, node).map(Action::Assign),
        "unassign" => bare(reader, node, name, Action::Unassign),
        "send_message" => parse_message::content(reader, node, place).map(Action::SendMessage),
        "add_note" => {
            let text = short(reader, node, "add_note", NOTE_KEYS, "text")?;
            reader.template(text, "a note", &place.scopes).map(Action::AddNote)
        }
        "add_tag" => tag(reader, node, name).map(Action::AddTag),
        "remove_tag" => tag(reader, node, name).map(Action::RemoveTag),
        "pause_bot" => bare(reader, node, name, Action::PauseBot),
        "resume_bot" => bare(reader, node, name, Action::ResumeBot),
        "call_webhook" => call_webhook(reader, node, place).map(Action::CallWebhook),
        "publish" => publish(reader, node, place),
        "wait" => {
            let length = short(reader, node, "wait", WAIT_KEYS, "for")?;
            reader.length(length, "a wait", MIN_WAIT, MAX_WAIT).map(Action::Wait)
        }
        "run" => {
            let rule = short(reader, node, "run", RUN_KEYS, "rule")?;
            let rule = reader.text(rule, "the name of a rule", super::MAX_NAME_BYTES)?;
            Some(Action::Run { rule: rule.to_owned() })
        }
        unknown => {
            let hint = match nearest(unknown, ACTIONS.iter().copied()) {
                hint if hint.is_empty() => format!(": there are {}", ACTIONS.join(", ")),
                hint => hint,
            };
            reader.wrong(at, format!("there is no action `{unknown}`{hint}"));
            None
        }
    }
}

/// An action without parameters.
fn bare(reader: &mut Reader<'_>, node: &Node, name: &str, action: Action) -> Option<Action> {
    let nothing = node.is_null() || matches!(&node.value, Yaml::Map(entries) if entries.is_empty());
    if !nothing {
        reader.wrong(node, format!("`{name}` takes no parameters"));
    }
    Some(action)
}

/// The one parameter of an action, written alone or under its key.
fn short<'n>(reader: &mut Reader<'_>, node: &'n Node, name: &str, keys: &[&str], key: &str) -> Option<&'n Node> {
    match &node.value {
        Yaml::Map(_) => {
            let map = reader.map(node, name, keys)?;
            reader.need(&map, name, key)
        }
        _ if node.is_null() => {
            reader.wrong(node, format!("`{name}` needs `{key}`"));
            None
        }
        _ => Some(node),
    }
}

fn open_ticket(reader: &mut Reader<'_>, node: &Node) -> Option<Action> {
    if node.is_null() {
        return Some(Action::OpenTicket { topic: String::new(), assignee: None, unless_open: true });
    }
    let map = reader.map(node, "open_ticket", OPEN_KEYS)?;
    let topic = optional(reader, &map, "topic", |reader, node| reader.clear_text(node, "a topic", MAX_TOPIC_BYTES));
    let assignee = optional(reader, &map, "assignee", parse_assign::assign);
    let unless_open = optional(reader, &map, "unless_open", |reader, node| reader.truth(node, "unless_open"));
    Some(Action::OpenTicket { topic: topic.unwrap_or_default(), assignee, unless_open: unless_open.unwrap_or(true) })
}

fn close_ticket(reader: &mut Reader<'_>, node: &Node, on: Option<&Trigger>) -> Option<Action> {
    let without = on.filter(|on| !on.concerns_ticket());
    let usual = if without.is_some() { CloseWhich::Last } else { CloseWhich::This };
    let which = match &node.value {
        Yaml::Map(_) => reader.map(node, "close_ticket", CLOSE_KEYS)?.get("which"),
        _ => Some(node).filter(|node| !node.is_null()),
    };
    let Some(node) = which else { return Some(Action::CloseTicket(usual)) };
    let which = reader.word(node, "which", WHICH)?;
    if let (CloseWhich::This, Some(on)) = (which, without) {
        reader.wrong(node, format!("{on} concerns no ticket: say last or all"));
        return None;
    }
    Some(Action::CloseTicket(which))
}

fn tag(reader: &mut Reader<'_>, node: &Node, name: &str) -> Option<String> {
    let tag = short(reader, node, name, TAG_KEYS, "tag")?;
    reader.clear_text(tag, "a tag", MAX_TAG_BYTES)
}

fn call_webhook(reader: &mut Reader<'_>, node: &Node, place: &Place<'_>) -> Option<CallWebhook> {
    let map = match &node.value {
        Yaml::Map(_) => reader.map(node, "call_webhook", WEBHOOK_KEYS)?,
        _ => {
            let url = short(reader, node, "call_webhook", WEBHOOK_KEYS, "url")?;
            let url = address(reader, url)?;
            return Some(CallWebhook { url, headers: Vec::new(), body: None, timeout: TIMEOUT, attempts: ATTEMPTS });
        }
    };
    let url = reader.need(&map, "call_webhook", "url");
    let url = url.and_then(|node| reader.inside(".url", |reader| address(reader, node)));
    let headers = optional(reader, &map, "headers", |reader, node| headers(reader, node, place));
    let body = optional(reader, &map, "body", |reader, node| json(reader, node, place, 0));
    let (min, max) = (Duration::from_secs(1), Duration::from_secs(30));
    let timeout = optional(reader, &map, "timeout", |reader, node| reader.length(node, "timeout", min, max));
    let attempts = optional(reader, &map, "attempts", |reader, node| reader.number(node, "attempts", 1..=10));
    Some(CallWebhook {
        url: url?,
        headers: headers.unwrap_or_default(),
        body,
        timeout: timeout.unwrap_or(TIMEOUT),
        attempts: attempts.unwrap_or(ATTEMPTS),
    })
}

/// For one try, unless the rule says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Tries in all, unless the rule says otherwise.
const ATTEMPTS: u32 = 5;

/// A fixed address: with fields in it a customer's words could choose whom we call.
fn address(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let url = reader.text(node, "url", 2048)?;
    if url.contains("{{") {
        reader.wrong(node, "url takes no fields: put them into the body or a header");
        return None;
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let fits = authority.is_some_and(|authority| !authority.is_empty() && !authority.contains('@'));
    if !fits || url.contains('#') || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        reader.wrong(
            node,
            "url is an address such as https://example.com/hooks/orders, without user, password and fragment",
        );
        return None;
    }
    Some(url.to_owned())
}

fn headers(
    reader: &mut Reader<'_>,
    node: &Node,
    place: &Place<'_>,
) -> Option<Vec<(String, crate::template::Template)>> {
    let Yaml::Map(entries) = &node.value else {
        reader.wrong(node, format!("headers is a mapping of names to texts; this is {}", node.kind()));
        return None;
    };
    let mut headers: Vec<(String, crate::template::Template)> = Vec::new();
    for (index, (key, value)) in entries.iter().enumerate() {
        let Some(name) = reader.text(key, "the name of a header", 128) else { continue };
        let token = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        let ours = ["host", "content-length", "transfer-encoding", "connection", "content-type"];
        if index >= 32 {
            reader.wrong(key, "a call has at most 32 headers");
            break;
        } else if !token {
            reader.wrong(key, "the name of a header has letters, digits and - alone");
        } else if ours.contains(&name.to_ascii_lowercase().as_str())
            || name.to_ascii_lowercase().starts_with("x-threadmark-")
        {
            reader.wrong(key, format!("`{name}` is set by the call itself: leave it out"));
        } else if headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            reader.wrong(key, format!("`{name}` stands twice: leave one out"));
        } else if let Some(text) =
            reader.inside(format!(".{name}"), |reader| reader.template(value, "a header", &place.scopes))
        {
            headers.push((name.to_owned(), text));
        }
    }
    Some(headers)
}

fn publish(reader: &mut Reader<'_>, node: &Node, place: &Place<'_>) -> Option<Action> {
    let map = reader.map(node, "publish", PUBLISH_KEYS)?;
    let name_node = reader.need(&map, "publish", "name");
    let data = optional(reader, &map, "data", |reader, node| json(reader, node, place, 0));
    let name = name_node.and_then(|node| reader.text(node, "name", 64));
    if let (Some(node), Some(name)) = (name_node, name)
        && !is_event_name(name)
    {
        reader.wrong(node, "an external event has a name of 1 to 64 letters, digits, - and _");
        return None;
    }
    let empty = || Json::Fixed(serde_json::Value::Object(serde_json::Map::new()));
    Some(Action::Publish { name: name?.to_owned(), data: data.unwrap_or_else(empty) })
}

/// JSON as YAML writes it, with fields in its texts.
pub(super) fn json(reader: &mut Reader<'_>, node: &Node, place: &Place<'_>, depth: usize) -> Option<Json> {
    if depth > MAX_JSON_DEPTH {
        reader.wrong(node, format!("is nested more than {MAX_JSON_DEPTH} deep"));
        return None;
    }
    match &node.value {
        Yaml::List(list) => {
            let items = list.iter().enumerate();
            let read: Vec<Option<Json>> = items
                .map(|(index, node)| reader.inside(format!("[{index}]"), |reader| json(reader, node, place, depth + 1)))
                .collect();
            read.into_iter().collect::<Option<Vec<Json>>>().map(Json::List)
        }
        Yaml::Map(entries) => {
            let mut map: Vec<(String, Json)> = Vec::new();
            for (key, value) in entries {
                let name = reader.text(key, "a key", 256)?;
                if map.iter().any(|(known, _)| known == name) {
                    reader.wrong(key, format!("`{name}` stands twice: leave one out"));
                }
                let value = reader.inside(format!(".{name}"), |reader| json(reader, value, place, depth + 1))?;
                map.push((name.to_owned(), value));
            }
            Some(Json::Map(map))
        }
        Yaml::Scalar(_, ScalarStyle::Plain) if node.is_null() => Some(Json::Fixed(serde_json::Value::Null)),
        Yaml::Scalar(text, ScalarStyle::Plain) if !text.contains("{{") => Some(Json::Fixed(scalar(text))),
        Yaml::Scalar(text, _) if text.is_empty() => Some(Json::Fixed(serde_json::Value::String(String::new()))),
        Yaml::Scalar(..) => reader.template(node, "a text", &place.scopes).map(Json::Text),
    }
}

/// A plain scalar: a truth, a number or a text.
fn scalar(text: &str) -> serde_json::Value {
    match serde_json::from_str(text) {
        Ok(value @ (serde_json::Value::Bool(_) | serde_json::Value::Number(_))) => value,
        _ => serde_json::Value::String(text.to_owned()),
    }
}
