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

    /// A call was taken. Whether that ends a stop.
    pub(crate) fn works(&self) -> bool {
        self.stops.store(0, Ordering::Relaxed);
        self.slow.store(0, Ordering::Relaxed);
        let mut resumed = false;
        self.state.send_if_modified(|state| {
            resumed = matches!(state, State::Stopped(_));
            let changes = *state != State::Open;
            *state = State::Open;
            changes
        });
        resumed
    }

    /// The channel says that nothing may go out until somebody mends it. Whether that is news.
    pub(crate) fn stop(&self) -> bool {
        let nth = self.stops.fetch_add(1, Ordering::Relaxed);
        let until = Instant::now() + self.first.saturating_mul(1 << nth.min(16)).min(self.longest);
        let before = self.state.send_replace(State::Stopped(until));
        !matches!(before, State::Stopped(_))
    }

    /// The channel says that the number sends too fast: for so long nothing goes out, or twice as long as the last time.
    pub(crate) fn slow_down(&self, pause: impl FnOnce(u32) -> Duration) {
        let nth = self.slow.fetch_add(1, Ordering::Relaxed) + 1;
        let until = Instant::now() + pause(nth);
        self.state.send_if_modified(|state| {
            let sooner = match *state {
                State::Open => true,
                State::Slow(before) => before < until,
                State::Stopped(_) => false,
            };
            if sooner {
                *state = State::Slow(until);
            }
            sooner
        });
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
    async fn a_slow_number_goes_on_after_its_pause() {
        let gate = gate();
        gate.slow_down(|nth| Duration::from_secs(u64::from(nth)));
        gate.slow_down(|nth| Duration::from_secs(u64::from(nth)));
        let started = Instant::now();
        assert!(!gate.pass().await.is_probe());
        assert_eq!(started.elapsed().as_secs(), 2);
        assert!(!gate.works(), "it was not stopped");
    }
}
