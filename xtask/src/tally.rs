//! Adds up what the many test programs of a workspace report, so that a log ends with one line for all of them.

use std::io::{self, BufRead, Write};
use std::time::Instant;

/// The sums of `test result:` lines.
#[derive(Debug)]
pub(crate) struct Tally {
    started: Instant,
    passed: u64,
    failed: u64,
    ignored: u64,
    measured: u64,
    filtered_out: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self { started: Instant::now(), passed: 0, failed: 0, ignored: 0, measured: 0, filtered_out: 0 }
    }
}

impl Tally {
    /// Copies `from` to `to` line by line as it comes, and counts.
    pub(crate) fn pass_on(&mut self, mut from: impl BufRead, mut to: impl Write) -> io::Result<()> {
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line)? > 0 {
            to.write_all(&line)?;
            to.flush()?;
            self.count(&String::from_utf8_lossy(&line));
            line.clear();
        }
        Ok(())
    }

    /// Prints the sums as a test program prints its own. A program that did not even report makes the whole FAILED.
    pub(crate) fn print(&self, to: &mut impl Write, succeeded: bool) -> io::Result<()> {
        let Self { passed, failed, ignored, measured, filtered_out, .. } = self;
        let result = if succeeded && *failed == 0 { "ok" } else { "FAILED" };
        let seconds = self.started.elapsed().as_secs_f64();
        writeln!(
            to,
            "test result: {result}. {passed} passed; {failed} failed; {ignored} ignored; {measured} measured; \
             {filtered_out} filtered out; finished in {seconds:.2}s"
        )
    }

    /// Reads `test result: ok. 6 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.07s`.
    fn count(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|result| result.split_once(". ")) else {
            return;
        };
        for part in counts.split("; ") {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                "measured" => self.measured += number,
                "filtered out" => self.filtered_out += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "running 2 tests\n\
        test result: ok. 6 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.07s\n\
        nothing of note: 5 passed; 5 failed\n\
        test result: FAILED. 3 passed; 1 failed; 0 ignored; 4 measured; 0 filtered out; finished in 1.00s\n";

    #[test]
    fn results_are_added_up_and_everything_is_passed_on() {
        let mut tally = Tally::default();
        let mut passed_on = Vec::new();
        tally.pass_on(OUTPUT.as_bytes(), &mut passed_on).unwrap();
        assert_eq!(String::from_utf8(passed_on).unwrap(), OUTPUT);
        let line = printed(&tally, false);
        let sums = "test result: FAILED. 9 passed; 1 failed; 1 ignored; 4 measured; 2 filtered out; finished in ";
        assert!(line.starts_with(sums), "{line}");
    }

    #[test]
    fn all_is_well_only_if_the_runner_says_so() {
        assert!(printed(&Tally::default(), true).starts_with("test result: ok. 0 passed; 0 failed;"));
        assert!(printed(&Tally::default(), false).starts_with("test result: FAILED. 0 passed; 0 failed;"));
    }

    fn printed(tally: &Tally, succeeded: bool) -> String {
        let mut line = Vec::new();
        tally.print(&mut line, succeeded).unwrap();
        String::from_utf8(line).unwrap()
    }
}
