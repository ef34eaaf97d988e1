use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bus::{Bucket, BucketName, Bus, Entry, Error, Update, now};
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use prost::Message as _;
use proto::v1;
use proto::v1::token::Role;
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::pass::Caller;
use super::text::TokenText;
use super::tokens::{has_expired, is_taken};
use super::turned_away;
use crate::config::Access;
use crate::{Shutdown, Supervisor, status};

/// How often the leader of the bucket is asked whether the book is as new as the bucket.
const CONFIRM: Duration = Duration::from_secs(10);
/// A book that could not be confirmed for so long is believed no more: a process that is cut off from the bus may take a
/// token for so long after it was revoked elsewhere. Long enough for a bus to be mended while the view goes on answering.
const BELIEVED: Duration = Duration::from_secs(300);
/// Reads a second, for all calls, of tokens that the book does not hold: one may have been made a moment ago.
const STRANGERS: NonZeroU32 = NonZeroU32::new(20).unwrap();

type Pace = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<<MonotonicClock as Clock>::Instant>>;

/// Every token, in memory, kept up to date by [`TokenBook::follow`]: to look one up costs no round trip, and one that is
/// revoked is refused as soon as the bus has said so. Cheap to clone.
#[derive(Clone)]
pub struct TokenBook(Arc<Inner>);

struct Inner {
    bucket: Bucket,
    quota: Quota,
    strangers: Pace,
    pages: RwLock<Pages>,
}

struct Pages {
    known: HashMap<String, Arc<Page>>,
    /// Of the newest write that is in here.
    newest: u64,
    /// When it was last as new as the bucket.
    confirmed: Instant,
}

/// A token as the book has it.
struct Page {
    etag: u64,
    token: v1::Token,
    hash: [u8; 32],
    caller: Caller,
    /// None for services: what drives them has a pace of its own.
    pace: Option<Arc<Pace>>,
}

impl TokenBook {
    /// Reads all tokens.
    ///
    /// # Errors
    /// Of the bus.
    pub async fn read(bus: Bus, access: &Access) -> Result<TokenBook, Error> {
        let at_least_one = |count: u32| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(access.per_second)).allow_burst(at_least_one(access.burst));
        let bucket = bus.bucket(BucketName::Access);
        let all = bucket.list::<v1::StoredToken>("").await?;
        let pages = Pages { known: HashMap::new(), newest: 0, confirmed: Instant::now() };
        let strangers = RateLimiter::direct_with_clock(Quota::per_second(STRANGERS), MonotonicClock);
        let book = TokenBook(Arc::new(Inner { bucket, quota, strangers, pages: RwLock::new(pages) }));
        for stored in all {
            book.put(&stored.key, stored.etag, stored.value);
        }
        Ok(book)
    }

    /// Keeps it up to date until shutdown.
    pub fn follow(&self, supervisor: &Supervisor) {
        let (book, shutdown) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("tokens", move || {
            let (book, shutdown) = (book.clone(), shutdown.clone());
            async move { book.run(shutdown).await }
        });
    }

    async fn run(self, shutdown: Shutdown) -> Result<(), Error> {
        let mut watch = self.0.bucket.watch("");
        let mut confirm = tokio::time::interval(CONFIRM);
        confirm.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                updates = watch.next() => updates.into_iter().for_each(|update| self.take(update)),
                _ = confirm.tick() => self.confirm().await,
                () = shutdown.begun() => return Ok(()),
            }
        }
    }

    fn take(&self, update: Update) {
        match update {
            Update::Changed(entry) => self.take_one(entry),
            Update::Snapshot(entries) => {
                let there: std::collections::HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
                self.write(|pages| pages.known.retain(|id, _| there.contains(id)));
                entries.into_iter().for_each(|entry| self.take_one(entry));
            }
        }
    }

    /// What can't be read opens nothing.
    fn take_one(&self, entry: Entry) {
        match entry.value.map(v1::StoredToken::decode) {
            Some(Ok(stored)) => self.put(&entry.key, entry.etag, stored),
            gone => {
                if gone.is_some() {
                    tracing::error!(token = entry.key, "a token can't be read and is refused");
                }
                self.write(|pages| {
                    pages.known.remove(&entry.key);
                    pages.newest = pages.newest.max(entry.etag);
                });
            }
        }
    }

    fn put(&self, id: &str, etag: u64, stored: v1::StoredToken) {
        let token = stored.token.unwrap_or_default();
        let Ok(hash) = <[u8; 32]>::try_from(&stored.hash[..]) else { return };
        self.write(|pages| {
            pages.newest = pages.newest.max(etag);
            let before = pages.known.get(id);
            if before.is_some_and(|before| before.etag >= etag) {
                return;
            }
            let pace = match token.role() {
                Role::Service => None,
                _ => before
                    .and_then(|before| before.pace.clone())
                    .or_else(|| Some(Arc::new(RateLimiter::direct_with_clock(self.0.quota, MonotonicClock)))),
            };
            let caller = Caller::new(token.clone());
            pages.known.insert(id.to_owned(), Arc::new(Page { etag, token, hash, caller, pace }));
        });
    }

    /// The watch tells of its own; this finds out when it does not.
    async fn confirm(&self) {
        let asked = Instant::now();
        match self.0.bucket.newest("").await {
            Ok(newest) => self.write(|pages| {
                if newest <= pages.newest {
                    pages.confirmed = asked;
                }
            }),
            Err(error) => tracing::warn!(%error, "can't ask whether tokens changed"),
        }
    }

    /// Who a text lets in.
    ///
    /// # Errors
    /// UNAUTHENTICATED; RESOURCE_EXHAUSTED when it comes too often; UNAVAILABLE when nobody can tell.
    pub(super) async fn caller(&self, text: &TokenText) -> Result<Caller, Status> {
        let confirmed = self.pages(|pages| pages.confirmed);
        if confirmed.elapsed() > BELIEVED {
            let why = "the bus is away, so it can't be told whether the token still holds: try again";
            return Err(turned_away(Code::Unavailable, "BUS_AWAY", why));
        }
        let page = match self.page(text.id()) {
            Some(page) => page,
            None => self.look(text.id()).await?.ok_or_else(unknown)?,
        };
        if !bool::from(page.hash.ct_eq(&text.hash())) {
            return Err(unknown());
        }
        page.check()?;
        page.turn()?;
        Ok(page.caller.clone())
    }

    /// Whether a call that was let in may go on.
    pub(super) fn recheck(&self, caller: &Caller) -> Result<(), Status> {
        self.page(&caller.token().id).ok_or_else(unknown)?.check()
    }

    /// A token that is not in the book may be so new that the watch has not told of it.
    async fn look(&self, id: &str) -> Result<Option<Arc<Page>>, Status> {
        if self.0.strangers.check().is_err() {
            return Ok(None);
        }
        let found = self.0.bucket.get::<v1::StoredToken>(id).await.map_err(|error| status::bus(&error))?;
        if let Some(stored) = found.value {
            self.put(id, found.etag, stored);
        }
        Ok(self.page(id))
    }

    fn page(&self, id: &str) -> Option<Arc<Page>> {
        self.pages(|pages| pages.known.get(id).cloned())
    }

    fn pages<T>(&self, look: impl FnOnce(&Pages) -> T) -> T {
        look(&self.0.pages.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut Pages)) {
        change(&mut self.0.pages.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Page {
    fn check(&self) -> Result<(), Status> {
        let now = now();
        if is_taken(&self.token, now) {
            return Ok(());
        }
        let (reason, what) = match has_expired(&self.token, now) {
            true => ("TOKEN_EXPIRED", "has expired"),
            false => ("TOKEN_REVOKED", "was revoked"),
        };
        let why = format!("the token {} {what}: ask for another one", self.token.id);
        Err(turned_away(Code::Unauthenticated, reason, why))
    }

    fn turn(&self) -> Result<(), Status> {
        let Some(pace) = &self.pace else { return Ok(()) };
        pace.check().map_err(|later| {
            let why = "the token makes more calls than access.per_second allows: wait as long as RetryInfo says";
            status::later(later.wait_time_from(MonotonicClock.now()), "TOO_MANY_CALLS", why)
        })
    }
}

fn unknown() -> Status {
    let why = "nobody knows this token: check that all of it was copied, or ask for another one";
    turned_away(Code::Unauthenticated, "TOKEN_UNKNOWN", why)
}
