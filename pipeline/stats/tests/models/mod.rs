//! Data as the model tests want them: the shared reference data, where they are at hand, and rows that come with the package.
#![allow(dead_code, reason = "every test binary uses a part of it")]

#[path = "../common/mod.rs"]
pub mod common;

use common::Table;
use prem_stats::binary::{BinaryCounts, BinaryTable};
use prem_stats::case_mix::{SufficientStatistics, UnitMoments};

/// The moments of rows in memory.
pub fn moments(units: &[u32], n: usize, y: &[f64], x: &[&[f64]]) -> UnitMoments {
    let mut statistics = SufficientStatistics::new(n, x.len());
    statistics.add(units, y, x).expect("rows");
    statistics.finish().expect("moments")
}

/// Whether two moments agree to 1e-12: a mean relative to the variable's root mean square, a product relative to those of its
/// two variables alone, which is what rounding goes by.
pub fn agree(a: &UnitMoments, b: &UnitMoments) -> bool {
    let near = |x: f64, z: f64, scale: f64| (x - z).abs() <= 1e-12 * scale;
    (0..a.units()).all(|j| {
        let n = a.count(j).max(1) as f64;
        let mean = |m: &UnitMoments, k: usize| if k == m.adjusters() { m.mean_y(j) } else { m.mean_x(j)[k] };
        let size = |k: usize| (a.cross(j, k, k) / n + mean(a, k).powi(2)).sqrt();
        let spread = |k: usize, l: usize| (a.cross(j, k, k) * a.cross(j, l, l)).sqrt();
        a.count(j) == b.count(j)
            && (0..=a.adjusters()).all(|k| near(mean(a, k), mean(b, k), size(k)))
            && (0..=a.adjusters()).all(|k| (0..=k).all(|l| near(a.cross(j, l, k), b.cross(j, l, k), spread(k, l))))
    })
}

/// Values that are there on both sides; one that is there on one side only is a failure.
pub fn paired<'a, T>(a: &'a [Option<T>], b: &'a [Option<T>]) -> Vec<(&'a T, &'a T)> {
    let known = |side: &[Option<T>]| side.iter().map(Option::is_some).collect::<Vec<bool>>();
    assert_eq!(known(a), known(b));
    a.iter().flatten().zip(b.iter().flatten()).collect()
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

/// The rows of `tests/reference/r/models_rows.csv`, which come with the package: 23 wards of 1 to 24 answers in nine hospitals in
/// four trusts.
pub struct Wards {
    /// Ward of each answer.
    pub units: Vec<u32>,
    /// Hospital of each ward, and trust of each hospital.
    pub hospital: Vec<u32>,
    pub trust: Vec<u32>,
    pub score: Vec<f64>,
    /// 0 or 1.
    pub event: Vec<f64>,
    /// Age, and a share of one in three.
    pub x: [Vec<f64>; 2],
}

impl Wards {
    pub fn read() -> Wards {
        let table = Table::own("r/models_rows.csv");
        let codes = |column: &str| -> Vec<u32> { table.numbers(column).iter().map(|v| *v as u32 - 1).collect() };
        let (units, hospitals, trusts) = (codes("ward"), codes("hospital"), codes("trust"));
        let parents = |child: &[u32], parent: &[u32]| -> Vec<u32> {
            let n = child.iter().max().expect("rows") + 1;
            (0..n).map(|c| parent[child.iter().position(|v| *v == c).expect("node")]).collect()
        };
        Wards {
            hospital: parents(&units, &hospitals),
            trust: parents(&hospitals, &trusts),
            units,
            score: table.numbers("y"),
            event: table.numbers("event"),
            x: [table.numbers("x1"), table.numbers("x2")],
        }
    }

    pub fn columns(&self) -> [&[f64]; 2] {
        [&self.x[0], &self.x[1]]
    }

    /// Moments of the score.
    pub fn moments(&self) -> UnitMoments {
        moments(&self.units, self.hospital.len(), &self.score, &self.columns())
    }

    /// Counts of the event.
    pub fn counts(&self) -> BinaryTable {
        let mut counts = BinaryCounts::new(self.hospital.len(), 2);
        counts.add(&self.units, &self.event, &self.columns()).expect("rows");
        counts.finish()
    }
}
