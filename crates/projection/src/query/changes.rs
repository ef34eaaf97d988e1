use std::iter::Peekable;

use super::read::{self, unreadable};
use super::show_entry::Placed;
use super::timeline::placed;
use crate::store::{Scan, View, prefix_end};
use crate::view::error::Error;
use crate::view::keys::{self, ConversationKey, Place};

/// Most entries read at once.
const CHUNK: usize = 256;
/// Most bytes of rows read at once, from the second entry on.
const CHUNK_BYTES: usize = 1 << 20;
/// Most rows looked at for a chunk.
const MAX_SCANNED: usize = 10_000;
/// Rows looked at from the end of the chat to find where to go on. Who was away longer is served from the beginning,
/// passing by what is known.
const LOOK_BACK: usize = 2_000;

/// Up to where a timeline was seen: the event that last changed an entry, and the entry's index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) revision: u64,
    pub(crate) index: u32,
}

impl Seen {
    /// Everything up to a revision.
    pub(crate) fn all(revision: u64) -> Seen {
        Seen { revision, index: u32::MAX }
    }

    fn of(entry: &Placed) -> Seen {
        Seen { revision: entry.change_revision(), index: entry.place.index }
    }
}

/// Walks through the entries of a conversation in the order in which they were made or changed.
///
/// Live entries that nobody changed stand in the timeline in the order of the log (W7). The others, late or changed,
/// have an index of their own. The walk merges the two.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    conversation: ConversationKey,
    seen: Seen,
    /// The live entry up to which the timeline was walked; `None` before the walk has begun.
    walked: Option<Walked>,
}

#[derive(Clone, Copy, Debug)]
enum Walked {
    Nothing,
    Through(Place),
}

impl Changes {
    pub(crate) fn new(conversation: ConversationKey, seen: Seen) -> Changes {
        Changes { conversation, seen, walked: None }
    }

    pub(crate) fn conversation(&self) -> ConversationKey {
        self.conversation
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen
    }

    /// The next entries up to a revision, and whether there may be more.
    pub(crate) fn next(&mut self, view: &dyn View, through: u64) -> Result<(Vec<Placed>, bool), Error> {
        let through = Seen::all(through);
        let walked = match self.walked {
            Some(walked) => walked,
            None => self.find_walked(view)?,
        };
        let mut unchanged = Unchanged::new(view, self.conversation, walked, self.seen);
        let mut changed = self.changed(view, through).peekable();
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let more = loop {
            if entries.len() >= CHUNK || bytes >= CHUNK_BYTES {
                break true;
            }
            let Some(live) = unchanged.peek()? else { break true };
            let live = live.filter(|live| Seen::of(live) <= through);
            let entry = match (live, peek(&mut changed)?) {
                (Some(live), Some(late)) if Seen::of(live) < Seen::of(late) => unchanged.take(),
                (_, Some(_)) => changed.next().transpose()?,
                (Some(_), None) => unchanged.take(),
                (None, None) => break false,
            };
            let Some(entry) = entry else { break false };
            self.seen = Seen::of(&entry);
            bytes += prost::Message::encoded_len(&entry.row);
            entries.push(entry);
        };
        self.walked = Some(unchanged.walked);
        if !more {
            self.seen = self.seen.max(through);
        }
        Ok((entries, more))
    }

    /// The last live entry that was seen, looking back from the end.
    fn find_walked(&self, view: &dyn View) -> Result<Walked, Error> {
        if self.seen.revision == 0 {
            return Ok(Walked::Nothing);
        }
        let all = keys::timeline_prefix(self.conversation);
        for row in view.scan_back(&all, &prefix_end(&all)).take(LOOK_BACK) {
            let (key, value) = row?;
            let entry = placed(&key, value)?;
            let made = Seen { revision: entry.place.revision, index: entry.place.index };
            if !entry.row.late && made <= self.seen {
                return Ok(Walked::Through(entry.place));
            }
        }
        Ok(Walked::Nothing)
    }

    /// Entries that are late or were changed, behind what was seen.
    fn changed<'a>(&self, view: &'a dyn View, through: Seen) -> impl Iterator<Item = Result<Placed, Error>> + use<'a> {
        let conversation = self.conversation;
        let mut start = keys::change(conversation, self.seen.revision, self.seen.index);
        start.push(0);
        let end = match through.revision.checked_add(1) {
            Some(end) => keys::change(conversation, end, 0),
            None => prefix_end(&keys::changes_prefix(conversation)),
        };
        let read = move |row: Result<(bytes::Bytes, bytes::Bytes), _>| {
            let (key, value) = row?;
            let (revision, _) = keys::change_parts(&key).ok_or_else(|| unreadable(&key))?;
            let place = Place::from_bytes(&value).ok_or_else(|| unreadable(&key))?;
            let row = read::entry(view, conversation, place)?;
            let entry = row.map(|row| Placed { place, row });
            // One that was changed again stands further on.
            Ok(entry.filter(|entry| entry.change_revision() == revision && !entry.row.hidden))
        };
        view.scan(&start, &end).map(read).filter_map(Result::transpose)
    }
}

fn peek<I: Iterator<Item = Result<Placed, Error>>>(scan: &mut Peekable<I>) -> Result<Option<&Placed>, Error> {
    if let Some(Err(error)) = scan.next_if(Result::is_err) {
        return Err(error);
    }
    Ok(scan.peek().and_then(|entry| entry.as_ref().ok()))
}

/// Live entries that nobody changed, in the order of the log.
struct Unchanged<'a> {
    scan: Scan<'a>,
    seen: Seen,
    next: Option<Placed>,
    ended: bool,
    left: usize,
    /// The live entry up to which everything was taken or passed by.
    walked: Walked,
}

impl<'a> Unchanged<'a> {
    fn new(view: &'a dyn View, conversation: ConversationKey, walked: Walked, seen: Seen) -> Unchanged<'a> {
        let all = keys::timeline_prefix(conversation);
        let start = match walked {
            Walked::Nothing => all.clone(),
            Walked::Through(place) => [&keys::entry(conversation, place)[..], &[0]].concat(),
        };
        let scan = view.scan(&start, &prefix_end(&all));
        Unchanged { scan, seen, next: None, ended: false, left: MAX_SCANNED, walked }
    }

    /// The next entry, `Some(None)` at the end; `None` when enough was looked at for once.
    fn peek(&mut self) -> Result<Option<Option<&Placed>>, Error> {
        while self.next.is_none() && !self.ended {
            if self.left == 0 {
                return Ok(None);
            }
            self.left -= 1;
            let Some(row) = self.scan.next() else {
                self.ended = true;
                break;
            };
            let (key, value) = row?;
            let entry = placed(&key, value)?;
            let new = Seen::of(&entry) > self.seen;
            if !entry.row.late && !entry.row.hidden && entry.row.change_revision == 0 && new {
                self.next = Some(entry);
            } else {
                self.walked = Walked::Through(entry.place);
            }
        }
        Ok(Some(self.next.as_ref()))
    }

    fn take(&mut self) -> Option<Placed> {
        let entry = self.next.take()?;
        self.walked = Walked::Through(entry.place);
        Some(entry)
    }
}
