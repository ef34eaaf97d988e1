//! Reading back what was committed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Place, Row, batch, keys, rows, rows_back};
use crate::store::{Batch, Engine, Error, MAX_KEY_BYTES, Pace, View, content_hash, prefix_end};

pub(super) fn an_empty_store_holds_nothing(engine: Engine) {
    let store = Place::new(engine).open();
    assert_eq!(store.get(b"a").unwrap(), None);
    assert_eq!(rows(&*store, &[], &[]), []);
    assert_eq!(rows_back(&*store, &[], &[]), []);
    store.commit(Batch::default()).unwrap();
    let limit = |pace| store.batch_limit(pace);
    assert!(0 < limit(Pace::Live) && limit(Pace::Live) <= limit(Pace::Behind));
}

pub(super) fn puts_are_read_and_deletes_are_gone(engine: Engine) {
    let place = Place::new(engine);
    let store = place.open();
    store.commit(batch(&[(b"a", Some(b"1")), (b"b", Some(b"")), (b"\0", Some(b"\xff\0"))])).unwrap();
    assert_eq!(store.get(b"a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(store.get(b"b").unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(store.get(b"\0").unwrap().as_deref(), Some(&b"\xff\0"[..]));
    store.commit(batch(&[(b"a", None), (b"never there", None)])).unwrap();
    assert_eq!(store.get(b"a").unwrap(), None);
    assert_eq!(rows(&*store, b"a", b"").len(), 1);
    store.flush().unwrap();
    assert!(store.disk_bytes() > 0);
}

pub(super) fn the_last_operation_on_a_key_wins(engine: Engine) {
    let place = Place::new(engine);
    let store = place.open();
    let operations: [(&[u8], Option<&[u8]>); 6] =
        [(b"a", Some(b"1")), (b"b", Some(b"1")), (b"a", Some(b"2")), (b"b", None), (b"c", None), (b"c", Some(b"3"))];
    store.commit(batch(&operations)).unwrap();
    assert_eq!(rows(&*store, &[], &[]), [(b"a".to_vec(), b"2".to_vec()), (b"c".to_vec(), b"3".to_vec())]);
}

pub(super) fn a_batch_with_an_unfit_key_changes_nothing(engine: Engine) {
    let place = Place::new(engine);
    let store = place.open();
    for unfit in [vec![], vec![b'k'; MAX_KEY_BYTES + 1]] {
        let bytes = unfit.len();
        let refused = store.commit(batch(&[(b"a", Some(b"1")), (&unfit, Some(b"2"))]));
        assert!(matches!(refused, Err(Error::KeyLength { bytes: said }) if said == bytes), "{refused:?}");
    }
    assert_eq!(rows(&*store, &[], &[]), []);
    let longest = vec![b'k'; MAX_KEY_BYTES];
    store.commit(batch(&[(&longest[..], Some(&b"1"[..]))])).unwrap();
    assert_eq!(store.get(&longest).unwrap().as_deref(), Some(&b"1"[..]));
}

pub(super) fn scans_respect_their_bounds_both_ways(engine: Engine) {
    let place = Place::new(engine);
    let store = place.open();
    store.commit(keys(1_000)).unwrap();
    let numbers = |rows: Vec<Row>| -> Vec<u32> {
        rows.into_iter().map(|(key, _)| u32::from_be_bytes(key.try_into().unwrap())).collect()
    };
    let check = |start: &[u8], end: &[u8], expect: std::ops::Range<u32>| {
        for view in [&*store as &dyn View, &*store.view()] {
            assert_eq!(numbers(rows(view, start, end)), expect.clone().collect::<Vec<_>>());
            assert_eq!(numbers(rows_back(view, start, end)), expect.clone().rev().collect::<Vec<_>>());
        }
    };
    let key = |number: u32| number.to_be_bytes();
    check(&[], &[], 0..1_000);
    check(&key(10), &key(20), 10..20);
    check(&key(990), &[], 990..1_000);
    check(&[], &key(3), 0..3);
    check(&key(7), &key(7), 0..0);
    check(&key(20), &key(10), 0..0);
    check(&key(2_000), &key(3_000), 0..0);
    check(&key(2_000), &[], 0..0);
    // Bounds that are no keys themselves.
    check(&[0, 0, 0, 9, 0], &[0, 0, 0, 11, 0], 10..12);
    check(&[0, 0, 3], &[0, 0, 4], 768..1_000);
    assert_eq!(numbers(rows_back(&*store, &[], &key(500)))[..2], [499, 498]);
}

pub(super) fn prefixes_of_the_highest_byte_have_an_end(engine: Engine) {
    let place = Place::new(engine);
    let store = place.open();
    let all: [&[u8]; 7] = [b"a", b"a\xff", b"a\xff\xff", b"b", b"\xff", b"\xff\xff", b"\xff\xff\x01"];
    store.commit(batch(&all.map(|key| (key, Some(key))))).unwrap();
    let check = |prefix: &[u8], expect: &[&[u8]]| {
        let end = prefix_end(prefix);
        let found: Vec<_> = rows(&*store, prefix, &end).into_iter().map(|(key, _)| key).collect();
        assert_eq!(found, expect, "{prefix:?}");
        let mut back: Vec<_> = rows_back(&*store, prefix, &end).into_iter().map(|(key, _)| key).collect();
        back.reverse();
        assert_eq!(back, expect, "{prefix:?}, backwards");
    };
    check(b"", &all);
    check(b"a", &all[..3]);
    check(b"a\xff", &all[1..3]);
    check(b"a\xff\xff", &all[2..3]);
    check(b"\xff", &all[4..]);
    check(b"\xff\xff", &all[5..]);
    check(b"c", &[]);
    assert_eq!(prefix_end(b"a\xff\xff"), b"b");
    assert_eq!(prefix_end(b"\xff\xff"), b"");
}

pub(super) fn values_may_be_large(engine: Engine) {
    let place = Place::new(engine);
    let value: Vec<u8> = (0..1_u32 << 20).map(|index| (index / 7) as u8).collect();
    {
        let store = place.open();
        for round in 0..3 {
            let mut writes = Batch::default();
            for key in 0..4_u8 {
                writes.put([key], [&[round], &value[..]].concat());
            }
            store.commit(writes).unwrap();
        }
    }
    let store = place.open();
    for key in 0..4 {
        let read = store.get(&[key]).unwrap().unwrap();
        assert_eq!(read[0], 2);
        assert!(read[1..] == value);
    }
}

pub(super) fn a_batch_may_be_larger_than_its_limit(engine: Engine) {
    let place = Place::new(engine);
    let store = place.open();
    let count = 3 * store.batch_limit(Pace::Live);
    store.commit(keys(count.try_into().unwrap())).unwrap();
    assert_eq!(store.view().scan(&[], &[]).count(), count);
}

/// A writer rewrites all rows in every batch; whoever looks sees one batch's rows, and time goes forward.
pub(super) fn a_very_large_batch_stands_over_what_was_there(engine: Engine) {
    let key = |n: u32| n.to_be_bytes();
    let place = Place::new(engine);
    let store = place.open();
    store.commit(batch(&[(&key(1), Some(b"old")), (&key(2), Some(b"old"))])).unwrap();
    let before = store.view();
    let seen = before.get(&key(1)).unwrap();
    drop(before);
    let mut large = Batch::default();
    (0..30_000).for_each(|n| large.put(key(n), key(n)));
    large.delete(key(2));
    store.commit(large).unwrap();
    store.commit(batch(&[(&key(3), Some(b"new"))])).unwrap();
    let after = |n| store.get(&key(n)).unwrap().map(|value| value.to_vec());
    assert_eq!(seen.as_deref(), Some(&b"old"[..]));
    let expected = [Some(key(1).to_vec()), None, Some(b"new".to_vec()), Some(key(29_999).to_vec())];
    assert_eq!([after(1), after(2), after(3), after(29_999)], expected);
    store.flush().unwrap();
    drop(store);
    assert_eq!(rows(&*place.open(), &[], &[]).len(), 29_999);
}

pub(super) fn a_view_sees_whole_batches_only(engine: Engine) {
    let place = Place::new(engine);
    let store = place.open();
    let commit = |round: u32| {
        let mut writes = Batch::default();
        (0..50_u8).for_each(|key| writes.put([key], round.to_be_bytes()));
        store.commit(writes).unwrap();
    };
    commit(0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            (1..300).for_each(commit);
            done.store(true, Ordering::Release);
        });
        let mut before = Vec::new();
        while !done.load(Ordering::Acquire) {
            let view = store.view();
            let first = view.get(&[0]).unwrap().unwrap().to_vec();
            assert!(first >= before, "a later view is older");
            let seen = rows(&*view, &[], &[]);
            assert_eq!(seen.len(), 50);
            assert!(seen.iter().all(|(_, value)| *value == first), "a view of half a batch");
            assert_eq!(view.get(&[49]).unwrap().unwrap(), first);
            before = first;
        }
    });
}

pub(super) fn the_content_hash_is_of_the_rows(engine: Engine) {
    let place = Place::new(engine);
    let store = place.open();
    let hash = |excluded: &[&[u8]]| content_hash(&*store, excluded).unwrap().to_string();
    // The digest of nothing, and of the one row below, by an independent SHA-256.
    assert_eq!(hash(&[]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    store.commit(batch(&[(b"ab", Some(b"c"))])).unwrap();
    assert_eq!(hash(&[]), ROW_AB_C);
    store.commit(batch(&[(b"ab", None), (b"a", Some(b"bc"))])).unwrap();
    assert_ne!(hash(&[]), ROW_AB_C);
    store.commit(batch(&[(b"ab", Some(b"c")), (b"\0position", Some(b"1"))])).unwrap();
    assert_ne!(hash(&[]), ROW_AB_C);
    assert_eq!(hash(&[b"\0", b"a\0", b"ac"]), hash(&[b"\0"]));
    store.commit(batch(&[(b"a", None), (b"\0position", Some(b"2"))])).unwrap();
    assert_eq!(hash(&[b"\0"]), ROW_AB_C);
}

const ROW_AB_C: &str = "601d5476e2ccfe2c87a2bba7a322659734a05749d5b5aa781f513e4912db0d5f";
