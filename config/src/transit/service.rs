//! Days on which vehicles run.

use jiff::civil::Date;
use std::collections::HashMap;

/// Every service of a feed, by its index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Services(Vec<Service>);

#[derive(Clone, Debug, Default)]
struct Service {
    /// Days of the week, Monday the lowest bit, from a day to a day.
    weekly: Option<(u8, Date, Date)>,
    /// Days on which it runs all the same (`true`), or does not.
    exceptions: HashMap<Date, bool>,
}

impl Services {
    /// A service more; its index.
    pub(crate) fn add(&mut self) -> u32 {
        self.0.push(Service::default());
        u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX)
    }

    /// It runs on these days of the week.
    pub(crate) fn weekly(&mut self, service: u32, days: u8, from: Date, to: Date) {
        if let Some(service) = self.0.get_mut(service as usize) {
            service.weekly = Some((days, from, to));
        }
    }

    /// It runs on a day, or does not, whatever its week says.
    pub(crate) fn except(&mut self, service: u32, date: Date, runs: bool) {
        if let Some(service) = self.0.get_mut(service as usize) {
            service.exceptions.insert(date, runs);
        }
    }

    /// Whether it runs on a day.
    pub(crate) fn run(&self, service: u32, date: Date) -> bool {
        self.0.get(service as usize).is_some_and(|service| service.runs(date))
    }

    /// The last day on which any runs.
    pub(crate) fn last_day(&self) -> Option<Date> {
        self.0.iter().filter_map(Service::last_day).max()
    }
}

impl Service {
    fn runs(&self, date: Date) -> bool {
        if let Some(runs) = self.exceptions.get(&date) {
            return *runs;
        }
        let today = 1 << date.weekday().to_monday_zero_offset();
        self.weekly.is_some_and(|(days, from, to)| days & today != 0 && (from..=to).contains(&date))
    }

    fn last_day(&self) -> Option<Date> {
        let added = self.exceptions.iter().filter(|(_, runs)| **runs).map(|(date, _)| *date).max();
        let weekly = self.weekly.and_then(|(_, from, to)| {
            // A year of days that are all taken out is none that anybody publishes.
            let days = std::iter::successors(Some(to), |date| date.yesterday().ok());
            days.take(366).take_while(|date| *date >= from).find(|date| self.runs(*date))
        });
        added.max(weekly)
    }
}
