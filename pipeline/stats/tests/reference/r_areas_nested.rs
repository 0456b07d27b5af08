//! Areas in a tree: metafor's `rma.mv`, dense matrices, and integrals over two and three variances (`r/areas_nested.R`).

use crate::common::{Case, Table, Tolerance, Tolerance::Absolute, Tolerance::Relative};
use crate::r_numbers::Numbers;
use prem_stats::case_mix::{FayHerriotUnit, NestedAreas, ShrinkageInterval, nested_areas};

/// Wards, the hospitals that they are in, and the trusts of the hospitals.
struct Wards {
    value: Vec<f64>,
    still: Vec<f64>,
    variance: Vec<f64>,
    hospital: Vec<u32>,
    trust: Vec<u32>,
}

impl Wards {
    fn read() -> Wards {
        let table = Table::own("r/areas_nested_rows.csv");
        let place = |column: &str| table.numbers(column).iter().map(|n| *n as u32 - 1).collect::<Vec<u32>>();
        let (hospital, of_ward) = (place("hospital"), place("trust"));
        let hospitals = hospital.iter().max().unwrap() + 1;
        let trust = (0..hospitals).map(|h| of_ward[hospital.iter().position(|of| *of == h).unwrap()]).collect();
        let (value, still, variance) = (table.numbers("value"), table.numbers("still"), table.numbers("variance"));
        Wards { value, still, variance, hospital, trust }
    }

    /// With two levels or three.
    fn fit(&self, y: &[f64], levels: usize, interval: ShrinkageInterval) -> NestedAreas {
        let parents = [self.hospital.clone(), self.trust.clone()];
        let tops = if levels == 2 { self.trust.len() } else { 5 };
        nested_areas(y, &self.variance, (&parents[..levels - 1], tops), interval, 0.95).unwrap()
    }
}

fn of(fit: &NestedAreas, quantity: fn(&FayHerriotUnit) -> f64) -> Vec<f64> {
    fit.areas.iter().map(quantity).collect()
}

fn variances(fit: &NestedAreas) -> Vec<f64> {
    fit.variances.iter().map(|a| a.unwrap()).collect()
}

pub fn run() {
    let expected = Numbers::read("areas_nested_expected.csv");
    let wards = Wards::read();
    plug_in(&expected, &wards);
    metafor(&expected, &wards);
    averaged(&expected, &wards);
}

fn plug_in(expected: &Numbers, wards: &Wards) {
    let mut case =
        Case::new("areas in a tree, REML, values and 2g3", "base R, dense matrices, numDeriv", Relative(1e-8));
    for (name, y, levels) in [("two", &wards.value, 2), ("three", &wards.value, 3), ("still", &wards.still, 2)] {
        let fit = wards.fit(y, levels, ShrinkageInterval::PlugIn);
        case.compare_same(&format!("{name}: boundary"), &(name == "still"), &fit.boundary);
        expected.compare_all(&mut case, name, "A", &variances(&fit));
        expected.compare_all(&mut case, name, "mu", &[fit.mean]);
        expected.compare_all(&mut case, name, "se", &[fit.standard_error]);
        expected.compare_all(&mut case, name, "value", &of(&fit, |area| area.value));
        expected.compare_all(&mut case, name, "mse", &of(&fit, |area| area.mean_squared_error));
        expected.compare_all(&mut case, name, "reliability", &of(&fit, |area| area.reliability));
    }
    case.finish();
}

/// Its optimiser stops some 1e-7 from the optimum that scoring reaches.
fn metafor(expected: &Numbers, wards: &Wards) {
    let mut case =
        Case::new("areas in a tree, variances, mean, predictions", "metafor 3.8 rma.mv, ranef", Relative(5e-7));
    for (name, levels) in [("metafor_two", 2), ("metafor_three", 3)] {
        let fit = wards.fit(&wards.value, levels, ShrinkageInterval::PlugIn);
        expected.compare_all(&mut case, name, "A", &variances(&fit));
        expected.compare_all(&mut case, name, "mu", &[fit.mean]);
        expected.compare_all(&mut case, name, "se", &[fit.standard_error]);
        expected.compare_all(&mut case, name, "value", &of(&fit, |area| area.value));
    }
    case.finish();
}

fn averaged(expected: &Numbers, wards: &Wards) {
    // R's integrals are right to 1e-9 (their rules of 60 and 80, 32 and 40 points a side agree); the gaps are those of our grid.
    let check = |name: &str, y: &[f64], levels: usize, [value, rest]: [Tolerance; 2]| {
        let fit = wards.fit(y, levels, ShrinkageInterval::Averaged);
        let mut case = Case::new(&format!("areas in a tree, averaged value: {name}"), "integrals in base R", value);
        expected.compare_all(&mut case, name, "value", &of(&fit, |area| area.value));
        case.finish();
        let mut case = Case::new(&format!("areas in a tree, averaged error: {name}"), "integrals in base R", rest);
        expected.compare_all(&mut case, name, "mse", &of(&fit, |area| area.mean_squared_error));
        expected.compare_all(&mut case, name, "reliability", &of(&fit, |area| area.reliability));
        case.finish();
    };
    check("averaged_two", &wards.value, 2, [Absolute(5e-5), Relative(5e-5)]);
    check("averaged_still", &wards.still, 2, [Absolute(5e-5), Relative(5e-5)]);
    check("averaged_three", &wards.value, 3, [Absolute(5e-5), Relative(5e-5)]);
}
