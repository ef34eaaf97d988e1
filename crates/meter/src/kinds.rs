//! Counters, levels and timers whose labels are given by their values, in the order of their names.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

type Labels<const N: usize> = [(&'static str, String); N];

/// Upper bounds in seconds: from what the bus needs for one append to the longest that a call may take.
const SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Something that only grows.
#[derive(Clone, Debug)]
pub struct Counted<const N: usize> {
    names: [&'static str; N],
    family: Family<Labels<N>, Counter>,
}

impl<const N: usize> Counted<N> {
    /// One more.
    pub fn one(&self, values: [&str; N]) {
        self.family.get_or_create(&labels(self.names, values)).inc();
    }
}

/// Something that goes up and down.
#[derive(Clone, Debug)]
pub struct Level<const N: usize> {
    names: [&'static str; N],
    family: Family<Labels<N>, Gauge<u64, AtomicU64>>,
}

impl<const N: usize> Level<N> {
    /// How high it is now.
    pub fn set(&self, values: [&str; N], now: u64) {
        self.family.get_or_create(&labels(self.names, values)).set(now);
    }
}

/// How long something takes.
#[derive(Clone, Debug)]
pub struct Timed<const N: usize> {
    names: [&'static str; N],
    family: Family<Labels<N>, Histogram, fn() -> Histogram>,
}

impl<const N: usize> Timed<N> {
    /// It took so long, once.
    pub fn took(&self, values: [&str; N], time: Duration) {
        self.family.get_or_create(&labels(self.names, values)).observe(time.as_secs_f64());
    }
}

fn labels<const N: usize>(names: [&'static str; N], values: [&str; N]) -> Labels<N> {
    std::array::from_fn(|at| (names[at], values[at].to_owned()))
}

/// Makes and registers metrics.
pub(crate) struct Builder {
    pub(crate) registry: Registry,
    pub(crate) names: Vec<String>,
}

impl Builder {
    fn register(&mut self, name: &str, help: &str, metric: impl Metric) {
        self.names.push(name.to_owned());
        self.registry.register(name, help, metric);
    }

    pub(crate) fn counter<const N: usize>(&mut self, name: &str, help: &str, names: [&'static str; N]) -> Counted<N> {
        let counted = Counted { names, family: Family::default() };
        self.register(name, help, counted.family.clone());
        counted
    }

    pub(crate) fn level<const N: usize>(&mut self, name: &str, help: &str, names: [&'static str; N]) -> Level<N> {
        let level = Level { names, family: Family::default() };
        self.register(name, help, level.family.clone());
        level
    }

    pub(crate) fn timer<const N: usize>(&mut self, name: &str, help: &str, names: [&'static str; N]) -> Timed<N> {
        let family = Family::new_with_constructor(seconds as fn() -> Histogram);
        let timed = Timed { names, family };
        self.register(name, help, timed.family.clone());
        timed
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}
