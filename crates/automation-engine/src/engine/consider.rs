//! One rule about one happening that concerns it alone: timers, shortcuts, and events of other systems.

use std::sync::Arc;

use bus::HandlerError;
use proto::v1;
use proto::v1::run::Outcome;

use super::compiled::Versioned;
use super::judge::truth;
use super::{Engine, Scene, run_of};

impl Engine {
    /// Runs a rule if it applies to the only happening of the scene; if not, the record says why.
    pub(crate) async fn consider(
        &self,
        scene: &mut Scene,
        versioned: &Arc<Versioned>,
    ) -> Result<v1::Run, HandlerError> {
        self.need_state(scene).await?;
        let command = self.command(versioned, &scene.happenings[0], 0);
        if scene.decided(command).is_none()
            && let Some(condition) = &versioned.rule.when
        {
            self.need(scene, 0, versioned.condition_needs).await?;
            let context = scene.context(self, 0);
            if truth(Some(condition), &context).is_err() {
                let reason = condition.explain(&condition.evaluate(&context)).unwrap_or_default();
                return self.conclude(scene, versioned, Outcome::NotMatched, reason).await;
            }
        }
        let run = self.fire(scene, versioned, 0).await?;
        Ok(run.unwrap_or_else(|| run_of(versioned, &scene.happenings[0])))
    }

    /// Records that a rule does nothing about the only happening of the scene, and why.
    pub(crate) async fn conclude(
        &self,
        scene: &Scene,
        versioned: &Versioned,
        outcome: Outcome,
        reason: String,
    ) -> Result<v1::Run, HandlerError> {
        let mut run = run_of(versioned, &scene.happenings[0]);
        run.outcome = outcome.into();
        run.reason = reason;
        self.record(scene, run).await
    }
}
