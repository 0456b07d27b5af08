use crate::common::{Case, Row, Table, Tolerance::Relative};
use prem_stats::interval::Level;
use prem_stats::weights::{self, Design, Margin, RakeOptions};

const SOURCE: &str = "survey 4.1-1";

pub fn run() {
    estimates();
    adjusted();
    kish();
}

fn ids(table: &Table, column: &str) -> Vec<usize> {
    let names = table.distinct(column);
    table.rows().map(|r| names.iter().position(|n| n == r.text(column)).unwrap()).collect()
}

fn indicator(table: &Table, condition: &str) -> Vec<f64> {
    let (column, value) = condition.split_once('=').unwrap();
    table.rows().map(|r| if r.text(column) == value { 1.0 } else { 0.0 }).collect()
}

fn estimates() {
    let (Some(srs), Some(strat), Some(clus1), Some(expected)) = (
        Table::shared("weights/apisrs.csv"),
        Table::shared("weights/apistrat.csv"),
        Table::shared("weights/apiclus1.csv"),
        Table::shared("weights/expected_estimates.csv"),
    ) else {
        return;
    };
    for name in expected.distinct("design") {
        let table = match name.split('_').next().unwrap() {
            "srs" => &srs,
            "strat" => &strat,
            _ => &clus1,
        };
        let (w, population) = (table.numbers("pw"), table.numbers("fpc"));
        let strata = ids(table, "stype");
        let clusters = ids(table, "dnum");
        let design = Design {
            weights: &w,
            strata: (name == "strat" || name == "strat_nofpc").then_some(&strata[..]),
            clusters: name.starts_with("clus1").then_some(&clusters[..]),
            population: (!name.ends_with("nofpc") && !name.ends_with("only")).then_some(&population[..]),
        };
        let mut case = Case::new(&format!("survey estimates, {name}"), SOURCE, Relative(1e-10));
        for r in expected.with("design", &name) {
            estimate(&mut case, table, &design, r);
        }
        case.finish();
    }
}

fn estimate(case: &mut Case, table: &Table, design: &Design<'_>, r: Row<'_>) {
    let variable = r.text("variable");
    let what = format!("{} {variable}", r.text("statistic"));
    let e = match r.text("statistic") {
        "mean" => weights::mean(&table.numbers(variable), design, None),
        "total" => weights::total(&table.numbers(variable), design, None),
        "proportion" => weights::mean(&indicator(table, variable), design, None),
        "ratio" => {
            let (above, below) = variable.split_once('/').unwrap();
            weights::ratio(&table.numbers(above), &table.numbers(below), design)
        }
        _ => {
            let (y, domain) = variable.split_once('|').unwrap();
            let d = indicator(table, domain);
            let y: Vec<f64> = table.numbers(y).iter().zip(&d).map(|(y, d)| y * d).collect();
            weights::ratio(&y, &d, design)
        }
    }
    .unwrap();
    case.compare(&what, r.number("estimate"), e.value);
    if r.number("se") == 0.0 {
        // A proportion that the strata fix has no variance but rounding.
        case.compare(&what, 1.0, 1.0 + e.se);
    } else {
        case.compare(&what, r.number("se"), e.se);
    }
    case.compare(&what, r.number("df"), e.df);
    if let Some(deff) = r.optional("deff") {
        case.compare(&what, deff, e.design_effect.unwrap());
        case.compare(&what, r.number("deff_replace"), e.design_effect_with_replacement.unwrap());
        let i = e.interval(Level::P95).unwrap();
        case.compare(&what, r.number("ci95_t_lower"), i.low);
        case.compare(&what, r.number("ci95_t_upper"), i.high);
    }
}

fn margin(table: &Table, totals: &Table, variable: &str) -> Margin {
    let levels: Vec<(String, f64)> =
        totals.with("variable", variable).map(|r| (r.text("level").to_string(), r.number("population"))).collect();
    let cells = table.rows().map(|r| levels.iter().position(|l| l.0 == r.text(variable)).unwrap()).collect();
    Margin { cells, totals: levels.into_iter().map(|l| l.1).collect() }
}

fn adjusted() {
    let (Some(clus1), Some(totals), Some(expected_weights), Some(expected)) = (
        Table::shared("weights/apiclus1.csv"),
        Table::shared("weights/population_margins.csv"),
        Table::shared("weights/adjusted_weights_apiclus1.csv"),
        Table::shared("weights/expected_adjusted.csv"),
    ) else {
        return;
    };
    let w = clus1.numbers("pw");
    let margins = [margin(&clus1, &totals, "stype"), margin(&clus1, &totals, "sch_wide")];
    let post = weights::post_stratify(&w, &margins[0]).unwrap();
    let options = RakeOptions { tolerance: 1e-13, ..RakeOptions::default() };
    let raked = weights::rake(&w, &margins, &options).unwrap().weights;
    let mut case = Case::new("post-stratified and raked weights", SOURCE, Relative(1e-10));
    for (i, r) in expected_weights.rows().enumerate() {
        case.compare("post-stratified", r.number("poststratified"), post[i]);
        case.compare("raked", r.number("raked"), raked[i]);
    }
    case.finish();
    let (clusters, population) = (ids(&clus1, "dnum"), clus1.numbers("fpc"));
    for (name, w, used) in [("poststratified", &post, &margins[..1]), ("raked", &raked, &margins[..])] {
        let design = Design { weights: w, strata: None, clusters: Some(&clusters), population: Some(&population) };
        let mut case = Case::new(&format!("survey estimates, {name}"), SOURCE, Relative(1e-10));
        for r in expected.with("design", name) {
            let y = clus1.numbers(r.text("variable"));
            let residuals = weights::margin_residuals(&y, w, used).unwrap();
            let e = match r.text("statistic") {
                "mean" => weights::mean(&y, &design, Some(&residuals)),
                _ => weights::total(&y, &design, Some(&residuals)),
            }
            .unwrap();
            case.compare("estimate", r.number("estimate"), e.value);
            let column = if name == "raked" { "se_raked_weight_residuals" } else { "se" };
            case.compare("se", r.number(column), e.se);
            case.compare("df", r.number("df"), e.df);
        }
        case.finish();
    }
    let mut source = Case::new("survey estimates, raked, SE of rake()", SOURCE, Relative(1e-10)).known_difference(
        "the source takes residuals from an unweighted regression on the margins; ours use the raked weights",
        0.01,
    );
    let design = Design { weights: &raked, strata: None, clusters: Some(&clusters), population: Some(&population) };
    for r in expected.with("design", "raked").filter(|r| r.text("statistic") == "mean") {
        let y = clus1.numbers(r.text("variable"));
        let residuals = weights::margin_residuals(&y, &raked, &margins).unwrap();
        source.compare("se", r.number("se"), weights::mean(&y, &design, Some(&residuals)).unwrap().se);
    }
    source.finish();
}

fn kish() {
    let (Some(expected), Some(adjusted)) =
        (Table::shared("weights/expected_kish.csv"), Table::shared("weights/adjusted_weights_apiclus1.csv"))
    else {
        return;
    };
    let mut case = Case::new("Kish effective sample size", "own, survey data", Relative(1e-10));
    for r in expected.rows() {
        let column = r.text("weight");
        let w = if column == "pw" {
            match Table::shared(&format!("weights/{}.csv", r.text("sample"))) {
                Some(t) => t.numbers("pw"),
                None => continue,
            }
        } else {
            adjusted.numbers(column)
        };
        let k = weights::kish(&w).unwrap();
        case.compare("n", r.number("n"), k.n);
        case.compare("n_eff", r.number("n_eff"), k.n_effective);
        case.compare("deff", r.number("deff_weights"), k.design_effect);
    }
    case.finish();
}
