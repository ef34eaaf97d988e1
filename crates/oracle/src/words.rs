/// An instant: nanoseconds since 1970-01-01T00:00:00Z.
pub type Nanos = i64;

/// What kind of actor did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The contact on the channel.
    Customer,
    /// The AI bot.
    Bot,
    /// A rule.
    Automation,
    /// A human of the business.
    Agent,
    /// Threadmark itself.
    System,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    /// What kind.
    pub kind: Kind,
    /// Which one of its kind.
    pub id: String,
    /// What stamps show; the id where it is empty.
    pub name: String,
}

impl Actor {
    /// An actor without a display name.
    pub fn new(kind: Kind, id: &str) -> Actor {
        Actor { kind, id: id.to_owned(), name: String::new() }
    }

    /// "X: display name, else id".
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// Who a conversation is assigned to: an agent, a team, or an agent of a team. What is not named is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Assignee {
    /// The agent.
    pub agent: String,
    /// The team.
    pub team: String,
}

impl Assignee {
    /// An agent, a team, or both.
    pub fn new(agent: &str, team: &str) -> Assignee {
        Assignee { agent: agent.to_owned(), team: team.to_owned() }
    }

    /// What a stamp shows: the agent, else the team.
    pub fn shown(&self) -> &str {
        if self.agent.is_empty() { &self.team } else { &self.agent }
    }
}
