//! Tickets by day or hour, drawn here: bars that are links.

use maud::{Markup, html};
use proto::v1::count_tickets_response::Group;

use super::asked::Asked;
use crate::lang::{Local, word};
use crate::session::encode;
use crate::words;

/// Units from side to side and from top to bottom, and what is left for words.
const WIDE: f64 = 960.0;
const HIGH: f64 = 230.0;
const LEFT: f64 = 38.0;
const FOOT: f64 = 22.0;
/// More bars than this are too thin to hit.
const MOST: usize = 800;
/// Words below the bars.
const WORDS: usize = 9;

/// The bars of each day or hour.
pub(crate) fn plot(groups: &[Group], asked: &Asked) -> Markup {
    let groups = &groups[..groups.len().min(MOST)];
    let most = groups.iter().map(|group| group.primary_count.max(group.nested_count)).max().unwrap_or(0);
    let top = nice(most);
    let step = (WIDE - LEFT) / groups.len().max(1) as f64;
    let height = |count: i64| (HIGH - FOOT - 12.0) * count as f64 / top as f64;
    let every = groups.len().div_ceil(WORDS).max(1);
    let bar = (step * 0.42).max(0.6);
    let by = if asked.hours { word("Tickets by hour, at most {}") } else { word("Tickets by day, at most {}") };
    html! {
        svg.plot viewBox={ "0 0 " (WIDE) " " (HIGH) } role="group" aria-label=(asked.zone.lang.fill(by, &[&most.to_string()])) {
            @for line in 0..=4 {
                @let y = HIGH - FOOT - (HIGH - FOOT - 12.0) * f64::from(line) / 4.0;
                line.grid x1=(LEFT) x2=(WIDE) y1=(y) y2=(y) {}
                @if top % 4 == 0 || line % 4 == 0 { text x=(LEFT - 6.0) y=(y + 4.0) text-anchor="end" { (top * i64::from(line) / 4) } }
            }
            @for (at, group) in groups.iter().enumerate() {
                @let x = LEFT + step * at as f64;
                // A bar of nothing leads nowhere, and most hours have none.
                @if group.primary_count + group.nested_count > 0 { a href=(link(group, asked)) {
                    title { (label(group, &asked.zone, asked.hours)) ": " (group.primary_count) " " (asked.t("tickets")) ", " (group.nested_count) " " (asked.t("nested")) }
                    rect x=(short(x)) width=(short(step)) height=(HIGH - FOOT) fill="transparent" {}
                    @for (class, count, x) in [("primary", group.primary_count, x + step * 0.06), ("nested", group.nested_count, x + step * 0.06 + bar)] {
                        @if count > 0 { rect class=(class) x=(short(x)) y=(short(HIGH - FOOT - height(count))) width=(short(bar)) height=(short(height(count))) {} }
                    }
                } }
                @if at % every == 0 { text x=(short(x + step / 2.0)) y=(HIGH - 6.0) text-anchor="middle" { (below(group, &asked.zone, asked.hours)) } }
            }
        }
    }
}

/// A length as a page has it: a hundredth of a unit is nothing that one could see.
fn short(length: f64) -> f64 {
    (length * 100.0).round() / 100.0
}

/// The tickets behind a bar.
fn link(group: &Group, asked: &Asked) -> String {
    let of = |time| words::instant(time).map(|at| encode(&at.to_string())).unwrap_or_default();
    let query = Asked { preset: String::new(), ..asked.clone() }.query();
    format!("/tickets?{query}&start={}&end={}", of(group.start_time.as_ref()), of(group.end_time.as_ref()))
}

fn label(group: &Group, zone: &Local, hours: bool) -> String {
    match words::zoned(group.start_time.as_ref(), zone) {
        Some(_) if hours => words::minute(group.start_time.as_ref(), zone),
        Some(at) => words::day(&at, zone.lang),
        None => group.key.clone(),
    }
}

fn below(group: &Group, zone: &Local, hours: bool) -> String {
    let said = |at: jiff::Zoned| match hours {
        true => format!("{} {}", zone.lang.day_of_month(&at), at.strftime("%H:%M")),
        false => zone.lang.day_of_month(&at),
    };
    words::zoned(group.start_time.as_ref(), zone).map(said).unwrap_or_default()
}

/// The next round number, so that lines stand at round numbers.
fn nice(most: i64) -> i64 {
    let mut step = 1;
    loop {
        for top in [4 * step, 8 * step, 20 * step] {
            if most <= top {
                return top;
            }
        }
        step *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::nice;

    #[test]
    fn the_scale_ends_at_a_round_number() {
        assert_eq!([0, 4, 5, 17, 33, 79, 150, 999].map(nice), [4, 4, 8, 20, 40, 80, 200, 2_000]);
    }
}
