//! Survival with many ties: R's survival package, and Pohar-Perme written out person by person, on `r/closed_survival.csv`.

use crate::common::{Case, Table, Tolerance::Relative};
use crate::r_numbers::Numbers;
use prem_stats::interval::Level;
use prem_stats::survival::{self, FollowUp, LifeTable, NetMethod};

pub fn run() {
    let (rows, expected) = (Table::own("r/closed_survival.csv"), Numbers::read("closed_expected.csv"));
    let (days, dead) = (rows.numbers("days"), rows.numbers("dead"));
    let died: Vec<bool> = dead.iter().map(|d| *d > 0.0).collect();
    let at: Vec<f64> = expected.all("km", "survival").iter().map(|(t, _)| t.parse().unwrap()).collect();
    let points = survival::kaplan_meier(&days, &died, &at, Level::P95).unwrap();
    let mut case = Case::new("Kaplan-Meier, deaths and censorings on the same days", "survival 3.5-3", Relative(1e-12));
    for (t, p) in at.iter().zip(&points) {
        let number = |quantity: &str| Some(expected.at("km", quantity, &t.to_string()));
        case.compare_optional("S", number("survival"), p.survival);
        case.compare_optional("SE", number("se"), p.se);
        case.compare("at risk", number("at_risk").unwrap(), p.at_risk as f64);
        for (name, limits) in [("log", p.log), ("log-log", p.log_log), ("plain", p.plain)] {
            case.compare_optional(&format!("{t} {name}"), number(&format!("low_{name}")), limits.map(|i| i.low));
            case.compare_optional(&format!("{t} {name}"), number(&format!("high_{name}")), limits.map(|i| i.high));
        }
    }
    case.finish();
    let ages = [0.0, 45.0, 60.0, 75.0, 85.0].map(|a| a * 365.0);
    let table = LifeTable::new(&ages, &[0.0, 700.0, 1400.0], 2, &expected.values("life_table", "hazard")).unwrap();
    let persons: Vec<FollowUp> = rows
        .rows()
        .zip(&died)
        .map(|(r, dead)| FollowUp {
            sex: r.number("sex") as usize - 1,
            age_days: r.number("age"),
            diagnosed: r.number("diagnosed"),
            days: r.number("days"),
            dead: *dead,
        })
        .collect();
    let net =
        |method| survival::net_survival(&persons, &table, &[30, 365, 730, 1200], method, None, Level::P95).unwrap();
    let mut case = Case::new("Ederer II, ties", "survfit over survexp(conditional)", Relative(1e-10));
    let s: Vec<f64> = net(NetMethod::EdererII).iter().map(|p| p.survival.unwrap()).collect();
    expected.compare_all(&mut case, "ederer2", "survival", &s);
    case.finish();
    let mut case = Case::new("Pohar-Perme, ties", "person by person in R", Relative(1e-10));
    let points = net(NetMethod::PoharPerme);
    let of = |f: fn(&survival::NetSurvivalPoint) -> Option<f64>| -> Vec<f64> {
        points.iter().map(|p| f(p).unwrap()).collect()
    };
    expected.compare_all(&mut case, "pohar_perme", "survival", &of(|p| p.survival));
    expected.compare_all(&mut case, "pohar_perme", "se", &of(|p| p.se));
    case.finish();
}
