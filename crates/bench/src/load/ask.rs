//! Queries as agents, dashboards and scripts ask them, at random.

use conversation::Time;
use proto::v1;

use super::history::{BEGIN, History, TOPICS, WORKSPACE, YEAR};

/// Chats that timelines are asked of: those that agents work in have been looked at before, so that their keys are known.
const CHATS: usize = 1_000;
const PAGE: i32 = 50;
const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;
const ZONES: [&str; 8] = [
    "",
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
];
const BASES: [v1::Basis; 3] = [v1::Basis::Opened, v1::Basis::Closed, v1::Basis::OpenDuring];
const VALUES: [v1::GroupBy; 5] =
    [v1::GroupBy::Opener, v1::GroupBy::Closer, v1::GroupBy::Assignee, v1::GroupBy::Channel, v1::GroupBy::Topic];

/// Thinks of queries; the same in every run.
pub(crate) struct Asker {
    dice: fastrand::Rng,
    chats: Vec<String>,
}

impl Asker {
    pub(crate) fn new(history: &History) -> Asker {
        let mut dice = fastrand::Rng::with_seed(3);
        let mut chats: Vec<String> = history.chats().map(|chat| chat.as_str().to_owned()).collect();
        dice.shuffle(&mut chats);
        chats.truncate(CHATS);
        Asker { dice, chats }
    }

    /// The newest page of a chat, or one from a time on.
    pub(crate) fn timeline(&mut self) -> v1::ListTimelineRequest {
        let chat = self.dice.usize(0..self.chats.len());
        let from_time = self.dice.bool().then(|| Time(BEGIN.0 + self.dice.i64(YEAR / 2..YEAR)));
        v1::ListTimelineRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: self.chats[chat].clone(),
            page_size: PAGE,
            from_time: from_time.map(proto::timestamp),
            ..v1::ListTimelineRequest::default()
        }
    }

    /// A page of a period, half of them of one kind of opener or of one topic.
    pub(crate) fn tickets(&mut self) -> v1::ListTicketsRequest {
        let (start_time, end_time) = self.period(30 * DAY);
        let filter = self.dice.usize(0..4);
        let topic = TOPICS[self.dice.usize(0..TOPICS.len())].to_owned();
        let kinds = [v1::actor::Kind::Bot, v1::actor::Kind::Automation, v1::actor::Kind::Agent];
        let kind = kinds[self.dice.usize(0..kinds.len())];
        v1::ListTicketsRequest {
            workspace: WORKSPACE.to_owned(),
            opener_kind: if filter == 0 { kind.into() } else { 0 },
            topic: (filter == 1).then_some(topic),
            include_nested: self.dice.bool(),
            basis: self.basis(),
            start_time,
            end_time,
            page_size: PAGE,
            ..v1::ListTicketsRequest::default()
        }
    }

    /// How many tickets a period of minutes up to a year has.
    pub(crate) fn count(&mut self) -> v1::CountTicketsRequest {
        let (start_time, end_time) = self.period(YEAR);
        v1::CountTicketsRequest {
            workspace: WORKSPACE.to_owned(),
            start_time,
            end_time,
            basis: self.basis(),
            time_zone: ZONES[self.dice.usize(0..ZONES.len())].to_owned(),
            ..v1::CountTicketsRequest::default()
        }
    }

    /// The same by days of up to a year, by hours of up to a week, by some value, or by days of up to a month and a value.
    pub(crate) fn count_groups(&mut self) -> v1::CountTicketsRequest {
        let value = VALUES[self.dice.usize(0..VALUES.len())];
        let (longest, group_by) = match self.dice.usize(0..4) {
            0 => (YEAR, vec![v1::GroupBy::Day]),
            1 => (7 * DAY, vec![v1::GroupBy::Hour]),
            2 => (YEAR, vec![value]),
            _ => (31 * DAY, vec![v1::GroupBy::Day, value]),
        };
        let (start_time, end_time) = self.period(longest);
        let group_by = group_by.into_iter().map(i32::from).collect();
        v1::CountTicketsRequest { start_time, end_time, group_by, ..self.count() }
    }

    fn basis(&mut self) -> i32 {
        BASES[self.dice.usize(0..BASES.len())].into()
    }

    /// A period within the year, at most so long; short ones are as likely as long ones.
    fn period(&mut self, longest: i64) -> (Option<prost_types::Timestamp>, Option<prost_types::Timestamp>) {
        let shortest = HOUR / 60;
        let length = shortest as f64 * (longest as f64 / shortest as f64).powf(self.dice.f64());
        let length = (length as i64).clamp(shortest, longest);
        let start = BEGIN.0 + self.dice.i64(0..=YEAR - length);
        let stamp = |time| Some(proto::timestamp(Time(time)));
        (stamp(start), stamp(start + length))
    }
}
