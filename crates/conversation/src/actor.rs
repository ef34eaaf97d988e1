/// What kind of actor did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// The contact on the channel.
    Customer,
    /// The AI bot.
    Bot,
    /// A rule of the automation engine.
    Automation,
    /// A human of the business.
    Agent,
    /// Threadmark itself.
    System,
}

impl ActorKind {
    /// W8: the bot, an automation and an agent may open, close, assign, unassign and speak; no one else may.
    pub fn may_decide(self) -> bool {
        matches!(self, ActorKind::Bot | ActorKind::Automation | ActorKind::Agent)
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Which one of its kind: an agent's id, a rule's name.
    pub id: String,
    /// The name that stamps show; may be empty.
    pub display_name: String,
}

impl Actor {
    /// An actor without a display name.
    pub fn new(kind: ActorKind, id: impl Into<String>) -> Actor {
        Actor { kind, id: id.into(), display_name: String::new() }
    }

    /// What stamps show: the display name, else the id.
    pub fn shown(&self) -> &str {
        if self.display_name.is_empty() { &self.id } else { &self.display_name }
    }
}

/// Who a conversation is assigned to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assignee {
    /// An agent.
    Agent(String),
    /// A team; any of its agents may take it.
    Team(String),
    /// An agent of a team.
    Member {
        /// The agent.
        agent: String,
        /// The team.
        team: String,
    },
}

impl Assignee {
    /// The assignee that these two ids name; `None` when both are empty.
    pub fn from_ids(agent: &str, team: &str) -> Option<Assignee> {
        match (agent.is_empty(), team.is_empty()) {
            (true, true) => None,
            (false, true) => Some(Assignee::Agent(agent.to_owned())),
            (true, false) => Some(Assignee::Team(team.to_owned())),
            (false, false) => Some(Assignee::Member { agent: agent.to_owned(), team: team.to_owned() }),
        }
    }

    /// The agent, if it names one.
    pub fn agent(&self) -> Option<&str> {
        match self {
            Assignee::Agent(agent) | Assignee::Member { agent, .. } => Some(agent),
            Assignee::Team(_) => None,
        }
    }

    /// The team, if it names one.
    pub fn team(&self) -> Option<&str> {
        match self {
            Assignee::Team(team) | Assignee::Member { team, .. } => Some(team),
            Assignee::Agent(_) => None,
        }
    }

    /// What stamps show: the agent, else the team.
    pub fn shown(&self) -> &str {
        self.agent().or(self.team()).unwrap_or_default()
    }
}
