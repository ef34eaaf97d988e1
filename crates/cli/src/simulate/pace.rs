use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// How much of what was missed is caught up: a burst after a long silence would be no steady load.
const CATCH_UP: Duration = Duration::from_millis(100);

/// Lets through so many a second, evenly, to all who ask.
pub(super) struct Pace {
    step: Option<Duration>,
    next: Mutex<Instant>,
}

impl Pace {
    /// So many a second; 0 for no limit.
    pub(super) fn new(rate: f64) -> Pace {
        let step = (rate > 0.0).then(|| Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX));
        Pace { step, next: Mutex::new(Instant::now()) }
    }

    /// Waits for one's turn.
    pub(super) async fn turn(&self) {
        let Some(step) = self.step else { return };
        let at = {
            let mut next = self.next.lock().await;
            let earliest = Instant::now().checked_sub(CATCH_UP);
            let at = earliest.map_or(*next, |earliest| (*next).max(earliest));
            *next = at.checked_add(step).unwrap_or(at + Duration::from_secs(86_400));
            at
        };
        sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_come_at_the_rate_and_silence_is_not_caught_up() {
        let pace = Pace::new(100.0);
        let begun = Instant::now();
        for _ in 0..200 {
            pace.turn().await;
        }
        assert!((1.98..2.02).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
        tokio::time::advance(Duration::from_secs(60)).await;
        let begun = Instant::now();
        for _ in 0..100 {
            pace.turn().await;
        }
        assert!(begun.elapsed() > Duration::from_millis(850), "{:?}", begun.elapsed());
    }
}
