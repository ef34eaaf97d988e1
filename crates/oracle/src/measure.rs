use crate::{Kind, Line, Metrics, Nanos, Shown, Window, place::Item};

/// What the live entries in a window come to. A message answers at its place time.
pub(crate) fn measure(window: &Window, placed: &[(&Item, Line)]) -> Metrics {
    let inside: Vec<&(&Item, Line)> =
        placed.iter().filter(|(_, line)| !line.late && line.tickets.contains(&window.id)).collect();
    let after_opening = |time: Nanos| time.saturating_sub(window.open_time).max(0);
    let first = |says: &dyn Fn(&Item) -> bool| {
        let found = inside.iter().find(|(item, line)| matches!(line.shown, Shown::Outbound(_)) && says(item));
        found.map(|(_, line)| after_opening(line.time))
    };
    let count = |which: fn(&Shown) -> bool| {
        u32::try_from(inside.iter().filter(|(_, line)| which(&line.shown)).count()).unwrap_or(u32::MAX)
    };
    Metrics {
        first_response: first(&|item| item.echo || item.actor.kind == Kind::Agent),
        first_bot_response: first(&|item| !item.echo && item.actor.kind == Kind::Bot),
        resolution: window.close_time.map(after_opening),
        inbound_count: count(|shown| matches!(shown, Shown::Inbound(_))),
        outbound_count: count(|shown| matches!(shown, Shown::Outbound(_))),
    }
}
