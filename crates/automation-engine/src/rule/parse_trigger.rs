use std::time::Duration;

use super::parse::optional;
use super::read::{Map, Reader};
use super::schedule::Wrong;
use super::yaml::{Node, Yaml};
use super::{AnsweredBy, Match, Schedule, Trigger, nearest};
use crate::condition::{Scope, Scopes};

pub(super) const IDLE_KEYS: &[&str] = &["for"];
pub(super) const AGENT_IDLE_KEYS: &[&str] = &["for", "by"];
pub(super) const SCHEDULE_KEYS: &[&str] = &["cron", "time_zone"];
pub(super) const EXTERNAL_KEYS: &[&str] = &["conversation", "channel", "contact"];
pub(super) const ANSWERED_BY: &[(&str, AnsweredBy)] = &[("agent", AnsweredBy::Agent), ("anyone", AnsweredBy::Anyone)];
/// Timers are not set for shorter: what took place meanwhile would not have been seen.
pub(super) const MIN_WAIT: Duration = Duration::from_secs(1);
/// A year: longer than any promise to a customer.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A trigger: its name, or a mapping of its name to its parameters.
pub(super) fn trigger(reader: &mut Reader<'_>, node: &Node) -> Option<Trigger> {
    match &node.value {
        Yaml::Scalar(name, _) if !node.is_null() => named(reader, node, name, None),
        Yaml::Map(entries) => match entries.as_slice() {
            [(key, parameters)] => {
                let name = reader.text(key, "a trigger", 256)?;
                let given = Some(parameters).filter(|node| !node.is_null());
                reader.inside(format!(".{name}"), |reader| named(reader, key, name, given))
            }
            _ => {
                reader.wrong(node, "a rule has one trigger: write one rule for each");
                None
            }
        },
        _ => {
            reader.wrong(node, format!("a trigger is a name such as message.received; this is {}", node.kind()));
            None
        }
    }
}

fn named(reader: &mut Reader<'_>, at: &Node, name: &str, parameters: Option<&Node>) -> Option<Trigger> {
    if let Some(event) = name.strip_prefix("external.") {
        return external(reader, at, event, parameters);
    }
    let plain = match name {
        "message.received" => Trigger::MessageReceived,
        "message.sent" => Trigger::MessageSent,
        "message.failed" => Trigger::MessageFailed,
        "ticket.opened" => Trigger::TicketOpened,
        "ticket.closed" => Trigger::TicketClosed,
        "conversation.assigned" => Trigger::ConversationAssigned,
        "conversation.unassigned" => Trigger::ConversationUnassigned,
        "conversation.started" => Trigger::ConversationStarted,
        "tag.added" => Trigger::TagAdded,
        "tag.removed" => Trigger::TagRemoved,
        "contact.changed" => Trigger::ContactChanged,
        "agent.online" => Trigger::AgentOnline,
        "agent.offline" => Trigger::AgentOffline,
        "manual" => Trigger::Manual,
        "customer.idle" | "agent.idle" | "ticket.unanswered" | "ticket.open_for" => {
            return waiting(reader, at, name, parameters);
        }
        "schedule" => return schedule(reader, at, parameters),
        unknown => {
            let hint = match nearest(unknown, Trigger::NAMES) {
                hint if hint.is_empty() => format!(
                    ": there are {}<name>",
                    Trigger::NAMES.join(", ").replace("external., manual", "manual, external.")
                ),
                hint => hint,
            };
            reader.wrong(at, format!("there is no trigger `{unknown}`{hint}"));
            return None;
        }
    };
    if let Some(parameters) = parameters {
        reader.wrong(parameters, format!("`{name}` takes no parameters"));
    }
    Some(plain)
}

fn parameters<'n>(
    reader: &mut Reader<'_>,
    at: &Node,
    name: &str,
    given: Option<&'n Node>,
    keys: &[&str],
    example: &str,
) -> Option<Map<'n>> {
    match given {
        Some(node) => reader.map(node, name, keys),
        None => {
            reader.wrong(at, format!("`{name}` needs parameters: write {example}"));
            None
        }
    }
}

fn waiting(reader: &mut Reader<'_>, at: &Node, name: &str, given: Option<&Node>) -> Option<Trigger> {
    let keys = if name == "agent.idle" { AGENT_IDLE_KEYS } else { IDLE_KEYS };
    let map = parameters(reader, at, name, given, keys, &format!("`{name}: {{ for: 10m }}`"))?;
    let by = optional(reader, &map, "by", |reader, node| reader.word(node, "by", ANSWERED_BY)).unwrap_or_default();
    let after = reader.need(&map, name, "for")?;
    let after = reader.inside(".for", |reader| reader.length(after, "for", MIN_WAIT, MAX_WAIT))?;
    Some(match name {
        "customer.idle" => Trigger::CustomerIdle { after },
        "agent.idle" => Trigger::AgentIdle { after, by },
        "ticket.unanswered" => Trigger::TicketUnanswered { after },
        _ => Trigger::TicketOpenFor { after },
    })
}

fn schedule(reader: &mut Reader<'_>, at: &Node, given: Option<&Node>) -> Option<Trigger> {
    let example = "`schedule: { cron: \"0 9 * * mon-fri\", time_zone: Europe/Berlin }`";
    let map = parameters(reader, at, "schedule", given, SCHEDULE_KEYS, example)?;
    let cron_node = reader.need(&map, "schedule", "cron");
    let cron = cron_node.and_then(|node| reader.inside(".cron", |reader| reader.text(node, "cron", 256)));
    let zone_node = map.get("time_zone");
    let zone = match zone_node {
        Some(node) => reader.inside(".time_zone", |reader| reader.text(node, "time_zone", 64))?,
        None => "UTC",
    };
    match Schedule::new(cron?, zone) {
        Ok(schedule) => Some(Trigger::Schedule(schedule)),
        Err(Wrong::Cron(message)) => {
            reader.inside(".cron", |reader| reader.wrong(cron_node.unwrap_or(at), message));
            None
        }
        Err(Wrong::TimeZone(message)) => {
            reader.inside(".time_zone", |reader| reader.wrong(zone_node.unwrap_or(at), message));
            None
        }
    }
}

fn external(reader: &mut Reader<'_>, at: &Node, name: &str, given: Option<&Node>) -> Option<Trigger> {
    if !is_event_name(name) {
        reader.wrong(
            at,
            "an external event has a name of 1 to 64 letters, digits, - and _, for example external.order-shipped",
        );
        return None;
    }
    // The mapping is what finds the conversation: it can't name its fields.
    let scopes = Scopes::new(format!("external.{name}"), &[Scope::External]);
    let concerns = match given {
        None => None,
        Some(node) => Some(mapping(reader, node, &scopes)?),
    };
    Some(Trigger::External { name: name.to_owned(), concerns })
}

fn mapping(reader: &mut Reader<'_>, node: &Node, scopes: &Scopes) -> Option<Match> {
    let map = reader.map(node, "an external event", EXTERNAL_KEYS)?;
    let mut template = |key: &str| optional(reader, &map, key, |reader, node| reader.template(node, key, scopes));
    let found = (template("conversation"), template("channel"), template("contact"));
    let given = |key: &str| map.get(key).is_some();
    match (given("conversation"), given("channel"), given("contact")) {
        (true, false, false) => found.0.map(Match::Conversation),
        (false, true, true) => Some(Match::Contact { channel: found.1?, contact: found.2? }),
        _ => {
            reader.wrong(node, "an external event is matched by `conversation`, or by `channel` and `contact`");
            None
        }
    }
}

/// Whether a text can be the last token of a subject.
pub(super) fn is_event_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}
