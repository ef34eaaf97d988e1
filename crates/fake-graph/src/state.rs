//! What the fake knows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::check::{Recipient, Templates};
use crate::courier::Letter;
use crate::limits::Gauge;
use crate::media::Shelf;
use crate::script::Script;
use crate::{Fate, Limits, Seen, Sent, Which, webhook};

#[derive(Debug)]
pub(crate) struct State {
    /// What calls have to show; `None` while nothing is taken.
    pub(crate) token: Mutex<Option<String>>,
    /// Before every answer.
    pub(crate) latency: Mutex<Duration>,
    pub(crate) script: Mutex<Script>,
    pub(crate) gauge: Mutex<Gauge>,
    pub(crate) templates: Mutex<Templates>,
    pub(crate) media: Mutex<Shelf>,
    /// What becomes of messages: the first that fits.
    pub(crate) fates: Mutex<Vec<(Which, Fate)>>,
    pub(crate) sent: Mutex<VecDeque<Sent>>,
    pub(crate) seen: Mutex<VecDeque<Seen>>,
    /// How often each code was answered.
    pub(crate) refused: Mutex<BTreeMap<i64, u64>>,
    pub(crate) calls: AtomicU64,
    accepted: AtomicU64,
    ids: AtomicU64,
    /// Tells the ids of this one from those of another.
    own: u64,
    /// How many messages and receipts are remembered.
    remembered: usize,
    letters: Option<mpsc::Sender<Letter>>,
    /// Begun when the fake ends: nothing is reported any more.
    closing: CancellationToken,
}

/// A lock whose other holders may have panicked: a test that did has failed anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn new(
        token: String,
        remembered: usize,
        letters: Option<mpsc::Sender<Letter>>,
        closing: CancellationToken,
    ) -> State {
        State {
            token: Mutex::new(Some(token)),
            latency: Mutex::default(),
            script: Mutex::default(),
            gauge: Mutex::new(Gauge::new(Limits::NONE)),
            templates: Mutex::default(),
            media: Mutex::default(),
            fates: Mutex::default(),
            sent: Mutex::default(),
            seen: Mutex::default(),
            refused: Mutex::default(),
            calls: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            ids: AtomicU64::new(0),
            own: fastrand::u64(..),
            remembered,
            letters,
            closing,
        }
    }

    /// How many messages were accepted so far, also those that are not remembered any more.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// A number that this fake never gave before, and no other one gives.
    pub(crate) fn fresh(&self) -> String {
        format!("{:016X}{:08X}", self.own, self.ids.fetch_add(1, Ordering::Relaxed))
    }

    /// Remembers an accepted message, and lets its fate begin.
    pub(crate) fn accept(
        self: &Arc<State>,
        number: &str,
        to: &Recipient,
        kind: String,
        callback_data: String,
        raw: Bytes,
    ) -> String {
        let id = format!("wamid.{}", self.fresh());
        {
            let mut sent = lock(&self.sent);
            if sent.len() >= self.remembered {
                sent.pop_front();
            }
            let nth = self.accepted.fetch_add(1, Ordering::SeqCst);
            let (number, recipient) = (number.to_owned(), to.as_str().to_owned());
            let callback_data = callback_data.clone();
            sent.push_back(Sent { nth, number, recipient, kind, callback_data, id: id.clone(), raw });
        }
        self.report(number, to, &id, callback_data);
        id
    }

    pub(crate) fn saw(&self, seen: Seen) {
        let mut all = lock(&self.seen);
        if all.len() >= self.remembered {
            all.pop_front();
        }
        all.push_back(seen);
    }

    fn report(&self, number: &str, to: &Recipient, id: &str, callback_data: String) {
        // What became of a message to Messenger is told in another form, which this fake does not know.
        let Some(letters) = self.letters.clone().filter(|_| !matches!(to, Recipient::Page(_))) else { return };
        let fates = lock(&self.fates);
        let fate = fates.iter().find(|(which, _)| which.fits(number, to.as_str())).map(|(_, fate)| fate.clone());
        let reports = fate.unwrap_or_else(Fate::read).reports();
        let (number, to, id, closing) = (number.to_owned(), to.clone(), id.to_owned(), self.closing.clone());
        let telling = async move {
            let mut passed = Duration::ZERO;
            for report in reports {
                sleep(report.after.saturating_sub(passed)).await;
                passed = report.after.max(passed);
                let status = webhook::status(&id, &to, &callback_data, &report);
                let _ = letters.send(Letter::Status { number: number.clone(), status }).await;
            }
        };
        tokio::spawn(async move { closing.run_until_cancelled(telling).await });
    }

    /// Puts a whole body into the post; without an address for webhooks, nothing happens.
    pub(crate) async fn tell(&self, body: serde_json::Value) {
        if let Some(letters) = &self.letters {
            let _ = letters.send(Letter::Body(body)).await;
        }
    }
}
