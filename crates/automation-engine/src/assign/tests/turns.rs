use conversation::{Assignee, Time};

use super::*;
use crate::assign::rotation::Reflected;
use crate::assign::wire::{from_wire, to_wire};
use crate::assign::{Settled, trigger};

/// Who is picked for conversations c0, c1, … in a row.
fn in_a_row(rotation: &mut Rotation, staff: &Staff, count: usize, spec: &Spec) -> Vec<String> {
    let picked = (0..count).map(|n| pick(rotation, staff, &ask(&format!("c{n}"), &format!("t{n}"), 0, spec.clone())));
    picked.map(|chosen| agent_of(&chosen).unwrap_or("-").to_owned()).collect()
}

fn told(conversation: &str, revision: u64, assignee: Option<Assignee>) -> Reflected {
    let assigned = assignee.is_some();
    Reflected { conversation: conversation.to_owned(), revision, assignee, open: true, assigned, closed: false }
}

#[test]
fn turns_go_round_past_those_who_are_not_there_or_are_full() {
    let staff = staff(&[("ana", 0, true), ("ben", 0, false), ("cem", 1, true), ("dov", 0, true)]);
    let spec = spec(round_robin(), true, Fallback::Unassigned);
    assert_eq!(in_a_row(&mut Rotation::default(), &staff, 5, &spec), ["ana", "cem", "dov", "ana", "dov"]);
}

#[test]
fn the_least_loaded_is_chosen_and_of_several_whose_turn_it_is() {
    let staff = staff(&[("ana", 0, true), ("ben", 0, true), ("cem", 0, true)]);
    let mut rotation = Rotation::default();
    rotation.reflect(&told("x", 1, Assignee::from_ids("ana", "")));
    let spec = spec(Strategy::LeastOpen { team: TEAM.to_owned() }, true, Fallback::Unassigned);
    assert_eq!(in_a_row(&mut rotation, &staff, 4, &spec), ["ben", "cem", "ana", "ben"]);
}

#[test]
fn steps_are_tried_in_order_and_then_the_fallback() {
    let staff = staff(&[("ana", 1, true), ("ben", 1, false)]);
    let sticky = |agent: Option<&str>| Strategy::Sticky { agent: agent.map(str::to_owned), team: None };
    let step = |strategy, only_online| Step { strategy, only_online };
    let default = Strategy::Default { team: TEAM.to_owned() };
    let mut rotation = Rotation::default();
    let mut choose = |conversation: &str, steps: Vec<Step>, fallback| {
        pick(&mut rotation, &staff, &ask(conversation, conversation, 0, Spec { steps, fallback, capacity: None }))
    };
    let nobody_had_it = vec![step(sticky(None), false), step(sticky(Some("ana")), true)];
    assert_eq!(choose("c1", nobody_had_it, queue()), Chosen::Agent(Assignee::Agent("ana".to_owned())));
    let full_then_away = vec![step(sticky(Some("ana")), true), step(default.clone(), true)];
    assert_eq!(choose("c2", full_then_away, Fallback::Unassigned), Chosen::Nobody);
    assert_eq!(choose("c3", vec![step(default.clone(), false)], queue()), member("ben"), "the default assignee");
    assert_eq!(choose("c4", vec![step(default, false)], queue()), Chosen::Queued { team: TEAM.to_owned() });
    let gone = Fallback::TeamQueue { team: "gone".to_owned() };
    assert_eq!(choose("c5", Vec::new(), gone), Chosen::Nobody);
}

#[test]
fn a_choice_says_why() {
    let staff = staff(&[("ana", 1, true), ("ben", 0, false), ("cem", 0, true)]);
    let mut rotation = Rotation::default();
    rotation.reflect(&told("x", 1, Assignee::from_ids("ana", "")));
    let ask = ask("c1", "t1", 0, spec(round_robin(), true, queue()));
    let (_, why) = rotation.pick(&ask, trigger("t1"), &staff, Time::default());
    assert_eq!(why, "round_robin in billing: cem, whose turn it is (ana holds 1 of 1, ben is not online)");
}

#[test]
fn an_agent_of_two_teams_has_one_capacity() {
    let mut staff = staff(&[("ana", 2, true)]);
    put_team(&mut staff, "sales", &["ana"]);
    let mut rotation = Rotation::default();
    let sales = spec(Strategy::RoundRobin { team: "sales".to_owned() }, true, Fallback::Unassigned);
    assert!(agent_of(&pick(&mut rotation, &staff, &ask("c1", "t1", 0, sales.clone()))).is_some());
    let billing = spec(round_robin(), true, Fallback::Unassigned);
    assert!(agent_of(&pick(&mut rotation, &staff, &ask("c2", "t2", 0, billing.clone()))).is_some());
    assert_eq!(pick(&mut rotation, &staff, &ask("c3", "t3", 0, billing)), Chosen::Nobody);
    assert_eq!(pick(&mut rotation, &staff, &ask("c4", "t4", 0, sales)), Chosen::Nobody);
}

#[test]
fn who_waits_comes_before_who_asks() {
    let full = staff(&[("ana", 1, true)]);
    let mut rotation = Rotation::default();
    let spec = spec(round_robin(), true, queue());
    assert_eq!(in_a_row(&mut rotation, &full, 2, &spec), ["ana", "-"]);
    let more = staff(&[("ana", 2, true)]);
    assert_eq!(agent_of(&pick(&mut rotation, &more, &ask("c2", "t2", 0, spec.clone()))), None, "c1 is first");
    assert_eq!(rotation.offer(TEAM, "c1", 5, &more, Time::default()).as_deref(), Some("ana"));
    assert_eq!(rotation.offer(TEAM, "c1", 5, &more, Time::default()).as_deref(), Some("ana"), "the same again");
    assert_eq!(rotation.offer(TEAM, "c2", 5, &more, Time::default()), None);
    let even_more = staff(&[("ana", 5, true)]);
    assert_eq!(agent_of(&pick(&mut rotation, &even_more, &ask("c3", "t3", 0, spec))), Some("ana"), "room for both");
}

#[test]
fn the_newest_decision_counts_in_whatever_order_decisions_come() {
    let agent = |id: &str| Assignee::from_ids(id, "");
    let mut rotation = Rotation::default();
    rotation.reflect(&told("c", 3, agent("ben")));
    rotation.reflect(&told("c", 3, agent("ben")));
    assert_eq!((rotation.held_by("ana"), rotation.held_by("ben")), (0, 1));
    rotation.reflect(&told("c", 5, agent("ana")));
    assert_eq!((rotation.held_by("ana"), rotation.held_by("ben")), (1, 0));
    rotation.reflect(&told("c", 4, None));
    assert_eq!(rotation.held_by("ana"), 1, "an older one changes nothing");
    let closed = Reflected { open: false, assigned: false, closed: true, ..told("c", 6, agent("ana")) };
    rotation.reflect(&closed);
    assert_eq!(rotation.held_by("ana"), 0, "still assigned, but nothing is open any more");
}

#[test]
fn a_reservation_ends_with_the_next_decision_unless_that_is_its_own() {
    let staff = staff(&[("ana", 1, true)]);
    let mut rotation = Rotation::default();
    let first = ask("c", "t", 4, spec(round_robin(), true, queue()));
    assert_eq!(pick(&mut rotation, &staff, &first), member("ana"));
    rotation.reflect(&told("c", 3, None));
    assert_eq!(rotation.held_by("ana"), 1, "that was before");
    rotation.reflect(&told("c", 5, Assignee::from_ids("human", "")));
    assert_eq!(rotation.held_by("ana"), 0, "somebody else took it");
    assert_eq!(pick(&mut rotation, &staff, &Ask { base: 5, ..first }), member("ana"), "evaluated again");
    rotation.settle(trigger("t"), Settled::Decided(6));
    rotation.reflect(&told("c", 6, Assignee::from_ids("ana", TEAM)));
    assert_eq!((rotation.held_by("ana"), rotation.held_by("human")), (1, 0));
}

#[test]
fn a_retry_of_what_was_decided_long_ago_takes_no_load() {
    let staff = staff(&[("ana", 1, true)]);
    let mut rotation = Rotation::default();
    let ask = ask("c", "t", 4, spec(round_robin(), true, queue()));
    pick(&mut rotation, &staff, &ask);
    rotation.settle(trigger("t"), Settled::Decided(5));
    rotation.reflect(&told("c", 6, None));
    assert_eq!(pick(&mut rotation, &staff, &Ask { base: 6, ..ask }), member("ana"));
    rotation.settle(trigger("t"), Settled::Decided(5));
    assert_eq!(rotation.held_by("ana"), 0);
}

#[test]
fn what_waits_is_dequeued_by_a_human_and_by_a_refusal() {
    let nobody = staff(&[("ana", 1, false)]);
    let mut rotation = Rotation::default();
    let spec = spec(round_robin(), true, queue());
    assert_eq!(in_a_row(&mut rotation, &nobody, 3, &spec), ["-", "-", "-"]);
    let waiting = |rotation: &Rotation| -> Vec<String> {
        rotation.teams[TEAM].queue.iter().map(|queued| queued.conversation.clone()).collect()
    };
    rotation.reflect(&told("c0", 1, Assignee::from_ids("", TEAM)));
    assert_eq!(waiting(&rotation), ["c0", "c1", "c2"], "assigned to the team: it waits");
    rotation.reflect(&told("c0", 2, Assignee::from_ids("human", "")));
    rotation.settle(trigger("t1"), Settled::Refused);
    rotation.settle(trigger("t1"), Settled::Refused);
    assert_eq!(waiting(&rotation), ["c2"]);
    assert!(rotation.ready(&Staff::default(), Time::default(), 9).is_empty());
    assert_eq!(waiting(&rotation), ["c2"], "a team that is not known yet may be known soon");
    rotation.end_team(TEAM, Time::from_seconds(0));
    assert_eq!(waiting(&rotation), ["c2"], "it came after the team was gone");
    rotation.end_team(TEAM, Time::from_seconds(2));
    assert!(rotation.teams.is_empty(), "nobody waits for a team that is gone");
}

#[test]
fn the_bucket_gives_back_what_it_was_given() {
    let staff = staff(&[("ana", 1, true), ("ben", 1, false)]);
    let mut rotation = Rotation::default();
    in_a_row(&mut rotation, &staff, 3, &spec(round_robin(), true, queue()));
    rotation.settle(trigger("t0"), Settled::Refused);
    rotation.reflect(&told("x", 7, Assignee::from_ids("ben", "")));
    rotation.changed = false;
    assert_eq!(from_wire(to_wire(&rotation)), rotation);
}

#[test]
fn picks_that_were_not_decided_are_remembered_the_longest() {
    let staff = staff(&[("ana", 0, true), ("ben", 0, true)]);
    let mut rotation = Rotation::default();
    let spec = spec(round_robin(), true, Fallback::Unassigned);
    let first = ask("first", "first", 0, spec.clone());
    assert_eq!(pick(&mut rotation, &staff, &first), member("ana"));
    for n in 0..3_000_u64 {
        pick(&mut rotation, &staff, &ask(&format!("c{n}"), &format!("t{n}"), 0, spec.clone()));
        rotation.settle(trigger(&format!("t{n}")), Settled::Decided(n + 1));
    }
    assert!(rotation.picks.len() <= crate::assign::rotation::MAX_DECIDED + 3);
    assert_eq!(pick(&mut rotation, &staff, &first), member("ana"), "3,001 turns later");
}

#[test]
fn a_capacity_of_the_rule_stands_in_for_the_agents_own() {
    let staff = staff(&[("ann", 5, true), ("ben", 5, true)]);
    let mut rotation = Rotation::default();
    let narrow = || Spec { capacity: Some(1), ..spec(round_robin(), true, queue()) };
    let chosen: Vec<Chosen> =
        ["c1", "c2", "c3"].iter().map(|id| pick(&mut rotation, &staff, &ask(id, id, 0, narrow()))).collect();
    assert_eq!(chosen[..2], [member("ann"), member("ben")]);
    assert_eq!(chosen[2], Chosen::Queued { team: TEAM.to_owned() }, "each holds one");
    assert!(rotation.ready(&staff, Time::from_seconds(2), 10).is_empty(), "it waits under the same bound");
    rotation.settle(super::super::trigger("c1"), crate::assign::Settled::Refused);
    assert_eq!(rotation.ready(&staff, Time::from_seconds(2), 10).len(), 1);
    let wide = Spec { capacity: None, ..narrow() };
    assert!(matches!(pick(&mut rotation, &staff, &ask("c4", "c4", 0, wide)), Chosen::Agent(_)));
}
