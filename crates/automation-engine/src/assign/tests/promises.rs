//! What holds whatever happens: histories of picks, decisions, refusals and retries, drawn at random.

use std::collections::BTreeMap;

use conversation::{Assignee, Time};
use proptest::prelude::{Just, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::Strategy as _;
use proptest::test_runner::Config;

use super::*;
use crate::assign::rotation::Reflected;
use crate::assign::{Settled, trigger};

const AGENTS: [&str; 4] = ["ana", "ben", "cem", "dov"];

#[derive(Clone, Debug)]
enum Event {
    /// A new conversation is picked for.
    Pick { least_open: bool },
    /// A pick that was not settled yet is asked for again.
    Retry(usize),
    /// It is decided, or refused.
    Settle(usize, bool),
    /// A human takes a conversation while its pick is being decided.
    Overtake(usize),
    /// A conversation that somebody holds is closed.
    Close(usize),
    /// The oldest decision that the rotation has not heard of reaches it, or that of another conversation does.
    Hear(usize),
    /// What waits is given away.
    Drain,
    /// Somebody comes or goes.
    Presence(usize, bool),
}

fn event() -> impl proptest::strategy::Strategy<Value = Event> {
    prop_oneof![
        4 => any::<bool>().prop_map(|least_open| Event::Pick { least_open }),
        2 => any::<usize>().prop_map(Event::Retry),
        4 => (any::<usize>(), prop::bool::weighted(0.8)).prop_map(|(nth, decided)| Event::Settle(nth, decided)),
        1 => any::<usize>().prop_map(Event::Overtake),
        2 => any::<usize>().prop_map(Event::Close),
        5 => any::<usize>().prop_map(Event::Hear),
        2 => Just(Event::Drain),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(nth, online)| Event::Presence(nth, online)),
    ]
}

/// A pick that waits for its decision.
#[derive(Clone)]
struct Open {
    ask: Ask,
    chosen: Chosen,
}

/// The rotation, and the truth beside it.
struct World {
    rotation: Rotation,
    capacities: Vec<u32>,
    online: Vec<bool>,
    open: Vec<Open>,
    /// Who holds each conversation, and since which revision.
    truth: BTreeMap<String, (u64, Option<Assignee>)>,
    /// Decisions that the rotation has not heard of, by conversation.
    unheard: BTreeMap<String, Vec<Reflected>>,
    revision: u64,
    conversations: usize,
}

impl World {
    fn new(capacities: Vec<u32>) -> World {
        World {
            rotation: Rotation::default(),
            online: vec![true; capacities.len()],
            capacities,
            open: Vec::new(),
            truth: BTreeMap::new(),
            unheard: BTreeMap::new(),
            revision: 0,
            conversations: 0,
        }
    }

    fn staff(&self) -> Staff {
        let agents = AGENTS.iter().zip(&self.capacities).zip(&self.online);
        staff(&agents.map(|((id, capacity), online)| (*id, *capacity, *online)).collect::<Vec<_>>())
    }

    /// Appends a decision to the log.
    fn decide(&mut self, conversation: &str, assignee: Option<Assignee>, closed: bool) -> u64 {
        self.revision += 1;
        self.truth.insert(conversation.to_owned(), (self.revision, assignee.clone()));
        let told = Reflected {
            conversation: conversation.to_owned(),
            revision: self.revision,
            assigned: assignee.is_some(),
            assignee,
            open: !closed,
            closed,
        };
        self.unheard.entry(conversation.to_owned()).or_default().push(told);
        self.revision
    }

    fn truly_held(&self, agent: &str) -> usize {
        let holds =
            |(_, assignee): &&(u64, Option<Assignee>)| assignee.as_ref().and_then(Assignee::agent) == Some(agent);
        self.truth.values().filter(holds).count()
    }

    fn happen(&mut self, event: &Event) {
        let staff = self.staff();
        match event {
            Event::Pick { least_open } => {
                self.conversations += 1;
                let name = format!("c{}", self.conversations);
                let of = TEAM.to_owned();
                let strategy = if *least_open { Strategy::LeastOpen { team: of } } else { round_robin() };
                let ask = ask(&name, &format!("run {name}"), 0, spec(strategy, true, queue()));
                let chosen = pick(&mut self.rotation, &staff, &ask);
                self.open.push(Open { ask, chosen });
            }
            Event::Retry(nth) if !self.open.is_empty() => self.retry(nth % self.open.len(), &staff),
            Event::Overtake(nth) if !self.open.is_empty() => {
                let name = self.open[nth % self.open.len()].ask.conversation.as_str().to_owned();
                self.decide(&name, Assignee::from_ids("human", ""), false);
            }
            Event::Settle(nth, true) if self.is_overtaken(*nth) => self.retry(nth % self.open.len(), &staff),
            Event::Settle(nth, decided) if !self.open.is_empty() => {
                let Open { ask, chosen } = self.open.remove(nth % self.open.len());
                let id = trigger(&ask.trigger);
                let assignee = match &chosen {
                    Chosen::Agent(assignee) => assignee.clone(),
                    Chosen::Queued { team } => Assignee::Team(team.clone()),
                    Chosen::Nobody => return,
                };
                if *decided {
                    let revision = self.decide(ask.conversation.as_str(), Some(assignee), false);
                    self.rotation.settle(id, Settled::Decided(revision));
                } else {
                    self.rotation.settle(id, Settled::Refused);
                }
            }
            Event::Close(nth) => {
                let held = self.truth.iter().filter(|(_, (_, assignee))| assignee.is_some());
                let held: Vec<String> = held.map(|(id, _)| id.clone()).collect();
                if !held.is_empty() {
                    self.decide(&held[nth % held.len()], None, true);
                }
            }
            Event::Hear(nth) if !self.unheard.is_empty() => {
                let name = self.unheard.keys().nth(nth % self.unheard.len()).unwrap().clone();
                let told = self.unheard.get_mut(&name).unwrap().remove(0);
                self.rotation.reflect(&told);
                self.rotation.reflect(&told);
                self.unheard.retain(|_, left| !left.is_empty());
            }
            Event::Drain => self.drain(&staff),
            Event::Presence(nth, online) => {
                let nth = nth % self.online.len();
                self.online[nth] = *online;
            }
            _ => {}
        }
    }

    fn revision_of(&self, ask: &Ask) -> u64 {
        self.truth.get(ask.conversation.as_str()).map_or(0, |(revision, _)| *revision)
    }

    /// Whether a pick can't be decided any more on the state that it was made on.
    fn is_overtaken(&self, nth: usize) -> bool {
        let open = self.open.get(nth.checked_rem(self.open.len()).unwrap_or(0));
        open.is_some_and(|open| self.revision_of(&open.ask) > open.ask.base)
    }

    /// Asks again, on the state as it is by now.
    fn retry(&mut self, nth: usize, staff: &Staff) {
        let overtaken = self.is_overtaken(nth);
        let Open { mut ask, chosen } = self.open[nth].clone();
        ask.base = self.revision_of(&ask);
        let again = pick(&mut self.rotation, staff, &ask);
        // Who was overtaken has lost the reservation, and the agent may be full by now.
        assert!(overtaken || again == chosen, "a retry picks the same");
        self.open[nth] = Open { ask, chosen: again };
    }

    fn drain(&mut self, staff: &Staff) {
        for (team, queued) in self.rotation.ready(staff, Time::default(), 256) {
            let name = queued.conversation.clone();
            let Some((revision, Some(Assignee::Team(holder)))) = self.truth.get(&name).cloned() else { continue };
            assert_eq!(holder, team);
            let Some(agent) = self.rotation.offer(&team, &name, revision, staff, Time::default()) else { continue };
            assert!(self.online[AGENTS.iter().position(|id| *id == agent).unwrap()], "given to somebody who is there");
            let decided = self.decide(&name, Assignee::from_ids(&agent, &team), false);
            self.rotation.taken(&team, &name, &agent, queued.drain_trigger(revision), decided);
        }
    }

    fn check(&self) {
        for (agent, capacity) in AGENTS.iter().zip(&self.capacities).filter(|(_, capacity)| **capacity > 0) {
            let most = usize::try_from(*capacity).unwrap();
            assert!(self.rotation.held_by(agent) <= most, "{agent} is thought to hold more than {most}");
            assert!(self.truly_held(agent) <= most, "{agent} holds more than {most}");
        }
    }

    /// Everything that was begun ends: then the rotation says what is true.
    fn end(&mut self) {
        while !self.open.is_empty() {
            self.happen(&Event::Settle(0, true));
        }
        while !self.unheard.is_empty() {
            self.happen(&Event::Hear(0));
        }
        for agent in AGENTS {
            assert_eq!(self.rotation.held_by(agent), self.truly_held(agent), "what {agent} holds");
        }
        let waits = |(_, assignee): &&(u64, Option<Assignee>)| matches!(assignee, Some(Assignee::Team(_)));
        let waiting = self.truth.values().filter(waits).count();
        let queued = self.rotation.teams.get(TEAM).map_or(0, |turns| turns.queue.len());
        assert_eq!(queued, waiting, "what waits");
    }
}

fn cases() -> Config {
    Config { cases: u32::try_from(testkit::count("rotation-cases", 300, 20_000)).unwrap(), ..Config::default() }
}

proptest! {
    #![proptest_config(cases())]

    /// No capacity is ever overshot, in the rotation or in truth; retries get the same; and in the end both agree.
    #[test]
    fn capacity_is_never_overshot(
        capacities in prop::collection::vec(0_u32..4, AGENTS.len()),
        events in prop::collection::vec(event(), 1..150),
    ) {
        let mut world = World::new(capacities);
        for event in &events {
            world.happen(event);
            world.check();
        }
        world.end();
    }

    /// Agents who are always there get as many conversations as each other, give or take one, whatever is refused.
    #[test]
    fn turns_are_fair(refused in prop::collection::vec((any::<bool>(), any::<usize>(), prop::bool::weighted(0.3)), 1..200)) {
        let staff = staff(&AGENTS.map(|id| (id, 0, true)));
        let (mut rotation, mut open) = (Rotation::default(), Vec::new());
        let mut got: BTreeMap<String, i64> = AGENTS.iter().map(|id| ((*id).to_owned(), 0)).collect();
        let mut revision = 0;
        let mut settle = |rotation: &mut Rotation, (id, agent): (u64, String), refuse: bool| {
            revision += 1;
            let settled = if refuse { Settled::Refused } else { Settled::Decided(revision) };
            rotation.settle(id, settled);
            *got.get_mut(&agent).unwrap() += i64::from(!refuse);
        };
        for (n, (now, nth, refuse)) in refused.into_iter().enumerate() {
            let ask = ask(&format!("c{n}"), &format!("t{n}"), 0, spec(round_robin(), true, Fallback::Unassigned));
            let chosen = pick(&mut rotation, &staff, &ask);
            open.push((trigger(&ask.trigger), agent_of(&chosen).unwrap().to_owned()));
            if now {
                let one = open.remove(nth % open.len());
                settle(&mut rotation, one, refuse);
            }
        }
        for one in open {
            settle(&mut rotation, one, false);
        }
        // Turns that are still owed are taken before any other.
        for n in 0..rotation.teams[TEAM].owed.len() {
            let ask = ask(&format!("d{n}"), &format!("d{n}"), 0, spec(round_robin(), true, Fallback::Unassigned));
            let chosen = pick(&mut rotation, &staff, &ask);
            settle(&mut rotation, (trigger(&ask.trigger), agent_of(&chosen).unwrap().to_owned()), false);
        }
        let (least, most) = (got.values().min().unwrap(), got.values().max().unwrap());
        prop_assert!(most - least <= 1, "{got:?}");
    }

    /// A pick that was refused is made for the same agent next.
    #[test]
    fn who_was_refused_is_next(before in 0_usize..10, waiting in 0_usize..5) {
        let staff = staff(&AGENTS.map(|id| (id, 0, true)));
        let mut rotation = Rotation::default();
        let next = |rotation: &mut Rotation, name: &str| {
            let ask = ask(name, name, 0, spec(round_robin(), true, Fallback::Unassigned));
            agent_of(&pick(rotation, &staff, &ask)).unwrap().to_owned()
        };
        (0..before).for_each(|n| drop(next(&mut rotation, &format!("b{n}"))));
        let refused = next(&mut rotation, "refused");
        (0..waiting).for_each(|n| drop(next(&mut rotation, &format!("w{n}"))));
        rotation.settle(trigger("refused"), Settled::Refused);
        prop_assert_eq!(next(&mut rotation, "next"), refused);
    }
}
