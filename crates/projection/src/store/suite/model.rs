//! Random histories beside a map of the standard library.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Place, Row, rows, rows_back};
use crate::store::{Batch, Engine, Store};

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(Vec<u8>, Option<usize>)>),
    Scan(Vec<u8>, Vec<u8>),
    Reopen,
    Flush,
}

/// Few different bytes, so that keys collide and are each other's prefixes.
fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(vec![0, 1, b'k', 0xfe, 0xff]), 1..5)
}

fn step() -> impl Strategy<Value = Step> {
    let operation = (key(), prop::option::weighted(0.7, prop_oneof![9 => 0..300_usize, 1 => 5_000..50_000_usize]));
    prop_oneof![
        8 => vec(operation, 1..60).prop_map(Step::Commit),
        6 => (prop_oneof![key(), Just(vec![])], prop_oneof![key(), Just(vec![])])
            .prop_map(|(start, end)| Step::Scan(start, end)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Flush),
    ]
}

pub(super) fn it_behaves_like_an_ordered_map(engine: Engine) {
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in vec(step(), 1..60))| {
        let place = Place::new(engine);
        let mut store = place.open();
        let mut model = BTreeMap::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Commit(operations) => apply(&*store, &mut model, operations, number),
                Step::Scan(start, end) => compare(&*store, &model, &start, &end),
                Step::Reopen => {
                    drop(store);
                    store = place.open();
                }
                Step::Flush => store.flush().unwrap(),
            }
        }
        compare(&*store, &model, &[], &[]);
    });
}

fn apply(
    store: &dyn Store,
    model: &mut BTreeMap<Vec<u8>, Vec<u8>>,
    operations: Vec<(Vec<u8>, Option<usize>)>,
    number: usize,
) {
    let mut writes = Batch::default();
    for (key, length) in operations {
        match length.map(|length| vec![number as u8; length]) {
            Some(value) => {
                writes.put(&key[..], &value[..]);
                model.insert(key, value);
            }
            None => {
                writes.delete(&key[..]);
                model.remove(&key);
            }
        }
    }
    store.commit(writes).unwrap();
}

fn compare(store: &dyn Store, model: &BTreeMap<Vec<u8>, Vec<u8>>, start: &[u8], end: &[u8]) {
    let mut expect: Vec<Row> = model
        .iter()
        .filter(|(key, _)| &key[..] >= start && (end.is_empty() || &key[..] < end))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    assert!(rows(store, start, end) == expect, "ascending from {start:?} to {end:?}");
    for (key, value) in expect.iter().take(5) {
        assert_eq!(store.get(key).unwrap().as_deref(), Some(&value[..]));
    }
    assert_eq!(store.get(start).unwrap().as_deref(), model.get(start).map(Vec::as_slice));
    expect.reverse();
    assert!(rows_back(&*store.view(), start, end) == expect, "descending from {start:?} to {end:?}");
}
