//! The reference data as the model tests want them.
#![allow(dead_code, reason = "every test binary uses a part of it")]

#[path = "../common/mod.rs"]
pub mod common;

use common::Table;
use prem_stats::case_mix::{SufficientStatistics, UnitMoments};

/// The moments of rows in memory.
pub fn moments(units: &[u32], n: usize, y: &[f64], x: &[&[f64]]) -> UnitMoments {
    let mut statistics = SufficientStatistics::new(n, x.len());
    statistics.add(units, y, x).expect("rows");
    statistics.finish().expect("moments")
}

/// Distinct labels in sorted order, and the index of each row.
pub fn codes(labels: &[&str]) -> (Vec<String>, Vec<u32>) {
    let mut names: Vec<String> = labels.iter().map(ToString::to_string).collect();
    names.sort();
    names.dedup();
    let index = labels.iter().map(|l| names.iter().position(|n| n == l).expect("label") as u32).collect();
    (names, index)
}

/// prem.csv as the models want it.
pub struct Prem {
    pub names: Vec<String>,
    pub units: Vec<u32>,
    pub score: Vec<f64>,
    pub topbox: Vec<f64>,
    pub terms: Vec<String>,
    pub x: Vec<Vec<f64>>,
}

impl Prem {
    /// With age in years, or (age − 60)/10 as `age_c`.
    pub fn read(centred_age: bool) -> Option<Prem> {
        let table = Table::shared("mixed/prem.csv")?;
        let (names, units) = codes(&table.texts("unit"));
        let age = table.numbers("age");
        let mut terms = vec![if centred_age { "age_c" } else { "age" }.to_string()];
        let mut x = vec![if centred_age { age.iter().map(|a| (a - 60.0) / 10.0).collect() } else { age }];
        for (variable, reference) in [
            ("sex", "female"),
            ("education", "primary"),
            ("health", "excellent"),
            ("acute", ""),
            ("language", "norwegian"),
        ] {
            if variable == "acute" {
                terms.push("acute".into());
                x.push(table.numbers("acute"));
                continue;
            }
            let labels = table.texts(variable);
            for level in codes(&labels).0.iter().filter(|l| *l != reference) {
                terms.push(format!("{variable}={level}"));
                x.push(labels.iter().map(|l| f64::from(l == level)).collect());
            }
        }
        Some(Prem { names, units, score: table.numbers("score"), topbox: table.numbers("topbox"), terms, x })
    }

    pub fn columns(&self) -> Vec<&[f64]> {
        self.x.iter().map(Vec::as_slice).collect()
    }

    /// Moments of the score.
    pub fn moments(&self) -> UnitMoments {
        moments(&self.units, self.names.len(), &self.score, &self.columns())
    }
}

/// One of the data sets of random intercepts: dyestuff, dyestuff2, sleepstudy or prem.
pub struct Intercepts {
    pub names: Vec<String>,
    pub moments: UnitMoments,
    pub terms: Vec<String>,
}

impl Intercepts {
    pub fn read(name: &str) -> Option<Intercepts> {
        if name == "prem" {
            let prem = Prem::read(false)?;
            return Some(Intercepts { moments: prem.moments(), names: prem.names, terms: prem.terms });
        }
        let table = Table::shared(&format!("mixed/{name}.csv"))?;
        let (unit, y) = if name == "sleepstudy" { ("subject", "reaction") } else { ("batch", "yield") };
        let (names, units) = codes(&table.texts(unit));
        let days = if name == "sleepstudy" { vec![table.numbers("days")] } else { Vec::new() };
        let x: Vec<&[f64]> = days.iter().map(Vec::as_slice).collect();
        let terms = days.iter().map(|_| "days".to_string()).collect();
        Some(Intercepts { moments: moments(&units, names.len(), &table.numbers(y), &x), names, terms })
    }
}

/// Wards in hospitals: the nested data set.
pub struct Tree {
    pub moments: UnitMoments,
    pub wards: Vec<String>,
    pub hospitals: Vec<String>,
    pub parent: Vec<u32>,
}

impl Tree {
    pub fn read() -> Option<Tree> {
        let table = Table::shared("mixed/nested.csv")?;
        let labels: Vec<String> =
            table.texts("ward").iter().zip(table.texts("hospital")).map(|(w, h)| format!("{w}:{h}")).collect();
        let (wards, units) = codes(&labels.iter().map(String::as_str).collect::<Vec<_>>());
        let (hospitals, _) = codes(&table.texts("hospital"));
        let of =
            |ward: &String| hospitals.iter().position(|h| ward.ends_with(&format!(":{h}"))).expect("hospital") as u32;
        let parent = wards.iter().map(of).collect();
        let moments = moments(&units, wards.len(), &table.numbers("score"), &[&table.numbers("x")]);
        Some(Tree { moments, wards, hospitals, parent })
    }
}
