//! The rules that are tried, and all that is fixed while they are.

use std::collections::HashMap;
use std::sync::Arc;

use bus::Staff;
use conversation::{Settings, Time};
use proto::v1;

use crate::condition::{Needs, WorkspaceFields};
use crate::engine::{CompiledSet, Versioned};
use crate::rule::{Action, Assign, Rule, Strategy, Trigger};

/// What conditions see of the workspace at a time.
pub(crate) type Fields = Box<dyn Fn(Time) -> WorkspaceFields + Send + Sync>;

/// Draft rules, the period, and the world of today that they are tried in.
pub(crate) struct Draft {
    pub(crate) workspace: String,
    pub(crate) start: Time,
    pub(crate) end: Time,
    pub(crate) settings: Settings,
    /// Who works there today, and who of them is there.
    pub(crate) staff: Staff,
    pub(crate) fields: Fields,
    pub(super) set: CompiledSet,
    pub(super) places: HashMap<String, usize>,
    /// Rules that wait for nothing to happen, by place.
    pub(super) waiting: Vec<usize>,
    /// Rules of schedules, by place.
    pub(super) scheduled: Vec<usize>,
    /// What any of them needs, conditions and texts.
    pub(super) needs: Needs,
    /// Whether words are needed where no message of the customer is at hand.
    pub(super) keeps_contact: bool,
    /// Whether conditions about messages of the customer look at words.
    pub(super) reads_received: bool,
    /// Whether what is decided sets off rules or timers.
    pub(super) hears_decisions: bool,
    /// Whether anything is assigned by turns or loads, which ties all conversations together.
    pub(super) rotates: bool,
    /// Whether `ticket.unanswered` has to know who answered.
    pub(super) counts_answers: bool,
}

impl Draft {
    /// Rules as they were checked, tried from `start` to before `end`.
    pub(crate) fn new(workspace: &str, rules: Vec<Rule>, period: (Time, Time), world: World) -> Draft {
        let versioned: Vec<Arc<Versioned>> = rules.into_iter().map(|rule| Arc::new(Versioned::new(rule, 0))).collect();
        let enabled = || versioned.iter().enumerate().filter(|(_, versioned)| versioned.rule.enabled);
        let on = |test: fn(&Trigger) -> bool| {
            enabled().filter(|(_, of)| test(&of.rule.on)).map(|(place, _)| place).collect::<Vec<_>>()
        };
        let needs_of = |of: &Versioned| of.condition_needs.and(of.text_needs);
        let received = |of: &Versioned| matches!(of.trigger.as_str(), "message.received" | "conversation.started");
        // A rule that another one runs sees the happening of that one.
        let called =
            enabled().any(|(_, of)| of.rule.steps.iter().any(|step| matches!(step.action, Action::Run { .. })));
        let draft = Draft {
            workspace: workspace.to_owned(),
            start: period.0,
            end: period.1,
            settings: world.settings,
            staff: world.staff,
            fields: world.fields,
            places: versioned.iter().enumerate().map(|(place, of)| (of.rule.name.clone(), place)).collect(),
            waiting: on(|trigger| trigger.waits().is_some()),
            scheduled: on(|trigger| matches!(trigger, Trigger::Schedule(_))),
            needs: enabled().fold(Needs::default(), |needs, (_, of)| needs.and(needs_of(of))),
            keeps_contact: enabled().any(|(_, of)| needs_of(of).words && (called || !received(of))),
            reads_received: enabled().any(|(_, of)| of.condition_needs.words && received(of)),
            hears_decisions: enabled().any(|(_, of)| !hears_facts_alone(&of.rule.on)),
            rotates: enabled().any(|(_, of)| of.rule.steps.iter().any(|step| assigns_by_turns(&step.action))),
            counts_answers: enabled().any(|(_, of)| matches!(of.rule.on, Trigger::TicketUnanswered { .. })),
            set: CompiledSet::new(0, Vec::new()),
        };
        let needs = Needs { last_ticket: draft.needs.last_ticket || draft.sticks(&versioned), ..draft.needs };
        Draft { needs, set: CompiledSet::new(0, versioned.into_iter().map(Some).collect()), ..draft }
    }

    /// Whether the agent of the last ticket is ever asked for.
    fn sticks(&self, rules: &[Arc<Versioned>]) -> bool {
        let steps = rules.iter().flat_map(|of| &of.rule.steps);
        steps.filter_map(|step| assign_of(&step.action)).any(crate::engine::wants_last)
    }

    /// How many rules there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Arc<Versioned>> {
        (0..self.len()).filter_map(|place| self.set.at(place))
    }

    /// What the figures do not tell.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for of in self.rules().filter(|of| of.rule.enabled) {
            let name = &of.rule.name;
            match &of.rule.on {
                Trigger::AgentOnline | Trigger::AgentOffline => {
                    notes.push(format!("rule {name}: who came and went is not recorded, so it was not tried"));
                }
                Trigger::External { .. } => {
                    notes.push(format!("rule {name}: events of other systems are not replayed, so it was not tried"));
                }
                Trigger::Manual => {
                    notes.push(format!("rule {name}: shortcuts are not recorded as such, so it was not tried"));
                }
                _ => {}
            }
            for assign in of.rule.steps.iter().filter_map(|step| assign_of(&step.action)) {
                let Some(team) = assign.team().filter(|_| assign.only_online) else { continue };
                let members = self.staff.members(team).unwrap_or_default();
                if !members.iter().any(|agent| self.staff.is_online(agent, self.start)) {
                    notes.push(format!(
                        "rule {name}: nobody of team {team} is online today, so nobody of it was chosen"
                    ));
                }
            }
        }
        let disabled: Vec<&str> = self.rules().filter(|of| !of.rule.enabled).map(|of| of.rule.name.as_str()).collect();
        if !disabled.is_empty() {
            notes.push(format!("not enabled, so not tried: {}", disabled.join(", ")));
        }
        notes.dedup();
        notes
    }
}

/// What a backtest takes from today.
pub(crate) struct World {
    pub(crate) settings: Settings,
    /// Presence as it is now, not lapsing.
    pub(crate) staff: Staff,
    pub(crate) fields: Fields,
}

/// The assignment that an action makes, if it makes one.
pub(super) fn assign_of(action: &Action) -> Option<&Assign> {
    match action {
        Action::Assign(assign) | Action::OpenTicket { assignee: Some(assign), .. } => Some(assign),
        _ => None,
    }
}

fn assigns_by_turns(action: &Action) -> bool {
    assign_of(action).is_some_and(|assign| !matches!(assign.strategy, Strategy::Team(_)))
}

fn hears_facts_alone(trigger: &Trigger) -> bool {
    matches!(
        trigger,
        Trigger::MessageReceived
            | Trigger::MessageFailed
            | Trigger::ConversationStarted
            | Trigger::ContactChanged
            | Trigger::Schedule(_)
            | Trigger::AgentOnline
            | Trigger::AgentOffline
            | Trigger::External { .. }
            | Trigger::Manual
    )
}

/// Opens what is sealed. `None` for words of someone who was forgotten.
pub(crate) trait Words {
    /// Unseals a message of a conversation.
    fn open(&self, conversation: &str, sealed: &[u8]) -> Option<v1::SealedMessage>;
}
