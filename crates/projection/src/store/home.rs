use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::files::{self, Lock};
use super::{Engine, Error, Options, Store, fjall, sled};

/// Names the generation that is live.
const CURRENT: &str = "CURRENT";

/// The directory of one engine and schema version: `<dir>/<engine>-v<schema>/`.
///
/// It holds one live store and, during a rebuild, a [`Draft`] beside it, each in a numbered directory of its own (a
/// generation). The file `CURRENT` names the live one. One process at a time holds a home; the lock lasts until the
/// home and every store opened from it are dropped.
pub(crate) struct Home {
    path: PathBuf,
    engine: Engine,
    options: Options,
    lock: Arc<Lock>,
    next: AtomicU64,
    live: Mutex<Live>,
}

/// What `CURRENT` names, and the store while someone has it open.
struct Live {
    generation: Arc<Generation>,
    store: Option<Weak<dyn Store>>,
}

impl Home {
    /// Takes the home, creating it if needed, and removes what interrupted rebuilds left behind.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process (or this one) holds it, [`Error::Io`].
    pub(crate) fn open(dir: &Path, engine: Engine, schema: u32, options: Options) -> Result<Self, Error> {
        let path = dir.join(format!("{engine}-v{schema}"));
        fs::create_dir_all(&path).map_err(|source| Error::io(&path, source))?;
        let lock = Arc::new(Lock::take(&path)?);
        let current = current(&path)?;
        sweep(&path, current)?;
        let number = current.unwrap_or(1);
        let generation = Generation::new(&path, number, &lock);
        generation.keep(current.is_some());
        Ok(Self {
            path,
            engine,
            options,
            lock,
            next: AtomicU64::new(number + 1),
            live: Mutex::new(Live { generation, store: None }),
        })
    }

    /// The live store: opened, created empty the first time, or the one that is open already.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it cannot be read; promote a fresh [`Draft`] then. [`Error::Io`], [`Error::Engine`].
    pub(crate) fn live(&self) -> Result<Arc<dyn Store>, Error> {
        let mut live = self.lock_live();
        if let Some(store) = live.store.as_ref().and_then(Weak::upgrade) {
            return Ok(store);
        }
        let store = self.open_generation(&live.generation)?;
        if !live.generation.is_kept() {
            self.record(&live.generation)?;
        }
        live.store = Some(Arc::downgrade(&store));
        Ok(store)
    }

    /// An empty store beside the live one. It is removed when dropped without being promoted, or at the next
    /// [`Home::open`] if the process dies before.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Engine`].
    pub(crate) fn draft(&self) -> Result<Draft, Error> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let generation = Generation::new(&self.path, number, &self.lock);
        let store = self.open_generation(&generation)?;
        Ok(Draft { store, generation })
    }

    /// Puts a draft on disk and in the place of the live store. The old one stays readable for those who still hold it;
    /// its files go when the last of them lets go.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Engine`]; the old store is then still the live one.
    pub(crate) fn promote(&self, draft: Draft) -> Result<Arc<dyn Store>, Error> {
        draft.store.flush()?;
        let mut live = self.lock_live();
        self.record(&draft.generation)?;
        live.generation.keep(false);
        *live = Live { generation: draft.generation, store: Some(Arc::downgrade(&draft.store)) };
        Ok(draft.store)
    }

    /// Where it is: `<dir>/<engine>-v<schema>`.
    #[cfg(test)]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn record(&self, generation: &Generation) -> Result<(), Error> {
        files::replace(&self.path, CURRENT, &format!("{}\n", directory_name(generation.number)))?;
        generation.keep(true);
        Ok(())
    }

    /// Both engines assert what they believe about their files, so on damaged ones they may panic instead of failing.
    fn open_generation(&self, generation: &Arc<Generation>) -> Result<Arc<dyn Store>, Error> {
        let open = || -> Result<Arc<dyn Store>, Error> {
            Ok(match self.engine {
                Engine::Sled => Arc::new(sled::SledStore::open(generation.clone(), self.options)?),
                Engine::Fjall => Arc::new(fjall::FjallStore::open(generation.clone(), self.options)?),
            })
        };
        catch_unwind(AssertUnwindSafe(open))
            .unwrap_or_else(|panic| Err(Error::corrupt(&generation.path, panic_text(&*panic))))
    }

    fn lock_live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store that is being filled beside the live one; [`Home::promote`] swaps it in.
pub(crate) struct Draft {
    store: Arc<dyn Store>,
    generation: Arc<Generation>,
}

impl Draft {
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }
}

/// One numbered directory. Every store holds its own, so the directory outlives the engine's handles; unless it is
/// kept, it is removed with the last of them.
pub(super) struct Generation {
    path: PathBuf,
    number: u64,
    kept: AtomicBool,
    _lock: Arc<Lock>,
}

impl Generation {
    fn new(home: &Path, number: u64, lock: &Arc<Lock>) -> Arc<Self> {
        Arc::new(Self {
            path: home.join(directory_name(number)),
            number,
            kept: AtomicBool::new(false),
            _lock: lock.clone(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn keep(&self, kept: bool) {
        self.kept.store(kept, Ordering::Release);
    }

    fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Acquire)
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        if self.is_kept() || !self.path.exists() {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.path) {
            let path = self.path.display();
            tracing::warn!(%path, %error, "could not remove an old store; the next start tries again");
        }
    }
}

fn directory_name(number: u64) -> String {
    format!("{number:08}")
}

fn generation_number(name: &str) -> Option<u64> {
    let number = name.parse().ok()?;
    (directory_name(number) == name).then_some(number)
}

/// The generation that `CURRENT` names. A home without one, or with nonsense in it, starts anew from the event log.
fn current(home: &Path) -> Result<Option<u64>, Error> {
    let text = files::read_if_there(&home.join(CURRENT))?;
    Ok(text.and_then(|text| generation_number(text.trim_end())))
}

/// Removes every generation but the current one.
fn sweep(home: &Path, current: Option<u64>) -> Result<(), Error> {
    let io = |source| Error::io(home, source);
    for entry in fs::read_dir(home).map_err(io)? {
        let entry = entry.map_err(io)?;
        let number = entry.file_name().to_str().and_then(generation_number);
        if number.is_some() && number != current {
            let path = entry.path();
            tracing::info!(path = %path.display(), "removing a store that nothing refers to");
            fs::remove_dir_all(&path).map_err(|source| Error::io(&path, source))?;
        }
    }
    Ok(())
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the engine panicked: {}", text.unwrap_or("without a message"))
}
