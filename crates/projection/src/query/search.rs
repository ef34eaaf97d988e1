use futures::{StreamExt as _, TryStreamExt as _, stream};
use proto::v1;
use service::status;
use tonic::Status;

use super::conversations::{ConversationList, Spot, Stand};
use super::mistakes::Mistakes;
use super::reads::Reads;
use super::show_conversation::SealedConversation;
use super::show_entry::{content, is_message};
use super::timeline::placed;
use super::unseal::{Key, Keys};
use crate::store::{View, prefix_end};
use crate::view::error::Error;
use crate::view::keys::{self, Place};

/// Longest text searched for, in bytes.
const MAX_QUERY_BYTES: usize = 256;
/// Most words: each has its bit.
const MAX_WORDS: usize = 16;
/// Most entries unsealed for one page. What is left is for the next page.
const MAX_ENTRIES: usize = 10_000;
/// Most conversations looked into for one page.
const MAX_CONVERSATIONS: usize = 2_000;
/// Conversations loaded at once, and bytes of their rows after which it is enough.
const CHUNK: usize = 64;
const CHUNK_BYTES: usize = 1 << 20;
/// Keys asked for at once.
const KEYS: usize = 16;

/// Words that all have to be found, in whatever case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words(Vec<String>);

impl Words {
    pub(crate) fn read(query: &str, mistakes: &mut Mistakes) -> Words {
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        if query.len() > MAX_QUERY_BYTES || words.len() > MAX_WORDS {
            mistakes.add("query", format!("must have at most {MAX_WORDS} words and {MAX_QUERY_BYTES} bytes"));
            return Words::default();
        }
        Words(words)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the words that stand in a text to those found before.
    fn find(&self, text: &str, found: &mut u16) {
        if text.is_empty() || self.all(*found) {
            return;
        }
        let text = text.to_lowercase();
        for (bit, word) in self.0.iter().enumerate() {
            if text.contains(word) {
                *found |= 1 << bit;
            }
        }
    }

    fn all(&self, found: u16) -> bool {
        found.count_ones() as usize == self.0.len()
    }
}

/// A conversation in its place, not opened yet.
type Loaded = (Spot, SealedConversation);

/// A conversation that may hold the words.
#[derive(Clone)]
struct Candidate<K> {
    spot: Spot,
    conversation: SealedConversation,
    key: Option<K>,
}

/// Where the search of a conversation has come to.
enum Look {
    Found,
    Missing,
    /// The budget ran out here.
    Unfinished(Place, u16),
}

/// A page of the conversations that hold every word, newest activity first.
pub(crate) async fn search<K: Keys>(
    list: &ConversationList,
    reads: &Reads,
    keys: &K,
) -> Result<v1::ListConversationsResponse, Status> {
    let mut search =
        Search { list, reads, keys, entries: MAX_ENTRIES, response: v1::ListConversationsResponse::default() };
    let next = search.run().await?;
    search.response.next_page_token = next.map(|stand| list.tokens.token(&stand.to_bytes())).unwrap_or_default();
    Ok(search.response)
}

struct Search<'a, K> {
    list: &'a ConversationList,
    reads: &'a Reads,
    keys: &'a K,
    entries: usize,
    response: v1::ListConversationsResponse,
}

impl<K: Keys> Search<'_, K> {
    /// Fills the page; returns where the next one begins, if there is one.
    async fn run(&mut self) -> Result<Option<Stand>, Status> {
        let mut after = self.list.after;
        if let Some(stand) = after.filter(|stand| stand.inside.is_some()) {
            let unfinished = self.again(stand.spot).await?;
            let unfinished = self.with_keys(unfinished).await?;
            if let Some(stand) = self.look_into(unfinished, stand.inside).await? {
                return Ok(Some(stand));
            }
        }
        for _ in 0..MAX_CONVERSATIONS / CHUNK {
            if self.response.conversations.len() >= self.list.size {
                return Ok(after.map(|stand| Stand::behind(stand.spot)));
            }
            let (chosen, last) = self.next_chunk(after.map(|stand| stand.spot)).await?;
            let Some(last) = last else { return Ok(None) };
            let candidates = self.with_keys(chosen).await?;
            if let Some(stand) = self.look_into(candidates, None).await? {
                return Ok(Some(stand));
            }
            after = Some(Stand::behind(last));
        }
        Ok(after)
    }

    /// Some of the next conversations by activity that belong to the list, its words aside; and the last one looked
    /// at, if there was one.
    async fn next_chunk(&self, after: Option<Spot>) -> Result<(Vec<Loaded>, Option<Spot>), Status> {
        let list = self.list.clone();
        let read = move |view: &dyn View| {
            let (mut chosen, mut last, mut bytes) = (Vec::new(), None, 0);
            for row in list.walk(view, after).take(CHUNK) {
                let (spot, row) = row?;
                last = Some(spot);
                if list.takes(&row)
                    && let Some(conversation) = SealedConversation::load(view, spot.conversation)?
                {
                    bytes += conversation.bytes();
                    chosen.push((spot, conversation));
                }
                if bytes >= CHUNK_BYTES {
                    break;
                }
            }
            Ok((chosen, last))
        };
        self.reads.run(read).await
    }

    /// The conversation in which the page before this one ended.
    async fn again(&self, spot: Spot) -> Result<Vec<Loaded>, Status> {
        let read = move |view: &dyn View| SealedConversation::load(view, spot.conversation);
        Ok(self.reads.run(read).await?.map(|conversation| (spot, conversation)).into_iter().collect())
    }

    async fn with_keys(&self, loaded: Vec<Loaded>) -> Result<Vec<Candidate<K::Key>>, Status> {
        let find = loaded.into_iter().map(|(spot, conversation)| async move {
            let key = self.keys.find(&conversation.row.workspace, &conversation.row.id).await;
            Ok(Candidate { spot, key: key.map_err(|error| status::bus(&error))?, conversation })
        });
        stream::iter(find).buffered(KEYS).try_collect().await
    }

    /// Looks into conversations one after the other. `Some`: the page is at its end, and the next begins there.
    async fn look_into(
        &mut self,
        candidates: Vec<Candidate<K::Key>>,
        mut inside: Option<(Place, u16)>,
    ) -> Result<Option<Stand>, Status> {
        for candidate in candidates {
            match self.look(candidate.clone(), inside.take()).await? {
                Look::Missing => {}
                Look::Unfinished(place, found) => {
                    return Ok(Some(Stand { spot: candidate.spot, inside: Some((place, found)) }));
                }
                Look::Found => {
                    self.response.conversations.push(candidate.conversation.show(candidate.key.as_ref()));
                    if self.response.conversations.len() >= self.list.size {
                        return Ok(Some(Stand::behind(candidate.spot)));
                    }
                }
            }
        }
        Ok(None)
    }

    async fn look(&mut self, candidate: Candidate<K::Key>, inside: Option<(Place, u16)>) -> Result<Look, Status> {
        let (words, mut budget) = (self.list.words.clone(), self.entries);
        let run = move |view: &dyn View| {
            let look = look(view, &candidate, &words, inside, &mut budget)?;
            Ok((look, budget))
        };
        let (look, left) = self.reads.run(run).await?;
        self.entries = left;
        Ok(look)
    }
}

/// First what is known of the contact, then the messages, newest first, until every word was found.
fn look<K: Key>(
    view: &dyn View,
    candidate: &Candidate<K>,
    words: &Words,
    inside: Option<(Place, u16)>,
    budget: &mut usize,
) -> Result<Look, Error> {
    let key = candidate.key.as_ref();
    let mut found = match inside {
        Some((_, found)) => found,
        None => find_in_contact(&candidate.conversation, key, words),
    };
    let conversation = candidate.spot.conversation;
    let prefix = keys::timeline_prefix(conversation);
    let end = inside.map_or_else(|| prefix_end(&prefix), |(place, _)| keys::entry(conversation, place));
    let mut scan = view.scan_back(&prefix, &end);
    let mut last = inside.map(|(place, _)| place);
    while !words.all(found) {
        if let Some(last) = last.filter(|_| *budget == 0) {
            return Ok(Look::Unfinished(last, found));
        }
        let Some(row) = scan.next() else { return Ok(Look::Missing) };
        let (row_key, value) = row?;
        let entry = placed(&row_key, value)?;
        *budget = budget.saturating_sub(1);
        last = Some(entry.place);
        if is_message(&entry.row) && !entry.row.hidden {
            words.find(&content(&entry.row, key).1.text, &mut found);
        }
    }
    Ok(Look::Found)
}

fn find_in_contact(conversation: &SealedConversation, key: Option<&impl Key>, words: &Words) -> u16 {
    let mut found = 0;
    let contact = conversation.contact(key);
    for text in [&contact.display_name, &contact.id, &contact.user_id, &contact.username] {
        words.find(text, &mut found);
    }
    conversation.row.tags.iter().for_each(|tag| words.find(tag, &mut found));
    found
}
