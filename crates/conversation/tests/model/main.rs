//! The pure domain beside the oracle: random histories of commands by every actor, with deciders that know an old
//! state, answers that were lost, repeats, clocks that jump and facts in between. After every step `decide` and
//! `evolve` must have come to what the naive reading of the rules comes to.
//!
//! A failure prints a seed; `THREADMARK_SEED=<seed>` runs the same cases again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests, outside of #[test] functions")]

mod census;
mod dice;
mod ending;
mod invent;
mod mirror;
mod reference;
mod world;

use std::{cell::RefCell, env, ops::Range, time::SystemTime};

use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestError, TestRunner},
};

use crate::{census::Census, invent::Taste, world::World};

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    let fresh = u64::try_from(now % u128::from(u64::MAX)).unwrap();
    env::var("THREADMARK_SEED").map_or(fresh, |seed| seed.parse().unwrap())
}

/// Plays so many histories, and says what they came across.
fn histories(taste: Taste, cases: usize, moves: Range<usize>) -> Census {
    let seed = seed();
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    };
    let census = RefCell::new(Census::default());
    let strategy = prop::collection::vec(any::<u128>(), moves);
    let outcome = TestRunner::new(config).run(&strategy, |rolls| {
        let met = World::new(taste).play(&rolls).map_err(TestCaseError::fail)?;
        census.borrow_mut().add(&met);
        Ok(())
    });
    match outcome {
        Ok(()) => census.into_inner(),
        Err(TestError::Fail(difference, _)) => panic!("THREADMARK_SEED={seed}: {difference}"),
        Err(aborted) => panic!("THREADMARK_SEED={seed}: {aborted}"),
    }
}

#[test]
fn random_histories_are_what_the_rules_say() {
    let census = histories(Taste::Mixed, testkit::count("model-cases", 10_000, 200_000), 1..40);
    census.assert_met(&["done", "repeat", "nothing", "primary found", "conflict", "lost answer"]);
    census.assert_met(&["fact", "fact told again", "late within a window", "expected revision", "clock went back"]);
    census.assert_met(&["actor may not", "ticket not open", "nothing open", "ticket open", "bot does not hold"]);
    census.assert_met(&["command reused", "moved on", "ownership ended", "pause ended", "taken by writing"]);
    census.assert_met(&["primary closed with nested ones", "nested closed alone", "handoff", "farewell"]);
}

#[test]
fn random_histories_longer_than_the_memory_for_repeats_are_what_the_rules_say() {
    let census = histories(Taste::Repeating, testkit::count("model-long-cases", 150, 5_000), 80..180);
    census.assert_met(&["repeat", "command reused", "forgotten and decided anew"]);
}

#[test]
fn random_histories_at_the_bounds_are_what_the_rules_say() {
    let census = histories(Taste::Opening, testkit::count("model-bound-cases", 150, 5_000), 40..100);
    census.assert_met(&["32 open", "too many open", "too many tags"]);
}
