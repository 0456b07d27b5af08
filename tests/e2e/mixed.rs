//! Mixed models through declarations alone: coefficients, variance components and shrunken values are those of lme4, of means and
//! of shares.
//!
//! Answers are whole codes, so the data enter in hundredths or thousandths and everything is compared on that scale. The
//! sleep study's four decimals do not fit into a code; the kernels' own tests have it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use prem_store::tables::{CaseMix, Estimate};

use crate::{place::Place, reference_folder};

/// Relative tolerance of the reference.
const TOLERANCE: f64 = 1e-6;

/// Term of the reference → term here, with the level that has the column's code.
const TERMS: [(&str, &str); 10] = [
    ("age", "age"),
    ("sex=male", "sex=2"),
    ("education=secondary", "education=2"),
    ("education=tertiary", "education=3"),
    ("health=very_good", "health=2"),
    ("health=good", "health=3"),
    ("health=fair", "health=4"),
    ("health=poor", "health=5"),
    ("acute", "acute"),
    ("language=other", "language=2"),
];

type Row = BTreeMap<String, String>;

struct Reference(PathBuf);

impl Reference {
    fn rows(&self, file: &str) -> Vec<Row> {
        let mut reader = csv::Reader::from_path(self.0.join(file)).expect("a reference file");
        reader.deserialize().map(|row| row.expect("a row")).collect()
    }

    /// The number in `column` of the only row of `file` for which all pairs hold.
    fn number(&self, file: &str, pairs: &[(&str, &str)], column: &str) -> f64 {
        let is_it = |row: &&Row| pairs.iter().all(|(key, value)| row[*key] == *value);
        let rows = self.rows(file);
        number(rows.iter().find(is_it).unwrap_or_else(|| panic!("{file}: {pairs:?}")), column)
    }

    fn fit(&self, dataset: &str, quantity: &str) -> f64 {
        let pairs = [("dataset", dataset), ("method", "REML"), ("quantity", quantity)];
        self.number("lmm_fit_expected.csv", &pairs, "value")
    }

    fn fixed(&self, dataset: &str, term: &str, column: &str) -> f64 {
        let pairs = [("dataset", dataset), ("method", "REML"), ("term", term)];
        self.number("lmm_fixed_expected.csv", &pairs, column)
    }

    fn effect(&self, dataset: &str, grouping: &str, level: &str, column: &str) -> f64 {
        let pairs = [("dataset", dataset), ("method", "REML"), ("grouping", grouping), ("level", level)];
        self.number("lmm_ranef_expected.csv", &pairs, column)
    }
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {}", row[column]))
}

fn close(what: &str, got: Option<f64>, wanted: f64) {
    let got = got.unwrap_or_else(|| panic!("{what}: no value"));
    assert!((got - wanted).abs() <= TOLERANCE * wanted.abs().max(1.0), "{what}: {got} instead of {wanted}");
}

/// The code of a value in units of `scale`.
fn code(row: &Row, column: &str, scale: f64) -> String {
    format!("{:.0}", number(row, column) * scale)
}

fn place_of(word: &str, words: &[&str]) -> String {
    let place = words.iter().position(|known| *known == word).unwrap_or_else(|| panic!("{word}"));
    (place + 1).to_string()
}

fn deliver(place: &Place, name: &str, header: &str, rows: impl Iterator<Item = String>) {
    let rows: String = rows.enumerate().map(|(index, row)| format!("{index},{row}\n")).collect();
    fs::write(place.inbox(&format!("{name}.csv")), format!("id,{header}\n{rows}")).expect("a delivery");
}

fn deliver_all(place: &Place, reference: &Reference) {
    let patients = reference.rows("prem.csv");
    let header = "unit,score,topbox,age_years,sex_code,education_code,health_code,acute_code,language_code";
    let patient = |row: &Row| {
        [
            row["unit"].clone(),
            code(row, "score", 100.0),
            row["topbox"].clone(),
            row["age"].clone(),
            place_of(&row["sex"], &["female", "male"]),
            place_of(&row["education"], &["primary", "secondary", "tertiary"]),
            place_of(&row["health"], &["excellent", "very_good", "good", "fair", "poor"]),
            row["acute"].clone(),
            place_of(&row["language"], &["norwegian", "other"]),
        ]
        .join(",")
    };
    deliver(place, "patients", header, patients.iter().map(patient));
    let tree = reference.rows("nested.csv");
    let leaf = |row: &Row| {
        format!("{}-{},{},{}", row["hospital"], row["ward"], code(row, "score", 100.0), code(row, "x", 1000.0))
    };
    deliver(place, "tree", "unit,outcome,x_code", tree.iter().map(leaf));
    let (one, two) = (reference.rows("dyestuff.csv"), reference.rows("dyestuff2.csv"));
    let batch = |(one, two): (&Row, &Row)| format!("{},{},{}", one["batch"], one["yield"], code(two, "yield", 1000.0));
    deliver(place, "batches", "unit,yield_one,yield_two", one.iter().zip(&two).map(batch));
}

struct Found {
    estimates: Vec<Estimate>,
    case_mix: Vec<CaseMix>,
}

impl Found {
    fn unit(&self, indicator: &str, unit: &str) -> &Estimate {
        let is_it = |row: &&Estimate| row.indicator == indicator && row.unit_id == unit && row.period == "2025";
        self.estimates.iter().find(is_it).unwrap_or_else(|| panic!("{indicator} {unit}"))
    }

    fn term(&self, indicator: &str, term: &str) -> &CaseMix {
        let is_it = |row: &&CaseMix| row.indicator == indicator && row.term == term;
        self.case_mix.iter().find(is_it).unwrap_or_else(|| panic!("{indicator} {term}"))
    }
}

#[test]
fn mixed_models_are_those_of_lme4() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let Some(reference) = reference_folder::find("mixed").map(Reference) else { return };
    let place = Place::empty(&root.join("tests/e2e/mixed/schemas"));
    deliver_all(&place, &reference);
    let summary = place.run(&[]);
    // Units of two answers are compared too: the working tables have what a release would withhold.
    let found = Found { estimates: place.working_table(&summary), case_mix: place.working_table(&summary) };
    patients(&found, &reference);
    shares(&found, &reference);
    wards_in_hospitals(&found, &reference);
    batches(&found, &reference);
}

fn patients(found: &Found, reference: &Reference) {
    let fit = found.term("score", "(fit)");
    assert_eq!((fit.n_used, fit.n_units, fit.n_left_out), (3370, 40, 0));
    close("σ", fit.sigma, 100.0 * reference.fit("prem", "sigma"));
    close("σ_b", fit.between_sd, 100.0 * reference.fit("prem", "tau_unit"));
    close("ICC", fit.icc, reference.fit("prem", "icc_unit"));
    let rows = reference.rows("prem.csv");
    let mut at_the_mean = reference.fixed("prem", "intercept", "estimate");
    for (theirs, ours) in TERMS {
        let row = found.term("score", ours);
        let beta = reference.fixed("prem", theirs, "estimate");
        close(theirs, row.estimate, 100.0 * beta);
        close(theirs, row.se, 100.0 * reference.fixed("prem", theirs, "se"));
        at_the_mean += beta
            * mean(&rows, |row| match theirs.split_once('=') {
                Some((variable, level)) => f64::from(u8::from(row[variable] == level)),
                None => number(row, theirs),
            });
    }
    for unit in rows.iter().map(|row| row["unit"].as_str()).collect::<std::collections::BTreeSet<_>>() {
        let row = found.unit("score", &unit.to_lowercase());
        let effect = |column| reference.effect("prem", "unit", unit, column);
        close(unit, row.shrunken, 100.0 * (at_the_mean + effect("blup")));
        close(unit, row.reliability, effect("shrinkage"));
    }
}

/// Relative tolerance of the reference for logistic models.
const TOLERANCE_LOGISTIC: f64 = 1e-5;

/// The units' modes by glmer with nine nodes, everybody treated there.
fn shares(found: &Found, reference: &Reference) {
    let close = |what: &str, got: Option<f64>, wanted: f64| {
        let got = got.unwrap_or_else(|| panic!("{what}: no value"));
        assert!((got - wanted).abs() <= TOLERANCE_LOGISTIC * wanted.abs(), "{what}: {got} instead of {wanted}");
    };
    let own = Reference(Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipeline/stats/tests/reference/r"));
    let fit = |quantity| reference.number("glmm_fit_expected.csv", &[("nagq", "9"), ("quantity", quantity)], "value");
    let tau = fit("tau_unit");
    let model = found.term("topbox", "(random intercept ward)");
    close("τ", model.between_sd, tau);
    close("ICC", model.icc, tau * tau / (tau * tau + std::f64::consts::PI.powi(2) / 3.0));
    assert_eq!((model.n_used, model.n_units, model.convergence.as_str()), (3370, 40, "converged"));

    let beta = |term| reference.number("glmm_fixed_expected.csv", &[("nagq", "9"), ("term", term)], "estimate");
    let betas: Vec<(&str, f64)> = TERMS[1..].iter().map(|(theirs, _)| (*theirs, beta(theirs))).collect();
    let (intercept, of_age) = (beta("intercept"), beta("age_c"));
    let rows = reference.rows("prem.csv");
    let predictor = |row: &Row| {
        let term = |(theirs, beta): &(&str, f64)| {
            beta * match theirs.split_once('=') {
                Some((variable, level)) => f64::from(u8::from(row[variable] == level)),
                None => number(row, theirs),
            }
        };
        intercept + of_age * (number(row, "age") - 60.0) / 10.0 + betas.iter().map(term).sum::<f64>()
    };
    let predictors: Vec<f64> = rows.iter().map(predictor).collect();
    let there = |effect: f64| {
        let of = |eta: &f64| 1.0 / (1.0 + (-eta - effect).exp());
        predictors.iter().map(of).sum::<f64>() / predictors.len() as f64
    };
    for unit in rows.iter().map(|row| row["unit"].as_str()).collect::<std::collections::BTreeSet<_>>() {
        let row = found.unit("topbox", &unit.to_lowercase());
        let effect = |column| reference.number("glmm_ranef_expected.csv", &[("nagq", "9"), ("unit", unit)], column);
        let (mode, variance) = (effect("mode"), effect("cond_var"));
        close(unit, row.shrunken, there(mode));
        // R 4.2, lme4: the script beside the numbers. Its covariance comes from differences of the likelihood.
        let limit = |column| own.number("mixed_limits_expected.csv", &[("unit", unit)], column);
        for (found, limit) in [(row.shrunken_low, limit("low")), (row.shrunken_high, limit("high"))] {
            assert!(found.is_some_and(|found| (found - limit).abs() < 1e-4 * limit), "{unit}: {found:?}, not {limit}");
        }
        // A difference of nearly equal numbers where a unit has few answers.
        let reliability = row.reliability.expect("a reliability");
        assert!(
            (reliability - (1.0 - variance / (tau * tau))).abs() < 3.0 * TOLERANCE_LOGISTIC,
            "{unit}: {reliability}"
        );
    }
    // R 4.2: wilcox.test on x'β̂ of glm(topbox ~ unit + age + sex + education + health + acute + language), the units with both
    // answers; and 1 − its deviance over that of glm(topbox ~ unit). They are published rounded.
    let fit = found.term("topbox", "(fit)");
    assert!((fit.c_statistic.expect("pairs") - 0.627_708_766_219_949_5).abs() < 1e-9, "{:?}", fit.c_statistic);
    let share = fit.deviance_explained.expect("a deviance");
    assert!((share - 0.034_221_543_044_844_48).abs() < 1e-9, "{share}");
    assert_eq!(found.term("score", "(fit)").c_statistic, None);
}

fn wards_in_hospitals(found: &Found, reference: &Reference) {
    for (level, quantity) in [("ward", "tau_ward"), ("hospital", "tau_hospital")] {
        let row = found.term("outcome", &format!("(nested {level})"));
        close(quantity, row.between_sd, 100.0 * reference.fit("nested", quantity));
        close("σ", row.sigma, 100.0 * reference.fit("nested", "sigma"));
        close("ICC", row.icc, reference.fit("nested", &format!("icc_{level}")));
    }
    let rows = reference.rows("nested.csv");
    let at_the_mean = reference.fixed("nested", "intercept", "estimate")
        + reference.fixed("nested", "x", "estimate") * mean(&rows, |row| number(row, "x"));
    let mut hospitals: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let mut wards: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for row in &rows {
        *wards.entry((&row["hospital"], &row["ward"])).or_default() += 1.0;
    }
    for ((hospital, ward), n) in wards {
        let effect = |grouping, level: &str| reference.effect("nested", grouping, level, "blup");
        let name = format!("{ward}:{hospital}");
        let wanted = at_the_mean + effect("ward", &name) + effect("hospital", hospital);
        let row = found.unit("outcome", &format!("{hospital}-{ward}").to_lowercase());
        close(&name, row.shrunken, 100.0 * wanted);
        let sums = hospitals.entry(hospital).or_default();
        *sums = (sums.0 + n, sums.1 + n * wanted);
    }
    // A hospital is its wards, each by its respondents.
    for (hospital, (n, sum)) in hospitals {
        close(hospital, found.unit("outcome", &hospital.to_lowercase()).shrunken, 100.0 * sum / n);
    }
}

fn batches(found: &Found, reference: &Reference) {
    for (indicator, dataset, scale) in [("yield-one", "dyestuff", 1.0), ("yield-two", "dyestuff2", 1000.0)] {
        let fit = found.term(indicator, "(fit)");
        close("σ_b", fit.between_sd, scale * reference.fit(dataset, "tau_batch"));
        for batch in ["A", "B", "C", "D", "E", "F"] {
            let row = found.unit(indicator, &format!("batch-{}", batch.to_lowercase()));
            let wanted =
                reference.fixed(dataset, "intercept", "estimate") + reference.effect(dataset, "batch", batch, "blup");
            close(batch, row.shrunken, scale * wanted);
        }
    }
    close("σ", found.term("yield-one", "(fit)").sigma, reference.fit("dyestuff", "sigma"));
    // No variation between batches beyond chance: θ = 0 is an answer and said as such.
    let nothing = found.term("yield-two", "(fit)");
    assert_eq!(nothing.between_sd, Some(0.0));
    assert_eq!(nothing.convergence, "converged at zero between-unit variance");
}

fn mean(rows: &[Row], value: impl Fn(&Row) -> f64) -> f64 {
    rows.iter().map(value).sum::<f64>() / f64::from(u32::try_from(rows.len()).expect("few rows"))
}
