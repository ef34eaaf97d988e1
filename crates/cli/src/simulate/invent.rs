//! Stories for load: put together by dice, so that a seed makes the same ones for ever.

use proto::v1;

use super::phrases::{ANSWERS, CHOICES, EMOJI, NAMES, NOTES, QUESTIONS, REMARKS, TAGS, TEAMS, TOPICS};
use super::story::{Act, Said, Speaker, Step, Story};

/// Shares of what happens in answered stories.
const NESTED: f64 = 0.2;
const NOTED: f64 = 0.2;
const TAGGED: f64 = 0.1;
const LEFT_OPEN: f64 = 0.15;

/// What a customer of load is called.
pub(super) fn name(customer: u32) -> &'static str {
    NAMES[customer as usize % NAMES.len()]
}

/// One story. `left_open` says whether the last one left tickets open, and is told what this one does.
pub(super) fn story(dice: &mut fastrand::Rng, unanswered: f64, left_open: &mut bool) -> Story {
    let mut steps = vec![Step::Customer(Said::Text(pick(dice, QUESTIONS)))];
    for _ in 0..dice.u8(0..3) {
        steps.push(Step::Customer(said(dice)));
    }
    if dice.f64() >= unanswered {
        answered(dice, &mut steps, left_open);
    }
    Story { steps }
}

fn answered(dice: &mut fastrand::Rng, steps: &mut Vec<Step>, left_open: &mut bool) {
    let agent = agent(dice);
    let opener = match dice.u8(0..20) {
        0..12 => agent.clone(),
        12..17 => Speaker::bot(),
        _ => Speaker::rule("open-on-question"),
    };
    let mut act = |who: &Speaker, act| steps.push(Step::Business(who.clone(), act));
    act(&opener, Act::Open { topic: pick(dice, TOPICS), assignee: assignee(dice, &agent) });
    act(&agent, Act::Say(pick(dice, ANSWERS)));
    if dice.f64() < NOTED {
        act(&agent, Act::Note(pick(dice, NOTES)));
    }
    if dice.f64() < TAGGED {
        act(&agent, Act::Tag(pick(dice, TAGS)));
    }
    steps.push(Step::Customer(said(dice)));
    if dice.f64() < NESTED {
        nested(dice, &agent, steps);
    }
    steps.push(Step::Business(agent.clone(), Act::Say(pick(dice, ANSWERS))));
    // What one story leaves open the next one closes, so that tickets do not pile up.
    if *left_open || dice.f64() >= LEFT_OPEN {
        let close = if *left_open { Act::CloseAll } else { Act::Close };
        steps.push(Step::Business(agent, close));
        *left_open = false;
    } else {
        *left_open = true;
    }
}

fn nested(dice: &mut fastrand::Rng, agent: &Speaker, steps: &mut Vec<Step>) {
    let colleague = self::agent(dice);
    steps.push(Step::Business(agent.clone(), Act::Open { topic: pick(dice, TOPICS), assignee: None }));
    steps.push(Step::Customer(said(dice)));
    if dice.bool() {
        let to = v1::Assignee { agent_id: colleague.id.clone(), team_id: pick(dice, TEAMS) };
        steps.push(Step::Business(agent.clone(), Act::Assign(to)));
    }
    steps.push(Step::Business(colleague.clone(), Act::Say(pick(dice, ANSWERS))));
    steps.push(Step::Business(colleague, Act::Close));
}

fn assignee(dice: &mut fastrand::Rng, agent: &Speaker) -> Option<v1::Assignee> {
    let (own, team) = (agent.id.clone(), pick(dice, TEAMS));
    match dice.u8(0..4) {
        0 => None,
        1 => Some(v1::Assignee { agent_id: own, team_id: String::new() }),
        2 => Some(v1::Assignee { agent_id: String::new(), team_id: team }),
        _ => Some(v1::Assignee { agent_id: own, team_id: team }),
    }
}

fn said(dice: &mut fastrand::Rng) -> Said {
    match dice.u8(0..100) {
        0..76 => Said::Text(pick(dice, REMARKS)),
        76..83 => Said::Image(pick(dice, REMARKS)),
        83..86 => Said::Voice,
        86..89 => Said::Location {
            name: "Café Central".to_owned(),
            address: "Plaza Nueva 3, Sevilla".to_owned(),
            latitude: 37.0 + dice.f64(),
            longitude: -6.0 + dice.f64(),
        },
        89..93 => Said::Button(pick(dice, CHOICES)),
        93..96 => Said::Row(pick(dice, CHOICES)),
        _ => Said::Reaction(pick(dice, EMOJI)),
    }
}

fn agent(dice: &mut fastrand::Rng) -> Speaker {
    let [ana, ben, chloe] = Speaker::agents();
    match dice.u8(0..3) {
        0 => ana,
        1 => ben,
        _ => chloe,
    }
}

fn pick(dice: &mut fastrand::Rng, from: &[&str]) -> String {
    from[dice.usize(0..from.len())].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_the_same_stories_for_ever() {
        let tell = |seed| {
            let (mut dice, mut left_open) = (fastrand::Rng::with_seed(seed), false);
            (0..50).map(|_| story(&mut dice, 0.3, &mut left_open)).collect::<Vec<_>>()
        };
        assert_eq!(tell(7), tell(7));
        assert_ne!(tell(7), tell(8));
    }

    #[test]
    fn the_unanswered_share_is_kept_and_tickets_do_not_pile_up() {
        let (mut dice, mut left_open) = (fastrand::Rng::with_seed(1), false);
        let (mut unanswered, mut open, mut most) = (0, 0, 0);
        for _ in 0..2_000 {
            let story = story(&mut dice, 0.3, &mut left_open);
            unanswered += usize::from(!story.steps.iter().any(|step| matches!(step, Step::Business(..))));
            for step in &story.steps {
                match step {
                    Step::Business(_, Act::Open { .. }) => open += 1,
                    Step::Business(_, Act::Close) => open -= 1,
                    Step::Business(_, Act::CloseAll) => open = 0,
                    _ => {}
                }
                most = most.max(open);
            }
        }
        assert!((540..660).contains(&unanswered), "{unanswered}");
        assert!((2..=4).contains(&most), "{most}");
    }
}
