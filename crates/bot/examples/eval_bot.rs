//! Prints how good the retrieval brain is: `cargo xtask eval-bot`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::path::{Path, PathBuf};

use anyhow::Context;
use bot::evaluation::{Evaluation, evaluate};
use clap::Parser;

/// A second domain, small and in three languages: that what works for one does not only work there.
const SHOP: [&str; 3] = [
    include_str!("../tests/data/shop.jsonl"),
    include_str!("../tests/data/shop_questions.jsonl"),
    include_str!("../tests/data/shop_unknown.jsonl"),
];

/// Evaluates the retrieval brain.
#[derive(Parser)]
struct Args {
    /// Knowledge as JSONL [default: CLINC's of the fixtures]
    #[arg(long, requires = "in_scope", requires = "out_of_scope")]
    train: Option<PathBuf>,
    /// Questions with the intents that are right
    #[arg(long)]
    in_scope: Option<PathBuf>,
    /// Questions about something else
    #[arg(long)]
    out_of_scope: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    println!(
        "{:<12} {:>6} {:>6} {:>9} {:>9} {:>9} {:>7} {:>9} {:>7} {:>9} {:>11}",
        "data", "in", "out", "accuracy", "recall", "best", "AUROC", "threshold", "ECE", "build", "a question"
    );
    match (args.train, args.in_scope, args.out_of_scope) {
        (Some(train), Some(known), Some(unknown)) => files("yours", [&train, &known, &unknown])?,
        _ => {
            match std::env::var_os("THREADMARK_FIXTURES").map(|dir| PathBuf::from(dir).join("clinc")) {
                Some(dir) => {
                    files(
                        "CLINC",
                        ["train.jsonl", "val.jsonl", "oos_val.jsonl"].map(|name| dir.join(name)).each_ref(),
                    )?;
                }
                None => println!("CLINC        not there: set THREADMARK_FIXTURES"),
            }
            row("shop", &evaluate(SHOP[0], SHOP[1], SHOP[2]).map_err(anyhow::Error::msg)?);
        }
    }
    println!(
        "\naccuracy: questions answered with the right intent; recall: questions about something else that were handed \
         off;\nbest: right intents whether answered or not; ECE: how far the score is from the share that is right"
    );
    Ok(())
}

fn files(name: &str, paths: [&PathBuf; 3]) -> anyhow::Result<()> {
    let read = |path: &Path| std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()));
    let [train, known, unknown] = paths.map(|path| read(path));
    row(name, &evaluate(&train?, &known?, &unknown?).map_err(anyhow::Error::msg)?);
    Ok(())
}

fn row(name: &str, found: &Evaluation) {
    println!(
        "{name:<12} {:>6} {:>6} {:>8.1}% {:>8.1}% {:>8.1}% {:>7.3} {:>9} {:>7.3} {:>7.2} s {:>8} µs",
        found.in_scope,
        found.out_of_scope,
        found.accuracy * 100.0,
        found.recall * 100.0,
        found.best_accuracy * 100.0,
        found.auroc,
        found.threshold.map_or("none".to_owned(), |threshold| format!("{threshold:.3}")),
        found.calibration_error,
        found.build.as_secs_f64(),
        found.question.as_micros(),
    );
}
