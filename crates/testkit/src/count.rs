//! How many cases a long test runs.

use std::env;

/// How many cases the test called `name` runs: `ci` usually, `soak` under `THREADMARK_SOAK=1`, or what
/// `THREADMARK_COUNT_<NAME>` says, to repeat a failure quickly (`-` becomes `_`: `model-cases` is read from
/// `THREADMARK_COUNT_MODEL_CASES`).
///
/// # Panics
/// If that variable holds no number: a mistyped count must not pass as the default one.
pub fn count(name: &str, ci: usize, soak: usize) -> usize {
    let variable = format!("THREADMARK_COUNT_{}", name.to_uppercase().replace('-', "_"));
    let usual = if env::var("THREADMARK_SOAK").is_ok_and(|value| value == "1") { soak } else { ci };
    chosen_or(usual, &variable, env::var(&variable).ok())
}

fn chosen_or(usual: usize, variable: &str, chosen: Option<String>) -> usize {
    let Some(chosen) = chosen else { return usual };
    chosen.parse().unwrap_or_else(|_| panic!("{variable} holds no count but {chosen:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_count_wins() {
        assert_eq!(chosen_or(10, "V", None), 10);
        assert_eq!(chosen_or(10, "V", Some("3".to_owned())), 3);
    }

    #[test]
    #[should_panic(expected = "V holds no count but \"many\"")]
    fn a_mistyped_count_is_no_count() {
        chosen_or(10, "V", Some("many".to_owned()));
    }
}
