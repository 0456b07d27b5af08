//! Everything that is fixed before the first row: the truth, the units, the population and the files' layout.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Unit, civil::Date};
use prem_spec::{Link, Measure, Plan};

use crate::{
    SampleError, Settings,
    characteristics::{AdjusterEffect, Characteristic, Source, characteristics},
    draw::{Choice, Purpose, Stream, stream},
    experience::Experience,
    forms::{self, Form},
    members::Members,
    population::{AGES, Population, band},
    rates::{self, RateSource},
    region::{self, Case, Region},
    residence::Residences,
    surveys::Survey,
    table::Row,
    tables::{self, Kind, Tables},
    wards::{self, Ward},
};

/// Answers come within this many days where the questionnaire has no register contact.
const ANSWER_DAYS: i64 = 90;
/// Bounded normal effects reach two standard deviations from 0.
const EFFECT_REACH: f64 = 2.0;

pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) region: Region,
    pub(crate) residences: Residences,
    pub(crate) population: Population,
    pub(crate) experience: Experience,
    pub(crate) adjusters: Vec<AdjusterEffect>,
    pub(crate) characteristics: Vec<Characteristic>,
    pub(crate) wards: Vec<Ward>,
    pub(crate) rates: Vec<RateSource>,
    pub(crate) tables: Tables,
    /// Id of the questionnaire.
    pub(crate) questionnaire: String,
    /// Care level of the patients who are asked.
    pub(crate) care_level: String,
    pub(crate) answer_days_max: i64,
    /// Each distinct population of the questionnaire's indicators.
    pub(crate) populations: Vec<Members>,
    /// By ward, the forms that its patients get.
    pub(crate) forms: Vec<Vec<Form>>,
    /// Ordinary cases by care level.
    pub(crate) cases: BTreeMap<String, (Vec<Case>, Choice)>,
    /// Who uses other contacts in an area: `sex · AGES + age`; by year, then area.
    pub(crate) users: Vec<Vec<Choice>>,
    /// First day and number of days of each month, in days from the first day of the span.
    months: Vec<(i32, i32)>,
    /// Texts of the ages.
    pub(crate) ages: Vec<String>,
    /// Rows, by their number, that stay whole because their file would else be refused.
    pub(crate) spared: BTreeSet<(Kind, u64)>,
}

/// What became of a row that was to be broken.
pub(crate) enum Spoilt<'a> {
    /// Under this reason.
    Broken(&'a str),
    /// It could be broken, and is left whole.
    Spared,
    /// There was nothing to break.
    Whole,
}

impl World {
    pub(crate) fn new(plan: &Plan, survey: Survey<'_>, settings: &Settings) -> Result<Self, SampleError> {
        let region = Region::read()?;
        let questionnaire = survey.questionnaire;
        let answer_days_max = match questionnaire.link {
            Link::Contact { answer_days_max } => answer_days_max.clamp(1, 3_650),
            Link::Response => ANSWER_DAYS,
        };
        let tables = Tables::new(plan, survey, settings, answer_days_max)?;
        let months = months(settings)?;
        let last_year = settings.month(settings.months - 1).map_or(0, Date::year);
        let population = Population::new(&region, settings.first_month.year(), last_year);
        let populations = populations(plan, &questionnaire.id);
        let adult = populations.iter().map(Members::youngest).min().unwrap_or(0);

        let mut draws = stream(settings.seed, Purpose::World, 0, 0, 0);
        let is_item = |column: &str| questionnaire.items.iter().any(|item| item.id == column);
        let mut adjusters: Vec<AdjusterEffect> = questionnaire
            .adjusters
            .iter()
            .map(|adjuster| AdjusterEffect::draw(adjuster, is_item(&adjuster.column), &mut draws))
            .collect();
        let characteristic =
            |item: usize| adjusters.iter().any(|adjuster| adjuster.column == questionnaire.items[item].id).then_some(0);
        let mut experience =
            Experience::new(questionnaire, characteristic, settings.patient_sd, settings.missing_share, &mut draws);
        let (low, high) = reach(&adjusters, settings);
        let factor = experience.compression(low, high);
        experience.compress(factor);
        adjusters.iter_mut().for_each(|adjuster| adjuster.compress(factor));

        let contacts = tables.sheet(Kind::Contacts);
        let responses = tables.sheet(Kind::Responses);
        let ages = survey.patients.and_then(|patients| patients.ages);
        let ages = ages.unwrap_or((usize::try_from(adult).unwrap_or(0), AGES));
        let mut characteristics = characteristics(
            questionnaire,
            &adjusters,
            &stay_ages(&region, &population, ages),
            (tables::dataset(plan, Kind::Contacts)?, &contacts.table, &contacts.fields),
            (tables::dataset(plan, Kind::Responses)?, &responses.table, &responses.fields),
        );
        for (index, characteristic) in characteristics.iter_mut().enumerate() {
            match (characteristic.source, survey.patients) {
                (Source::Sex, Some(patients)) => characteristic.keep_only(&patients.sexes),
                (Source::Urgency, Some(patients)) => characteristic.keep_only(&patients.urgencies),
                _ => {}
            }
            if let Source::Item(item) = characteristic.source {
                experience.items[item].kind = crate::experience::ItemKind::Characteristic(index);
            }
        }
        let effects = wards::unit_effects(&plan.organisation, settings, factor, &mut draws);
        let decimal = tables.sheet(Kind::Invitations).table.decimal;
        let wards = wards::wards(&plan.organisation, &region, settings, &effects, &characteristics, decimal);
        let first_day = settings.first_month;
        let forms = wards.iter().map(|ward| forms::forms(questionnaire, &ward.trust, first_day)).collect();
        let rates = rates::sources(plan, &region, settings, &population);
        let mut cases = rates::ordinary_cases(plan, &region);
        if let Some(of_survey) = survey.patients.and_then(own_cases) {
            cases.insert(survey.care_level.to_owned(), of_survey);
        }
        let users = users(&region, &population);
        let residences = Residences::new(plan, &region);
        Ok(Self {
            settings: settings.clone(),
            region,
            residences,
            population,
            experience,
            adjusters,
            characteristics,
            wards,
            rates,
            tables,
            questionnaire: questionnaire.id.clone(),
            care_level: survey.care_level.to_owned(),
            answer_days_max,
            populations,
            forms,
            cases,
            users,
            months,
            ages: (0..AGES).map(|age| age.to_string()).collect(),
            spared: BTreeSet::new(),
        })
    }

    /// Breaks a row, unless it is spared. The same is drawn either way.
    pub(crate) fn spoil(&self, kind: Kind, number: u64, row: &mut Row, stream: &mut Stream) -> Spoilt<'_> {
        let faults = &self.tables.sheet(kind).faults;
        let is_spared = self.spared.contains(&(kind, number));
        let whole = is_spared.then(|| row.clone());
        let reason = faults.spoil(stream, row);
        if let Some(whole) = whole {
            *row = whole;
        }
        match reason {
            Some(_) if is_spared => Spoilt::Spared,
            Some(reason) => Spoilt::Broken(reason),
            None => Spoilt::Whole,
        }
    }

    /// The patient's value of a column that the sample varies.
    pub(crate) fn value<'a>(&'a self, values: &[usize], column: &str) -> Option<&'a str> {
        let place = self.characteristics.iter().position(|one| one.column == column)?;
        Some(self.characteristics[place].values[values[place]].as_str())
    }

    pub(crate) fn month_days(&self, month: u32) -> (i32, i32) {
        self.months[month as usize]
    }

    pub(crate) fn year_of(&self, month: u32) -> i16 {
        self.settings.month(month).map_or(0, Date::year)
    }

    /// The month of a day; days after the span belong to the months that follow.
    pub(crate) fn month_of(&self, day: i32) -> u32 {
        let within = self.months.partition_point(|(first, _)| *first <= day).saturating_sub(1);
        let (first, days) = self.months[within];
        // Later months need not be exact: they only say in which file a row comes.
        within as u32 + u32::try_from((day - first - days + 30) / 30).unwrap_or(0)
    }

    /// How far in the span a month is, from 0 to below 1.
    pub(crate) fn progress(&self, month: u32) -> f64 {
        f64::from(month) / f64::from(self.settings.months)
    }

    /// Ordinary cases of a care level, or any.
    pub(crate) fn case(&self, care_level: &str, stream: &mut Stream) -> Option<&Case> {
        let (cases, choice) = self.cases.get(care_level).or_else(|| self.cases.values().next())?;
        cases.get(choice.draw(stream))
    }
}

fn months(settings: &Settings) -> Result<Vec<(i32, i32)>, SampleError> {
    let days = |index: u32| {
        let end = settings.month(index)?;
        settings.first_month.until((Unit::Day, end)).ok().map(|span| span.get_days())
    };
    let month = |index| days(index).zip(days(index + 1)).map(|(first, next)| (first, next - first));
    (0..settings.months).map(month).collect::<Option<Vec<_>>>().ok_or_else(|| SampleError::Setting {
        name: "months",
        value: settings.months.to_string(),
        expected: "months within the calendar",
    })
}

fn populations(plan: &Plan, questionnaire: &str) -> Vec<Members> {
    let mut all: Vec<Members> = plan
        .indicators
        .values()
        .filter(|indicator| {
            indicator.population.questionnaire.as_deref() == Some(questionnaire)
                && !matches!(indicator.measure, Measure::Rate { .. })
        })
        .map(|indicator| Members::of(&indicator.population))
        .collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() { vec![Members::default()] } else { all }
}

/// How far x'β and the effects of units reach downwards and upwards together.
fn reach(adjusters: &[AdjusterEffect], settings: &Settings) -> (f64, f64) {
    let units = EFFECT_REACH * settings.unit_sd.iter().sum::<f64>();
    adjusters.iter().fold((-units, units), |(low, high), adjuster| {
        let (least, most) = adjuster.reach();
        (low + least, high + most)
    })
}

/// The cases of a survey whose patients come with certain diagnoses, all equally common.
fn own_cases(survey: &region::Survey) -> Option<(Vec<Case>, Choice)> {
    let case = |diagnosis: &String| Case {
        diagnosis: diagnosis.clone(),
        other: String::new(),
        procedures: String::new(),
        drg: String::new(),
        care_levels: vec![survey.care_level.clone()],
        weight: 1.0,
    };
    let cases: Vec<Case> = survey.diagnoses.iter().map(case).collect();
    let choice = Choice::new(cases.iter().map(|case| case.weight));
    (!cases.is_empty()).then_some((cases, choice))
}

fn stay_ages(region: &Region, population: &Population, (youngest, oldest): (usize, usize)) -> [f64; AGES] {
    let year = &population.years()[0];
    std::array::from_fn(|age| {
        let persons: u64 = year.areas.iter().map(|area| area.cells[0][age] + area.cells[1][age]).sum();
        if (youngest..=oldest).contains(&age) { persons as f64 * region.ages.r#use[band(age)] } else { 0.0 }
    })
}

fn users(region: &Region, population: &Population) -> Vec<Vec<Choice>> {
    let weight = |cells: &[[u64; AGES]; 2], cell: usize| {
        let age = cell % AGES;
        cells[cell / AGES][age] as f64 * region.ages.r#use[band(age)]
    };
    let choice = |cells: &[[u64; AGES]; 2]| Choice::new((0..2 * AGES).map(|cell| weight(cells, cell)));
    population.years().iter().map(|year| year.areas.iter().map(|area| choice(&area.cells)).collect()).collect()
}
