//! Which class of examples a text belongs to, and what speaks for it.

use std::collections::HashMap;

use super::features::{Traits, Vector, Vocabulary};
use super::linear::{Linear, softmax};

/// Nearest examples of a class that are looked at.
const NEAREST: usize = 3;
/// How much a difference in likeness tells where there is no linear classifier.
const SHARPNESS: f32 = 20.0;

/// Signs of how sure the class of a text is.
pub(super) const SIGNS: usize = 12;
/// What signs of one answer come to.
pub(super) type Signs = [f32; SIGNS];

/// What is learned from examples.
pub(super) struct Model {
    vocabulary: Vocabulary,
    linear: Option<Linear>,
    /// For each feature, the examples that have it.
    postings: Vec<Vec<(u32, f32)>>,
    classes: Vec<usize>,
    class_count: usize,
}

/// What a model makes of a text.
pub(super) struct Look {
    pub(super) class: usize,
    /// The example of that class that comes nearest, by its place.
    pub(super) nearest: Option<usize>,
    pub(super) signs: Signs,
}

/// What the examples of a class are like.
#[derive(Clone, Copy, Default)]
struct Likeness {
    best: [f32; NEAREST],
    nearest: Option<usize>,
}

impl Likeness {
    fn add(&mut self, likeness: f32, example: usize) {
        if likeness > self.best[0] {
            self.nearest = Some(example);
        }
        let mut rest = likeness;
        for best in &mut self.best {
            if rest > *best {
                std::mem::swap(best, &mut rest);
            }
        }
    }

    /// The mean of the nearest; a class with fewer examples is not blamed for that.
    #[allow(clippy::cast_precision_loss)] // a handful
    fn mean(&self, examples: usize) -> f32 {
        self.best.iter().sum::<f32>() / examples.clamp(1, NEAREST) as f32
    }
}

impl Model {
    /// Learns from texts of classes below `class_count`, not all of which need examples.
    pub(super) fn learn(texts: &[(&Traits, usize)], class_count: usize) -> Model {
        let traits: Vec<&Traits> = texts.iter().map(|(traits, _)| *traits).collect();
        let vocabulary = Vocabulary::of(&traits);
        let examples: Vec<(Vector, usize)> =
            texts.iter().map(|(traits, class)| (vocabulary.vector(traits).0, *class)).collect();
        let mut postings = vec![Vec::new(); vocabulary.len()];
        for (number, (vector, _)) in (0..).zip(&examples) {
            for (feature, value) in vector {
                if let Some(posting) = postings.get_mut(*feature as usize) {
                    posting.push((number, *value));
                }
            }
        }
        let linear = Linear::learn(&examples, vocabulary.len(), class_count);
        let classes = examples.into_iter().map(|(_, class)| class).collect();
        Model { vocabulary, linear, postings, classes, class_count }
    }

    /// What a text is taken for; `None` where nothing in it is known.
    pub(super) fn look(&self, traits: &Traits) -> Option<Look> {
        let (vector, known) = self.vocabulary.vector(traits);
        if vector.is_empty() {
            return None;
        }
        let likeness = self.likeness(&vector);
        let mean: HashMap<usize, f32> =
            likeness.iter().map(|(class, (like, examples))| (*class, like.mean(*examples))).collect();
        let mut by_likeness = vec![0.0; self.class_count];
        mean.iter().for_each(|(class, mean)| by_likeness[*class] = *mean);
        let logits = match &self.linear {
            Some(linear) => linear.logits(&vector),
            None => by_likeness.iter().map(|mean| mean * SHARPNESS).collect(),
        };
        let class = best(&logits)?;
        let mut shares = logits.clone();
        softmax(&mut shares);
        let (like, examples) = likeness.get(&class).copied().unwrap_or_default();
        let near = like.mean(examples);
        let logit = logits[class];
        let signs = [
            log_odds(shares[class]),
            logit,
            logit - other(&logits, class),
            near,
            near - other(&by_likeness, class),
            like.best[0],
            known[0],
            known[1],
            known[2],
            known[0] * near,
            known[0] * logit,
            f32::from(u8::from(best(&by_likeness) == Some(class))),
        ];
        Some(Look { class, nearest: like.nearest, signs })
    }

    /// How like the nearest example is, in 0..=1, by the share of the text that is known.
    pub(super) fn likeness_of(signs: &Signs) -> f32 {
        signs[5] * signs[6].sqrt()
    }

    /// How like a text the examples of each class are, and how many the class has; only classes that are at all.
    fn likeness(&self, vector: &Vector) -> HashMap<usize, (Likeness, usize)> {
        let mut all = vec![0.0; self.classes.len()];
        for (feature, value) in vector {
            for (example, weight) in self.postings.get(*feature as usize).into_iter().flatten() {
                all[*example as usize] += value * weight;
            }
        }
        let mut classes: HashMap<usize, (Likeness, usize)> = HashMap::new();
        for (example, (likeness, class)) in all.into_iter().zip(&self.classes).enumerate() {
            let (like, examples) = classes.entry(*class).or_default();
            *examples += 1;
            if likeness > 0.0 {
                like.add(likeness, example);
            }
        }
        classes
    }
}

fn best(values: &[f32]) -> Option<usize> {
    values.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(place, _)| place)
}

/// The most that speaks for any other; as much as for none at all where there is no other.
fn other(values: &[f32], class: usize) -> f32 {
    let others = values.iter().enumerate().filter(|(place, _)| *place != class);
    others.map(|(_, value)| *value).max_by(f32::total_cmp).unwrap_or(0.0)
}

fn log_odds(share: f32) -> f32 {
    let share = share.clamp(1e-5, 1.0 - 1e-5);
    (share / (1.0 - share)).ln()
}
