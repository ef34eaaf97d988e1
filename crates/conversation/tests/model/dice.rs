/// Decides what happens in one move of a history. Smaller numbers roll lower, so that a history that fails shrinks to
/// plainer moves; a number that is used up rolls 0 from then on.
pub(crate) struct Dice(u128);

impl Dice {
    pub(crate) fn new(number: u128) -> Dice {
        Dice(number)
    }

    /// One of 0 up to, not including, `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        let sides = u128::from(sides.max(1));
        let rolled = self.0 % sides;
        self.0 /= sides;
        u64::try_from(rolled).unwrap()
    }

    /// True once in `times`.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.roll(times) + 1 == times
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(usize::try_from(self.roll(from.len() as u64)).unwrap())
    }
}
