//! People, instants and lengths of time in words, and forms in fields.

use jiff::{Timestamp, Zoned};
use proto::v1;

use crate::lang::{Lang, Local, word};

/// What a form or the part of an address behind the question mark says, in order.
pub(crate) type Fields = Vec<(String, String)>;

/// The first value of a name; empty where there is none.
pub(crate) fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// The name, else the id.
pub(crate) fn called<'a>(name: &'a str, id: &'a str) -> &'a str {
    if name.trim().is_empty() { id } else { name }
}

/// How an actor is called.
pub(crate) fn actor(actor: Option<&v1::Actor>, lang: Lang) -> &str {
    use v1::actor::Kind;
    let Some(actor) = actor else { return lang.t("somebody") };
    match (called(&actor.display_name, &actor.id), actor.kind()) {
        ("", Kind::Customer) => lang.t("Customer"),
        ("", Kind::System) => lang.t("System"),
        ("", _) => lang.t("somebody"),
        (name, _) => name,
    }
}

/// How a contact is called.
pub(crate) fn contact(contact: Option<&v1::Contact>, lang: Lang) -> &str {
    let nobody = lang.t("Customer");
    contact.map_or(nobody, |contact| called(&contact.display_name, called(&contact.id, nobody)))
}

/// The number of a ticket within its conversation: "#3" of "…-3".
pub(crate) fn number(ticket: &str) -> String {
    format!("#{}", ticket.rsplit_once('-').map_or(ticket, |(_, ordinal)| ordinal))
}

/// An instant of the wire; `None` where it is missing or beyond what a calendar holds.
pub(crate) fn instant(time: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    let time = time?;
    Timestamp::new(time.seconds, time.nanos).ok()
}

/// An instant on the wire.
pub(crate) fn wire(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

/// An instant of the wire in a zone.
pub(crate) fn zoned(time: Option<&prost_types::Timestamp>, zone: &Local) -> Option<Zoned> {
    instant(time).map(|at| at.to_zoned(zone.zone.clone()))
}

/// "10:02"
pub(crate) fn clock(time: Option<&prost_types::Timestamp>, zone: &Local) -> String {
    zoned(time, zone).map(|at| at.strftime("%H:%M").to_string()).unwrap_or_default()
}

/// "22 Nov 2026, 10:02"; empty when there is none.
pub(crate) fn minute(time: Option<&prost_types::Timestamp>, zone: &Local) -> String {
    zoned(time, zone).map(|at| format!("{}, {}", zone.lang.date(&at), at.strftime("%H:%M"))).unwrap_or_default()
}

/// "Sunday, 22 November 2026"
pub(crate) fn day(at: &Zoned, lang: Lang) -> String {
    lang.long_date(at)
}

/// How long ago, in one unit: "now", "4 min", "3 h", "2 d", and the date beyond a month.
pub(crate) fn ago(time: Option<&prost_types::Timestamp>, now: Timestamp, zone: &Local) -> String {
    let Some(at) = instant(time) else { return String::new() };
    match now.as_second() - at.as_second() {
        ..60 => zone.lang.t("now").to_owned(),
        past @ 60..3_600 => format!("{} {}", past / 60, zone.lang.t("min")),
        past @ 3_600..86_400 => format!("{} {}", past / 3_600, zone.lang.t("h")),
        past @ 86_400..2_592_000 => format!("{} {}", past / 86_400, zone.lang.t("d")),
        _ => zone.lang.date(&at.to_zoned(zone.zone.clone())),
    }
}

/// From one instant to another; empty when one is missing or they are the wrong way round.
pub(crate) fn between(
    from: Option<&prost_types::Timestamp>,
    to: Option<&prost_types::Timestamp>,
    lang: Lang,
) -> String {
    let (Some(from), Some(to)) = (from, to) else { return String::new() };
    let past = to.seconds.checked_sub(from.seconds).and_then(|past| u64::try_from(past).ok());
    past.map(|past| seconds(past, lang)).unwrap_or_default()
}

/// A length of time of the wire; empty when there is none.
pub(crate) fn duration(length: Option<&prost_types::Duration>, lang: Lang) -> String {
    match length {
        None => String::new(),
        Some(length) if length.seconds <= 0 && length.nanos > 0 => {
            format!("{} {}", length.nanos / 1_000_000, lang.t("ms"))
        }
        Some(length) => seconds(u64::try_from(length.seconds).unwrap_or(0), lang),
    }
}

/// The two largest units: "45 s", "3 min 5 s", "1 h 38 min", "2 d 3 h".
pub(crate) fn seconds(total: u64, lang: Lang) -> String {
    let [s, min, h, d] = [word("s"), word("min"), word("h"), word("d")].map(|unit| lang.t(unit));
    let pair = |first: u64, one: &str, second: u64, other: &str| match second {
        0 => format!("{first} {one}"),
        second => format!("{first} {one} {second} {other}"),
    };
    match total {
        0..60 => format!("{total} {s}"),
        60..3_600 => pair(total / 60, min, total % 60, s),
        3_600..86_400 => pair(total / 3_600, h, total % 3_600 / 60, min),
        _ => pair(total / 86_400, d, total % 86_400 / 3_600, h),
    }
}

/// The beginning of a text on one line, at most `most` characters.
pub(crate) fn short(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_in_their_two_largest_units() {
        let cases = [(0, "0 s"), (60, "1 min"), (185, "3 min 5 s"), (5_880, "1 h 38 min"), (183_600, "2 d 3 h")];
        for (total, words) in cases {
            assert_eq!(seconds(total, Lang::English), words);
        }
        assert_eq!(seconds(185, Lang::Arabic), "3 د 5 ث");
        for (total, words) in cases {
            assert_eq!(seconds(total, Lang::German), words);
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(short("à  la\ncarte", 20), "à la carte");
        assert_eq!(short("ééé", 2), "éé…");
    }
}
