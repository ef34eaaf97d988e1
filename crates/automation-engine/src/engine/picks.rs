//! Whom a rule's actions assign to: asked of the assigner before they are planned, and settled afterwards.

use std::collections::BTreeMap;

use bus::HandlerError;
use conversation::{Assignee, Revision};
use proto::v1;

use super::Engine;
use super::plan::{Accepted, Picked};
use super::scene::Scene;
use super::steps::{Segment, Trouble};
use crate::assign::{self, Ask, AssignError, Settled, Spec};
use crate::condition::Needs;
use crate::rule::{Action, Assign, Fallback, Strategy, StrategyName};

/// The picks of one segment, by step.
#[derive(Default)]
pub(crate) struct Picks(BTreeMap<usize, Pick>);

struct Pick {
    picked: Picked,
    /// What has to be settled; `None` where nobody was asked.
    asked: Option<assign::Picked>,
}

impl Picks {
    pub(crate) fn get(&self, step: usize) -> Option<&Picked> {
        self.0.get(&step).map(|pick| &pick.picked)
    }
}

impl Engine {
    /// Chooses for every step of a segment that assigns. The same run gets the same answer again.
    pub(crate) async fn picks(
        &self,
        scene: &mut Scene,
        segment: &Segment<'_>,
        run: &v1::Run,
    ) -> Result<Picks, HandlerError> {
        let mut picks = Picks::default();
        for step in segment.from..segment.end {
            let assign = match segment.versioned.rule.steps.get(step).map(|step| &step.action) {
                Some(Action::Assign(assign) | Action::OpenTicket { assignee: Some(assign), .. }) => assign,
                _ => continue,
            };
            let pick = self.pick(scene, segment, run, step, assign).await?;
            picks.0.insert(step, pick);
        }
        Ok(picks)
    }

    async fn pick(
        &self,
        scene: &mut Scene,
        segment: &Segment<'_>,
        run: &v1::Run,
        step: usize,
        assign: &Assign,
    ) -> Result<Pick, HandlerError> {
        if let Strategy::Team(team) = &assign.strategy {
            let detail = format!("assigned to team {team}");
            let picked = Picked { assignee: Some(Assignee::Team(team.clone())), detail };
            return Ok(Pick { picked, asked: None });
        }
        let sticky = if wants_last(assign) { self.last_agent(scene, segment.nth).await? } else { None };
        let (Some(conversation), happening) = (scene.conversation().cloned(), &scene.happenings[segment.nth]) else {
            return Ok(Pick { picked: Picked::default(), asked: None });
        };
        let ask = Ask {
            workspace: scene.workspace.clone(),
            conversation,
            trigger: format!("{}#{step}", run.id),
            base: scene.revision(),
            spec: spec(assign, sticky.as_deref()),
            rule: segment.versioned.rule.name.clone(),
            causation_id: happening.event_id.clone(),
            correlation_id: happening.correlation_id.clone(),
            depth: happening.depth.saturating_add(1),
        };
        let asked = self.assigner.pick(&ask).await.map_err(failed)?;
        let picked = Picked { assignee: asked.assignee(), detail: asked.why.clone() };
        Ok(Pick { picked, asked: Some(asked) })
    }

    /// The agent of the ticket that was closed last.
    async fn last_agent(&self, scene: &mut Scene, nth: usize) -> Result<Option<String>, HandlerError> {
        self.need(scene, nth, Needs { last_ticket: true, ..Needs::default() }).await?;
        let conversation = scene.context(self, nth).conversation;
        let last = conversation.and_then(|conversation| conversation.last_ticket);
        Ok(last.map(|ticket| ticket.assignee.agent).filter(|agent| !agent.is_empty()))
    }

    /// Tells the assigner what became of its picks.
    pub(crate) async fn settle_picks(
        &self,
        run: &v1::Run,
        picks: &Picks,
        accepted: &Accepted,
        decided: bool,
    ) -> Result<(), Trouble> {
        for (step, pick) in &picks.0 {
            let Some(asked) = &pick.asked else { continue };
            let taken = accepted.taken & (1 << (*step).min(63)) != 0;
            let settled = match (taken, decided) {
                (true, true) => Settled::Decided(Revision::try_from(run.revision).unwrap_or(0)),
                // It is not known what became of it, or it will be tried again, with the same trigger.
                (true, false) => continue,
                (false, _) => Settled::Refused,
            };
            self.assigner.settle(asked, settled).await.map_err(failed)?;
        }
        Ok(())
    }
}

fn failed(error: AssignError) -> HandlerError {
    match error {
        AssignError::Away(_) => HandlerError::Retry(error.to_string()),
        AssignError::Broken(_) => HandlerError::GiveUp(error.to_string()),
    }
}

pub(crate) fn wants_last(assign: &Assign) -> bool {
    matches!(assign.strategy, Strategy::Sticky | Strategy::OfTeam { by: StrategyName::Sticky, .. })
        || assign.fallback.contains(&Fallback::Strategy(StrategyName::Sticky))
}

/// A rule's words as the assigner takes them.
pub(crate) fn spec(assign: &Assign, last_agent: Option<&str>) -> Spec {
    let only_online = assign.only_online;
    let of_team = |team: Option<&str>, by: StrategyName| {
        let team = team.map(str::to_owned);
        Some(match by {
            StrategyName::Default => assign::Strategy::Default { team: team? },
            StrategyName::RoundRobin => assign::Strategy::RoundRobin { team: team? },
            StrategyName::LeastOpen => assign::Strategy::LeastOpen { team: team? },
            StrategyName::Sticky => assign::Strategy::Sticky { agent: last_agent.map(str::to_owned), team },
        })
    };
    let first = match &assign.strategy {
        Strategy::Agent { agent, team } => {
            Some(assign::Strategy::Sticky { agent: Some(agent.clone()), team: team.clone() })
        }
        Strategy::OfTeam { team, by } => of_team(Some(team), *by),
        Strategy::Sticky => of_team(None, StrategyName::Sticky),
        Strategy::Team(_) => None,
    };
    let mut steps: Vec<assign::Step> =
        first.into_iter().map(|strategy| assign::Step { strategy, only_online }).collect();
    let mut fallback = assign::Fallback::Unassigned;
    for next in &assign.fallback {
        match (next, assign.team()) {
            (Fallback::Strategy(by), team) => {
                let strategy = of_team(team, *by);
                steps.extend(strategy.map(|strategy| assign::Step { strategy, only_online }));
            }
            (Fallback::TeamQueue, Some(team)) => {
                fallback = assign::Fallback::TeamQueue { team: team.to_owned() };
                break;
            }
            (Fallback::TeamQueue | Fallback::Unassigned, _) => break,
        }
    }
    Spec { steps, fallback, capacity: assign.capacity }
}
