//! Stays of one ward and month: the contact, the invitation, the answer, and what goes wrong with them.

use std::ops::Range;

use crate::{
    characteristics::Source,
    contact::{Contact, DAY_MINUTES, discharge_minute, duration},
    draw::{Stream, below, chance, quick},
    experience::ItemKind,
    forms::{Form, form_of},
    output::{Output, Respondents},
    table::Row,
    tables::Kind,
    wards::{DEAD, INELIGIBLE, RESERVED, UNDELIVERABLE, Ward},
    world::{Spoilt, World},
};

/// Months after the span in which files still come.
pub(crate) const TAIL_MONTHS: u32 = 6;
const SENT_AFTER_DAYS: i64 = 7;
const SENT_WITHIN_DAYS: usize = 14;
const ANSWER_DAYS_MEAN: f64 = 14.0;
/// A code that no unit has, in any source.
pub(crate) const UNKNOWN_UNIT: &str = "UKJENT-9999";
/// Place of the day of the answer among the fields of a response.
const ANSWERED_AT: usize = 6;
/// Care level of those who stay the night; only they may die there.
const INPATIENT: &str = "1";
/// Share of responses that give the contact beside the invitation.
const CONTACT_GIVEN_SHARE: f64 = 0.8;

/// What is wrong with a response that the truth does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stray {
    UnknownInvitation,
    OutOfWindow,
    UnknownUnit,
}

impl Stray {
    fn reason(self) -> &'static str {
        match self {
            Self::UnknownInvitation => "unknown-invitation",
            Self::OutOfWindow => "out-of-window",
            Self::UnknownUnit => "unknown-unit",
        }
    }
}

/// The stays with these numbers, in `month`, of ward `index`.
pub(crate) fn stays(world: &World, month: u32, index: usize, numbers: Range<u64>, stream: &mut Stream) -> Output {
    let mut block = Block {
        world,
        ward: &world.wards[index],
        forms: &world.forms[index],
        month,
        values: vec![0; world.characteristics.len()],
        respondents: Respondents {
            ward: index,
            year: world.year_of(month),
            by_population: vec![(0, 0.0); world.populations.len()],
            eligible: vec![0; world.populations.len()],
            values: world.characteristics.iter().map(|one| vec![0; one.values.len()]).collect(),
            cut: 0,
        },
        output: Output::default(),
        stream,
    };
    for number in numbers {
        block.stay(number);
    }
    let mut output = block.output;
    output.respondents = Some(block.respondents);
    output.finish();
    output
}

struct Block<'a> {
    world: &'a World,
    ward: &'a Ward,
    forms: &'a [Form],
    month: u32,
    /// The patient's value of each characteristic.
    values: Vec<usize>,
    respondents: Respondents,
    output: Output,
    stream: &'a mut Stream,
}

impl<'a> Block<'a> {
    fn stay(&mut self, number: u64) {
        let (world, ward) = (self.world, self.ward);
        for (value, choice) in self.values.iter_mut().zip(&ward.choices) {
            *value = choice.draw(self.stream);
        }
        let discharged = discharge_minute(world, self.month, self.stream);
        let dead = world.care_level == INPATIENT && chance(self.stream, DEAD);
        let invited = !dead && chance(self.stream, ward.inclusion);
        let unknown_unit = invited && chance(self.stream, world.settings.stray_share);
        self.contact(number, discharged, dead, invited, unknown_unit);
        if invited {
            self.invitation(number, discharged, unknown_unit);
        }
    }

    fn value(&self, source: Source) -> &'a str {
        let world = self.world;
        let index = world.characteristics.iter().position(|one| one.source == source);
        index.map_or("", |index| &world.characteristics[index].values[self.values[index]])
    }

    fn age(&self) -> usize {
        self.value(Source::Age).parse().unwrap_or(0)
    }

    fn is_woman(&self) -> bool {
        self.value(Source::Sex) == "2"
    }

    fn contact(&mut self, number: u64, discharged: i64, dead: bool, invited: bool, unknown_unit: bool) {
        let (world, ward) = (self.world, self.ward);
        let year = world.population.year(self.respondents.year);
        let own = ward.area.filter(|_| chance(self.stream, world.region.own_trust_share));
        let area = own.unwrap_or_else(|| year.area_choice.draw(self.stream));
        let person = year.resident(self.stream, area, usize::from(self.is_woman()), self.age(), 1);
        let admitted = discharged - duration(&world.care_level, self.stream);
        let Some(case) = world.case(&world.care_level, self.stream) else { return };
        let broken = !invited && chance(self.stream, world.settings.broken_share);
        let code = ward.code(&world.tables.sheet(Kind::Contacts).source, world.progress(self.month));
        let contact = Contact {
            number,
            person,
            unit_code: if unknown_unit { UNKNOWN_UNIT } else { code },
            admitted,
            discharged,
            age: self.value(Source::Age),
            sex: self.value(Source::Sex),
            urgency: self.value(Source::Urgency),
            care_level: &world.care_level,
            diagnosis: &case.diagnosis,
            other: if chance(self.stream, 0.5) { &case.other } else { "" },
            procedures: &case.procedures,
            drg: &case.drg,
            dead,
        };
        let broken = broken.then_some(&mut *self.stream);
        let mut output = std::mem::take(&mut self.output);
        if unknown_unit {
            output.count(Kind::Contacts, "stray", Stray::UnknownUnit.reason());
        }
        contact.write(world, self.month, broken, &mut output);
        self.output = output;
    }

    fn invitation(&mut self, number: u64, discharged: i64, unknown_unit: bool) {
        let world = self.world;
        let day = (discharged / DAY_MINUTES) as i32;
        let after = SENT_AFTER_DAYS + below(self.stream, SENT_WITHIN_DAYS) as i64;
        let sent = day + after.min(world.answer_days_max) as i32;
        let u = quick(self.stream);
        let outcome = match u {
            _ if u < UNDELIVERABLE => "undeliverable",
            _ if u < UNDELIVERABLE + INELIGIBLE => "ineligible",
            _ if u < UNDELIVERABLE + INELIGIBLE + RESERVED => "reserved",
            _ => "sent",
        };
        let answers = outcome == "sent" && chance(self.stream, self.ward.response(self.age(), self.is_woman()));
        let sheet = world.tables.sheet(Kind::Invitations);
        let mut row = self.output.take_row();
        row.id(b'I', number);
        row.id(b'K', number);
        row.text(world.questionnaire.as_bytes());
        row.text(sheet.table.date(sent));
        row.text(outcome.as_bytes());
        row.text(self.ward.stratum.as_bytes());
        row.text(&self.ward.inclusion_text);
        let file = self.file(world.month_of(sent));
        if !answers
            && chance(self.stream, world.settings.broken_share)
            && let Spoilt::Broken(reason) = world.spoil(Kind::Invitations, number, &mut row, self.stream)
        {
            self.output.broken(Kind::Invitations, file, number, reason);
        } else if outcome != "ineligible" && !unknown_unit {
            let age = self.age() as i64;
            for (count, members) in self.respondents.eligible.iter_mut().zip(&world.populations) {
                *count += u64::from(members.holds(age, |column| world.value(&self.values, column)));
            }
        }
        self.output.write(&sheet.table, Kind::Invitations, file, &row);
        self.output.give_row(row);
        if answers {
            self.response(number, day, sent, unknown_unit);
        }
    }

    /// The last files hold all that comes later.
    fn file(&self, month: u32) -> u32 {
        month.max(self.month).min(self.world.settings.months - 1 + TAIL_MONTHS)
    }

    fn response(&mut self, number: u64, discharged: i32, sent: i32, unknown_unit: bool) {
        let (world, settings) = (self.world, &self.world.settings);
        let stray = if unknown_unit {
            Some(Stray::UnknownUnit)
        } else if chance(self.stream, settings.stray_share) {
            Some(Stray::UnknownInvitation)
        } else {
            chance(self.stream, settings.stray_share).then_some(Stray::OutOfWindow)
        };
        let wait = 2.0 - ANSWER_DAYS_MEAN * (1.0 - quick(self.stream)).ln();
        let last = discharged + world.answer_days_max as i32;
        let answered = match stray {
            Some(Stray::OutOfWindow) => last + 1 + below(self.stream, 60) as i32,
            _ => (sent + wait as i32).min(last),
        };
        let month = self.file(world.month_of(answered));
        let mut file = month;
        let fixed = self.fixed();
        let mut row = self.output.take_row();
        let form = form_of(self.forms, discharged);
        self.head(&mut row, number, answered, stray, form);
        self.answers(&mut row, fixed, form);
        let sheet = world.tables.sheet(Kind::Responses);
        let broken = stray.is_none() && chance(self.stream, settings.broken_share);
        let spoilt = if broken { world.spoil(Kind::Responses, number, &mut row, self.stream) } else { Spoilt::Whole };
        let x = fixed - self.ward.effect - world.experience.mean;
        if let Spoilt::Broken(reason) = spoilt {
            self.output.broken(Kind::Responses, file, number, reason);
        } else if let Spoilt::Spared = spoilt {
            // Nothing more is drawn of it, as of a broken one.
            self.count(x);
        } else if let Some(stray) = stray {
            self.output.count(Kind::Responses, "stray", stray.reason());
        } else {
            self.count(x);
            if chance(self.stream, settings.late_share) {
                let months = 2 + below(self.stream, 4) as u32;
                file = self.file(month + months);
                if file > month {
                    self.output.count(Kind::Responses, "late", "later-file");
                }
            }
            if chance(self.stream, settings.duplicate_share) {
                self.output.count(Kind::Responses, "duplicate", "same-row");
                self.output.write(&sheet.table, Kind::Responses, file, &row);
            }
            let months = 1 + below(self.stream, 2) as u32;
            let later = self.file(file + months);
            if later > file && chance(self.stream, settings.corrected_share) {
                self.output.count(Kind::Responses, "superseded", "corrected");
                let mut corrected = self.output.take_row();
                self.head(&mut corrected, number, answered, None, form);
                self.answers(&mut corrected, fixed, form);
                // The same answers again would be no correction.
                if (0..sheet.fields.len()).all(|field| corrected.get(field) == row.get(field)) {
                    corrected.set(ANSWERED_AT, sheet.table.date(answered - 1));
                }
                self.output.write(&sheet.table, Kind::Responses, later, &corrected);
                self.output.give_row(corrected);
            }
        }
        self.output.write(&sheet.table, Kind::Responses, file, &row);
        self.output.give_row(row);
    }

    /// μ + x'β + the effects of the ward and the units above it.
    fn fixed(&self) -> f64 {
        let x: f64 = self.world.characteristics.iter().zip(&self.values).map(|(one, &value)| one.effects[value]).sum();
        self.world.experience.mean + x + self.ward.effect
    }

    fn head(&mut self, row: &mut Row, number: u64, answered: i32, stray: Option<Stray>, form: Option<&Form>) {
        let world = self.world;
        let sheet = world.tables.sheet(Kind::Responses);
        row.id(b'R', number);
        match stray {
            Some(Stray::UnknownInvitation) => {
                row.id(b'X', number);
                row.blank();
            }
            _ => {
                row.id(b'I', number);
                if number % 100 < (CONTACT_GIVEN_SHARE * 100.0) as u64 { row.id(b'K', number) } else { row.blank() }
            }
        }
        row.text(world.questionnaire.as_bytes());
        row.text(form.map_or(&b""[..], |form| form.version.as_bytes()));
        row.text(match stray {
            Some(Stray::UnknownUnit) => UNKNOWN_UNIT.as_bytes(),
            _ => self.ward.code(&sheet.source, world.progress(self.month)).as_bytes(),
        });
        row.text(sheet.table.date(answered));
        row.text(self.value(Source::Mode).as_bytes());
        row.text(self.value(Source::Language).as_bytes());
    }

    fn answers(&mut self, row: &mut Row, fixed: f64, form: Option<&Form>) {
        let world = self.world;
        let latent = world.experience.latent(fixed, self.stream);
        for (place, item) in world.experience.items.iter().enumerate() {
            let is_on_form = form.is_none_or(|form| form.asks[place]);
            let is_filtered_out = item.asked_if.as_ref().is_some_and(|filter| filter.keeps_out(row));
            match item.kind {
                _ if !is_on_form || is_filtered_out => row.blank(),
                ItemKind::Characteristic(index) => {
                    row.text(world.characteristics[index].values[self.values[index]].as_bytes());
                }
                ItemKind::Experience if world.experience.is_missing(self.stream) => {
                    row.text(item.missing_text(self.stream));
                }
                ItemKind::Experience => {
                    let (text, cut) = item.answer(latent, self.stream);
                    self.respondents.cut += u64::from(cut);
                    row.text(text);
                }
            }
        }
    }

    /// Adds the patient to those whom the truth counts; `x` is x'β.
    fn count(&mut self, x: f64) {
        let age = self.age() as i64;
        for (sum, members) in self.respondents.by_population.iter_mut().zip(&self.world.populations) {
            if members.holds(age, |column| self.world.value(&self.values, column)) {
                *sum = (sum.0 + 1, sum.1 + x);
            }
        }
        for (counts, &value) in self.respondents.values.iter_mut().zip(&self.values) {
            counts[value] += 1;
        }
    }
}
