//! Whether anything may go out on a line now: everything waits while the number is told to slow down, and while the
//! channel is stopped. Then one message at a time tries whether it works again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::Instant;

/// Nobody waits longer than this without looking again.
const LOOK: Duration = Duration::from_secs(5);

/// What all messages of a line wait at.
pub(crate) struct Gate {
    state: watch::Sender<State>,
    /// Held by the one message that tries whether a stopped channel works.
    probe: Mutex<()>,
    /// Stops in a row.
    stops: AtomicU32,
    /// Times in a row that the number was told to slow down.
    slow: AtomicU32,
    first: Duration,
    longest: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Open,
    /// Until then nothing goes out.
    Slow(Instant),
    /// Until then nothing goes out, and from then on one.
    Stopped(Instant),
}

/// The leave to make one call.
pub(crate) struct Pass<'a> {
    /// Whether the call tries if a stopped channel works.
    probing: Option<MutexGuard<'a, ()>>,
}

impl Pass<'_> {
    pub(crate) fn is_probe(&self) -> bool {
        self.probing.is_some()
    }
}

impl Gate {
    pub(crate) fn new((first, longest): (Duration, Duration)) -> Gate {
        Gate {
            state: watch::Sender::new(State::Open),
            probe: Mutex::new(()),
            stops: AtomicU32::new(0),
            slow: AtomicU32::new(0),
            first,
            longest,
        }
    }

    /// Waits until a call may be made.
    pub(crate) async fn pass(&self) -> Pass<'_> {
        let mut state = self.state.subscribe();
        loop {
            let now = Instant::now();
            let until = match *state.borrow_and_update() {
                State::Open => return Pass { probing: None },
                State::Slow(until) if until <= now => return Pass { probing: None },
                State::Stopped(until) if until <= now => match self.probe.try_lock() {
                    Ok(probing) => return Pass { probing: Some(probing) },
                    Err(_) => now + LOOK,
                },
                State::Slow(until) | State::Stopped(until) => until,
            };
            tokio::select! {
                _ = state.changed() => {}
                () = tokio::time::sleep_until(until.min(now + LOOK)) => {}
            }
        }
    }

    /// A call was taken. Whether that ends a stop. One that was on its way when the channel asked for a pause, or stopped,
    /// says nothing of what holds now.
    pub(crate) fn works(&self) -> bool {
        let (now, mut resumed) = (Instant::now(), false);
        self.state.send_if_modified(|state| match *state {
            State::Open => self.forget(),
            State::Slow(until) | State::Stopped(until) if until > now => false,
            State::Slow(_) | State::Stopped(_) => {
                resumed = matches!(state, State::Stopped(_));
                *state = State::Open;
                self.forget();
                true
            }
        });
        resumed
    }

    /// The channel says that nothing may go out until somebody mends it. Whether that is news. Calls that were on their
    /// way together are told the same, and count once.
    pub(crate) fn stop(&self) -> bool {
        let (now, mut news) = (Instant::now(), false);
        self.state.send_if_modified(|state| {
            if matches!(*state, State::Stopped(until) if until > now) {
                return false;
            }
            news = !matches!(state, State::Stopped(_));
            let nth = self.stops.fetch_add(1, Ordering::Relaxed);
            *state = State::Stopped(now + self.first.saturating_mul(1 << nth.min(16)).min(self.longest));
            true
        });
        news
    }

    /// The channel says that the number sends too fast: for `asked` nothing goes out, or for the pause after so many
    /// times in a row. Calls that were on their way together count once.
    pub(crate) fn slow_down(&self, asked: Option<Duration>, pause: impl Fn(u32) -> Duration) {
        let now = Instant::now();
        self.state.send_if_modified(|state| {
            let until = match *state {
                State::Stopped(until) if until > now => return false,
                // One tried whether the channel works, and is none the wiser: the next has to wait, too.
                State::Stopped(_) => {
                    let nth = self.slow.fetch_add(1, Ordering::Relaxed) + 1;
                    *state = State::Stopped(now + asked.unwrap_or_else(|| pause(nth)));
                    return true;
                }
                State::Slow(until) if until > now => match asked {
                    Some(asked) if until < now + asked => now + asked,
                    _ => return false,
                },
                State::Open | State::Slow(_) => {
                    let nth = self.slow.fetch_add(1, Ordering::Relaxed) + 1;
                    now + asked.unwrap_or_else(|| pause(nth))
                }
            };
            *state = State::Slow(until);
            true
        });
    }

    /// Somebody mended something: a channel that is stopped is tried now.
    pub(crate) fn try_now(&self) {
        self.stops.store(0, Ordering::Relaxed);
        self.state.send_if_modified(|state| match *state {
            State::Stopped(_) => {
                *state = State::Stopped(Instant::now());
                true
            }
            State::Open | State::Slow(_) => false,
        });
    }

    /// What went wrong in a row is over. Nobody who waits has to know.
    fn forget(&self) -> bool {
        self.stops.store(0, Ordering::Relaxed);
        self.slow.store(0, Ordering::Relaxed);
        false
    }

    /// Whether nothing goes out at this moment.
    pub(crate) fn is_held(&self) -> bool {
        match *self.state.borrow() {
            State::Open => false,
            State::Slow(until) => until > Instant::now(),
            State::Stopped(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::new((Duration::from_secs(5), Duration::from_secs(300)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_channel_lets_one_through_at_a_time_and_ever_more_seldom() {
        let gate = gate();
        assert!(gate.stop());
        let started = Instant::now();
        let probe = gate.pass().await;
        assert!(probe.is_probe() && started.elapsed() >= Duration::from_secs(5));
        assert!(tokio::time::timeout(Duration::from_secs(60), gate.pass()).await.is_err(), "one at a time");
        drop(probe);
        assert!(!gate.stop(), "no news");
        let started = Instant::now();
        let probe = gate.pass().await;
        assert!(started.elapsed() >= Duration::from_secs(10));
        assert!(gate.works() && !gate.is_held());
        drop(probe);
        assert!(!gate.pass().await.is_probe());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_fail_together_count_once() {
        let gate = gate();
        let started = Instant::now();
        assert!(gate.stop());
        assert!((0..50).all(|_| !gate.stop()), "no news");
        assert!(gate.pass().await.is_probe());
        assert_eq!(started.elapsed().as_secs(), 5);
        assert!(gate.works());
        (0..50).for_each(|_| gate.slow_down(None, |nth| Duration::from_secs(u64::from(nth))));
        let started = Instant::now();
        gate.pass().await;
        assert_eq!(started.elapsed().as_secs(), 1);
        gate.slow_down(None, |nth| Duration::from_secs(u64::from(nth)));
        gate.pass().await;
        assert_eq!(started.elapsed().as_secs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_was_asked_for_is_kept_whatever_else_comes_through() {
        let gate = gate();
        gate.slow_down(Some(Duration::from_secs(7)), |_| Duration::from_secs(1));
        assert!(!gate.works(), "it was not stopped");
        gate.slow_down(Some(Duration::from_secs(9)), |_| Duration::from_secs(1));
        let started = Instant::now();
        assert!(!gate.pass().await.is_probe());
        assert_eq!(started.elapsed().as_secs(), 9);
        assert!(!gate.works() && !gate.is_held());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_tries_a_stopped_channel_in_vain_is_not_let_through_again_at_once() {
        let gate = gate();
        gate.stop();
        drop(gate.pass().await);
        gate.slow_down(None, |nth| Duration::from_secs(u64::from(nth)));
        let started = Instant::now();
        assert!(gate.pass().await.is_probe());
        assert_eq!(started.elapsed().as_secs(), 1);
        assert!(gate.works(), "it was stopped until now");
    }
}
