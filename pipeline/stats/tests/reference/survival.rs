use crate::common::{Case, Row, Table, Tolerance::Absolute, Tolerance::Relative};
use prem_stats::interval::Level;
use prem_stats::survival::{self, FollowUp, LifeTable, NetMethod};

pub fn run() {
    kaplan_meier();
    net();
}

fn kaplan_meier() {
    let (Some(lung), Some(expected)) =
        (Table::shared("survival/lung.csv"), Table::shared("survival/kaplan_meier_expected.csv"))
    else {
        return;
    };
    let mut case = Case::new("Kaplan-Meier with Greenwood limits", "survival 3.5-3", Relative(1e-12));
    for r in expected.rows() {
        let group = r.text("group");
        let rows: Vec<Row> = lung.rows().filter(|p| group == "all" || p.text("sex") == group).collect();
        let times: Vec<f64> = rows.iter().map(|p| p.number("time_days")).collect();
        let dead: Vec<bool> = rows.iter().map(|p| p.text("dead") == "1").collect();
        let p = survival::kaplan_meier(&times, &dead, &[r.number("day")], Level::P95).unwrap()[0];
        case.compare("n_risk", r.number("n_risk"), p.at_risk as f64);
        case.compare_optional("survival", r.optional("survival"), p.survival);
        case.compare_optional("se", r.optional("se"), p.se);
        for (name, limits) in [("log", p.log), ("loglog", p.log_log), ("plain", p.plain)] {
            case.compare_optional(name, r.optional(&format!("lower_{name}")), limits.map(|i| i.low));
            case.compare_optional(name, r.optional(&format!("upper_{name}")), limits.map(|i| i.high));
        }
    }
    case.finish();
}

/// Days since 1970-01-01 of an ISO date (H. Hinnant's algorithm).
fn day_number(date: &str) -> f64 {
    let part: Vec<i64> = date.split('-').map(|p| p.parse().unwrap()).collect();
    let (m, d) = (part[1], part[2]);
    let y = if m <= 2 { part[0] - 1 } else { part[0] };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    (era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468) as f64
}

fn net() {
    let (Some(table), Some(cuts), Some(expected)) = (
        Table::shared("survival/life_table_slopop.csv"),
        Table::shared("survival/life_table_age_cutpoints.csv"),
        Table::shared("survival/net_survival_expected.csv"),
    ) else {
        return;
    };
    let (sexes, periods) = (table.distinct("sex"), table.distinct("valid_from"));
    let ages = cuts.numbers("age_from_days");
    let mut hazards = vec![f64::NAN; sexes.len() * periods.len() * ages.len()];
    for r in table.rows() {
        let s = sexes.iter().position(|v| v == r.text("sex")).unwrap();
        let p = periods.iter().position(|v| v == r.text("valid_from")).unwrap();
        hazards[(s * periods.len() + p) * ages.len() + r.number("age_years") as usize] = r.number("hazard_per_day");
    }
    let starts: Vec<f64> = periods.iter().map(|d| day_number(d)).collect();
    let life = LifeTable::new(&ages, &starts, sexes.len(), &hazards).unwrap();
    for data in expected.distinct("data") {
        let Some(persons) = Table::shared(&format!("survival/{data}.csv")) else { continue };
        let all: Vec<(String, FollowUp)> = persons
            .rows()
            .map(|r| {
                let age_days = if data == "rdata" { r.number("age_years") * 365.241 } else { r.number("age_days") };
                let sex = sexes.iter().position(|s| s == r.text("sex")).unwrap();
                let follow_up = FollowUp {
                    sex,
                    age_days,
                    diagnosed: day_number(r.text("diagnosis")),
                    days: r.number("time_days"),
                    dead: r.text("dead") == "1",
                };
                (r.text("sex").to_string(), follow_up)
            })
            .collect();
        for (name, method) in [("pohar-perme", NetMethod::PoharPerme), ("ederer2", NetMethod::EdererII)] {
            let mut own =
                Case::new(&format!("net survival, {name}, {data}"), "own daily estimator (R)", Relative(1e-10));
            let mut printed = Case::new(&format!("net survival, {name}, {data}"), "relsurv 2.2.9", Absolute(5e-4));
            let mut errors = Case::new(&format!("net survival SE, {name}, {data}"), "relsurv 2.2.9", Absolute(1e-5));
            if data == "rdata" {
                let reason = "SE = S·SE(ln S), and S differs by the product form; see the SE of ln S";
                errors = errors.known_difference(reason, 4e-5);
            }
            let mut log_errors =
                Case::new(&format!("net survival SE of ln S, {name}, {data}"), "relsurv 2.2.9", Absolute(1e-5));
            for group in expected.distinct("group") {
                let chosen: Vec<FollowUp> =
                    all.iter().filter(|p| group == "all" || p.0 == group).map(|p| p.1).collect();
                let rows: Vec<Row> = expected
                    .with("data", &data)
                    .filter(|r| r.text("group") == group && r.text("method") == name)
                    .collect();
                let days: Vec<usize> = rows.iter().map(|r| r.number("day") as usize).collect();
                let points = survival::net_survival(&chosen, &life, &days, method, None, Level::P95).unwrap();
                for (r, p) in rows.iter().zip(points) {
                    let what = format!("{group} day {}", p.day);
                    own.compare_optional(&what, r.optional("estimate_continuous"), p.survival);
                    own.compare_optional(&what, r.optional("se_continuous"), p.se);
                    if r.number("time_used") == r.number("day") {
                        printed.compare_optional(&what, r.optional("estimate"), p.survival);
                        errors.compare_optional(&what, r.optional("se"), p.se);
                        let log_error = p.survival.zip(p.se).map(|(s, se)| se / s);
                        log_errors.compare_optional(&what, Some(r.number("se") / r.number("estimate")), log_error);
                    }
                }
            }
            own.finish();
            printed.finish();
            errors.finish();
            log_errors.finish();
        }
    }
}
