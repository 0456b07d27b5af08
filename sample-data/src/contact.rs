//! One register contact as a row.

use crate::{
    draw::{Stream, below, quick},
    output::Output,
    population::Person,
    tables::Kind,
    world::{Spoilt, World},
};

pub(crate) const DAY_MINUTES: i64 = 1_440;
const STAY_DAYS_MEAN: f64 = 3.5;
const STAY_DAYS_MAX: f64 = 60.0;

/// Times are minutes from the first day of the span.
pub(crate) struct Contact<'a> {
    pub(crate) number: u64,
    pub(crate) person: Person,
    pub(crate) unit_code: &'a str,
    pub(crate) admitted: i64,
    pub(crate) discharged: i64,
    pub(crate) age: &'a str,
    pub(crate) sex: &'a str,
    pub(crate) urgency: &'a str,
    pub(crate) care_level: &'a str,
    pub(crate) diagnosis: &'a str,
    pub(crate) other: &'a str,
    pub(crate) procedures: &'a str,
    pub(crate) drg: &'a str,
    pub(crate) dead: bool,
}

impl Contact<'_> {
    /// Adds the row to the month's file; `broken` breaks it first.
    pub(crate) fn write(&self, world: &World, month: u32, broken: Option<&mut Stream>, output: &mut Output) {
        let sheet = world.tables.sheet(Kind::Contacts);
        let (municipality, district) = world.residences.written(&world.region, self.person.place, self.number);
        let mut row = output.take_row();
        row.id(b'K', self.number);
        row.pseudonym(self.person.id);
        row.text(self.unit_code.as_bytes());
        sheet.table.date_time(self.admitted, &mut row);
        sheet.table.date_time(self.discharged, &mut row);
        for text in [
            self.age,
            self.sex,
            municipality,
            district,
            self.urgency,
            self.care_level,
            self.diagnosis,
            self.other,
            self.procedures,
            self.drg,
            if self.dead { "2" } else { "1" },
        ] {
            row.text(text.as_bytes());
        }
        let broken = broken.map(|stream| world.spoil(Kind::Contacts, self.number, &mut row, stream));
        if let Some(Spoilt::Broken(reason)) = broken {
            output.broken(Kind::Contacts, month, self.number, reason);
        }
        output.write(&sheet.table, Kind::Contacts, month, &row);
        output.give_row(row);
    }
}

/// Minutes in hospital: some days for inpatients, hours for day treatment, half an hour or so for a visit.
pub(crate) fn duration(care_level: &str, stream: &mut Stream) -> i64 {
    match care_level {
        "1" | "8" => {
            let days = (-STAY_DAYS_MEAN * (1.0 - quick(stream)).ln()).min(STAY_DAYS_MAX);
            300 + (days * DAY_MINUTES as f64) as i64
        }
        "2" => 180 + below(stream, 240) as i64,
        _ => 20 + below(stream, 40) as i64,
    }
}

/// A minute between eight in the morning and eight in the evening of a day of the month.
pub(crate) fn discharge_minute(world: &World, month: u32, stream: &mut Stream) -> i64 {
    let (first, days) = world.month_days(month);
    let day = i64::from(first) + below(stream, days as usize) as i64;
    day * DAY_MINUTES + 480 + below(stream, 720) as i64
}
