//! People, instants and lengths of time in words.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use proto::v1;

use super::text::clean_line;

/// How an actor is called: the display name, else the id.
pub(crate) fn actor(actor: Option<&v1::Actor>) -> String {
    let Some(actor) = actor else { return "?".to_owned() };
    let name = if actor.display_name.is_empty() { &actor.id } else { &actor.display_name };
    match (name.is_empty(), actor.kind()) {
        (false, _) => clean_line(name),
        (true, v1::actor::Kind::Customer) => "customer".to_owned(),
        (true, v1::actor::Kind::System) => "system".to_owned(),
        (true, _) => "?".to_owned(),
    }
}

/// What kind of actor it is, where a name alone does not say so.
pub(crate) fn kind(actor: Option<&v1::Actor>) -> &'static str {
    match actor.map(v1::Actor::kind) {
        Some(v1::actor::Kind::Bot) => "bot",
        Some(v1::actor::Kind::Automation) => "rule",
        Some(v1::actor::Kind::System) => "system",
        _ => "",
    }
}

/// How an assignee is called; empty for nobody.
pub(crate) fn assignee(assignee: Option<&v1::Assignee>) -> String {
    let Some(assignee) = assignee else { return String::new() };
    match (assignee.agent_id.is_empty(), assignee.team_id.is_empty()) {
        (true, true) => String::new(),
        (false, true) => clean_line(&assignee.agent_id),
        (true, false) => format!("team {}", clean_line(&assignee.team_id)),
        (false, false) => format!("{}@{}", clean_line(&assignee.agent_id), clean_line(&assignee.team_id)),
    }
}

/// How a contact is called: name and address, as far as they are known.
pub(crate) fn contact(contact: Option<&v1::Contact>) -> String {
    let Some(contact) = contact else { return String::new() };
    match (contact.display_name.is_empty(), contact.id.is_empty()) {
        (false, false) => clean_line(&format!("{} ({})", contact.display_name, contact.id)),
        _ => clean_line(&format!("{}{}", contact.display_name, contact.id)),
    }
}

/// The number of a ticket within its conversation: "#3" of "…-3".
pub(crate) fn ticket(id: &str) -> String {
    let ordinal = id.rsplit_once('-').map_or(id, |(_, ordinal)| ordinal);
    format!("#{}", clean_line(ordinal))
}

/// An instant of the wire in a zone; `None` where it is missing or beyond what a calendar holds.
pub(crate) fn zoned(time: Option<&prost_types::Timestamp>, zone: &TimeZone) -> Option<Zoned> {
    let time = time?;
    Some(Timestamp::new(time.seconds, time.nanos).ok()?.to_zoned(zone.clone()))
}

/// "2026-11-22 10:02", empty when there is none.
pub(crate) fn minute(time: Option<&prost_types::Timestamp>, zone: &TimeZone) -> String {
    zoned(time, zone).map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// The seconds from one instant to another; `None` when one is missing or they are the wrong way round.
pub(crate) fn between(from: Option<&prost_types::Timestamp>, to: Option<&prost_types::Timestamp>) -> Option<u64> {
    u64::try_from(to?.seconds.checked_sub(from?.seconds)?).ok()
}

/// A length of time of the wire; empty when there is none.
pub(crate) fn duration(length: Option<&prost_types::Duration>) -> String {
    match length {
        None => String::new(),
        Some(length) if length.seconds <= 0 && length.nanos > 0 => format!("{}ms", length.nanos / 1_000_000),
        Some(length) if length.seconds < 10 && length.nanos > 0 => {
            format!("{}.{}s", length.seconds, length.nanos / 100_000_000)
        }
        Some(length) => seconds(u64::try_from(length.seconds).unwrap_or(0)),
    }
}

/// The two largest units: "45s", "3m 5s", "1h 38m", "2d 3h".
pub(crate) fn seconds(total: u64) -> String {
    let pair = |first: u64, one: &str, second: u64, other: &str| match second {
        0 => format!("{first}{one}"),
        second => format!("{first}{one} {second}{other}"),
    };
    match total {
        0..60 => format!("{total}s"),
        60..3_600 => pair(total / 60, "m", total % 60, "s"),
        3_600..86_400 => pair(total / 3_600, "h", total % 3_600 / 60, "m"),
        _ => pair(total / 86_400, "d", total % 86_400 / 3_600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_in_their_two_largest_units() {
        let cases = [(0, "0s"), (59, "59s"), (60, "1m"), (185, "3m 5s"), (5_880, "1h 38m"), (183_600, "2d 3h")];
        for (total, words) in cases {
            assert_eq!(seconds(total), words);
        }
        let cases = [(0, 20_000_000, "20ms"), (1, 250_000_000, "1.2s"), (11, 900_000_000, "11s"), (3_600, 0, "1h")];
        for (seconds, nanos, words) in cases {
            assert_eq!(duration(Some(&prost_types::Duration { seconds, nanos })), words);
        }
    }

    #[test]
    fn names_fall_back_to_ids_and_kinds() {
        let someone = |kind: v1::actor::Kind, id: &str, name: &str| v1::Actor {
            kind: kind.into(),
            id: id.to_owned(),
            display_name: name.to_owned(),
        };
        assert_eq!(actor(Some(&someone(v1::actor::Kind::Agent, "ana", "Ana"))), "Ana");
        assert_eq!(actor(Some(&someone(v1::actor::Kind::Agent, "ana", ""))), "ana");
        assert_eq!(actor(Some(&someone(v1::actor::Kind::Customer, "", ""))), "customer");
        let member = v1::Assignee { agent_id: "ana".into(), team_id: "billing".into() };
        assert_eq!(assignee(Some(&member)), "ana@billing");
        assert_eq!(ticket("GzKp2-12"), "#12");
    }
}
