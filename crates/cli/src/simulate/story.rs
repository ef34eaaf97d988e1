use proto::v1;

/// What happens in a chat, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Story {
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// The customer does it.
    Customer(Said),
    /// The business does it.
    Business(Speaker, Act),
}

/// What the customer sends.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    Text(String),
    /// A picture with a caption.
    Image(String),
    Voice,
    Location {
        name: String,
        address: String,
        latitude: f64,
        longitude: f64,
    },
    /// A reply button that was pressed, by its title.
    Button(String),
    /// A row of a list that was chosen, by its title.
    Row(String),
    /// A reaction to the business's last message, or else to the customer's own.
    Reaction(String),
}

/// Who of the business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Speaker {
    pub(super) kind: v1::actor::Kind,
    pub(super) id: String,
    pub(super) name: String,
}

/// What one of the business does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Say(String),
    Note(String),
    Open {
        topic: String,
        assignee: Option<v1::Assignee>,
    },
    /// The ticket that was opened last.
    Close,
    CloseAll,
    Assign(v1::Assignee),
    Unassign,
    Tag(String),
    Read,
}

impl Said {
    /// How many characters somebody has to type.
    pub(super) fn length(&self) -> usize {
        match self {
            Said::Text(text) | Said::Image(text) => text.chars().count(),
            Said::Voice => 40,
            Said::Location { .. } | Said::Button(_) | Said::Row(_) | Said::Reaction(_) => 5,
        }
    }
}

impl Act {
    /// How many characters somebody has to type.
    pub(super) fn length(&self) -> usize {
        match self {
            Act::Say(text) | Act::Note(text) => text.chars().count(),
            _ => 5,
        }
    }
}

impl Speaker {
    /// An agent.
    pub(super) fn agent(id: &str, name: &str) -> Speaker {
        Speaker { kind: v1::actor::Kind::Agent, id: id.to_owned(), name: name.to_owned() }
    }

    /// The bot.
    pub(super) fn bot() -> Speaker {
        Speaker { kind: v1::actor::Kind::Bot, id: "helper".to_owned(), name: "Helper".to_owned() }
    }

    /// A rule.
    pub(super) fn rule(id: &str) -> Speaker {
        Speaker { kind: v1::actor::Kind::Automation, id: id.to_owned(), name: String::new() }
    }

    /// Those who work in every simulation.
    pub(super) fn agents() -> [Speaker; 3] {
        [Speaker::agent("ana", "Ana"), Speaker::agent("ben", "Ben"), Speaker::agent("chloe", "Chloé")]
    }

    /// As requests name them.
    pub(super) fn actor(&self) -> v1::Actor {
        v1::Actor { kind: self.kind.into(), id: self.id.clone(), display_name: self.name.clone() }
    }
}
