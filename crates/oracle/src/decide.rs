use crate::{
    Action, Answer, Assignee, Command, IfOpen, Kind, Nanos, OpenTicket, Past, Reason, Settings, Standing, Step, Which,
    standing,
};

/// W3.
const MOST_OPEN: usize = 32;
/// W9.
const REMEMBERED: usize = 64;
/// Bounds the state; no rule asks for it.
const MOST_TAGS: usize = 64;

/// What must come of a command, given every decision made before in its conversation, oldest first.
///
/// Looked at in this order: whether the command was decided before, whether the conversation has moved on, each
/// action in its turn, and last the words of a bot.
pub fn decide(conversation: &str, past: &[Past], command: &Command, settings: &Settings, now: Nanos) -> Answer {
    let last_revision = past.last().map_or(0, |last| last.revision);
    if let Some(first) = past.iter().rev().take(REMEMBERED).find(|past| past.command.id == command.id) {
        let same = (&first.command.actor, &first.command.actions) == (&command.actor, &command.actions);
        return if same { Answer::Repeat(first.revision) } else { Answer::Refused(Reason::CommandReused) };
    }
    if command.expected_revision.is_some_and(|expected| expected < last_revision) {
        return Answer::Refused(Reason::MovedOn(last_revision));
    }
    let mut making = Making::new(conversation, past, command, settings, now);
    for action in &command.actions {
        if let Err(reason) = making.act(action) {
            return Answer::Refused(reason);
        }
    }
    if making.bot_speaks_out_of_turn() {
        return Answer::Refused(Reason::BotDoesNotHold);
    }
    if making.changes_nothing() {
        return Answer::Nothing { revision: last_revision, primary: making.found };
    }
    Answer::Done { time: making.it.time, steps: making.it.steps }
}

/// A decision being made: how things stand is worked out anew from the first decision on, for every question.
struct Making<'a> {
    conversation: &'a str,
    past: &'a [Past],
    settings: &'a Settings,
    it: Past,
    found: Option<String>,
}

impl<'a> Making<'a> {
    fn new(
        conversation: &'a str,
        past: &'a [Past],
        command: &Command,
        settings: &'a Settings,
        now: Nanos,
    ) -> Making<'a> {
        // W10: never before the conversation's last stamp.
        let time = standing(past).last_stamp.map_or(now, |last| now.max(last));
        let it = Past { revision: 0, command: command.clone(), time, steps: Vec::new() };
        Making { conversation, past, settings, it, found: None }
    }

    fn before(&self) -> Standing {
        standing(self.past)
    }

    fn now(&self) -> Standing {
        standing(self.past.iter().chain([&self.it]))
    }

    fn kind(&self) -> Kind {
        self.it.command.actor.kind
    }

    fn act(&mut self, action: &Action) -> Result<(), Reason> {
        // W8; and the system pauses the bot when the business writes from its own phone (W12).
        match (self.kind(), action) {
            (Kind::Bot | Kind::Automation | Kind::Agent, _) => {}
            (Kind::System, Action::Pause | Action::Resume) => {}
            (Kind::System | Kind::Customer, _) => return Err(Reason::ActorMayNot),
        }
        match action {
            Action::Open { topic, assignee, if_open } => return self.open(topic, assignee.as_ref(), *if_open),
            Action::Close(which) => return self.close(which),
            Action::Tag(tag) => return self.tag(tag),
            Action::Assign(assignee) => self.assign(assignee),
            Action::Unassign => self.unassign(),
            Action::Say(_) => self.say(),
            Action::Note(_) => self.note(),
            Action::Untag(tag) => self.untag(tag),
            Action::Pause => self.pause(),
            Action::Resume => self.resume(),
        }
        Ok(())
    }

    /// W2 and W3: nested if anything is open, always in the primary.
    fn open(&mut self, topic: &str, assignee: Option<&Assignee>, if_open: IfOpen) -> Result<(), Reason> {
        let now = self.now();
        let primary = now.open.iter().find(|ticket| ticket.primary.is_none()).map(|ticket| ticket.id.clone());
        if let Some(primary) = &primary {
            match if_open {
                IfOpen::Nest => {}
                IfOpen::Refuse => return Err(Reason::TicketOpen(primary.clone())),
                IfOpen::ReturnPrimary => {
                    self.found = Some(primary.clone());
                    return Ok(());
                }
            }
        }
        if now.open.len() >= MOST_OPEN {
            return Err(Reason::TooManyOpen);
        }
        let ticket = format!("{}-{}", self.conversation, now.tickets + 1);
        self.it.steps.push(Step::Opened { ticket, primary, topic: topic.to_owned() });
        if let Some(assignee) = assignee {
            self.assign(assignee);
        }
        Ok(())
    }

    /// W4.
    fn close(&mut self, which: &Which) -> Result<(), Reason> {
        let open = self.now().open;
        let ids: Vec<String> = match which {
            Which::All => last_the_primaries(&open),
            Which::Last => match open.last() {
                Some(ticket) => with_its_nested(ticket, &open),
                None => Vec::new(),
            },
            Which::Named(id) => match open.iter().find(|ticket| ticket.id == *id) {
                Some(ticket) => with_its_nested(ticket, &open),
                None => return Err(Reason::TicketNotOpen(id.clone())),
            },
        };
        if ids.is_empty() {
            return Err(Reason::NothingOpen);
        }
        for ticket in ids {
            let assignee = self.now().assignee;
            self.it.steps.push(Step::Closed { ticket, assignee });
        }
        if self.now().open.is_empty() {
            // W6 and W12: with the last open ticket go ownership and the pause.
            if self.settings.unassign_on_close {
                self.unassign();
            }
            self.resume();
        }
        Ok(())
    }

    fn assign(&mut self, assignee: &Assignee) {
        if self.now().assignee.as_ref() != Some(assignee) {
            self.it.steps.push(Step::Assigned(assignee.clone()));
        }
    }

    fn unassign(&mut self) {
        if self.now().assignee.is_some() {
            self.it.steps.push(Step::Unassigned);
        }
    }

    /// W6: who writes into an unassigned conversation becomes its assignee.
    fn say(&mut self) {
        if self.kind() == Kind::Agent && self.settings.assign_on_write && self.now().assignee.is_none() {
            let agent = self.it.command.actor.id.clone();
            self.it.steps.push(Step::Assigned(Assignee { agent, team: String::new() }));
        }
        let id = self.next_words();
        self.it.steps.push(Step::Said(id));
    }

    fn note(&mut self) {
        let id = self.next_words();
        self.it.steps.push(Step::Noted(id));
    }

    fn next_words(&self) -> String {
        format!("{}-m{}", self.conversation, self.now().words + 1)
    }

    fn tag(&mut self, tag: &str) -> Result<(), Reason> {
        let tags = self.now().tags;
        if tags.contains(tag) {
            return Ok(());
        }
        if tags.len() >= MOST_TAGS {
            return Err(Reason::TooManyTags);
        }
        self.it.steps.push(Step::Tagged(tag.to_owned()));
        Ok(())
    }

    fn untag(&mut self, tag: &str) {
        if self.now().tags.contains(tag) {
            self.it.steps.push(Step::Untagged(tag.to_owned()));
        }
    }

    fn pause(&mut self) {
        if !self.now().paused {
            self.it.steps.push(Step::Paused);
        }
    }

    fn resume(&mut self) {
        if self.now().paused {
            self.it.steps.push(Step::Resumed);
        }
    }

    /// W12, judged on how things stood before. The farewell that it lets pass ends every window, all of them the
    /// bot's own; whether a human has acted is for the bot itself to know.
    fn bot_speaks_out_of_turn(&self) -> bool {
        let speaks = self.it.steps.iter().any(|step| matches!(step, Step::Said(_)));
        if self.kind() != Kind::Bot || !speaks {
            return false;
        }
        let before = self.before();
        let holds = before.open.is_empty() && before.assignee.is_none() && !before.paused;
        let closes =
            |id: &str| self.it.steps.iter().any(|step| matches!(step, Step::Closed { ticket, .. } if ticket == id));
        let all_own = before.open.iter().all(|ticket| ticket.opener.kind == Kind::Bot);
        let all_closed = before.open.iter().all(|ticket| closes(&ticket.id));
        let farewell = !before.open.is_empty() && !before.paused && all_own && all_closed;
        !holds && !farewell
    }

    /// No entry, and tags and pause as they were.
    fn changes_nothing(&self) -> bool {
        let (before, now) = (self.before(), self.now());
        let same = before.tags == now.tags && before.paused == now.paused;
        same && !self.it.steps.iter().any(Step::is_entry)
    }
}

/// A primary goes with its open nested ones, oldest first, before it; a nested one goes alone.
fn with_its_nested(ticket: &OpenTicket, open: &[OpenTicket]) -> Vec<String> {
    let nested = open.iter().filter(|other| other.primary.as_ref() == Some(&ticket.id));
    nested.chain([ticket]).map(|ticket| ticket.id.clone()).collect()
}

fn last_the_primaries(open: &[OpenTicket]) -> Vec<String> {
    let nested = open.iter().filter(|ticket| ticket.primary.is_some());
    let primaries = open.iter().filter(|ticket| ticket.primary.is_none());
    nested.chain(primaries).map(|ticket| ticket.id.clone()).collect()
}
