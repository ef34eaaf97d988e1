//! Counts against looking at every ticket, and sketches against sorted values.

use std::collections::BTreeMap;

use conversation::{Basis, Period, Time};
use proptest::prelude::*;
use prost::Message as _;
use proto::v1;

use super::super::keys::{ConversationKey, TicketKey, WorkspaceKey};
use super::super::rows::TicketRow;
use super::sketch::Sketch;
use super::tally::Counted;
use super::*;
use crate::store::{Batch, Engine, Home, Options, Store};

const WORKSPACE: WorkspaceKey = WorkspaceKey([7; 8]);

/// What happens to one ticket, in steps of ten seconds so that many times fall on whole minutes and on each other.
#[derive(Clone, Debug)]
struct Life {
    open: i64,
    nested: bool,
    topic: u8,
    opener: u8,
    assignees: Vec<u8>,
    answer: Option<u64>,
    close: Option<(i64, u8)>,
}

fn lives() -> impl Strategy<Value = Vec<Life>> {
    let life = (
        instant(),
        any::<bool>(),
        0..3u8,
        0..3u8,
        prop::collection::vec(0..4u8, 0..4),
        prop::option::of(0..1_000_000_000_000_000u64),
        prop::option::of((0..2_000i64, 0..3u8)),
    );
    let life = life.prop_map(|(open, nested, topic, opener, assignees, answer, close)| Life {
        open,
        nested,
        topic,
        opener,
        assignees,
        answer,
        close: close.map(|(after, by)| (open + after * 10_000_000_000, by)),
    });
    prop::collection::vec(life, 0..24)
}

/// A few days around the epoch, around a border of spans, and far away.
fn instant() -> impl Strategy<Value = i64> {
    let base = prop_oneof![Just(0), Just(512 * DAY), Just(-512 * DAY), Just(20_500 * DAY)];
    (base, -20_000..20_000i64).prop_map(|(base, step)| base + step * 10_000_000_000)
}

fn period() -> impl Strategy<Value = Period> {
    let odd = prop_oneof![3 => Just(0), 1 => 0..10_000_000_000i64];
    (instant(), instant(), odd).prop_map(|(a, b, odd)| Period { start: Time(a.min(b)), end: Time(a.max(b) + odd) })
}

fn actor(id: u8) -> v1::Actor {
    v1::Actor { kind: v1::actor::Kind::Agent.into(), id: format!("a{id}"), ..v1::Actor::default() }
}

fn assignee(id: u8) -> Option<v1::Assignee> {
    (id > 0).then(|| v1::Assignee { agent_id: format!("a{id}"), team_id: String::new() })
}

/// Lives every life through the tally, with a batch after every few, and returns the tickets.
fn live(store: &dyn Store, lives: &[Life]) -> Vec<TicketRow> {
    let mut tally = Tally::new();
    let mut tickets = Vec::new();
    for (ordinal, life) in lives.iter().enumerate() {
        let mut batch = Batch::default();
        tickets.push(live_one(store, &mut tally, &mut batch, ordinal as u64, life));
        if ordinal % 3 == 0 {
            tally.write(&mut batch).unwrap();
        }
        if ordinal % 9 == 0 {
            tally.write(&mut batch).unwrap();
            tally = Tally::new();
        }
        store.commit(batch).unwrap();
    }
    let mut batch = Batch::default();
    tally.write(&mut batch).unwrap();
    store.commit(batch).unwrap();
    tickets
}

fn live_one(store: &dyn Store, tally: &mut Tally, batch: &mut Batch, ordinal: u64, life: &Life) -> TicketRow {
    let mut row = TicketRow {
        ordinal,
        primary: u64::from(life.nested),
        topic: format!("t{}", life.topic),
        open_time: life.open,
        opened_by: Some(actor(life.opener)),
        ..TicketRow::default()
    };
    let mut values = TicketValues::of(&row);
    tally.opened(store, &Counted { workspace: WORKSPACE, row: &row, values: &values }).unwrap();
    for (step, id) in life.assignees.iter().enumerate() {
        if step == 1 {
            row.first_response = life.answer;
            tally.answered(store, &Counted { workspace: WORKSPACE, row: &row, values: &values }).unwrap();
        }
        row.assignee = assignee(*id);
        let before = values.get(Dimension::Assignee);
        values = TicketValues::of(&row);
        let counted = Counted { workspace: WORKSPACE, row: &row, values: &values };
        tally.moved(store, &counted, Dimension::Assignee, before).unwrap();
    }
    let key =
        TicketKey { workspace: WORKSPACE, open_time: Time(life.open), conversation: ConversationKey([1; 16]), ordinal };
    if let Some((close, by)) = life.close {
        row.close_time = Some(close);
        row.closed_by = Some(actor(by));
        let before = values.get(Dimension::Closer);
        values = TicketValues::of(&row);
        tally.closed(store, &Counted { workspace: WORKSPACE, row: &row, values: &values }, before).unwrap();
        batch.put(key.by_close(Time(close)), row.encode_to_vec());
    }
    batch.put(key.row(), row.encode_to_vec());
    row
}

fn series_of(tickets: &[TicketRow]) -> Vec<Series> {
    let mut series = vec![Series::total()];
    for ticket in tickets {
        let values = TicketValues::of(ticket);
        series.extend(Dimension::ALL.map(|dimension| Series { dimension, value: values.get(dimension) }));
    }
    series.sort_by_key(|series| (series.dimension, series.value));
    series.dedup();
    series
}

/// W11, read from each ticket.
fn expected(tickets: &[TicketRow], series: Series, basis: Basis, period: Period, as_of: Option<Time>) -> Count {
    let mut count = Count::default();
    for ticket in tickets.iter().filter(|ticket| series.holds(&TicketValues::of(ticket))) {
        let known = |time: &Time| as_of.is_none_or(|as_of| *time <= as_of);
        let open = Some(Time(ticket.open_time)).filter(known);
        let close = ticket.close_time.map(Time).filter(known);
        if open.is_some_and(|open| period.counts(basis, open, close)) {
            count += Count::one(ticket.nested());
        }
    }
    count
}

fn store() -> (tempfile::TempDir, std::sync::Arc<dyn Store>) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path(), Engine::Fjall, 1, Options::for_engine(Engine::Fjall)).unwrap();
    let store = home.live().unwrap();
    (dir, store)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn w11_counts_of_any_period_are_those_of_looking_at_each_ticket(
        lives in lives(),
        periods in prop::collection::vec((period(), prop::option::of(instant())), 1..8),
    ) {
        let (_dir, store) = store();
        let tickets = live(&*store, &lives);
        let counters = Counters::new(&*store, WORKSPACE);
        for series in series_of(&tickets) {
            for (period, as_of) in &periods {
                for basis in [Basis::Opened, Basis::Closed, Basis::OpenDuring] {
                    let as_of = as_of.map(Time);
                    let got = counters.count(series, basis, *period, as_of).unwrap();
                    let want = expected(&tickets, series, basis, *period, as_of);
                    prop_assert_eq!(got, want, "{:?} {:?} {:?} {:?}", series, basis, period, as_of);
                }
            }
        }
    }

    #[test]
    fn w11_counts_of_all_values_and_periods_at_once_are_those_of_each(
        lives in lives(),
        mut periods in prop::collection::vec(period(), 1..12),
        in_order in any::<bool>(),
    ) {
        let (_dir, store) = store();
        let tickets = live(&*store, &lives);
        let counters = Counters::new(&*store, WORKSPACE);
        if in_order {
            periods.sort_by_key(|period| (period.start, period.end));
        }
        for dimension in Dimension::ALL {
            let values = series_of(&tickets).into_iter().filter(|series| series.dimension == dimension);
            let values: Vec<_> = values.map(|series| series.value).collect();
            for basis in [Basis::Opened, Basis::Closed, Basis::OpenDuring] {
                let got = counters.count_each(dimension, &values, basis, &periods, None).unwrap();
                let want = values.iter().map(|value| {
                    let series = Series { dimension, value: *value };
                    periods.iter().map(|period| expected(&tickets, series, basis, *period, None)).collect::<Vec<_>>()
                });
                prop_assert_eq!(got, want.collect::<Vec<_>>(), "{:?} {:?} {:?}", dimension, basis, periods);
            }
        }
    }

    #[test]
    fn durations_of_any_period_are_those_of_its_tickets(lives in lives(), periods in prop::collection::vec(period(), 1..8)) {
        let (_dir, store) = store();
        let tickets = live(&*store, &lives);
        let counters = Counters::new(&*store, WORKSPACE);
        for series in series_of(&tickets) {
            for period in &periods {
                for mark in [Mark::Opened, Mark::Closed] {
                    let durations = counters.durations(series.dimension, &[series.value], mark, *period).unwrap();
                    let (primary, nested) = durations[0].clone();
                    for (nested, got) in [(false, primary), (true, nested)] {
                        prop_assert_eq!(got, expected_durations(&tickets, series, mark, *period, nested));
                    }
                }
            }
        }
    }

    #[test]
    fn percentiles_are_at_most_one_percent_off(mut values in prop::collection::vec(any::<u64>().prop_flat_map(|top| 0..=top), 1..300)) {
        let mut sketch = Sketch::default();
        values.iter().for_each(|value| sketch.add(*value));
        values.sort_unstable();
        for per_mille in [1, 500, 900, 990, 1000] {
            let exact = values[(values.len() * per_mille).div_ceil(1000).max(1) - 1] as f64;
            let told = sketch.quantile(per_mille as u64).unwrap().as_nanos() as f64;
            prop_assert!((told - exact).abs() <= exact / 100.0, "{} for {}", told, exact);
        }
        let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
        prop_assert_eq!(sketch.mean().unwrap().as_nanos(), sum / values.len() as u128);
    }

    #[test]
    fn what_was_put_into_a_sketch_can_be_taken_out(kept in prop::collection::vec(any::<u64>(), 0..50), gone in prop::collection::vec(any::<u64>(), 0..50)) {
        let mut sketch = Sketch::default();
        kept.iter().chain(&gone).for_each(|value| sketch.add(*value));
        gone.iter().for_each(|value| sketch.remove(*value));
        let mut expected = Sketch::default();
        kept.iter().for_each(|value| expected.add(*value));
        prop_assert_eq!(sketch, expected);
    }

    #[test]
    fn packed_rows_read_back(slots in prop::collection::btree_map(0..1440u16, (0..5i64, 0..5i64, 0..3i64), 0..60)) {
        let mut packed = pack::Packed::default();
        let mut plain = BTreeMap::new();
        for (at, (primary, nested, on_start)) in slots {
            let count = Count { primary, nested };
            let on_start = Count { primary: on_start.min(primary), nested: 0 };
            packed.add(at, count, on_start);
            if !count.is_zero() {
                plain.insert(at, (count, on_start));
            }
        }
        let read = pack::Packed::decode(&packed.encode()).unwrap();
        prop_assert_eq!(&read, &packed);
        let read: BTreeMap<_, _> = read.slots().iter().map(|slot| (slot.at, (slot.count, slot.on_start))).collect();
        prop_assert_eq!(read, plain);
    }
}

fn expected_durations(tickets: &[TicketRow], series: Series, mark: Mark, period: Period, nested: bool) -> Durations {
    let mut sum = Durations::default();
    for ticket in tickets.iter().filter(|ticket| ticket.nested() == nested) {
        let time = match mark {
            Mark::Opened => Some(ticket.open_time),
            Mark::Closed => ticket.close_time,
        };
        if time.is_some_and(|time| period.holds(Time(time))) && series.holds(&TicketValues::of(ticket)) {
            ticket.first_response.iter().for_each(|took| sum.first_response.add(*took));
            ticket.resolution().iter().for_each(|took| sum.resolution.add(*took));
        }
    }
    sum
}
