//! Closing, opening again, and one store taking another's place.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{Place, batch, keys, open_home, rows};
use crate::store::{Engine, Error, Home, Options, content_hash};

pub(super) fn reopening_keeps_everything(engine: Engine) {
    let place = Place::new(engine);
    let hash = {
        let store = place.open();
        store.commit(keys(5_000)).unwrap();
        store.commit(batch(&[(&7_u32.to_be_bytes()[..], None)])).unwrap();
        content_hash(&*store, &[]).unwrap()
    };
    for _ in 0..3 {
        let store = place.open();
        assert_eq!(rows(&*store, &[], &[]).len(), 4_999);
        assert_eq!(content_hash(&*store, &[]).unwrap(), hash);
    }
}

pub(super) fn a_second_open_is_refused(engine: Engine) {
    let place = Place::new(engine);
    let refused = || {
        let error = open_home(place.dir.path(), engine).err().unwrap();
        assert!(matches!(error, Error::Locked { .. }), "{error:?}");
        error.to_string()
    };
    let home = place.home();
    let text = refused();
    assert!(text.contains(&place.dir.path().display().to_string()), "{text}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    let store = home.live().unwrap();
    let same = home.live().unwrap();
    assert!(Arc::ptr_eq(&store, &same));
    drop((home, same));
    refused();
    drop(store);
    place.open();
}

pub(super) fn schema_versions_are_apart(engine: Engine) {
    let place = Place::new(engine);
    let store = place.open();
    store.commit(keys(10)).unwrap();
    let next = Home::open(place.dir.path(), engine, 2, Options::for_engine(engine)).unwrap();
    assert_eq!(rows(&*next.live().unwrap(), &[], &[]), []);
    assert!(next.path().ends_with(format!("{engine}-v2")));
    assert_eq!(engine.to_string().parse::<Engine>().unwrap(), engine);
}

fn generations(home: &Home) -> usize {
    fs::read_dir(home.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
}

pub(super) fn a_promoted_draft_takes_over(engine: Engine) {
    let place = Place::new(engine);
    {
        let home = place.home();
        let old = home.live().unwrap();
        old.commit(keys(3)).unwrap();
        let draft = home.draft().unwrap();
        draft.store().load(keys(900)).unwrap();
        draft.store().load(keys(1_000)).unwrap();
        assert_eq!(home.live().unwrap().view().scan(&[], &[]).count(), 3);
        assert_eq!(generations(&home), 2);

        let new = home.promote(draft).unwrap();
        assert!(Arc::ptr_eq(&new, &home.live().unwrap()));
        assert_eq!(new.view().scan(&[], &[]).count(), 1_000);
        assert_eq!(old.view().scan(&[], &[]).count(), 3);
        drop(old);
        assert_eq!(generations(&home), 1);
    }
    assert_eq!(place.open().view().scan(&[], &[]).count(), 1_000);
}

pub(super) fn a_dropped_draft_leaves_nothing(engine: Engine) {
    let place = Place::new(engine);
    let home = place.home();
    home.live().unwrap().commit(keys(3)).unwrap();
    let draft = home.draft().unwrap();
    draft.store().commit(keys(1_000)).unwrap();
    drop(draft);
    assert_eq!(generations(&home), 1);
    assert_eq!(home.live().unwrap().view().scan(&[], &[]).count(), 3);
}

pub(super) fn what_an_interrupted_rebuild_left_is_swept(engine: Engine) {
    let place = Place::new(engine);
    let path = {
        let home = place.home();
        home.live().unwrap().commit(keys(3)).unwrap();
        home.path().to_owned()
    };
    let leftover = path.join("00000002");
    fs::create_dir(&leftover).unwrap();
    fs::write(leftover.join("half"), "a store").unwrap();
    fs::write(path.join("CURRENT.new"), "00000002\n").unwrap();
    let home = place.home();
    assert_eq!(generations(&home), 1);
    assert_eq!(home.live().unwrap().view().scan(&[], &[]).count(), 3);
    let draft = home.draft().unwrap();
    home.promote(draft).unwrap();
}

/// Fills a file with nonsense of the same length.
fn scribble(path: &Path) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scribble(&path);
        } else {
            let length = fs::metadata(&path).unwrap().len().min(1 << 20) as usize;
            fs::write(&path, b"nonsense".repeat(length / 8 + 1)).unwrap();
        }
    }
}

pub(super) fn a_damaged_store_is_reported_and_replaced(engine: Engine) {
    let place = Place::new(engine);
    let path = {
        let home = place.home();
        home.live().unwrap().commit(keys(1_000)).unwrap();
        home.path().to_owned()
    };
    scribble(&path.join("00000001"));
    {
        let home = place.home();
        let error = home.live().err().unwrap();
        assert!(error.is_corrupt(), "{error:?}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");

        let draft = home.draft().unwrap();
        draft.store().commit(keys(10)).unwrap();
        home.promote(draft).unwrap();
        assert_eq!(generations(&home), 1);
    }
    assert_eq!(place.open().view().scan(&[], &[]).count(), 10);
}
