/// How much of a list is shown.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Amount {
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "all")]
    limit: u32,
    /// Show all of them
    #[arg(long)]
    all: bool,
}

/// How much of a list of the view is shown, and how new it has to be.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Paging {
    #[command(flatten)]
    amount: Amount,
    /// Wait until the view has come to this revision
    #[arg(long, value_name = "REVISION", default_value_t = 0, hide_default_value = true)]
    pub(super) min_revision: i64,
}

/// The largest page that the server gives.
const LARGEST: u32 = 1_000;

impl Amount {
    /// How many more to ask for, having `have`; `None` when there are enough.
    pub(super) fn next(&self, have: usize) -> Option<i32> {
        if self.all {
            return i32::try_from(LARGEST).ok();
        }
        let have = u32::try_from(have).unwrap_or(u32::MAX);
        let missing = self.limit.saturating_sub(have).min(LARGEST);
        i32::try_from(missing).ok().filter(|missing| *missing > 0)
    }
}

impl Paging {
    /// As [`Amount::next`].
    pub(super) fn next(&self, have: usize) -> Option<i32> {
        self.amount.next(have)
    }
}
