use conversation::{
    Action, Actor, ActorKind, Assignee, BotChange, Command, CommandKey, ConversationId, Decision, Entry, IfOpen,
    Refusal, Revision, Settings, Stamp, StampKind, State, Time, Verdict, Which, decide,
};

/// A conversation that is told what to do and says in words what came of it. Ticket "c-1" is called "1".
pub(crate) struct Chat {
    pub(crate) state: State,
    pub(crate) settings: Settings,
    pub(crate) now: Time,
    commands: u64,
}

impl Chat {
    pub(crate) fn new() -> Chat {
        let conversation = ConversationId::parse("c").unwrap();
        let (settings, now) = (Settings::default(), Time::from_seconds(1_000));
        Chat { state: State::new(conversation), settings, now, commands: 0 }
    }

    /// A chat in which these actors opened tickets "1", "2", … in this order.
    pub(crate) fn with_tickets_by(actors: impl IntoIterator<Item = Actor>) -> Chat {
        let mut chat = Chat::new();
        for actor in actors {
            chat.given(actor, [open()]);
        }
        chat
    }

    /// The clock of the next decisions.
    pub(crate) fn at(&mut self, seconds: i64) -> &mut Chat {
        self.now = Time::from_seconds(seconds);
        self
    }

    /// A command that this actor gives for the first time.
    pub(crate) fn command(&mut self, actor: Actor, actions: impl IntoIterator<Item = Action>) -> Command {
        self.commands += 1;
        let key = CommandKey { command: self.commands, digest: self.commands, causation: 0 };
        Command { actor, actions: actions.into_iter().collect(), key, expected_revision: None }
    }

    /// Decides, and records what is to be recorded ten places further in the log.
    pub(crate) fn run(&mut self, command: &Command) -> Then {
        let verdict = decide(&self.state, command, &self.settings, self.now);
        if let Ok(Verdict::Append(decision)) = &verdict {
            self.state = decision.after.clone().recorded_at(self.state.revision + 10);
        }
        Then(verdict)
    }

    pub(crate) fn when(&mut self, actor: Actor, actions: impl IntoIterator<Item = Action>) -> Then {
        let command = self.command(actor, actions);
        self.run(&command)
    }

    /// What happened before; it has to happen.
    pub(crate) fn given(&mut self, actor: Actor, actions: impl IntoIterator<Item = Action>) -> &mut Chat {
        self.when(actor, actions).decision();
        self
    }
}

/// What came of a command.
pub(crate) struct Then(Result<Verdict, Refusal>);

impl Then {
    /// Exactly these entries in this order, then what changed of tags and bot.
    #[track_caller]
    pub(crate) fn then(self, expected: &str) -> Decision {
        let decision = self.decision();
        assert_eq!(in_words(&decision), expected);
        decision
    }

    #[track_caller]
    pub(crate) fn then_refused(self, expected: Refusal) {
        assert_eq!(self.0, Err(expected));
    }

    #[track_caller]
    pub(crate) fn then_nothing(self, last_revision: Revision) {
        assert_eq!(self.0, Ok(Verdict::Nothing { revision: last_revision, primary: None }));
    }

    #[track_caller]
    pub(crate) fn then_nothing_but_found(self, ticket: &str) {
        match self.0 {
            Ok(Verdict::Nothing { primary: Some(primary), .. }) => assert_eq!(short(primary.id.as_str()), ticket),
            other => panic!("expected to find ticket {ticket}, got {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn then_repeats(self, revision: Revision) {
        assert_eq!(self.0, Ok(Verdict::Repeat(revision)));
    }

    #[track_caller]
    pub(crate) fn decision(self) -> Decision {
        match self.0 {
            Ok(Verdict::Append(decision)) => *decision,
            other => panic!("expected a decision, got {other:?}"),
        }
    }
}

/// "opened 2 in 1 by ann | assigned billing | said m1 | +vip | bot paused".
fn in_words(decision: &Decision) -> String {
    let mut words: Vec<String> = decision.entries.iter().map(entry).collect();
    words.extend(decision.tags_added.iter().map(|tag| format!("+{tag}")));
    words.extend(decision.tags_removed.iter().map(|tag| format!("-{tag}")));
    words.extend(decision.bot_change.map(|change| match change {
        BotChange::Paused => "bot paused".to_owned(),
        BotChange::Resumed => "bot resumed".to_owned(),
    }));
    words.join(" | ")
}

fn entry(entry: &Entry) -> String {
    match entry {
        Entry::Stamp(stamp) => marked(stamp),
        Entry::Message { id, .. } => format!("said {}", short(id.as_str())),
        Entry::Note { id, .. } => format!("noted {}", short(id.as_str())),
    }
}

fn marked(stamp: &Stamp) -> String {
    let by = &stamp.actor.id;
    match &stamp.kind {
        StampKind::Opened { ticket, primary: None, .. } => format!("opened {} by {by}", short(ticket.as_str())),
        StampKind::Opened { ticket, primary: Some(primary), .. } => {
            format!("opened {} in {} by {by}", short(ticket.as_str()), short(primary.as_str()))
        }
        StampKind::Closed { ticket } => format!("closed {} by {by}", short(ticket.as_str())),
        StampKind::Assigned { assignee: Assignee::Agent(agent) } => format!("assigned {agent}"),
        StampKind::Assigned { assignee: Assignee::Team(team) } => format!("assigned team {team}"),
        StampKind::Assigned { assignee: Assignee::Member { agent, team } } => format!("assigned {agent} of {team}"),
        StampKind::Unassigned => "unassigned".to_owned(),
    }
}

fn short(id: &str) -> &str {
    id.strip_prefix("c-").unwrap_or(id)
}

pub(crate) fn ann() -> Actor {
    Actor::new(ActorKind::Agent, "ann")
}

pub(crate) fn ben() -> Actor {
    Actor::new(ActorKind::Agent, "ben")
}

pub(crate) fn bot() -> Actor {
    Actor::new(ActorKind::Bot, "bot")
}

pub(crate) fn rule() -> Actor {
    Actor::new(ActorKind::Automation, "rule")
}

pub(crate) fn customer() -> Actor {
    Actor::new(ActorKind::Customer, "customer")
}

pub(crate) fn system() -> Actor {
    Actor::new(ActorKind::System, "system")
}

pub(crate) fn open() -> Action {
    open_if(IfOpen::Nest)
}

pub(crate) fn open_if(if_open: IfOpen) -> Action {
    Action::OpenTicket { topic: String::new(), assignee: None, if_open }
}

pub(crate) fn open_for(assignee: Assignee) -> Action {
    Action::OpenTicket { topic: String::new(), assignee: Some(assignee), if_open: IfOpen::Nest }
}

pub(crate) fn close_last() -> Action {
    Action::CloseTicket(Which::Last)
}

pub(crate) fn close_all() -> Action {
    Action::CloseTicket(Which::All)
}

pub(crate) fn close(ticket: &str) -> Action {
    Action::CloseTicket(Which::Named(ticket_id(ticket)))
}

pub(crate) fn ticket_id(ticket: &str) -> conversation::TicketId {
    conversation::TicketId::new(format!("c-{ticket}"))
}

pub(crate) fn say() -> Action {
    Action::SendMessage { kind: "text".to_owned(), sealed: b"sealed".to_vec() }
}

pub(crate) fn note() -> Action {
    Action::AddNote { sealed: b"sealed".to_vec() }
}

pub(crate) fn tag(tag: &str) -> Action {
    Action::AddTag(tag.to_owned())
}

pub(crate) fn untag(tag: &str) -> Action {
    Action::RemoveTag(tag.to_owned())
}

pub(crate) fn assign(agent: &str) -> Action {
    Action::Assign(agent_named(agent))
}

pub(crate) fn agent_named(agent: &str) -> Assignee {
    Assignee::Agent(agent.to_owned())
}

pub(crate) fn team(team: &str) -> Assignee {
    Assignee::Team(team.to_owned())
}

pub(crate) fn member(agent: &str, team: &str) -> Assignee {
    Assignee::Member { agent: agent.to_owned(), team: team.to_owned() }
}
