//! A linear classifier: logistic regression over all classes at once.

use super::features::Vector;

/// Passes over the examples: more change nothing that held-out examples show.
const PASSES: usize = 12;
/// Steps that few examples get all the same.
const LEAST_STEPS: usize = 6_000;
/// The first step's length; it falls to nothing by the last.
const RATE: f32 = 3.0;
/// How fast weights that nothing holds up go down.
const DECAY: f32 = 1e-5;
/// Weights at most (96 MiB): beyond, there is no linear classifier.
const MOST_WEIGHTS: usize = 24 << 20;
/// Examples times classes at most, which takes some seconds: beyond, there is none either.
const MOST_WORK: usize = 6_000_000;

/// Weights for each feature and class.
pub(super) struct Linear {
    classes: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    /// Learns from examples of classes below `classes`; `None` where that would take too long or too much.
    #[allow(clippy::cast_precision_loss)] // passes
    pub(super) fn learn(examples: &[(Vector, usize)], features: usize, classes: usize) -> Option<Linear> {
        let weights = features.checked_mul(classes).filter(|weights| *weights <= MOST_WEIGHTS)?;
        if examples.is_empty() || examples.len() * classes > MOST_WORK {
            return None;
        }
        let mut linear = Linear { classes, weights: vec![0.0; weights], bias: vec![0.0; classes] };
        let passes = PASSES.max((LEAST_STEPS / examples.len()).min(8 * PASSES));
        let mut order: Vec<&(Vector, usize)> = examples.iter().collect();
        // The same knowledge has to give the same model.
        let mut chance = fastrand::Rng::with_seed(1);
        for pass in 0..passes {
            chance.shuffle(&mut order);
            let rate = RATE * (1.0 - pass as f32 / passes as f32);
            order.iter().for_each(|(vector, class)| linear.step(vector, *class, rate));
        }
        Some(linear)
    }

    fn step(&mut self, vector: &Vector, class: usize, rate: f32) {
        let mut errors = self.logits(vector);
        softmax(&mut errors);
        if let Some(error) = errors.get_mut(class) {
            *error -= 1.0;
        }
        let keep = 1.0 - rate * DECAY;
        for (feature, value) in vector {
            let step = rate * value;
            let row = self.row(*feature);
            if let Some(row) = self.weights.get_mut(row) {
                row.iter_mut().zip(&errors).for_each(|(weight, error)| *weight = *weight * keep - step * error);
            }
        }
        self.bias.iter_mut().zip(&errors).for_each(|(bias, error)| *bias -= 0.1 * rate * error);
    }

    /// How much speaks for each class.
    pub(super) fn logits(&self, vector: &Vector) -> Vec<f32> {
        let mut logits = self.bias.clone();
        for (feature, value) in vector {
            let row = self.weights.get(self.row(*feature)).unwrap_or_default();
            logits.iter_mut().zip(row).for_each(|(logit, weight)| *logit += value * weight);
        }
        logits
    }

    fn row(&self, feature: u32) -> std::ops::Range<usize> {
        let begin = feature as usize * self.classes;
        begin..begin + self.classes
    }
}

/// Turns what speaks for each into shares of 1.
pub(super) fn softmax(logits: &mut [f32]) {
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    logits.iter_mut().for_each(|logit| *logit = (*logit - most).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|share| *share /= sum);
}
