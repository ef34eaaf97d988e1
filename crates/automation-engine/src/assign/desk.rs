//! The rotation of a workspace in its bucket: changed by compare-and-set, many changes with one write.
//!
//! What is asked for while a write is on its way waits, and is done with the next, all of it. So a burst of picks costs a few writes, and processes fight over the value once for each burst rather than once for each pick.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::{Bucket, BucketName, Bus, Directory, Error, ErrorKind, Slot, Staff, now};
use conversation::Time;
use proto::v1;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::rotation::Rotation;
use super::wire::{from_wire, to_wire};

/// How long a change is tried before the bus counts as away. The bus's own patience.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long whoever asks for a change waits, with others before it.
const LONGEST: Duration = Duration::from_secs(20);
/// How often a change is begun that panicked, maybe because of another beside it.
const TRIES: usize = 3;
/// Changes made with one write.
const AT_ONCE: usize = 256;
/// Pause before trying again after a conflict, in milliseconds: it keeps processes apart.
const PAUSE_MS: std::ops::Range<u64> = 1..8;

/// Why a change was not made. It may have been made all the same: every change can be made again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignError {
    /// Try again.
    #[error("the rotation can't be changed now: {0}")]
    Away(String),
    /// It will not pass.
    #[error("the rotation can't be read: {0}")]
    Broken(String),
}

impl From<&Error> for AssignError {
    fn from(error: &Error) -> AssignError {
        match error.kind() {
            ErrorKind::Retry | ErrorKind::Conflict => AssignError::Away(error.to_string()),
            ErrorKind::Refused | ErrorKind::Fatal => AssignError::Broken(error.to_string()),
        }
    }
}

/// A change and who waits for it.
type Waiting = Box<dyn Change>;

/// What is done to a rotation. It has to come to the same when it is made again on what it made.
trait Change: Send {
    fn make(&mut self, rotation: &mut Rotation, staff: &Staff, now: Time);
    fn done(self: Box<Self>, result: Result<(), AssignError>);
}

struct Asked<T, F> {
    change: F,
    made: Option<T>,
    reply: oneshot::Sender<Result<T, AssignError>>,
}

impl<T, F> Change for Asked<T, F>
where
    T: Send,
    F: FnMut(&mut Rotation, &Staff, Time) -> T + Send,
{
    fn make(&mut self, rotation: &mut Rotation, staff: &Staff, now: Time) {
        self.made = Some((self.change)(rotation, staff, now));
    }

    /// Whoever asked may have given up.
    fn done(self: Box<Self>, result: Result<(), AssignError>) {
        let Asked { made, reply, .. } = *self;
        let told = result.and_then(|()| made.ok_or_else(|| AssignError::Away("it was not tried".to_owned())));
        let _ = reply.send(told);
    }
}

/// Where the rotation of one workspace is changed.
pub(super) struct Desk {
    workspace: String,
    bucket: Bucket,
    directory: Directory,
    waiting: Mutex<Vec<Waiting>>,
    known: tokio::sync::Mutex<Known>,
}

/// The rotation as it was last seen.
#[derive(Default)]
struct Known {
    /// `None` when it has to be read first.
    etag: Option<u64>,
    rotation: Rotation,
}

impl Desk {
    pub(super) fn new(bus: &Bus, directory: Directory, workspace: &str) -> Desk {
        Desk {
            workspace: workspace.to_owned(),
            bucket: bus.bucket(BucketName::Rotation),
            directory,
            waiting: Mutex::default(),
            known: tokio::sync::Mutex::default(),
        }
    }

    /// Makes a change, and returns what it said of the rotation that held. It may be made several times, each time on
    /// another rotation, or on its own result.
    ///
    /// # Errors
    /// [`AssignError::Away`] after 8 s, or 20 s behind others; the change may have been made all the same.
    pub(super) async fn change<T, F>(self: &Arc<Self>, change: F) -> Result<T, AssignError>
    where
        T: Send + 'static,
        F: FnMut(&mut Rotation, &Staff, Time) -> T + Send + Clone + 'static,
    {
        for _ in 0..TRIES {
            let (reply, answer) = oneshot::channel();
            self.push(Box::new(Asked { change: change.clone(), made: None, reply }));
            // A task of its own: whoever asks may be cancelled, or not be polled for a while, and must not hold up
            // others meanwhile. It ends when everything is done that was asked for.
            let desk = self.clone();
            tokio::spawn(async move { desk.work().await });
            match tokio::time::timeout(LONGEST, answer).await {
                Ok(Ok(done)) => return done,
                Ok(Err(_)) => tracing::error!(workspace = self.workspace, "changing the rotation panicked"),
                Err(late) => return Err(AssignError::Away(late.to_string())),
            }
        }
        Err(AssignError::Broken("changing it panics".to_owned()))
    }

    fn push(&self, waiting: Waiting) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(waiting);
    }

    /// Does everything that was asked for, many changes with one write.
    async fn work(&self) {
        let mut known = self.known.lock().await;
        loop {
            let mut batch: Vec<Waiting> = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let count = waiting.len().min(AT_ONCE);
                waiting.drain(..count).collect()
            };
            if batch.is_empty() {
                return;
            }
            let done = self.make_all(&mut known, &mut batch).await.map_err(|error| AssignError::from(&error));
            batch.into_iter().for_each(|waiting| waiting.done(done.clone()));
        }
    }

    async fn make_all(&self, known: &mut Known, batch: &mut [Waiting]) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.try_all(known, batch).await {
                Err(error) if may_pass(&error) && Instant::now() < deadline => {
                    tracing::debug!(workspace = self.workspace, %error, "changing the rotation again");
                    tokio::time::sleep(pause()).await;
                }
                done => return done,
            }
        }
    }

    async fn try_all(&self, known: &mut Known, batch: &mut [Waiting]) -> Result<(), Error> {
        // Until this is written, what is known is not what is there: also when we are cancelled on the way.
        let etag = match known.etag.take() {
            Some(etag) => etag,
            None => self.load(known).await?,
        };
        known.rotation.changed = false;
        let now = now();
        self.directory.with(&self.workspace, |staff| {
            batch.iter_mut().for_each(|waiting| waiting.make(&mut known.rotation, staff, now));
        });
        let etag = if known.rotation.changed {
            self.bucket.put(&self.workspace, &to_wire(&known.rotation), Some(etag)).await?
        } else {
            // What changed nothing has to hold of what is there now.
            let there = self.bucket.get::<v1::Rotation>(&self.workspace).await?;
            if there.etag != etag {
                return Err(Error::Conflict);
            }
            etag
        };
        known.etag = Some(etag);
        Ok(())
    }

    async fn load(&self, known: &mut Known) -> Result<u64, Error> {
        let Slot { etag, value } = self.bucket.get::<v1::Rotation>(&self.workspace).await?;
        known.rotation = from_wire(value.unwrap_or_default());
        Ok(etag)
    }
}

/// A conflict or an absence may be gone at the next try.
fn may_pass(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Retry)
}

fn pause() -> Duration {
    Duration::from_millis(fastrand::u64(PAUSE_MS))
}

/// The desks of a process, one for each workspace.
pub(super) struct Desks {
    bus: Bus,
    directory: Directory,
    desks: Mutex<std::collections::BTreeMap<String, Arc<Desk>>>,
}

impl Desks {
    pub(super) fn new(bus: Bus, directory: Directory) -> Desks {
        Desks { bus, directory, desks: Mutex::default() }
    }

    pub(super) fn of(&self, workspace: &str) -> Arc<Desk> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(Desk::new(&self.bus, self.directory.clone(), workspace));
        desks.entry(workspace.to_owned()).or_insert_with(make).clone()
    }
}
