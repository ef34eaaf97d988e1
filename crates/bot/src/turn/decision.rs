//! What is done about a turn, as one decision. Pure, but for sealing.

use bus::{Keyring, Staff};
use conversation::{Action, Assignee, IfOpen, Which};
use proto::v1;

use super::deed::{Deed, Why};
use super::note::summary;
use super::options::Workspace;
use super::split::split;
use super::words;
use crate::brain::Question;
use crate::talk::{self, Sentence};

/// In place of an agent's id: the default assignee of the team.
const DEFAULT: &str = "default";

/// What stands in the record of a run beside its actions.
pub(super) struct Told {
    pub(super) actions: Vec<v1::RunAction>,
    /// Why nothing was done.
    pub(super) reason: String,
}

/// What is needed to decide a deed.
pub(super) struct Desk<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) keyring: &'a Keyring,
    /// Whom a handoff is assigned to.
    pub(super) assignee: Option<Assignee>,
    pub(super) question: &'a Question,
    /// How sure the brain was.
    pub(super) score: Option<f64>,
}

impl Desk<'_> {
    /// The actions of the one decision that a deed is; none for silence.
    pub(super) fn actions(&self, deed: &Deed) -> Vec<Action> {
        match deed {
            Deed::Say { text, source } => self.say(&words::sourced(text, source.as_ref())),
            Deed::AskBack { text: Some(text) } => self.say(text),
            Deed::AskBack { text: None } => self.say(&talk::say(Sentence::Clarify, &self.question.text)),
            Deed::HandOff { why, topic } => self.hand_off(why, topic),
            Deed::Close { text } => {
                let glad = || talk::say(Sentence::Glad, &self.question.text);
                let mut actions = if text.trim().is_empty() { self.say(&glad()) } else { self.say(text) };
                actions.push(Action::CloseTicket(Which::All));
                actions
            }
            Deed::Silence(_) => Vec::new(),
        }
    }

    /// All or nothing: the ticket, who has it, what the staff has to know, and what the customer is told.
    fn hand_off(&self, why: &Why, topic: &str) -> Vec<Action> {
        let note = v1::SealedNote { text: summary(why, topic, self.score, self.question) };
        let told = self.workspace.bot.handoff_words.as_deref();
        let mut actions = vec![
            Action::OpenTicket { topic: topic.to_owned(), assignee: self.assignee.clone(), if_open: IfOpen::Refuse },
            Action::AddNote { sealed: self.keyring.seal(&note) },
        ];
        actions.extend(self.say(told.unwrap_or_else(|| words::handed_off(self.question))));
        actions
    }

    fn say(&self, text: &str) -> Vec<Action> {
        let message = |text: String| {
            let message = v1::Message { r#type: "text".to_owned(), text, ..v1::Message::default() };
            let sealed = v1::SealedMessage { contact: None, message: Some(message) };
            Action::SendMessage { kind: "text".to_owned(), sealed: self.keyring.seal(&sealed) }
        };
        split(text).into_iter().map(message).collect()
    }
}

/// Whom a workspace gives what is handed off. Who is no longer in the directory gets nothing: then it is the team's, or
/// nobody's.
pub(super) fn assignee(workspace: &Workspace, staff: &Staff) -> Option<Assignee> {
    let team = staff.team(&workspace.bot.team);
    let agent = match workspace.bot.agent.as_str() {
        DEFAULT => team.as_ref().map(|team| team.default_assignee.clone()).unwrap_or_default(),
        agent => agent.to_owned(),
    };
    let agent = Some(agent).filter(|agent| staff.agent(agent).is_some()).unwrap_or_default();
    Assignee::from_ids(&agent, team.as_ref().map(|team| team.id.as_str()).unwrap_or_default())
}

/// What was done, for people. It stands in the clear, so it holds nothing of what the customer said.
pub(super) fn told(deed: &Deed, assignee: Option<&Assignee>) -> Told {
    let done = |action: &str, detail: String| v1::RunAction {
        action: action.to_owned(),
        outcome: v1::run_action::Outcome::Done.into(),
        detail,
        ..v1::RunAction::default()
    };
    let (actions, reason) = match deed {
        Deed::Say { source: Some(source), .. } => {
            (vec![done("reply", format!("answered from {}", words::name(source)))], String::new())
        }
        Deed::Say { source: None, .. } => (vec![done("reply", "said something back".to_owned())], String::new()),
        Deed::AskBack { .. } => (vec![done("clarify", "asked back".to_owned())], String::new()),
        Deed::HandOff { why, topic } => {
            let about = if topic.is_empty() { String::new() } else { format!(" about {topic:?}") };
            let to = assignee.map(|assignee| format!(", assigned to {}", assignee.shown())).unwrap_or_default();
            (vec![done("hand_off", format!("{}: opened a ticket{about}{to}", why.text()))], String::new())
        }
        Deed::Close { .. } => {
            (vec![done("close_ticket", "the customer says that it is solved".to_owned())], String::new())
        }
        Deed::Silence(why) => (Vec::new(), (*why).to_owned()),
    };
    Told { actions, reason }
}

#[cfg(test)]
mod tests {
    use conversation::Settings;
    use service::config::BotSettings;

    use super::*;

    fn staff() -> Staff {
        let mut staff = Staff::default();
        for id in ["ann", "bob"] {
            let agent = Some(v1::Agent { id: id.to_owned(), ..v1::Agent::default() });
            staff.put_agent(1, v1::StoredAgent { agent, incarnation: 7 });
        }
        let team = v1::Team {
            id: "support".to_owned(),
            agent_ids: vec!["bob".to_owned(), "ann".to_owned()],
            default_assignee: "bob".to_owned(),
            ..v1::Team::default()
        };
        staff.put_team(1, v1::StoredTeam { team: Some(team), incarnations: vec![7, 7] });
        staff
    }

    #[test]
    fn a_handoff_goes_to_who_is_in_the_directory() {
        let to = |team: &str, agent: &str| {
            let bot = BotSettings { team: team.to_owned(), agent: agent.to_owned(), ..BotSettings::default() };
            assignee(&Workspace { settings: Settings::default(), bot }, &staff())
        };
        let member = |agent: &str| Some(Assignee::Member { agent: agent.to_owned(), team: "support".to_owned() });
        assert_eq!(to("", ""), None);
        assert_eq!(to("support", ""), Some(Assignee::Team("support".to_owned())));
        assert_eq!(to("support", "ann"), member("ann"));
        assert_eq!(to("support", "default"), member("bob"));
        assert_eq!(to("", "ann"), Some(Assignee::Agent("ann".to_owned())));
        assert_eq!(to("support", "gone"), Some(Assignee::Team("support".to_owned())));
        assert_eq!(to("gone", "gone"), None);
    }
}
