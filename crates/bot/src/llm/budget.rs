//! What each workspace may spend on a day, counted on the bus, for all processes.

use bus::{BucketName, Bus, Change, now};
use proto::v1;

use super::client::ModelError;

/// Nanoseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;

/// Counts tokens.
pub(super) struct Budget {
    bus: Bus,
    /// 0 for no bound.
    tokens_per_day: u64,
}

impl Budget {
    pub(super) fn new(bus: Bus, tokens_per_day: u64) -> Budget {
        Budget { bus, tokens_per_day }
    }

    /// Takes `most` tokens of what is left today; returns how many were taken.
    ///
    /// # Errors
    /// [`ModelError::OverBudget`]; [`ModelError::Away`] when the count can't be had.
    pub(super) async fn reserve(&self, workspace: &str, most: u64) -> Result<u64, ModelError> {
        if self.tokens_per_day == 0 {
            return Ok(0);
        }
        let fits = self.change(workspace, |spent| {
            let fits = spent.saturating_add(most) <= self.tokens_per_day;
            (fits.then(|| spent.saturating_add(most)), fits)
        });
        if fits.await? { Ok(most) } else { Err(ModelError::OverBudget) }
    }

    /// Gives back what was reserved and not used. Where that can't be told, it stays taken.
    pub(super) async fn settle(&self, workspace: &str, reserved: u64, used: Option<u64>) {
        let Some(used) = used.filter(|_| self.tokens_per_day > 0) else { return };
        let settled = self.change(workspace, |spent| (Some(spent.saturating_sub(reserved).saturating_add(used)), ()));
        if let Err(error) = settled.await {
            tracing::debug!(workspace, %error, "tokens stay taken");
        }
    }

    /// Changes what was spent today, if `change` says to what.
    async fn change<T>(&self, workspace: &str, change: impl Fn(u64) -> (Option<u64>, T)) -> Result<T, ModelError>
    where
        T: Send,
    {
        let day = now().0.div_euclid(DAY);
        let bucket = self.bus.bucket(BucketName::Once);
        let key = format!("{workspace}.tokens");
        let changed = bucket.modify(&key, |found: Option<v1::SpentTokens>, _| {
            let spent = found.filter(|found| found.day == day).map_or(0, |found| found.tokens);
            let (tokens, answer) = change(spent);
            (tokens.map_or(Change::Keep, |tokens| Change::Put(v1::SpentTokens { day, tokens })), answer)
        });
        changed.await.map(|(_, answer)| answer).map_err(|error| ModelError::Away(error.to_string()))
    }
}
