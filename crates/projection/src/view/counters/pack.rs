use std::ops::{AddAssign, Sub};

use bytes::Buf;
use prost::encoding::{decode_varint, encode_varint};

/// Primary tickets, and nested ones beside them (W11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) primary: i64,
    pub(crate) nested: i64,
}

impl Count {
    /// One ticket.
    pub(crate) fn one(nested: bool) -> Self {
        Self { primary: i64::from(!nested), nested: i64::from(nested) }
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    fn encode(self, out: &mut Vec<u8>) {
        for number in [self.primary, self.nested] {
            encode_varint(number.max(0).unsigned_abs(), out);
        }
    }

    fn decode(bytes: &mut impl Buf) -> Option<Self> {
        let mut number = || i64::try_from(decode_varint(bytes).ok()?).ok();
        Some(Self { primary: number()?, nested: number()? })
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.primary += other.primary;
        self.nested += other.nested;
    }
}

impl Sub for Count {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { primary: self.primary - other.primary, nested: self.nested - other.nested }
    }
}

/// The tickets of one minute of a day, or of one day of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) at: u16,
    pub(super) count: Count,
    /// Those of them at the very first instant of the minute: periods mostly begin there. Unused for days.
    pub(super) on_start: Count,
}

/// The slots of one row, in order; those without tickets are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Packed(Vec<Slot>);

impl Packed {
    #[cfg(test)]
    pub(super) fn slots(&self) -> &[Slot] {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds tickets to a slot, or takes them out.
    pub(super) fn add(&mut self, at: u16, count: Count, on_start: Count) {
        // Mostly it is now that something is counted: the last slot, or one after it.
        let place = match self.0.last() {
            Some(last) if last.at == at => Ok(self.0.len() - 1),
            Some(last) if last.at > at => self.0.binary_search_by_key(&at, |slot| slot.at),
            _ => Err(self.0.len()),
        };
        let place = place.unwrap_or_else(|place| {
            self.0.insert(place, Slot { at, ..Slot::default() });
            place
        });
        if let Some(slot) = self.0.get_mut(place) {
            slot.count += count;
            slot.on_start += on_start;
            if slot.count.is_zero() && slot.on_start.is_zero() {
                self.0.remove(place);
            }
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * 4);
        let mut next = 0;
        for slot in &self.0 {
            let starts = !slot.on_start.is_zero();
            encode_varint(u64::from(slot.at - next) << 1 | u64::from(starts), &mut out);
            slot.count.encode(&mut out);
            if starts {
                slot.on_start.encode(&mut out);
            }
            next = slot.at + 1;
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut slots = Slots::of(bytes);
        let mut decoded = Vec::new();
        while let Some(slot) = slots.next()? {
            decoded.push(slot);
        }
        Some(Self(decoded))
    }
}

/// The slots of an encoded row, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Slots<B> {
    rest: B,
    next: u16,
}

impl<B: Buf> Slots<B> {
    pub(super) fn of(row: B) -> Self {
        Self { rest: row, next: 0 }
    }

    /// The next slot, if there is one; `None` outside when the row is no row.
    pub(super) fn next(&mut self) -> Option<Option<Slot>> {
        if !self.rest.has_remaining() {
            return Some(None);
        }
        let head = decode_varint(&mut self.rest).ok()?;
        let at = self.next.checked_add(u16::try_from(head >> 1).ok()?)?;
        let count = Count::decode(&mut self.rest)?;
        let on_start = if head & 1 == 1 { Count::decode(&mut self.rest)? } else { Count::default() };
        self.next = at.checked_add(1)?;
        Some(Some(Slot { at, count, on_start }))
    }
}
