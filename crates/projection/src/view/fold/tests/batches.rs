//! The same events leave the same bytes, however they are cut.

use super::folded::{Cut, ENGINES, Folded};
use super::random::{Random, history};

#[test]
fn batches_restarts_and_engines_leave_the_same_content() {
    for seed in 1_000..1_008 {
        let log = history(seed, 400);
        let whole = Folded::of(&log.events).hash();
        for engine in ENGINES {
            let mut random = Random(seed);
            let folded = Folded::empty(engine);
            let every = 2 + random.below(40);
            folded.fold(&log.events, |_| match random.below(every) {
                0 => Cut::Batch,
                1 => Cut::Restart,
                _ => Cut::None,
            });
            assert_eq!(folded.hash(), whole, "{seed} {engine}");
        }
    }
}

#[test]
fn folding_goes_on_where_the_store_stands() {
    let log = history(7, 300);
    let folded = Folded::empty(crate::store::Engine::Fjall);
    folded.fold(&log.events[..120], |_| Cut::None);
    assert_eq!(folded.position().revision, 120);
    folded.fold(&log.events, |_| Cut::None);
    assert_eq!(folded.hash(), Folded::of(&log.events).hash());
}
