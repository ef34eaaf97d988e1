//! What is done once per ticket or conversation: whoever comes first holds it, for ever.

use bus::{BucketName, Change, HandlerError, now, token};
use proto::v1;

use super::Engine;
use super::scene::away;

/// The right of a run to be the one that fires.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    key: String,
    by: String,
}

impl Engine {
    /// Claims that a rule fires for `of`, a ticket or a conversation. `Err` names the run that did so before.
    pub(crate) async fn claim(
        &self,
        workspace: &str,
        run: &v1::Run,
        of: &str,
    ) -> Result<Result<Claim, String>, HandlerError> {
        let key = format!("{workspace}.fired.{}.{}", token(&run.rule), token(of));
        let done = v1::Done { by: run.id.clone(), time: Some(proto::timestamp(now())), online: false };
        let bucket = self.bus.bucket(BucketName::Once);
        let claimed = bucket.modify(&key, |found: Option<v1::Done>, _| match found {
            // A run that is worked on again finds what it claimed the first time.
            Some(found) if found.by == done.by => (Change::Keep, None),
            Some(found) => (Change::Keep, Some(found.by)),
            None => (Change::Put(done.clone()), None),
        });
        match claimed.await.map_err(away)? {
            (_, None) => Ok(Ok(Claim { key, by: run.id.clone() })),
            (_, Some(by)) => Ok(Err(by)),
        }
    }

    /// Gives a claim back: the run was refused, and did nothing.
    pub(crate) async fn release(&self, workspace: &str, claim: Claim) -> Result<(), HandlerError> {
        tracing::debug!(workspace, run = claim.by, "did nothing, and may fire another time");
        let bucket = self.bus.bucket(BucketName::Once);
        let released = bucket.modify(&claim.key, |found: Option<v1::Done>, _| match found {
            Some(found) if found.by == claim.by => (Change::Delete, ()),
            _ => (Change::Keep, ()),
        });
        released.await.map(drop).map_err(away)
    }
}
