//! Trials with held-out texts: the knowledge examines itself.
//!
//! In each round a part of the classes is left out as a whole: what it holds stands for what customers ask and the bot
//! does not know, and comes as close to the known as such questions do. Of the other classes some examples are held out,
//! to see whether they find their class. Classes with few examples can't spare one: there a text with words lost and
//! words of others mixed in stands for how a customer would put it.

use super::calibrate::Trial;
use super::features::{Traits, traits};
use super::model::{Model, SIGNS};
use super::words::Languages;

/// Rounds; each holds out every third class and every tenth example.
const ROUNDS: usize = 3;
/// Parts that the examples of a class fall into; one is held out in a round.
const PARTS: usize = 10;
/// Examples from which on a class can spare some.
const SPARE: usize = 4;
/// Of the words of a text, the share that is lost when it stands for another wording.
const LOST: f64 = 0.5;
/// For each word of a text, the chance that a word of another text comes in.
const MIXED: f64 = 0.5;
/// Examples that trials are held with: enough for three digits, and few enough for seconds.
const MOST: usize = 20_000;

/// An example: the text, what it is made of, and its class.
pub(super) struct Example {
    pub(super) text: String,
    pub(super) traits: Traits,
    pub(super) class: usize,
}

/// What every round shares.
struct Trials<'a> {
    examples: Vec<&'a Example>,
    /// The round in which a class is left out.
    class_round: Vec<usize>,
    /// The part of its class that an example falls into, and whether the class can spare it.
    parts: Vec<(usize, bool)>,
    languages: &'a Languages,
}

/// Holds trials.
pub(super) fn hold(examples: &[Example], class_count: usize, languages: &Languages) -> Vec<Trial<SIGNS>> {
    let mut chance = fastrand::Rng::with_seed(7);
    let step = examples.len().div_ceil(MOST).max(1);
    let examples: Vec<&Example> = examples.iter().step_by(step).collect();
    let mut order: Vec<usize> = (0..class_count).collect();
    chance.shuffle(&mut order);
    let mut class_round = vec![0; class_count];
    order.iter().enumerate().for_each(|(place, class)| class_round[*class] = place % ROUNDS);
    let mut sizes = vec![0; class_count];
    examples.iter().for_each(|example| sizes[example.class] += 1);
    let mut seen = vec![0; class_count];
    let mut places: Vec<usize> = (0..examples.len()).collect();
    chance.shuffle(&mut places);
    let mut parts = vec![(0, false); examples.len()];
    for place in places {
        let class = examples[place].class;
        parts[place] = (seen[class] % PARTS, sizes[class] >= SPARE);
        seen[class] += 1;
    }
    let trials = Trials { examples, class_round, parts, languages };
    let trials = &trials;
    std::thread::scope(|scope| {
        let rounds: Vec<_> = (0..ROUNDS).map(|round| scope.spawn(move || trials.round(round, class_count))).collect();
        rounds.into_iter().flat_map(|round| round.join().unwrap_or_default()).collect()
    })
}

impl Trials<'_> {
    fn round(&self, round: usize, class_count: usize) -> Vec<Trial<SIGNS>> {
        let left_out = |example: &Example| self.class_round[example.class] == round;
        let held_out = |(part, spare): (usize, bool)| spare && part == round;
        let all = || self.examples.iter().copied().zip(self.parts.iter().copied());
        let kept = all().filter(|(example, part)| !left_out(example) && !held_out(*part));
        let kept: Vec<(&Traits, usize)> = kept.map(|(example, _)| (&example.traits, example.class)).collect();
        let model = Model::learn(&kept, class_count);
        let mut chance = fastrand::Rng::with_seed(round as u64);
        let mut trials = Vec::new();
        for (example, (part, spare)) in all() {
            let known = !left_out(example);
            let mut hold = |traits: &Traits| {
                if let Some(look) = model.look(traits) {
                    trials.push(Trial { signs: look.signs, right: known && look.class == example.class, known });
                }
            };
            match spare {
                true if part == round => hold(&example.traits),
                true => {}
                false => {
                    hold(&traits(&self.otherwise(example, &mut chance), self.languages));
                    if !known {
                        hold(&example.traits);
                    }
                }
            }
        }
        trials
    }

    /// A text in other words, as far as that can be had: some are lost, and some of other texts come in.
    fn otherwise(&self, example: &Example, chance: &mut fastrand::Rng) -> String {
        let mut said = Vec::new();
        for word in example.text.split_whitespace() {
            if chance.f64() >= LOST {
                said.push(word);
            }
            if chance.f64() < MIXED {
                let other = chance.choice(&self.examples).map_or("", |other| other.text.as_str());
                said.extend(chance.choice(other.split_whitespace().collect::<Vec<_>>()));
            }
        }
        said.join(" ")
    }
}
