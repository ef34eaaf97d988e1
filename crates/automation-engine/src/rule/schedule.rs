use conversation::Time;
use cronexpr::Crontab;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Times that come again: five fields of cron, in a time zone. At most once a minute.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: String,
    time_zone: String,
    crontab: Crontab,
}

/// What is wrong with a schedule.
pub(super) enum Wrong {
    Cron(String),
    TimeZone(String),
}

impl Schedule {
    /// Five fields, and an IANA zone.
    pub(super) fn new(cron: &str, time_zone: &str) -> Result<Schedule, Wrong> {
        if TimeZone::get(time_zone).is_err() {
            let message = format!("{time_zone:?} is no time zone: write an IANA name such as Europe/Berlin");
            return Err(Wrong::TimeZone(message));
        }
        let fields = cron.split_whitespace().count();
        if fields != 5 {
            return Err(Wrong::Cron(format!(
                "has {fields} fields: cron has five, minute hour day month weekday, for example \"0 9 * * mon-fri\""
            )));
        }
        let line = format!("{cron} {time_zone}");
        let crontab = cronexpr::parse_crontab(&line).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches([' ', '^']).to_owned();
            Wrong::Cron(format!("can't be read: {reason}"))
        })?;
        let schedule = Schedule { cron: cron.to_owned(), time_zone: time_zone.to_owned(), crontab };
        // 2024-01-01: four years from then every date that exists comes, the leap day included.
        match schedule.next_after(Time::from_seconds(1_704_067_200)) {
            Some(_) => Ok(schedule),
            None => Err(Wrong::Cron("never comes: no date fits it".to_owned())),
        }
    }

    /// The first time after this one; `None` if there is none within four years.
    pub fn next_after(&self, time: Time) -> Option<Time> {
        let after = Timestamp::from_nanosecond(i128::from(time.0)).ok()?;
        let next = self.crontab.find_next(cronexpr::MakeTimestamp(after)).ok()?;
        i64::try_from(next.timestamp().as_nanosecond()).ok().map(Time)
    }

    /// As it was written.
    pub fn cron(&self) -> &str {
        &self.cron
    }

    /// IANA name.
    pub fn time_zone(&self) -> &str {
        &self.time_zone
    }
}
