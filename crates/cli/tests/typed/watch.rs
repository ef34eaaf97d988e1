use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::stand_in::StandIn;

const DEADLINE: Duration = Duration::from_secs(60);

/// The stand-in cuts every stream off after two entries and a heartbeat three revisions further.
#[tokio::test]
async fn a_watch_that_is_cut_off_goes_on_from_where_it_was() {
    let (stand_in, server) = StandIn::start().await;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_threadmark"));
    command.env_clear().args(["--server", &server, "watch", "Maya", "--json"]);
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut revisions = Vec::new();
    while revisions.len() < 8 {
        let line = tokio::time::timeout(DEADLINE, lines.next_line()).await.expect("it hangs").unwrap().unwrap();
        let entry: serde_json::Value = serde_json::from_str(&line).unwrap();
        revisions.push(entry["revision"].as_i64().unwrap());
    }
    // Two of the list, then two of each watch: nothing is missing, nothing is told twice.
    assert_eq!(revisions, [1, 2, 3, 4, 8, 9, 13, 14]);
    assert_eq!(stand_in.watches.lock().unwrap()[..3], [(2, 0), (7, 0), (12, 0)]);
}
