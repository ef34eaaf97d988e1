use conversation::{Assignee, ConversationId, Revision};

/// How an agent is chosen: the first step that finds somebody, else the fallback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Tried in order.
    pub steps: Vec<Step>,
    /// What becomes of a conversation for which no step found anybody.
    pub fallback: Fallback,
    /// Conversations that an agent may hold at once, instead of the agent's own capacity.
    pub capacity: Option<u32>,
}

/// One way to choose. Whoever has no room under their capacity is never chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How.
    pub strategy: Strategy,
    /// Only among those who are there.
    pub only_online: bool,
}

/// How to choose among agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The default assignee of a team.
    Default {
        /// Which team.
        team: String,
    },
    /// Whose turn it is in a team.
    RoundRobin {
        /// Which team.
        team: String,
    },
    /// Who holds the fewest conversations in a team; of several, whose turn it is.
    LeastOpen {
        /// Which team.
        team: String,
    },
    /// The agent of the last ticket, whom the caller knows.
    Sticky {
        /// Who; `None` finds nobody.
        agent: Option<String>,
        /// Only if the agent is in this team.
        team: Option<String>,
    },
}

impl Strategy {
    /// What rules and runs call it.
    pub fn name(&self) -> &'static str {
        match self {
            Strategy::Default { .. } => "default",
            Strategy::RoundRobin { .. } => "round_robin",
            Strategy::LeastOpen { .. } => "least_open",
            Strategy::Sticky { .. } => "sticky",
        }
    }

    pub(super) fn team(&self) -> Option<&str> {
        match self {
            Strategy::Default { team } | Strategy::RoundRobin { team } | Strategy::LeastOpen { team } => Some(team),
            Strategy::Sticky { team, .. } => team.as_deref(),
        }
    }
}

/// What becomes of a conversation that nobody has room for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// It is assigned to the team, without an agent, and waits: who becomes free gets the oldest.
    TeamQueue {
        /// Which team.
        team: String,
    },
    /// It stays as it is.
    Unassigned,
}

/// What is to be assigned, and why.
///
/// The last 4,096 picks of a workspace are remembered until they are decided, and 256 after that: a run whose decision
/// is among the conversation's recent ones, or whose record exists, should not ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// In which workspace.
    pub workspace: String,
    /// Which conversation.
    pub conversation: ConversationId,
    /// The run with the place of the action in it: whoever asks again with it gets the same answer.
    pub trigger: String,
    /// The revision of the state that the decision will be based on; 0 before the first decision.
    pub base: Revision,
    /// How to choose.
    pub spec: Spec,
    /// The rule: it is who assigns a conversation that had to wait.
    pub rule: String,
    /// Of the decisions of the run.
    pub causation_id: String,
    /// Of the decisions of the run.
    pub correlation_id: String,
    /// Of the decisions of the run.
    pub depth: u32,
}

/// Who is to have a conversation. It has to be settled once it was decided, or was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// In which workspace.
    pub workspace: String,
    /// Which conversation.
    pub conversation: ConversationId,
    /// What was chosen.
    pub chosen: Chosen,
    /// How it came to that, in words.
    pub why: String,
    pub(super) trigger: u64,
}

impl Picked {
    /// Who the conversation is to be assigned to; `None` to leave it as it is.
    pub fn assignee(&self) -> Option<Assignee> {
        match &self.chosen {
            Chosen::Agent(assignee) => Some(assignee.clone()),
            Chosen::Queued { team } => Some(Assignee::Team(team.clone())),
            Chosen::Nobody => None,
        }
    }
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// This agent, whose load has grown already.
    Agent(Assignee),
    /// Nobody is free: the conversation goes to the team, and waits.
    Queued {
        /// Which team.
        team: String,
    },
    /// Nobody is free, and it is not to wait.
    Nobody,
}

/// What became of a pick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was decided, at this revision; also when it had been decided before.
    Decided(Revision),
    /// It was not, and will not be: the turn goes back to the agent, who is next again.
    Refused,
}
