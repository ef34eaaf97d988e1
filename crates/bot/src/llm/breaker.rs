//! A model that fails is left alone for a while.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::client::ModelError;

/// Failures in a row after which it is left alone.
const FAILURES: u32 = 5;
/// For how long, unless it says itself; and the longest that it may say.
const REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(600);

/// Counts failures.
pub(super) struct Breaker {
    state: Mutex<State>,
    /// How long a try may take: as long as one is under way after a rest, it is the only one.
    timeout: Duration,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// It is left alone until then.
    until: Option<Instant>,
}

/// The right to try once.
pub(super) struct Permit<'a>(&'a Breaker);

impl Breaker {
    pub(super) fn new(timeout: Duration) -> Breaker {
        Breaker { state: Mutex::default(), timeout }
    }

    /// The right to try once.
    ///
    /// # Errors
    /// [`ModelError::Resting`].
    pub(super) fn permit(&self) -> Result<Permit<'_>, ModelError> {
        let (mut state, now) = (self.state(), Instant::now());
        match state.until {
            Some(until) if until > now => Err(ModelError::Resting),
            Some(_) => {
                // One tries; the others wait for what becomes of it.
                state.until = Some(now + self.timeout);
                Ok(Permit(self))
            }
            None => Ok(Permit(self)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Tells what became of the try.
    pub(super) fn done(self, error: Option<&ModelError>) {
        let mut state = self.0.state();
        let Some(error) = error else { return *state = State::default() };
        state.failures = state.failures.saturating_add(1);
        let rest = match error {
            ModelError::Busy { again_after } => Some(again_after.unwrap_or(REST).min(LONGEST_REST)),
            _ if state.failures >= FAILURES => Some(REST),
            _ => None,
        };
        state.until = rest.map(|rest| Instant::now() + rest).or(state.until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker) -> bool {
        breaker.permit().map(|permit| permit.done(Some(&ModelError::Slow))).is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_end_trying_for_a_while() {
        let breaker = Breaker::new(Duration::from_secs(15));
        assert!((0..4).all(|_| fail(&breaker)));
        breaker.permit().unwrap().done(None);
        assert!((0..5).all(|_| fail(&breaker)));
        assert!(!fail(&breaker));
        tokio::time::advance(REST + Duration::from_secs(1)).await;
        let permit = breaker.permit().unwrap();
        assert!(breaker.permit().is_err(), "one tries");
        permit.done(None);
        assert!(breaker.permit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_told_when_to_come_again_waits_so_long() {
        let breaker = Breaker::new(Duration::from_secs(15));
        let busy = ModelError::Busy { again_after: Some(Duration::from_secs(120)) };
        breaker.permit().unwrap().done(Some(&busy));
        tokio::time::advance(Duration::from_secs(119)).await;
        assert!(breaker.permit().is_err());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(breaker.permit().is_ok());
    }
}
