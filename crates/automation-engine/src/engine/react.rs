//! From an event to what the rules do about it.

use bus::{HandlerError, now};
use proto::v1;

use super::Engine;
use super::judge::{Judged, judge, truth};
use super::scene::{Scene, away};

impl Engine {
    /// Judges the rules of the scene's triggers, runs those that apply, one after the other, and records why the others
    /// do not.
    pub(crate) async fn react(&self, scene: &mut Scene) -> Result<(), HandlerError> {
        self.drop_not_first(scene).await?;
        let set = scene.set.clone();
        if scene.happenings.iter().all(|happening| set.of(&happening.trigger).is_none()) {
            return Ok(());
        }
        for nth in 0..scene.happenings.len() {
            if let Some(bucket) = set.of(&scene.happenings[nth].trigger) {
                self.need(scene, nth, bucket.needs).await?;
            }
        }
        if scene.seen_before {
            // What was decided before shows in the state, and would make conditions false.
            self.need_state(scene).await?;
        }
        let contexts: Vec<_> = (0..scene.happenings.len()).map(|nth| scene.context(self, nth)).collect();
        let mut judged = judge(&set, &scene.happenings, &contexts);
        self.reclaim(scene, &mut judged);
        let judged_at = scene.revision();
        for (place, nth) in std::mem::take(&mut judged.matched) {
            let Some(versioned) = set.at(place).cloned() else { continue };
            // A rule before this one may have changed what this one was judged on.
            let moved = scene.revision() != judged_at && versioned.rule.when.is_some();
            let undone = scene.decided(self.command(&versioned, &scene.happenings[nth], 0)).is_none();
            if moved && undone {
                self.need(scene, nth, versioned.condition_needs).await?;
                if let Err(part) = truth(versioned.rule.when.as_ref(), &scene.context(self, nth)) {
                    let condition = u32::try_from(part).unwrap_or(u32::MAX);
                    let rule = u32::try_from(place).unwrap_or(u32::MAX);
                    judged.not_matched.push(v1::NotMatchedRule { rule, condition });
                    continue;
                }
            }
            self.fire(scene, &versioned, nth).await?;
        }
        self.record_not_matched(scene, judged).await
    }

    /// A conversation starts with the first message of its customer: the log says which that is. Asked only if a rule
    /// wants to know.
    async fn drop_not_first(&self, scene: &mut Scene) -> Result<(), HandlerError> {
        let Some(nth) = scene.happenings.iter().position(|happening| happening.if_first) else { return Ok(()) };
        let mut is_first = false;
        if scene.set.of(&scene.happenings[nth].trigger).is_some()
            && let Some(conversation) = scene.conversation()
        {
            let first = self.bus.first_message(&scene.workspace, conversation).await.map_err(away)?;
            is_first = first.is_some_and(|(_, event)| event.id == scene.happenings[nth].event_id);
        }
        if !is_first {
            scene.remove(nth);
        }
        Ok(())
    }

    /// Rules that decided about this event before apply, whatever their conditions say of what they left behind.
    fn reclaim(&self, scene: &Scene, judged: &mut Judged) {
        if !scene.seen_before {
            return;
        }
        let decided = |rule: &v1::NotMatchedRule| {
            let place = usize::try_from(rule.rule).ok()?;
            let versioned = scene.set.at(place)?;
            let nth = scene.happenings.iter().position(|happening| happening.trigger == versioned.trigger)?;
            scene.decided(self.command(versioned, &scene.happenings[nth], 0))?;
            Some((place, nth))
        };
        let mut reclaimed: Vec<(usize, usize)> = judged.not_matched.iter().filter_map(decided).collect();
        if reclaimed.is_empty() {
            return;
        }
        judged.not_matched.retain(|rule| decided(rule).is_none());
        judged.matched.append(&mut reclaimed);
        judged.matched.sort_unstable();
    }

    async fn record_not_matched(&self, scene: &Scene, judged: Judged) -> Result<(), HandlerError> {
        let Some(happening) = scene.happenings.first().filter(|_| !judged.not_matched.is_empty()) else {
            return Ok(());
        };
        let record = v1::NotMatched {
            event_id: happening.event_id.clone(),
            event_revision: i64::try_from(happening.revision).unwrap_or(i64::MAX),
            conversation_id: happening.conversation.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
            time: Some(proto::timestamp(now())),
            rule_set: scene.set.number,
            rules: judged.not_matched,
        };
        self.bus.record_not_matched(&scene.workspace, &record).await.map_err(away)
    }
}
