//! What a rule's actions come to on a given state: which are taken, which are refused. Pure.

use conversation::{
    Action as Deed, Actor, ActorKind, Assignee, Command, CommandKey, IfOpen, Settings, State, TicketId, Time, Verdict,
    Which,
};
use proto::v1;
use proto::v1::run_action::Outcome;

use super::context::ticket_id;
use super::happening::Happening;
use crate::condition::Context;
use crate::rule::{Action, CloseWhich, Content, Filled, OnRefusal, Rule};
use crate::template::Template;

/// Seals what is said; a rehearsal needs no keys.
pub(crate) trait Sealer {
    fn message(&self, message: v1::SealedMessage) -> Vec<u8>;
    fn note(&self, note: v1::SealedNote) -> Vec<u8>;
}

impl Sealer for bus::Keyring {
    fn message(&self, message: v1::SealedMessage) -> Vec<u8> {
        self.seal(&message)
    }

    fn note(&self, note: v1::SealedNote) -> Vec<u8> {
        self.seal(&note)
    }
}

/// Whom an action assigns to, found before it is planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picked {
    /// `None`: nobody was free, and nobody is assigned.
    pub(crate) assignee: Option<Assignee>,
    /// For people: "ann (round_robin of team billing)".
    pub(crate) detail: String,
}

/// One step of a rule as something to decide.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) step: usize,
    /// What to decide; or why it can't be said what.
    pub(crate) deeds: Result<Vec<Deed>, String>,
    /// What it does, for people.
    pub(crate) detail: String,
    pub(crate) on_refusal: OnRefusal,
}

/// What a step comes to.
pub(crate) fn plan(
    rule: &Rule,
    step: usize,
    happening: &Happening,
    state: &State,
    context: &Context,
    picked: Option<&Picked>,
    sealer: &dyn Sealer,
) -> Option<Planned> {
    let of = rule.steps.get(step)?;
    let mut detail = String::new();
    let deeds = deeds(&of.action, happening, state, context, picked, sealer, &mut detail)?;
    Some(Planned { step, deeds, detail, on_refusal: of.on_refusal })
}

/// `None` for what is no part of a decision.
fn deeds(
    action: &Action,
    happening: &Happening,
    state: &State,
    context: &Context,
    picked: Option<&Picked>,
    sealer: &dyn Sealer,
    detail: &mut String,
) -> Option<Result<Vec<Deed>, String>> {
    let assigned = picked.and_then(|picked| picked.assignee.clone());
    let picked_detail = picked.map(|picked| picked.detail.clone()).unwrap_or_default();
    Some(match action {
        Action::OpenTicket { topic, unless_open, .. } => {
            *detail = with(&format!("opened a ticket{}", about(topic)), &picked_detail);
            let if_open = if *unless_open { IfOpen::Refuse } else { IfOpen::Nest };
            Ok(vec![Deed::OpenTicket { topic: topic.clone(), assignee: assigned, if_open }])
        }
        Action::CloseTicket(which) => match which_ticket(*which, happening, state) {
            Some(which) => {
                *detail = match &which {
                    Which::All => "closed every open ticket".to_owned(),
                    Which::Last => "closed the ticket opened last".to_owned(),
                    Which::Named(id) => format!("closed ticket {id}"),
                };
                Ok(vec![Deed::CloseTicket(which)])
            }
            None => Err("no ticket is concerned".to_owned()),
        },
        Action::Assign(_) => {
            *detail = picked_detail;
            Ok(assigned.map(Deed::Assign).into_iter().collect())
        }
        Action::Unassign => done(detail, "unassigned", Deed::Unassign),
        Action::SendMessage(content) => message(content, context).map(|message| {
            *detail = format!("sent a {} message", message.r#type);
            let kind = message.r#type.clone();
            let sealed = sealer.message(v1::SealedMessage { contact: None, message: Some(message) });
            vec![Deed::SendMessage { kind, sealed }]
        }),
        Action::AddNote(text) => fill(text, context).map(|text| {
            "added a note".clone_into(detail);
            vec![Deed::AddNote { sealed: sealer.note(v1::SealedNote { text }) }]
        }),
        Action::AddTag(tag) => done(detail, &format!("added tag {tag:?}"), Deed::AddTag(tag.clone())),
        Action::RemoveTag(tag) => done(detail, &format!("removed tag {tag:?}"), Deed::RemoveTag(tag.clone())),
        Action::PauseBot => done(detail, "paused the bot", Deed::PauseBot),
        Action::ResumeBot => done(detail, "resumed the bot", Deed::ResumeBot),
        Action::CallWebhook(_) | Action::Publish { .. } | Action::Wait(_) | Action::Run { .. } => return None,
    })
}

fn done(detail: &mut String, words: &str, deed: Deed) -> Result<Vec<Deed>, String> {
    words.clone_into(detail);
    Ok(vec![deed])
}

fn about(topic: &str) -> String {
    if topic.is_empty() { String::new() } else { format!(" about {topic:?}") }
}

fn with(words: &str, more: &str) -> String {
    if more.is_empty() { words.to_owned() } else { format!("{words}, {more}") }
}

fn which_ticket(which: CloseWhich, happening: &Happening, state: &State) -> Option<Which> {
    match which {
        CloseWhich::All => Some(Which::All),
        CloseWhich::Last => Some(Which::Last),
        CloseWhich::This => ticket_id(happening, Some(state)).map(|id| Which::Named(TicketId::new(id))),
    }
}

fn fill(text: &Template, context: &Context) -> Result<String, String> {
    text.fill(context).map_err(|fault| fault.to_string())
}

/// What a rule says, as it stands in the chat.
fn message(content: &Content, context: &Context) -> Result<v1::Message, String> {
    Ok(match content.fill(context).map_err(|fault| fault.to_string())? {
        Filled::Text(text) => v1::Message { r#type: "text".to_owned(), text, ..v1::Message::default() },
        Filled::Buttons { header, text, footer, buttons } => {
            let buttons = buttons.into_iter().map(|(id, title)| v1::Button { id, title }).collect();
            let body = text.clone();
            let interactive = Some(v1::Interactive { header, body, footer, buttons, ..v1::Interactive::default() });
            v1::Message { r#type: "interactive".to_owned(), text, interactive, ..v1::Message::default() }
        }
        Filled::Template { name, language, components_json } => {
            let template = Some(v1::Template { name, language, components_json });
            v1::Message { r#type: "template".to_owned(), template, ..v1::Message::default() }
        }
    })
}

/// What the rules of the window say to the steps of a rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accepted {
    /// What is decided, in order; empty for nothing.
    pub(crate) deeds: Vec<Deed>,
    /// What became of each step that was planned.
    pub(crate) outcomes: Vec<(usize, Outcome, String)>,
    /// Bit n: step n is part of the decision.
    pub(crate) taken: u64,
    /// The step whose refusal ended the rule.
    pub(crate) stopped: Option<usize>,
}

/// Takes the steps in order, each if the rules of the window take it after those before it.
pub(crate) fn accept(state: &State, settings: &Settings, actor: &Actor, planned: Vec<Planned>, now: Time) -> Accepted {
    let mut accepted = Accepted::default();
    let mut done_so_far = Shape::default();
    for step in planned {
        let Planned { step, deeds, detail, on_refusal } = step;
        let tried = deeds.and_then(|deeds| {
            let all = [accepted.deeds.as_slice(), &deeds].concat();
            rehearse(state, settings, actor, &all, now).map(|shape| (all, shape))
        });
        match tried {
            Ok((all, shape)) => {
                let outcome = if shape == done_so_far { Outcome::Nothing } else { Outcome::Done };
                accepted.deeds = all;
                accepted.taken |= 1 << step.min(63);
                accepted.outcomes.push((step, outcome, detail));
                done_so_far = shape;
            }
            Err(reason) => {
                accepted.outcomes.push((step, Outcome::Refused, reason));
                if on_refusal == OnRefusal::Stop {
                    accepted.stopped = Some(step);
                    break;
                }
            }
        }
    }
    accepted
}

/// How much a decision does: enough to tell whether one more action did anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shape(usize, usize, usize, bool);

fn rehearse(state: &State, settings: &Settings, actor: &Actor, deeds: &[Deed], now: Time) -> Result<Shape, String> {
    let command = Command {
        actor: actor.clone(),
        actions: deeds.to_vec(),
        key: CommandKey { command: 0, digest: 0, causation: 0 },
        expected_revision: None,
    };
    match conversation::decide(state, &command, settings, now) {
        Ok(Verdict::Append(decision)) => Ok(Shape(
            decision.entries.len(),
            decision.tags_added.len(),
            decision.tags_removed.len(),
            decision.bot_change.is_some(),
        )),
        Ok(_) => Ok(Shape::default()),
        Err(refusal) => Err(refusal.to_string()),
    }
}

/// Who a rule is in the chat.
pub(crate) fn actor_of(rule: &Rule) -> Actor {
    Actor::new(ActorKind::Automation, rule.name.clone())
}
