//! What may be spent: by each workspace on a day, counted on the bus, for all processes; or in one trial.

use std::sync::atomic::{AtomicU64, Ordering};

use bus::{BucketName, Bus, Change, now};
use proto::v1;

use super::client::ModelError;

/// Nanoseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;

/// Tokens of a trial where a day has no bound: some 500 turns of 2,000 tokens.
const TRIAL: u64 = 1_000_000;

/// Counts tokens.
pub(super) struct Budget {
    spent: Spent,
    /// 0 for no bound.
    most: u64,
}

/// Where they are counted.
enum Spent {
    /// By workspace and day.
    Day(Bus),
    /// Here, for as long as the trial takes.
    Trial(AtomicU64),
}

impl Budget {
    /// What each workspace may spend on a day.
    pub(super) fn new(bus: Bus, tokens_per_day: u64) -> Budget {
        Budget { spent: Spent::Day(bus), most: tokens_per_day }
    }

    /// What one trial may spend: as much as a day, and none of that.
    pub(super) fn of_a_trial(tokens_per_day: u64) -> Budget {
        let most = if tokens_per_day == 0 { TRIAL } else { tokens_per_day };
        Budget { spent: Spent::Trial(AtomicU64::new(0)), most }
    }

    /// Takes `most` tokens of what is left; returns how many were taken.
    ///
    /// # Errors
    /// [`ModelError::OverBudget`]; [`ModelError::Away`] when the count can't be had.
    pub(super) async fn reserve(&self, workspace: &str, most: u64) -> Result<u64, ModelError> {
        if self.most == 0 {
            return Ok(0);
        }
        let taken = self.change(workspace, |spent| Some(spent.saturating_add(most)).filter(|sum| *sum <= self.most));
        if taken.await? { Ok(most) } else { Err(ModelError::OverBudget) }
    }

    /// Gives back what was reserved and not used. Where that can't be told, it stays taken.
    pub(super) async fn settle(&self, workspace: &str, reserved: u64, used: Option<u64>) {
        let Some(used) = used.filter(|_| self.most > 0) else { return };
        let settled = self.change(workspace, |spent| Some(spent.saturating_sub(reserved).saturating_add(used)));
        if let Err(error) = settled.await {
            tracing::debug!(workspace, %error, "tokens stay taken");
        }
    }

    /// Changes what was spent, if `change` says to what; returns whether it did.
    async fn change(&self, workspace: &str, change: impl Fn(u64) -> Option<u64>) -> Result<bool, ModelError> {
        let bus = match &self.spent {
            Spent::Day(bus) => bus,
            Spent::Trial(spent) => {
                return Ok(spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok());
            }
        };
        let day = now().0.div_euclid(DAY);
        let bucket = bus.bucket(BucketName::Once);
        let key = format!("{workspace}.tokens");
        let changed = bucket.modify(&key, |found: Option<v1::SpentTokens>, _| {
            let spent = found.filter(|found| found.day == day).map_or(0, |found| found.tokens);
            let tokens = change(spent);
            (tokens.map_or(Change::Keep, |tokens| Change::Put(v1::SpentTokens { day, tokens })), tokens.is_some())
        });
        changed.await.map(|(_, answer)| answer).map_err(|error| ModelError::Away(error.to_string()))
    }
}
