//! Putting rules in force: all of a text, or nothing. The body of a set is written before the pointer that makes it
//! the one in force, and only the pointer counts.

use std::collections::{BTreeMap, BTreeSet};

use bus::{BucketName, Error, Slot, now};
use conversation::Time;
use proto::v1;
use service::status::{self, Mistakes, refused};
use tonic::{Code, Status};

use super::{Automations, check, done, etag};
use crate::engine::body_key;
use crate::rule::{self, Known, KnownTeam, MAX_RULES, Rule};

/// Sets that are kept: an event that is worked on late is judged by the one of its time.
const KEPT: usize = 16;
/// Tries while others apply rules to the same workspace.
const TRIES: usize = 16;

/// The rules of a workspace as they are.
struct Current {
    sets: Slot<v1::RuleSets>,
    body: v1::RuleSet,
}

impl Current {
    fn number(&self) -> i64 {
        let sets = self.sets.value.as_ref();
        sets.and_then(|sets| sets.sets.last()).map_or(0, |set| set.number)
    }
}

impl Automations {
    pub(super) async fn apply(&self, request: v1::ApplyRulesRequest) -> Result<v1::ApplyRulesResponse, Status> {
        let workspace = request.workspace.as_str();
        for _ in 0..TRIES {
            let current = self.current(workspace).await?;
            self.is_current(&current, &request.etag)?;
            let parsed = self.parse(workspace, &request.yaml, &current.body).await?;
            let names: BTreeSet<String> = parsed.iter().map(|rule| rule.name.clone()).collect();
            let time = self.apply_time(&current);
            let body = merge(current.body.clone(), parsed, time);
            if body.rules.len() > MAX_RULES {
                let message = format!("would be {}: a workspace has at most {MAX_RULES}", body.rules.len());
                return Err(status::invalid("yaml", message));
            }
            let rules = body.rules.iter().filter(|rule| names.contains(&rule.name)).cloned().collect();
            let unchanged = body.rules == current.body.rules;
            if request.validate_only || unchanged {
                return Ok(v1::ApplyRulesResponse { rules, etag: etag(current.sets.etag) });
            }
            if let Some(written) = self.put_in_force(workspace, current, body, time).await? {
                return Ok(v1::ApplyRulesResponse { rules, etag: etag(written) });
            }
        }
        Err(refused(Code::Aborted, "CONFLICT", "", "others apply rules to the workspace at once: try again"))
    }

    pub(super) async fn delete(&self, request: v1::DeleteRuleRequest) -> Result<v1::DeleteRuleResponse, Status> {
        let mut mistakes = Mistakes::default();
        check::required(&mut mistakes, "name", &request.name);
        done(mistakes)?;
        for _ in 0..TRIES {
            let current = self.current(&request.workspace).await?;
            let mut body = current.body.clone();
            let place = body.rules.iter().position(|rule| rule.name == request.name);
            let place = place.ok_or_else(|| status::not_found("rule", &request.name))?;
            let gone = body.rules.remove(place);
            if let Some(caller) = self.caller_of(&body, &gone.name) {
                let message = format!("rule {caller:?} runs it: change that first");
                return Err(refused(Code::FailedPrecondition, "RULE_IN_USE", &format!("rules/{caller}"), message));
            }
            body.deleted.insert(gone.name, gone.version);
            let time = self.apply_time(&current);
            if let Some(written) = self.put_in_force(&request.workspace, current, body, time).await? {
                return Ok(v1::DeleteRuleResponse { etag: etag(written) });
            }
        }
        Err(refused(Code::Aborted, "CONFLICT", "", "others apply rules to the workspace at once: try again"))
    }

    /// A rule that runs another one.
    fn caller_of(&self, body: &v1::RuleSet, called: &str) -> Option<String> {
        let runs = |kept: &&v1::Rule| {
            let rules = rule::parse(&kept.yaml, &Known::default()).unwrap_or_default();
            let mut steps = rules.iter().flat_map(|rule| &rule.steps);
            steps.any(|step| matches!(&step.action, rule::Action::Run { rule } if rule == called))
        };
        body.rules.iter().find(runs).map(|kept| kept.name.clone())
    }

    async fn current(&self, workspace: &str) -> Result<Current, Status> {
        let bucket = self.0.bus.bucket(BucketName::Rules);
        let sets = bucket.get::<v1::RuleSets>(workspace).await.map_err(|error| status::bus(&error))?;
        let mut current = Current { sets, body: v1::RuleSet::default() };
        if current.number() > 0 {
            let body = bucket.get::<v1::RuleSet>(&body_key(workspace, current.number())).await;
            let body = body.map_err(|error| status::bus(&error))?;
            let missing = || Status::internal("the rule set in force is not there");
            current.body = body.value.ok_or_else(missing)?;
        }
        Ok(current)
    }

    fn is_current(&self, current: &Current, expected: &str) -> Result<(), Status> {
        if expected.is_empty() || expected == etag(current.sets.etag) {
            return Ok(());
        }
        let words = "the rules have changed since that etag: list them again, then apply";
        Err(refused(Code::Aborted, "ETAG_MISMATCH", "", words))
    }

    /// Now, and after the set before.
    fn apply_time(&self, current: &Current) -> Time {
        let last = current.sets.value.as_ref().and_then(|sets| sets.sets.last()?.apply_time.as_ref());
        let last = last.and_then(proto::time);
        last.map_or(now(), |last| now().max(Time(last.0.saturating_add(1))))
    }

    pub(super) async fn parse(&self, workspace: &str, yaml: &str, body: &v1::RuleSet) -> Result<Vec<Rule>, Status> {
        let mut known = self.known(workspace).await?;
        known.rules = Some(body.rules.iter().map(|rule| rule.name.clone()).collect());
        // A thousand rules of patterns take seconds to compile.
        let yaml = yaml.to_owned();
        let parsed = tokio::task::spawn_blocking(move || rule::parse(&yaml, &known)).await.map_err(|error| {
            tracing::error!(%error, "parsing rules broke off");
            refused(Code::Internal, "FAILED", "", "the rules could not be read: the service's log says why")
        })?;
        parsed.map_err(|mistakes| {
            let mut all = Mistakes::default();
            for mistake in mistakes {
                let words = match mistake.path.as_str() {
                    "" => mistake.message,
                    path => format!("{path}: {}", mistake.message),
                };
                all.add(format!("{}:{}", mistake.line, mistake.column), words);
            }
            done(all).err().unwrap_or_else(|| Status::invalid_argument("yaml"))
        })
    }

    /// Agents and teams that rules may name: as they are now, not as a watch will tell soon, because whoever was
    /// answered that a team was made may name it at once.
    async fn known(&self, workspace: &str) -> Result<Known, Status> {
        let staff = self.0.bus.roster().staff(workspace).await.map_err(|error| status::bus(&error))?;
        let team = |id: &str| {
            let team = staff.team(id)?;
            let agents = team.agent_ids.into_iter().collect();
            Some((id.to_owned(), KnownTeam { agents, has_default: !team.default_assignee.is_empty() }))
        };
        Ok(Known {
            agents: Some(staff.agents().map(str::to_owned).collect()),
            teams: Some(staff.teams().filter_map(team).collect()),
            rules: None,
        })
    }

    /// Writes a set and makes it the one in force. `None` when someone else was faster.
    async fn put_in_force(
        &self,
        workspace: &str,
        current: Current,
        body: v1::RuleSet,
        time: Time,
    ) -> Result<Option<u64>, Status> {
        let bucket = self.0.bus.bucket(BucketName::Rules);
        let mut number = current.number();
        loop {
            number += 1;
            // A number that somebody else has begun to use is theirs, whether they finished or not.
            match bucket.put(&body_key(workspace, number), &body, Some(0)).await {
                Ok(_) => break,
                Err(Error::Conflict) if number < current.number() + 1_000 => {}
                Err(error) => return Err(status::bus(&error)),
            }
        }
        let mut sets = current.sets.value.unwrap_or_default();
        sets.sets.push(v1::RuleSetRef { number, apply_time: Some(proto::timestamp(time)) });
        let retired = sets.sets.len().saturating_sub(KEPT);
        let retired: Vec<v1::RuleSetRef> = sets.sets.drain(..retired).collect();
        match bucket.put(workspace, &sets, Some(current.sets.etag)).await {
            Ok(written) => {
                self.retire(workspace, &retired).await;
                Ok(Some(written))
            }
            Err(Error::Conflict) => Ok(None),
            Err(error) => Err(status::bus(&error)),
        }
    }

    /// Empties sets that nothing is judged by any more. One that stays costs some space.
    async fn retire(&self, workspace: &str, retired: &[v1::RuleSetRef]) {
        let bucket = self.0.bus.bucket(BucketName::Rules);
        for set in retired {
            // Emptied, not deleted: the newest write of the bucket has to be one that a watch tells of.
            if let Err(error) = bucket.put(&body_key(workspace, set.number), &v1::RuleSet::default(), None).await {
                tracing::warn!(workspace, set = set.number, %error, "an old rule set stays");
            }
        }
    }
}

/// Rules of the same name are replaced, others stay. Only a changed text is a new version.
fn merge(mut body: v1::RuleSet, parsed: Vec<Rule>, time: Time) -> v1::RuleSet {
    let places: BTreeMap<String, usize> =
        body.rules.iter().enumerate().map(|(place, rule)| (rule.name.clone(), place)).collect();
    for rule in parsed {
        let place = places.get(&rule.name).copied();
        let before = place.and_then(|place| body.rules.get(place));
        if before.is_some_and(|before| before.yaml == rule.yaml) {
            continue;
        }
        let last = before.map(|before| before.version).or_else(|| body.deleted.remove(&rule.name));
        let kept = v1::Rule {
            version: last.unwrap_or(0) + 1,
            enabled: rule.enabled,
            on: rule.on.name(),
            apply_time: Some(proto::timestamp(time)),
            name: rule.name,
            yaml: rule.yaml,
        };
        match place.and_then(|place| body.rules.get_mut(place)) {
            Some(slot) => *slot = kept,
            None => body.rules.push(kept),
        }
    }
    body
}
