//! One conversation, everything that ever happened to it, and those who act in it.

use conversation::{BotChange, ConversationId, Decision, Settings, State, Verdict};
use oracle::{
    Action, Actor, Answer, Command, Decided, Entry, Event, Kind, Log, Mark, Past, Stamp, Step, What, standing,
};

use crate::{
    census::Census,
    dice::Dice,
    ending,
    invent::{self, Known, Taste},
    mirror::{self, digest},
    reference::Reference,
};

const SECOND: i64 = 1_000_000_000;
const CONVERSATION: &str = "c";

pub(crate) struct World {
    taste: Taste,
    clock: i64,
    sequence: u64,
    /// Every command that was ever given, decided or not.
    issued: Vec<(Command, Settings)>,
    pub(crate) past: Vec<Past>,
    /// The state after that many decisions, as read back from the stream.
    pub(crate) states: Vec<State>,
    pub(crate) log: Log,
    pub(crate) reference: Reference,
    tale: Vec<Told>,
    census: Census,
}

/// What happened, to be told when a case fails.
#[derive(Debug)]
#[expect(dead_code, reason = "read by Debug alone")]
enum Told {
    Decided { knowing: usize, at: i64, command: Command, settings: Settings },
    Happened(Event),
}

impl World {
    pub(crate) fn new(taste: Taste) -> World {
        World {
            taste,
            clock: 1_700_000_000 * SECOND,
            sequence: 0,
            issued: Vec::new(),
            past: Vec::new(),
            states: vec![State::new(ConversationId::parse(CONVERSATION).unwrap())],
            log: Log::new(),
            reference: Reference::default(),
            tale: Vec::new(),
            census: Census::default(),
        }
    }

    /// Every move of a history, each compared with the oracle, then the whole of it.
    pub(crate) fn play(mut self, rolls: &[u128]) -> Result<Census, String> {
        for roll in rolls {
            let mut dice = Dice::new(*roll);
            self.tick(&mut dice);
            if let Err(difference) = self.make_move(&mut dice) {
                return Err(self.explain(&difference));
            }
        }
        let late = ending::check(&self).map_err(|difference| self.explain(&difference))?;
        self.census.met_if(late, "late within a window");
        Ok(self.census)
    }

    fn explain(&self, difference: &str) -> String {
        let tale: Vec<String> = self.tale.iter().map(|told| format!("{told:?}")).collect();
        format!("{difference}\nafter:\n{}", tale.join("\n"))
    }

    /// Clocks mostly go on, stand now and then, and sometimes jump either way.
    fn tick(&mut self, dice: &mut Dice) {
        self.clock += SECOND
            * match dice.roll(8) {
                0..=5 => i64::try_from(dice.roll(90)).unwrap(),
                6 => 0,
                _ => [-60, -7_200, 600, 86_400][dice.roll(4) as usize],
            };
        self.sequence += dice.roll(3);
    }

    fn make_move(&mut self, dice: &mut Dice) -> Result<(), String> {
        let repeats_up_to = if self.taste == Taste::Repeating { 85 } else { 75 };
        match dice.roll(100) {
            n if n < 52 => self.new_command(dice),
            n if n < 60 => self.decider_with_an_old_state(dice),
            n if n < repeats_up_to => self.repeat(dice),
            n if n < 88 => self.answer_lost(dice),
            _ => self.fact(dice),
        }
    }

    fn invent(&mut self, dice: &mut Dice) -> (Command, Settings) {
        let state = self.states.last().unwrap();
        let open: Vec<&str> = state.open.iter().map(|ticket| ticket.id.as_str()).collect();
        let assignee = state.assignee.as_ref().map(mirror::from_assignee);
        let tickets = state.ticket_ordinal;
        let known = Known { conversation: CONVERSATION, tickets, open, assignee: assignee.as_ref() };
        let command = Command {
            id: format!("command-{}", self.issued.len()),
            actor: invent::actor(dice, self.taste),
            actions: invent::actions(dice, self.taste, &known),
            expected_revision: self.expectation(dice),
        };
        let settings = mirror::settings(invent::settings(dice));
        self.issued.push((command.clone(), settings));
        (command, settings)
    }

    /// Mostly none; the last decision, an older one, or a fact since.
    fn expectation(&self, dice: &mut Dice) -> Option<u64> {
        let last = self.past.last().map_or(0, |past| past.revision);
        match dice.roll(12) {
            0..=8 => None,
            9 => Some(last),
            10 => Some(last.saturating_sub(dice.roll(6))),
            _ => Some(last + dice.roll(4)),
        }
    }

    fn new_command(&mut self, dice: &mut Dice) -> Result<(), String> {
        let (command, settings) = self.invent(dice);
        self.run(&command, settings)
    }

    /// Decides upon a state that others have moved on from. The stream takes no append that expects an older last
    /// decision, so the decider reads the state again and decides again.
    fn decider_with_an_old_state(&mut self, dice: &mut Dice) -> Result<(), String> {
        let (command, settings) = self.invent(dice);
        let known = self.past.len().saturating_sub(dice.roll(4) as usize);
        let Some((decision, steps)) = self.decide(known, &command, settings)? else { return Ok(()) };
        let last_sequence = self.states.last().unwrap().revision;
        if self.states[known].revision == last_sequence {
            return self.append(command, decision, steps);
        }
        self.census.met("conflict");
        self.run(&command, settings)
    }

    /// A command of before comes again: as it was, with another payload, or expecting something else.
    fn repeat(&mut self, dice: &mut Dice) -> Result<(), String> {
        let back = match dice.roll(6) {
            0 => (self.issued.len() as u64).saturating_sub(1),
            1 | 2 => dice.roll(10),
            3 | 4 => self.commands_since(60 + dice.roll(8)),
            _ => dice.roll(self.issued.len() as u64),
        };
        let Some(at) = (self.issued.len() as u64).checked_sub(back + 1) else { return Ok(()) };
        let (mut command, settings) = self.issued[usize::try_from(at).unwrap()].clone();
        match dice.roll(8) {
            0..=4 => {}
            5 => command.actions.push(Action::Tag("other".to_owned())),
            6 => command.actor = Actor::new(Kind::Agent, "cleo"),
            _ => command.expected_revision = self.expectation(dice),
        }
        self.run(&command, settings)
    }

    /// How many commands were given since the one that was decided so many decisions ago.
    fn commands_since(&self, decisions: u64) -> u64 {
        let decided = usize::try_from(decisions).unwrap();
        let Some(past) = self.past.len().checked_sub(decided).and_then(|at| self.past.get(at)) else { return 0 };
        let at = self.issued.iter().rposition(|(command, _)| command.id == past.command.id);
        at.map_or(0, |at| (self.issued.len() - at - 1) as u64)
    }

    /// The append succeeds, its answer is lost, and the same is tried again: it must find itself.
    fn answer_lost(&mut self, dice: &mut Dice) -> Result<(), String> {
        let (command, settings) = self.invent(dice);
        let before = self.past.len();
        self.run(&command, settings)?;
        self.clock += SECOND * i64::try_from(dice.roll(30)).unwrap();
        if dice.one_in(3) {
            self.new_command(dice)?;
        }
        let appended = self.past.get(before).filter(|past| past.command.id == command.id);
        let Some(revision) = appended.map(|past| past.revision) else { return Ok(()) };
        self.census.met("lost answer");
        let decisions = self.past.len();
        let verdict = conversation::decide(
            self.states.last().unwrap(),
            &mirror::command(&command),
            &settings,
            mirror::to_time(self.clock),
        );
        same("the repeat of a lost answer", &verdict, &Ok(Verdict::Repeat(revision)))?;
        self.run(&command, settings)?;
        same("decisions after the repeat", &self.past.len(), &decisions)
    }

    /// Reads the state, decides, appends.
    fn run(&mut self, command: &Command, settings: Settings) -> Result<(), String> {
        match self.decide(self.past.len(), command, settings)? {
            Some((decision, steps)) => self.append(command.clone(), decision, steps),
            None => Ok(()),
        }
    }

    /// What both sides say, knowing so many decisions; a decision is returned to be appended.
    fn decide(
        &mut self,
        known: usize,
        command: &Command,
        settings: Settings,
    ) -> Result<Option<(Decision, Vec<Step>)>, String> {
        self.tale.push(Told::Decided { knowing: known, at: self.clock, command: command.clone(), settings });
        let past = &self.past[..known];
        let answer = oracle::decide(CONVERSATION, past, command, &mirror::to_settings(settings), self.clock);
        let now = mirror::to_time(self.clock);
        let verdict = conversation::decide(&self.states[known], &mirror::command(command), &settings, now);
        let before = standing(past);
        let after = standing(past.iter().chain(&making(command, &answer)));
        let outcome = mirror::of_domain(&verdict);
        self.census.outcome(&outcome);
        same("the verdict", &outcome, &mirror::of_oracle(&answer, &before, &after))?;
        match (verdict, answer) {
            (Ok(Verdict::Append(decision)), Answer::Done { steps, .. }) => Ok(Some((*decision, steps))),
            _ => Ok(None),
        }
    }

    fn append(&mut self, command: Command, decision: Decision, steps: Vec<Step>) -> Result<(), String> {
        self.sequence += 1;
        let revision = self.sequence;
        let before = self.states.last().unwrap().clone();
        let folded = self.reference.decided(revision, self.clock, before, &decision);
        let after = decision.after.clone();
        let (tags, bot_paused, recent) = (after.tags.clone(), after.bot_paused, after.recent.clone());
        same("what its entries fold to", &State { tags, bot_paused, recent, ..folded }, &after)?;
        self.log.push(Event {
            revision,
            id: format!("decision-{revision}"),
            conversation: CONVERSATION.to_owned(),
            actor: command.actor.clone(),
            occur_time: self.clock,
            record_time: self.clock,
            what: What::Decided(decided(&decision)),
        });
        let made = Past { revision, command, time: decision.time.0, steps };
        self.census.decision(&self.past, &made, self.clock);
        self.past.push(made);
        self.states.push(decision.after.recorded_at(revision));
        self.compare_state()
    }

    /// The state that travels with the decision beside how things stand after all decisions.
    fn compare_state(&self) -> Result<(), String> {
        let state = self.states.last().unwrap();
        same("the state", &mirror::standing_of(state), &standing(&self.past))?;
        let remembered: Vec<_> = state.recent.iter().map(|recent| (recent.key.command, recent.revision)).collect();
        let last_64 = &self.past[self.past.len().saturating_sub(64)..];
        let expected: Vec<_> = last_64.iter().map(|past| (digest(&past.command.id), past.revision)).collect();
        same("the commands remembered", &remembered, &expected)?;
        same("the revision", &state.revision, &self.sequence)
    }

    /// The world tells something; an echo is followed by the system's pause (W12).
    fn fact(&mut self, dice: &mut Dice) -> Result<(), String> {
        let (what, ago) = self.invent_fact(dice);
        let facts = self.reference.facts.len() as u64;
        let again = dice.one_in(6) && facts > 0;
        let (id, what, occur_time) = if again {
            self.reference.facts[usize::try_from(dice.roll(facts)).unwrap()].clone()
        } else {
            (format!("fact-{facts}"), what, self.clock - ago)
        };
        self.sequence += 1;
        let event = Event {
            revision: self.sequence,
            id,
            conversation: CONVERSATION.to_owned(),
            actor: Actor::new(if what == What::Echoed { Kind::Agent } else { Kind::Customer }, ""),
            occur_time,
            record_time: self.clock,
            what,
        };
        if !again {
            self.reference.happened(&event, self.states.last().unwrap());
        }
        let echoed = event.what == What::Echoed;
        self.census.met(if again { "fact told again" } else { "fact" });
        self.tale.push(Told::Happened(event.clone()));
        self.log.push(event);
        if echoed { self.pause_by_system() } else { Ok(()) }
    }

    fn pause_by_system(&mut self) -> Result<(), String> {
        let command = Command {
            id: format!("echo-{}", self.sequence),
            actor: Actor::new(Kind::System, "system"),
            actions: vec![Action::Pause],
            expected_revision: None,
        };
        self.run(&command, Settings::default())?;
        same("paused after an echo", &self.states.last().unwrap().bot_paused, &true)
    }

    /// What, and how long ago: around the 5 minutes of W7, long ago, at the very time of a decision, or in the future.
    fn invent_fact(&self, dice: &mut Dice) -> (What, i64) {
        let what = match dice.roll(10) {
            0..=3 => What::Received,
            4 | 5 => What::Echoed,
            6 => What::BackFilled { inbound: dice.roll(2) == 0 },
            7 => What::Changed { target: "nowhere".to_owned(), backfilled: dice.one_in(2) },
            8 => What::Changed { target: "fact-0".to_owned(), backfilled: false },
            _ => What::ContactChanged,
        };
        let ago = match dice.roll(8) {
            0..=3 => SECOND * i64::try_from(dice.roll(300)).unwrap(),
            4 => 300 * SECOND + [0, 1][dice.roll(2) as usize],
            5 => SECOND * i64::try_from(dice.roll(10_000)).unwrap(),
            6 => dice.pick(&self.past).map_or(0, |past| self.clock - past.time),
            _ => -SECOND,
        };
        (what, ago)
    }
}

fn making(command: &Command, answer: &Answer) -> Option<Past> {
    let Answer::Done { time, steps } = answer else { return None };
    Some(Past { revision: 0, command: command.clone(), time: *time, steps: steps.clone() })
}

fn decided(decision: &Decision) -> Decided {
    let entry = |entry: &conversation::Entry| match entry {
        conversation::Entry::Message { id, .. } => Entry::Message(id.as_str().to_owned()),
        conversation::Entry::Note { id, .. } => Entry::Note(id.as_str().to_owned()),
        conversation::Entry::Stamp(stamp) => {
            Entry::Stamp(Stamp { actor: mirror::from_actor(&stamp.actor), time: stamp.time.0, mark: mark(&stamp.kind) })
        }
    };
    Decided {
        entries: decision.entries.iter().map(entry).collect(),
        tags_added: decision.tags_added.clone(),
        tags_removed: decision.tags_removed.clone(),
        bot_paused: decision.bot_change.map(|change| change == BotChange::Paused),
    }
}

fn mark(kind: &conversation::StampKind) -> Mark {
    use conversation::StampKind;
    match kind {
        StampKind::Opened { ticket, primary, topic } => Mark::Opened {
            ticket: ticket.to_string(),
            primary: primary.as_ref().map(ToString::to_string),
            topic: topic.clone(),
        },
        StampKind::Closed { ticket } => Mark::Closed { ticket: ticket.to_string() },
        StampKind::Assigned { assignee } => Mark::Assigned(mirror::from_assignee(assignee)),
        StampKind::Unassigned => Mark::Unassigned,
    }
}

/// Says what differs.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, domain: &T, oracle: &T) -> Result<(), String> {
    if domain == oracle { Ok(()) } else { Err(format!("{what}: the domain says\n{domain:?}\nthe oracle\n{oracle:?}")) }
}
