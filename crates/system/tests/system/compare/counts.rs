//! Counts of random periods, whole and in groups.

use std::collections::BTreeMap;

use fastrand::Rng;
use oracle::{Actor, Assignee, Basis, Count, Nanos, View, Window};
use proto::v1;
use v1::GroupBy;
use v1::count_tickets_response::Group;

use super::{Read, basis};
use crate::adapter;

/// What tickets are told apart by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Actor(Option<Actor>),
    Assignee(Option<Assignee>),
    Word(String),
}

pub(super) const DIMENSIONS: [GroupBy; 5] =
    [GroupBy::Opener, GroupBy::Closer, GroupBy::Assignee, GroupBy::Channel, GroupBy::Topic];

impl Read<'_> {
    pub(super) async fn counts(&self, random: &mut Rng) {
        for _ in 0..24 {
            let (start, end) = self.period(random);
            let (basis, of) = basis(random);
            let as_of = (random.u8(..4) == 0).then(|| self.instant(random));
            let dimension = random.choice(DIMENSIONS).filter(|_| random.bool());
            let unit = random.choice([GroupBy::Day, GroupBy::Hour]).filter(|_| random.u8(..3) == 0);
            let request = v1::CountTicketsRequest {
                workspace: self.name(),
                start_time: Some(adapter::to_time(start)),
                end_time: Some(adapter::to_time(end)),
                basis: basis.into(),
                group_by: unit.iter().chain(&dimension).map(|by| i32::from(*by)).collect(),
                time_zone: (*random.choice(&["", "Europe/Berlin", "Asia/Kathmandu"]).unwrap()).to_owned(),
                as_of_time: as_of.map(adapter::to_time),
                min_revision: self.min_revision(),
            };
            let given = self.clients().tickets.clone().count_tickets(request.clone()).await.unwrap().into_inner();
            let read_then = as_of.map(|at| oracle::read_as_of(&self.log, at));
            let view = read_then.as_ref().unwrap_or(&self.view);
            let total = view.count(of, start, end);
            assert_eq!((given.primary_count, given.nested_count), on_wire(total), "{request:?}");
            self.check_groups(&request, &given.groups, view, (of, start, end), dimension);
        }
        self.all_of_time(random).await;
    }

    /// Without a start and an end.
    async fn all_of_time(&self, random: &mut Rng) {
        let (basis, of) = basis(random);
        let request = v1::CountTicketsRequest {
            workspace: self.name(),
            basis: basis.into(),
            min_revision: self.min_revision(),
            ..v1::CountTicketsRequest::default()
        };
        let given = self.clients().tickets.clone().count_tickets(request).await.unwrap().into_inner();
        let total = self.view.count(of, Nanos::MIN, Nanos::MAX);
        assert_eq!((given.primary_count, given.nested_count), on_wire(total), "{basis:?}");
        assert!(given.groups.is_empty());
    }

    /// Each group by itself, and that no ticket is in none.
    fn check_groups(
        &self,
        request: &v1::CountTicketsRequest,
        groups: &[Group],
        view: &View,
        (basis, start, end): (Basis, Nanos, Nanos),
        dimension: Option<GroupBy>,
    ) {
        let mut given: BTreeMap<(Nanos, Value), Count> = BTreeMap::new();
        let mut wanted = given.clone();
        let whole = [(start, end)];
        let parts = |group: &Group| match (&group.start_time, &group.end_time) {
            (Some(from), Some(to)) => (adapter::nanos(Some(from)).max(start), adapter::nanos(Some(to)).min(end)),
            _ => whole[0],
        };
        for group in groups {
            let (from, to) = parts(group);
            assert!(from <= to, "{group:?} of {request:?}");
            let value = value_of(dimension, group);
            let count = Count { primary: unsigned(group.primary_count), nested: unsigned(group.nested_count) };
            assert!(given.insert((from, value), count).is_none(), "{group:?} is there twice: {request:?}");
            for window in view.windows().filter(|window| window.falls_into(basis, from, to)) {
                wanted.entry((from, self.value(dimension, window))).or_default();
            }
            let of = |window: &Window| self.value(dimension, window) == value_of(dimension, group);
            wanted.insert((from, value_of(dimension, group)), view.count_where(basis, from, to, of));
        }
        assert_eq!(given, wanted, "{request:?}");
        if request.group_by.is_empty() {
            return assert!(groups.is_empty());
        }
        if basis != Basis::OpenDuring {
            let sum = given.values().fold(Count::default(), |sum, count| Count {
                primary: sum.primary + count.primary,
                nested: sum.nested + count.nested,
            });
            assert_eq!(sum, view.count(basis, start, end), "{request:?}");
        }
    }

    pub(super) fn value(&self, dimension: Option<GroupBy>, window: &Window) -> Value {
        match dimension {
            Some(GroupBy::Opener) => Value::Actor(Some(nameless(&window.opener))),
            Some(GroupBy::Closer) => Value::Actor(window.closer.as_ref().map(nameless)),
            Some(GroupBy::Assignee) => Value::Assignee(window.assignee.clone()),
            Some(GroupBy::Channel) => Value::Word(self.channels[&window.conversation].clone()),
            Some(GroupBy::Topic) => Value::Word(window.topic.clone()),
            _ => Value::Word(String::new()),
        }
    }
}

fn value_of(dimension: Option<GroupBy>, group: &Group) -> Value {
    value_on_wire(dimension, group.actor.as_ref(), group.assignee.as_ref(), &group.channel, &group.topic)
}

pub(super) fn value_on_wire(
    dimension: Option<GroupBy>,
    actor: Option<&v1::Actor>,
    assignee: Option<&v1::Assignee>,
    channel: &str,
    topic: &str,
) -> Value {
    match dimension {
        Some(GroupBy::Opener | GroupBy::Closer) => Value::Actor(actor.map(adapter::actor).as_ref().map(nameless)),
        Some(GroupBy::Assignee) => Value::Assignee(assignee.map(adapter::assignee)),
        Some(GroupBy::Channel) => Value::Word(channel.to_owned()),
        Some(GroupBy::Topic) => Value::Word(topic.to_owned()),
        _ => Value::Word(String::new()),
    }
}

/// An actor is one by kind and id, whatever name they went by.
fn nameless(actor: &Actor) -> Actor {
    Actor::new(actor.kind, &actor.id)
}

fn on_wire(count: Count) -> (i64, i64) {
    (i64::try_from(count.primary).unwrap(), i64::try_from(count.nested).unwrap())
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap()
}
