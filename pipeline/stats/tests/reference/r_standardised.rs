//! Values at a common mix of patients: adjusted proportions with errors and limits, also weighted, indirect ratios, 30-day
//! mortality of shared courses, marginal probabilities and differences from a reference that contains the unit. R's glm, survey,
//! lme4 and lm on `r/standardised_rows.csv` and `r/models_rows.csv`.

use crate::common::{Case, Table, Tolerance::Relative, Tolerance::Scaled};
use crate::models::moments;
use crate::r_numbers::Numbers;
use prem_stats::binary::{
    AdjustedProportion, BinaryCounts, BinaryTable, IndirectRatio, LogisticFit, SeparationPolicy, WeightedCells,
    adjusted_proportions, fit_logistic, fit_logistic_random_intercept, indirect_ratios, weighted_proportions,
    weighted_reference,
};
use prem_stats::case_mix::{AdjustedMeanOptions, within};
use prem_stats::comparison::{SharedCoefficients, benjamini_hochberg, differences_from_reference, p_beyond};
use prem_stats::interval::Level;
use prem_stats::survival::{HospitalSurvival, Share, hospital_survival};

const GLM: &str = "R 4.2.2 glm, uniroot";
const HOSPITALS: usize = 6;

struct Patients {
    table: Table,
    x: [Vec<f64>; 3],
    hospitals: Vec<u32>,
    counts: BinaryTable,
}

impl Patients {
    fn read() -> Patients {
        let table = Table::own("r/standardised_rows.csv");
        let age: Vec<f64> = table.numbers("age").iter().map(|a| (a - 70.0) / 10.0).collect();
        let x = [age, table.numbers("sex"), table.numbers("acute")];
        let hospitals: Vec<u32> = table.numbers("hospital").iter().map(|h| *h as u32 - 1).collect();
        let mut counts = BinaryCounts::new(HOSPITALS, x.len());
        counts.add(&hospitals, &table.numbers("died"), &[&x[0], &x[1], &x[2]]).unwrap();
        Patients { counts: counts.finish(), hospitals, x, table }
    }

    /// x'β̂ of every patient, without any unit effect.
    fn predictors(&self, fit: &LogisticFit) -> Vec<f64> {
        let x = |i: usize| [self.x[0][i], self.x[1][i], self.x[2][i]];
        (0..self.x[0].len()).map(|i| fit.linear_predictor(&x(i))).collect()
    }
}

pub fn run() {
    let (patients, expected) = (Patients::read(), Numbers::read("standardised_expected.csv"));
    let fit = fit_logistic(&patients.counts, SeparationPolicy::Refuse).unwrap();
    let mut case = Case::new("logistic with unit effects, 30-day deaths: β, SE", GLM, Relative(1e-9));
    expected.compare_all(&mut case, "fit", "beta", &fit.coefficients);
    expected.compare_all(&mut case, "fit", "se", &fit.standard_errors());
    case.finish();
    proportions(&patients, &fit, &expected);
    weighted(&patients, &fit, &expected);
    ratios(&patients, &fit, &expected);
    shared_courses(&patients, &fit, &expected);
    marginal(&expected);
    differences(&expected);
}

fn compare_values(case: &mut Case, expected: &Numbers, name: &str, units: &[Option<AdjustedProportion>]) {
    let of = |f: fn(&AdjustedProportion) -> f64| units.iter().flatten().map(f).collect::<Vec<f64>>();
    expected.compare_all(case, name, "value", &of(|u| u.value));
    expected.compare_all(case, name, "low", &of(|u| u.lower));
    expected.compare_all(case, name, "high", &of(|u| u.upper));
}

/// Everyone treated in each hospital by `predict`, with the error of the joint covariance; two trusts of three hospitals.
fn proportions(patients: &Patients, fit: &LogisticFit, expected: &Numbers) {
    let reference = patients.counts.reference();
    let units = adjusted_proportions(fit, &patients.counts, &reference, 0.95).unwrap();
    let mut case = Case::new("adjusted proportions: value, SE, score limits", GLM, Relative(1e-9));
    compare_values(&mut case, expected, "proportion", &units);
    let errors: Vec<f64> = units.iter().flatten().map(|u| u.variance.sqrt()).collect();
    expected.compare_all(&mut case, "proportion", "se", &errors);
    case.finish();
    let trusts = patients.counts.aggregate(&[0_u32, 0, 0, 1, 1, 1].map(Some), 2).unwrap();
    let values = adjusted_proportions(fit, &trusts, &reference, 0.95).unwrap();
    let mut case = Case::new("adjusted proportions of a higher level", GLM, Relative(1e-9));
    compare_values(&mut case, expected, "trust", &values);
    case.finish();
}

/// A weight and a stratum for every hospital and sex; β̂ as without weights. Two hospitals have the rows for a linearised error.
fn weighted(patients: &Patients, fit: &LogisticFit, expected: &Numbers) {
    let cell_of: Vec<u32> = patients.hospitals.iter().zip(&patients.x[1]).map(|(h, sex)| 2 * h + *sex as u32).collect();
    let cells = 2 * HOSPITALS;
    let mut counts = BinaryCounts::new(cells, patients.x.len());
    let columns = [&patients.x[0][..], &patients.x[1][..], &patients.x[2][..]];
    counts.add(&cell_of, &patients.table.numbers("died"), &columns).unwrap();
    let table = counts.finish();
    let weights: Vec<f64> = (0..cells).map(|cell| 1.0 + (cell % 5) as f64).collect();
    let strata: Vec<u32> = (0..cells as u32).collect();
    let rows = WeightedCells {
        table: &table,
        weights: &weights,
        strata: &strata,
        correction: None,
        outside: &[],
        calibration: None,
    };
    let reference = weighted_reference(&rows).unwrap();
    let group: Vec<Option<u32>> = (0..cells as u32).map(|cell| Some(cell / 2)).collect();
    let found = weighted_proportions(Some(fit), &rows, (&group, HOSPITALS), &reference, 0.95).unwrap();
    let mut case = Case::new("weighted proportions: value, SE, limits, n*", "survey 4.1-1 svyglm", Relative(1e-9));
    for (h, unit) in found.iter().flatten().take(expected.all("weighted", "value").len()).enumerate() {
        let (low, high) = unit.limits.unwrap();
        let name = (h + 1).to_string();
        for (quantity, value) in [
            ("crude", unit.crude),
            ("binomial_n", unit.binomial_n),
            ("value", unit.value),
            ("se", unit.sampling_variance.sqrt()),
            ("low", low),
            ("high", high),
        ] {
            case.compare(&format!("{name} {quantity}"), expected.at("weighted", quantity, &name), value);
        }
    }
    case.finish();
}

fn ratios(patients: &Patients, fit: &LogisticFit, expected: &Numbers) {
    let found = indirect_ratios(fit, &patients.counts, &patients.counts, 0.95).unwrap();
    let mut case = Case::new("observed over expected with case mix", GLM, Relative(1e-9));
    type Quantity = (&'static str, fn(&IndirectRatio) -> f64);
    let quantities: [Quantity; 5] = [
        ("expected", |r| r.expected),
        ("variance", |r| r.observed_variance),
        ("value", |r| r.value),
        ("low", |r| r.lower),
        ("high", |r| r.upper),
    ];
    for (quantity, of) in quantities {
        let values: Vec<f64> = found.iter().flatten().map(of).collect();
        expected.compare_all(&mut case, "ratio", quantity, &values);
    }
    case.finish();
}

/// The intercept is the average hospital's, so that ΣE = ΣO: the offset of all patients as one unit.
fn shared_courses(patients: &Patients, fit: &LogisticFit, expected: &Numbers) {
    let all = patients.counts.aggregate(&[Some(0); HOSPITALS], 1).unwrap();
    let average = adjusted_proportions(fit, &all, &patients.counts.reference(), 0.95).unwrap();
    let alpha = average[0].as_ref().unwrap().offset;
    let eta: Vec<f64> = patients.predictors(fit).iter().map(|e| e + alpha).collect();
    let died: Vec<bool> = patients.table.numbers("died").iter().map(|d| *d > 0.0).collect();
    let mut shares = Vec::new();
    for (patient, r) in patients.table.rows().enumerate() {
        let (first, other, share) = (r.number("hospital") as usize, r.number("other") as usize, r.number("share"));
        shares.push(Share { patient, hospital: first, share });
        if other > 0 {
            shares.push(Share { patient, hospital: other, share: 1.0 - share });
        }
    }
    let found = hospital_survival(&eta, &died, &shares, &eta, Level::P95).unwrap();
    let of = |f: fn(&HospitalSurvival) -> f64| found.iter().map(f).collect::<Vec<f64>>();
    let mut case = Case::new("30-day mortality of shared courses: O, E, value, limits", GLM, Relative(1e-9));
    expected.compare_all(&mut case, "shared", "patients", &of(|h| h.patients as f64));
    expected.compare_all(&mut case, "shared", "n", &of(|h| h.n));
    expected.compare_all(&mut case, "shared", "observed", &of(|h| h.observed));
    expected.compare_all(&mut case, "shared", "expected", &of(|h| h.expected));
    expected.compare_all(&mut case, "shared", "variance", &of(|h| h.variance));
    expected.compare_all(&mut case, "shared", "mortality", &of(|h| h.mortality));
    expected.compare_all(&mut case, "shared", "low", &of(|h| h.interval.low));
    expected.compare_all(&mut case, "shared", "high", &of(|h| h.interval.high));
    case.finish();
    let z = of(|h| h.z.unwrap());
    let p: Vec<f64> = z.iter().map(|z| p_beyond(*z, 1.0, 0.0).unwrap()).collect();
    let mut case = Case::new("30-day mortality of shared courses: z and q", "R 4.2.2 glm, p.adjust", Scaled(1e-9));
    expected.compare_all(&mut case, "shared", "z", &z);
    expected.compare_all(&mut case, "shared", "q", &benjamini_hochberg(&p).unwrap());
    case.finish();
}

/// Over the reference population and over the unit effects, a priori and given a ward's own answers.
fn marginal(expected: &Numbers) {
    let rows = Table::own("r/models_rows.csv");
    let wards: Vec<u32> = rows.numbers("ward").iter().map(|w| *w as u32 - 1).collect();
    let z: Vec<f64> = rows.numbers("x1").iter().map(|v| (v - 55.0) / 10.0).collect();
    let mut counts = BinaryCounts::new(expected.all("marginal", "value").len(), 2);
    counts.add(&wards, &rows.numbers("event"), &[&z, &rows.numbers("x2")]).unwrap();
    let table = counts.finish();
    let fit = fit_logistic_random_intercept(&table, 25, SeparationPolicy::Refuse).unwrap();
    let units = fit.marginal_probabilities(&table, &table.reference()).unwrap();
    // The optimum of lme4 is known to 1e-7.
    let mut case = Case::new("marginal probabilities, all units and each", "lme4 1.1-31, integrate", Relative(2e-6));
    case.compare("all", expected.at("marginal", "overall", ""), fit.overall_probability(&table.reference()).unwrap());
    expected.compare_all(&mut case, "marginal", "value", &units.iter().map(|u| u.value).collect::<Vec<f64>>());
    case.finish();
    let mut case = Case::new("marginal probabilities: posterior SD", "lme4 1.1-31, integrate", Relative(1e-5));
    expected.compare_all(
        &mut case,
        "marginal",
        "sd",
        &units.iter().map(|u| u.standard_deviation).collect::<Vec<f64>>(),
    );
    case.finish();
}

/// Contrasts of unit dummies: Δ_j and its error with the covariance of all coefficients, which has V(β̂) once.
fn differences(expected: &Numbers) {
    let rows = Table::own("r/models_rows.csv");
    let wards: Vec<u32> = rows.numbers("ward").iter().map(|w| *w as u32 - 1).collect();
    let units = expected.all("difference", "value").len();
    let m = moments(&wards, units, &rows.numbers("y"), &[&rows.numbers("x1"), &rows.numbers("x2")]);
    let fit = within(&m).unwrap();
    let options = AdjustedMeanOptions { robust_from: u64::MAX, ..Default::default() };
    let means = fit.adjusted_means(&m, &m.mean_adjusters(), &options).unwrap();
    let values: Vec<f64> = means.iter().flatten().map(|a| a.value).collect();
    let variances: Vec<f64> = means.iter().flatten().map(|a| a.sampling_variance).collect();
    let adjusters: Vec<f64> = means.iter().flatten().flat_map(|a| a.mean_adjusters.clone()).collect();
    let weights: Vec<f64> = (0..units).map(|j| m.count(j) as f64 + 3.0 * (j + 1) as f64).collect();
    let shared = SharedCoefficients { adjuster_means: &adjusters, covariance: fit.covariance.as_slice(), p: 2 };
    let (_, found) = differences_from_reference(&values, &variances, &weights, Some(shared)).unwrap();
    let mut case =
        Case::new("differences from a reference that contains the unit", "R 4.2.2 lm, contrasts", Relative(1e-10));
    expected.compare_all(&mut case, "difference", "value", &found.iter().map(|d| d.difference).collect::<Vec<f64>>());
    expected.compare_all(&mut case, "difference", "se", &found.iter().map(|d| d.se).collect::<Vec<f64>>());
    case.finish();
}
