//! `cargo xtask bench`: ours beside the bare thing, measured in the same run, in one table.
//!
//! Nothing here fails because something is slow: a target is printed beside what was measured, with a mark.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table and the progress line are the output")]

mod arguments;
mod bare;
mod child;
mod load;
mod measure;
mod progress;
mod rows;
mod table;
mod view;

use arguments::{Arguments, ChildArguments};
use clap::Parser;
use rows::Bench;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.child {
        Some(ChildArguments::View(arguments)) => return view::serve(arguments).await,
        Some(ChildArguments::Index { url }) => return rows::bot::child(&url).await,
        None => {}
    }
    let table = Bench::new(&arguments).run(&arguments.rows()).await?;
    if arguments.json {
        println!("{}", table.json());
    } else {
        print!("{table}");
    }
    Ok(())
}
