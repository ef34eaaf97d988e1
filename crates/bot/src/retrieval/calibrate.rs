//! From signs to a probability, and where to stop answering.

/// A held-out text: the signs of how sure its answer is, whether the answer was right, and whether what it asks was known
/// at all.
pub(super) struct Trial<const SIGNS: usize> {
    pub(super) signs: [f32; SIGNS],
    pub(super) right: bool,
    pub(super) known: bool,
}

/// The share of questions that are assumed to be about something unknown, though close to what is known: every tenth.
/// Probabilities need a share, and the knowledge itself does not tell one.
const UNKNOWN: f64 = 0.1;
/// Of the held-out texts that would be answered rightly, the share that still is: one in a hundred may go to a human
/// without need.
const KEPT: f64 = 0.99;
/// Steps of the descent; the last hundreds change nothing in the third digit.
const STEPS: usize = 600;
/// What a sign weighs before anything is known of it, in standard deviations. All signs are made so that more is surer.
const EXPECTED: f64 = 0.3;
/// How many trials that expectation counts as.
const EXPECTED_TRIALS: f64 = 4.0;

/// Turns signs into the probability that an answer is right.
#[derive(Clone, Debug)]
pub(super) struct Calibration<const SIGNS: usize> {
    mean: [f64; SIGNS],
    spread: [f64; SIGNS],
    weights: [f64; SIGNS],
    bias: f64,
    /// The probability from which on there is an answer.
    pub(super) threshold: f64,
}

#[allow(clippy::cast_precision_loss)] // counts of trials
impl<const SIGNS: usize> Calibration<SIGNS> {
    /// Learns from held-out texts. `None` where they do not show both: right answers and others.
    pub(super) fn learn(trials: &[Trial<SIGNS>]) -> Option<Calibration<SIGNS>> {
        let known = trials.iter().filter(|trial| trial.known).count();
        let right = trials.iter().filter(|trial| trial.right).count();
        if right == 0 || right == trials.len() || known == trials.len() {
            return None;
        }
        let (mean, spread) = spread(trials);
        let mut learned = Calibration { mean, spread, weights: [EXPECTED; SIGNS], bias: 0.0, threshold: 0.5 };
        let share = |trial: &Trial<SIGNS>| match trial.known {
            true => (1.0 - UNKNOWN) / known as f64,
            false => UNKNOWN / (trials.len() - known) as f64,
        };
        let rows: Vec<([f64; SIGNS], f64, f64)> = trials
            .iter()
            .map(|trial| (learned.standard(&trial.signs), f64::from(u8::from(trial.right)), share(trial)))
            .collect();
        let hold = EXPECTED_TRIALS / trials.len() as f64;
        for _ in 0..STEPS {
            learned.descend(&rows, hold);
        }
        learned.threshold = learned.threshold(trials);
        Some(learned)
    }

    fn descend(&mut self, rows: &[([f64; SIGNS], f64, f64)], hold: f64) {
        let mut slope = [0.0; SIGNS];
        let mut slope_of_bias = 0.0;
        for (signs, right, share) in rows {
            let error = share * (self.of(signs) - right);
            slope.iter_mut().zip(signs).for_each(|(slope, sign)| *slope += error * sign);
            slope_of_bias += error;
        }
        for (weight, slope) in self.weights.iter_mut().zip(slope) {
            *weight -= slope + hold * (*weight - EXPECTED);
        }
        self.bias -= slope_of_bias;
    }

    /// The probability up to which one in a hundred of the right answers lies.
    fn threshold(&self, trials: &[Trial<SIGNS>]) -> f64 {
        let mut right: Vec<f64> =
            trials.iter().filter(|trial| trial.right).map(|trial| self.probability(&trial.signs)).collect();
        right.sort_by(f64::total_cmp);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a place in the list
        let place = (right.len() as f64 * (1.0 - KEPT)) as usize;
        right.get(place).copied().unwrap_or(0.5)
    }

    /// The probability that an answer with these signs is right.
    pub(super) fn probability(&self, signs: &[f32; SIGNS]) -> f64 {
        self.of(&self.standard(signs))
    }

    fn of(&self, standard: &[f64; SIGNS]) -> f64 {
        let sum: f64 = standard.iter().zip(self.weights).map(|(sign, weight)| sign * weight).sum();
        1.0 / (1.0 + (-(sum + self.bias)).exp())
    }

    /// Signs in standard deviations from the mean; none is taken to be further out than four.
    fn standard(&self, signs: &[f32; SIGNS]) -> [f64; SIGNS] {
        std::array::from_fn(|at| {
            let (sign, mean, spread) = (f64::from(signs[at]), self.mean[at], self.spread[at]);
            ((sign - mean) / spread).clamp(-4.0, 4.0)
        })
    }
}

#[allow(clippy::cast_precision_loss)] // counts of trials
fn spread<const SIGNS: usize>(trials: &[Trial<SIGNS>]) -> ([f64; SIGNS], [f64; SIGNS]) {
    let count = trials.len().max(1) as f64;
    let over = |of: &dyn Fn(&Trial<SIGNS>, usize) -> f64| -> [f64; SIGNS] {
        std::array::from_fn(|at| trials.iter().map(|trial| of(trial, at)).sum::<f64>() / count)
    };
    let mean = over(&|trial, at| f64::from(trial.signs[at]));
    let square = over(&|trial, at| (f64::from(trial.signs[at]) - mean[at]).powi(2));
    (mean, square.map(|square| square.sqrt().max(1e-6)))
}
