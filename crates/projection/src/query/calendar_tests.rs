use super::*;

fn at(text: &str) -> Time {
    time(text.parse::<Timestamp>().expect("a timestamp"))
}

fn split(zone: &str, unit: Unit, start: &str, end: &str) -> Vec<String> {
    let zone = Zone::named(zone).expect("a known zone");
    let buckets = zone.split(Period { start: at(start), end: at(end) }, unit).expect("few buckets");
    for pair in buckets.windows(2) {
        assert_eq!(pair[0].period.end, pair[1].period.start, "no gap and no overlap");
    }
    let minutes = |bucket: &Bucket| (bucket.period.end.0 - bucket.period.start.0) as f64 / 60e9;
    buckets.iter().map(|bucket| format!("{} {}", bucket.label, minutes(bucket))).collect()
}

fn check(zone: &str, unit: Unit, period: (&str, &str), expect: &[&str]) {
    assert_eq!(split(zone, unit, period.0, period.1), expect, "{zone}");
}

#[test]
fn a_day_in_berlin_has_23_and_25_hours_when_the_clock_changes() {
    let spring = ("2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z");
    check("Europe/Berlin", Unit::Day, spring, &["2026-03-28 1440", "2026-03-29 1380", "2026-03-30 1440"]);
    check("Europe/Berlin", Unit::Day, ("2026-10-25T10:00:00Z", "2026-10-25T10:00:01Z"), &["2026-10-25 1500"]);
}

#[test]
fn the_hour_that_comes_twice_is_two_hours() {
    let expect = ["2026-10-25T02:00:00+02:00 60", "2026-10-25T02:00:00+01:00 60", "2026-10-25T03:00:00+01:00 60"];
    check("Europe/Berlin", Unit::Hour, ("2026-10-25T00:00:00Z", "2026-10-25T02:00:01Z"), &expect);
    let expect = ["2026-03-29T01:00:00+01:00 60", "2026-03-29T03:00:00+02:00 60"];
    check("Europe/Berlin", Unit::Hour, ("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"), &expect);
}

#[test]
fn zones_off_the_full_hour_begin_their_hours_there() {
    let half = ["2026-07-01T10:00:00-02:30 60", "2026-07-01T11:00:00-02:30 60"];
    check("America/St_Johns", Unit::Hour, ("2026-07-01T13:00:00Z", "2026-07-01T13:31:00Z"), &half);
    let quarter = ["2026-07-01T05:00:00+05:45 60", "2026-07-01T06:00:00+05:45 60"];
    check("Asia/Kathmandu", Unit::Hour, ("2026-07-01T00:00:00Z", "2026-07-01T00:16:00Z"), &quarter);
}

#[test]
fn an_offset_with_seconds_and_a_change_off_the_hour_cut_the_hour() {
    let expect = ["1972-01-06T23:00:00-00:44:30 60", "1972-01-07T00:44:30+00:00 15.5", "1972-01-07T01:00:00+00:00 60"];
    check("Africa/Monrovia", Unit::Hour, ("1972-01-06T23:50:00Z", "1972-01-07T01:00:01Z"), &expect);
    let day = ["1972-01-06 1440", "1972-01-07 1395.5", "1972-01-08 1440"];
    check("Africa/Monrovia", Unit::Day, ("1972-01-06T12:00:00Z", "1972-01-08T12:00:00Z"), &day);
    let lord_howe = ["2026-04-05T01:00:00+11:00 60", "2026-04-05T01:30:00+10:30 30", "2026-04-05T02:00:00+10:30 60"];
    check("Australia/Lord_Howe", Unit::Hour, ("2026-04-04T14:00:00Z", "2026-04-04T15:30:01Z"), &lord_howe);
}

#[test]
fn odd_midnights_and_days_that_never_were() {
    // Midnight came twice in St. John's: the clock went back from 00:01 to 23:01.
    let twice = ["2008-11-01 1440", "2008-11-02 1500"];
    check("America/St_Johns", Unit::Day, ("2008-11-01T12:00:00Z", "2008-11-02T12:00:00Z"), &twice);
    check("America/St_Johns", Unit::Day, ("2008-11-02T02:45:00Z", "2008-11-02T02:46:00Z"), &["2008-11-02 1500"]);
    // São Paulo's summer began at midnight: the day began at one.
    check("America/Sao_Paulo", Unit::Day, ("2018-11-04T12:00:00Z", "2018-11-04T12:00:01Z"), &["2018-11-04 1380"]);
    let skipped = ["2011-12-29 1440", "2011-12-31 1440"];
    check("Pacific/Apia", Unit::Day, ("2011-12-29T12:00:00Z", "2011-12-30T12:00:00Z"), &skipped);
}

#[test]
fn the_start_of_an_hour_is_found_from_anywhere_inside() {
    for zone in ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Africa/Monrovia", "Australia/Lord_Howe"] {
        let zone = Zone::named(zone).expect("a known zone");
        for start in ["1972-01-06T00:00:00Z", "2026-03-28T20:00:00Z", "2026-04-04T10:00:00Z", "2026-10-24T22:00:00Z"] {
            let start = at(start);
            for unit in [Unit::Day, Unit::Hour] {
                let whole = Period { start, end: Time(start.0 + 72 * HOUR) };
                for bucket in zone.split(whole, unit).expect("few") {
                    let inside = (bucket.period.start.0..bucket.period.end.0).step_by(420_000_000_007).map(Time);
                    for instant in inside.chain([Time(bucket.period.end.0 - 1)]) {
                        let found = zone.split(Period { start: instant, end: Time(instant.0 + 1) }, unit);
                        assert_eq!(found, Ok(vec![bucket.clone()]));
                    }
                }
            }
        }
    }
}

#[test]
fn bounds() {
    let zone = Zone::named("").expect("UTC");
    let year = Period { start: at("2026-01-01T00:00:00Z"), end: at("2027-01-01T00:00:00Z") };
    assert_eq!(zone.split(year, Unit::Hour).map(|buckets| buckets.len()), Ok(8760));
    let all = Period { start: Time::MIN, end: Time::MAX };
    assert_eq!(zone.split(all, Unit::Day), Err(TooMany));
    assert_eq!(zone.split(Period { start: year.start, end: year.start }, Unit::Day), Ok(Vec::new()));
    for end in
        [Period { start: Time(i64::MAX - 5), end: Time::MAX }, Period { start: Time::MIN, end: Time(i64::MIN + 5) }]
    {
        for unit in [Unit::Day, Unit::Hour] {
            zone.split(end, unit).expect("ends");
        }
    }
    assert!(Zone::named("Europe/Atlantis").is_none());
    assert!(Zone::named("Etc/Unknown").is_none());
    assert!(Zone::named("europe/berlin").is_some());
}
