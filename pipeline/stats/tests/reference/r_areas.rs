//! Areas: rates less the region's, the atlas's figures, the median odds ratio, and chance by enumeration. R's glm, glmer,
//! numDeriv and base R (`r/areas.R`).

use crate::common::{Case, Table, Tolerance::Absolute, Tolerance::Exact, Tolerance::Relative};
use crate::r_numbers::Numbers;
use prem_stats::binary::{BinaryCounts, SeparationPolicy, fit_logistic_random_intercept};
use prem_stats::rates::{RegionDifference, difference_from_region, difference_from_region_repeat_events};
use prem_stats::variation::{
    ChanceOptions, Events, PersonsWithEvents, chance, chi_squared_test, helseatlas, latent_icc, median_odds_ratio,
    scv_diehr, share_explained,
};

pub fn run() {
    let expected = Numbers::read("areas_expected.csv");
    region(&expected);
    atlas(&expected);
    odds_ratios(&expected);
    explained(&expected);
    chances(&expected);
}

/// Four areas of three strata each, row after row.
struct Areas(Vec<f64>);

impl Areas {
    fn area(&self, j: usize) -> &[f64] {
        &self.0[3 * j..3 * j + 3]
    }

    fn region(&self) -> Vec<f64> {
        (0..3).map(|stratum| self.0.iter().skip(stratum).step_by(3).sum()).collect()
    }
}

fn region(expected: &Numbers) {
    let areas = |case: &str, quantity: &str| Areas(expected.values(case, quantity));
    let (events, people) = (areas("region", "events"), areas("region", "people"));
    let weights = expected.values("region", "standard");
    let of = |j: usize| {
        let (x, n) = (events.area(j), people.area(j));
        difference_from_region(x, n, &events.region(), &people.region(), &weights, 1e4).unwrap()
    };
    let found: Vec<RegionDifference> = (0..4).map(of).collect();
    let mut case = Case::new("standardised rate less the region's", "R 4.2.2 glm, numDeriv", Relative(1e-10));
    case.compare("reference", expected.at("region", "reference", ""), found[0].reference);
    compare_region(&mut case, expected, "region", &found);
    case.finish();

    let persons = [1, 2, 3].map(|f| expected.values("repeat", &format!("persons_{f}")));
    let sum = |power: i32| {
        let cell = |i: usize| (0..3).map(|f| (f as f64 + 1.0).powi(power) * persons[f][i]).sum();
        Areas((0..12).map(cell).collect())
    };
    let (events, variances) = (sum(1), sum(2));
    let of = |j: usize| {
        difference_from_region_repeat_events(
            (events.area(j), variances.area(j)),
            people.area(j),
            (&events.region(), &variances.region()),
            &people.region(),
            &weights,
            1e4,
        )
        .unwrap()
    };
    let mut case = Case::new("standardised rate less the region's, repeat events", "R numDeriv", Relative(1e-10));
    compare_region(&mut case, expected, "repeat", &(0..4).map(of).collect::<Vec<_>>());
    case.finish();
}

/// Numerical derivatives are right to some 1e-11.
fn compare_region(case: &mut Case, expected: &Numbers, name: &str, found: &[RegionDifference]) {
    let of = |f: fn(&RegionDifference) -> f64| found.iter().map(f).collect::<Vec<f64>>();
    expected.compare_all(case, name, "difference", &of(|d| d.difference));
    expected.compare_all(case, name, "se", &of(|d| d.se));
    expected.compare_all(case, name, "se_equal", &of(|d| d.se_at_no_difference));
}

/// Counts summed over four years.
fn atlas(expected: &Numbers) {
    let (o, e) = (expected.values("atlas", "observed"), expected.values("atlas", "expected"));
    let found = helseatlas(&o, &e, 4.0, 5.0).unwrap();
    let mut case = Case::new("the atlas's SCV of yearly means", "Pearson residuals in R", Relative(1e-10));
    case.compare("SCV", expected.at("atlas", "scv", ""), found.scv.raw);
    case.finish();
    let mut case = Case::new("the atlas's FT1-FT3 and what it leaves out", "R 4.2.2", Exact);
    expected.compare_all(&mut case, "atlas", "ft", &found.ft.map(|ft| ft.unwrap()));
    let left_out: Vec<f64> = found.left_out.iter().map(|j| *j as f64 + 1.0).collect();
    expected.compare_all(&mut case, "atlas", "left_out", &left_out);
    case.finish();
}

/// The median of exp|u₁ − u₂|, by the integral over one unit's effect.
fn odds_ratios(expected: &Numbers) {
    let mut case = Case::new("median odds ratio, latent ICC", "their definitions in R", Relative(1e-10));
    for (variance, value) in expected.all("mor", "value") {
        let v: f64 = variance.parse().unwrap();
        case.compare(&format!("MOR at {v}"), value, median_odds_ratio(v).unwrap());
        case.compare(&format!("ICC at {v}"), expected.at("mor", "icc", &variance), latent_icc(v).unwrap());
    }
    case.finish();
}

/// Two adjusters make the wards differ more.
fn explained(expected: &Numbers) {
    let rows = Table::own("r/models_rows.csv");
    let wards: Vec<u32> = rows.numbers("ward").iter().map(|w| *w as u32 - 1).collect();
    let units = wards.iter().max().unwrap() + 1;
    let z: Vec<f64> = rows.numbers("x1").iter().map(|v| (v - 55.0) / 10.0).collect();
    let variance = |x: &[&[f64]]| {
        let mut counts = BinaryCounts::new(units as usize, x.len());
        counts.add(&wards, &rows.numbers("event"), x).unwrap();
        fit_logistic_random_intercept(&counts.finish(), 25, SeparationPolicy::Refuse).unwrap().between_unit_sd.powi(2)
    };
    let (raw, adjusted) = (variance(&[]), variance(&[&z, &rows.numbers("x2")]));
    let mut case = Case::new("variance between units that adjusters explain", "glmer 1.1-31, 25 nodes", Relative(1e-5));
    case.compare("without", expected.at("explained", "raw", ""), raw);
    case.compare("with", expected.at("explained", "adjusted", ""), adjusted);
    case.compare("share", expected.at("explained", "share", ""), share_explained(raw, adjusted).unwrap());
    case.finish();
}

/// A p of 100,000 replicates has an error of at most 0.0016, a mean one of 0.0032 standard deviations: three of each.
fn chances(expected: &Numbers) {
    let with = |frequency, persons| PersonsWithEvents { frequency, persons };
    let persons = [with(1, 3), with(2, 2), with(4, 1)];
    type Statistic = fn(&[f64], &[f64]) -> Option<f64>;
    let statistics: [(&str, Statistic); 2] = [
        ("chi2", |o, e| chi_squared_test(o, e).ok().map(|t| t.statistic)),
        ("scv", |o, e| scv_diehr(o, e, 1.0).ok().map(|s| s.raw)),
    ];
    for (kind, events) in [("repeat", Events::Repeat(&persons)), ("independent", Events::Independent)] {
        let mut p = Case::new(&format!("chance, {kind} events: p"), "all allotments in R", Absolute(0.005));
        let mut mean = Case::new(&format!("chance, {kind} events: mean in SDs"), "all allotments in R", Absolute(0.01));
        let mut exact =
            Case::new(&format!("chance, {kind} events: statistic, P95"), "all allotments in R", Relative(1e-10));
        for (name, statistic) in statistics {
            let case = format!("chance_{name}_{kind}");
            let at = |quantity: &str| expected.at(&case, quantity, "");
            let options = ChanceOptions { replicates: 99_999, seed: 17 };
            let found = chance(&[8.0, 2.0, 1.0], &[40.0, 35.0, 25.0], events, options, statistic).unwrap();
            p.compare(name, at("p"), found.p);
            mean.compare(name, at("mean") / at("sd"), found.null_mean / at("sd"));
            exact.compare(name, at("statistic"), found.statistic);
            exact.compare(name, at("p95"), found.null_p95);
        }
        p.finish();
        mean.finish();
        exact.finish();
    }
}
