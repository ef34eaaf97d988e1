//! Percentiles of durations from logarithmic buckets, in whole numbers alone: every machine gets the same bytes.

use std::cmp::Ordering;
use std::time::Duration;

use prost::encoding::{decode_varint, encode_varint};

/// Each doubling is cut into 64 equal buckets, so that the middle of a bucket is at most 1/128 = 0.78 % off.
const BITS: u32 = 6;
const PER_DOUBLING: u64 = 1 << BITS;

/// A bag of durations: how many, their sum, and how they are spread. Sketches can be merged, and values taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sketch {
    /// In nanoseconds.
    sum: u128,
    /// How many in each bucket, in order; empty buckets are left out.
    buckets: Vec<(u16, u64)>,
}

impl Sketch {
    /// Puts in a value of so many nanoseconds.
    pub(crate) fn add(&mut self, nanos: u64) {
        self.sum += u128::from(nanos);
        let at = bucket(nanos);
        match self.place(at) {
            Ok(place) => self.buckets[place].1 += 1,
            Err(place) => self.buckets.insert(place, (at, 1)),
        }
    }

    /// Takes out a value that was put in.
    pub(crate) fn remove(&mut self, nanos: u64) {
        let Ok(place) = self.place(bucket(nanos)) else { return };
        self.buckets[place].1 -= 1;
        if self.buckets[place].1 == 0 {
            self.buckets.remove(place);
        }
        self.sum = self.sum.saturating_sub(u128::from(nanos));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        let mut merged = Vec::with_capacity(self.buckets.len() + other.buckets.len());
        let (mut ours, mut theirs) = (self.buckets.iter().peekable(), other.buckets.iter().peekable());
        while let (Some(one), Some(two)) = (ours.peek(), theirs.peek()) {
            let (from, count) = match one.0.cmp(&two.0) {
                Ordering::Less => (*one, 0),
                Ordering::Greater => (*two, 0),
                Ordering::Equal => (*one, two.1),
            };
            merged.push((from.0, from.1 + count));
            ours.next_if(|bucket| bucket.0 == from.0);
            theirs.next_if(|bucket| bucket.0 == from.0);
        }
        merged.extend(ours.chain(theirs));
        self.buckets = merged;
    }

    fn place(&self, bucket: u16) -> Result<usize, usize> {
        self.buckets.binary_search_by_key(&bucket, |(at, _)| *at)
    }

    /// Values in the bag.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// Exact, to the nanosecond below; `None` without values.
    pub(crate) fn mean(&self) -> Option<Duration> {
        let mean = self.sum.checked_div(u128::from(self.count()))?;
        Some(Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX)))
    }

    /// The smallest value that at least so many of a thousand do not exceed (nearest rank), at most 1 % off; `None`
    /// without values.
    pub(crate) fn quantile(&self, per_mille: u64) -> Option<Duration> {
        let rank = (self.count() * per_mille).div_ceil(1000).max(1);
        let mut seen = 0;
        let hit = self.buckets.iter().find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        hit.map(|(at, _)| Duration::from_nanos(middle(*at)))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        encode_varint(self.buckets.len() as u64, out);
        let mut last = 0;
        for (at, count) in &self.buckets {
            encode_varint(u64::from(at - last), out);
            encode_varint(*count, out);
            last = *at;
        }
        encode_varint((self.sum >> 64) as u64, out);
        encode_varint(self.sum as u64, out);
    }

    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let mut sketch = Self::default();
        let mut last: u16 = 0;
        for _ in 0..decode_varint(bytes).ok()? {
            last = last.checked_add(u16::try_from(decode_varint(bytes).ok()?).ok()?)?;
            sketch.buckets.push((last, decode_varint(bytes).ok()?));
        }
        let high = decode_varint(bytes).ok()?;
        sketch.sum = u128::from(high) << 64 | u128::from(decode_varint(bytes).ok()?);
        Some(sketch)
    }
}

/// The bucket of a value: small ones have one each, then 64 to each doubling.
fn bucket(nanos: u64) -> u16 {
    if nanos < PER_DOUBLING {
        return nanos as u16;
    }
    let doubling = nanos.ilog2() - BITS;
    let part = (nanos >> doubling) - PER_DOUBLING;
    ((u64::from(doubling) + 1) * PER_DOUBLING + part) as u16
}

/// The middle of a bucket.
fn middle(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    let Some(doubling) = (bucket / PER_DOUBLING).checked_sub(1) else { return bucket };
    let low = (bucket % PER_DOUBLING + PER_DOUBLING) << doubling;
    low + ((1 << doubling) >> 1)
}

/// How long first responses and resolutions took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Durations {
    pub(crate) first_response: Sketch,
    pub(crate) resolution: Sketch,
}

impl Durations {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.first_response.merge(&other.first_response);
        self.resolution.merge(&other.resolution);
    }
}

/// The durations of primaries and of nested tickets apart: one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DurationsRow {
    pub(super) primary: Durations,
    pub(super) nested: Durations,
}

impl DurationsRow {
    pub(super) fn of(&mut self, nested: bool) -> &mut Durations {
        if nested { &mut self.nested } else { &mut self.primary }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sketches().iter().all(|sketch| sketch.buckets.is_empty())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.sketches().iter().for_each(|sketch| sketch.encode(&mut out));
        out
    }

    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut sketch = || Sketch::decode(&mut bytes);
        let primary = Durations { first_response: sketch()?, resolution: sketch()? };
        let nested = Durations { first_response: sketch()?, resolution: sketch()? };
        Some(Self { primary, nested })
    }

    fn sketches(&self) -> [&Sketch; 4] {
        let Self { primary, nested } = self;
        [&primary.first_response, &primary.resolution, &nested.first_response, &nested.resolution]
    }
}
