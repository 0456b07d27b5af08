use crate::common::{Case, Table, Tolerance::Relative};
use prem_stats::interval::Level;
use prem_stats::scores::{self, Answer, ItemRule, Items, Pairing};

const ITEMS: usize = 6;

pub fn run() {
    let Some(table) = Table::shared("scores/questionnaire.csv") else { return };
    let codes: Vec<Option<f64>> =
        table.rows().flat_map(|r| (1..=ITEMS).map(move |i| r.optional(&format!("item{i}")))).collect();
    let scored = scale_scores(&table, &codes);
    item_analysis(&codes);
    units(&table, &scored);
}

fn scale_scores(table: &Table, codes: &[Option<f64>]) -> Vec<Option<f64>> {
    let rule = ItemRule::new(1.0, 5.0, false, &[], &[]).unwrap();
    let scored: Vec<Option<f64>> = codes
        .chunks(ITEMS)
        .map(|row| {
            let items: Vec<Option<f64>> = row.iter().map(|c| rule.read(*c)).map(Answer::score).collect();
            scores::scale_score(&items, 0.5)
        })
        .collect();
    let (Some(expected), Some(scale)) =
        (Table::shared("scores/expected_scores.csv"), Table::shared("scores/expected_scale.csv"))
    else {
        return scored;
    };
    let mut case = Case::new("scores: half rule", "R 4.2.2", Relative(1e-10));
    for (r, s) in expected.rows().zip(&scored) {
        case.compare_optional(r.text("id"), r.optional("score"), *s);
    }
    case.finish();
    let values: Vec<f64> = scored.iter().copied().flatten().collect();
    let d = scores::describe_scale(&values, 0.0, 100.0).unwrap();
    let mut case = Case::new("scores: distribution, floor, ceiling", "R 4.2.2", Relative(1e-10));
    for (name, actual) in [
        ("n_respondents", table.rows().count() as f64),
        ("n_scored", d.n as f64),
        ("n_below_half", (scored.len() - d.n) as f64),
        ("mean", d.mean),
        ("sd_n_minus_1", d.sd.unwrap()),
        ("min", d.min),
        ("p25_type7", d.p25),
        ("median", d.median),
        ("p75_type7", d.p75),
        ("max", d.max),
        ("floor_n", d.floor as f64),
        ("floor_percent", d.floor_ceiling_shares().unwrap().0 * 100.0),
        ("ceiling_n", d.ceiling as f64),
        ("ceiling_percent", d.floor_ceiling_shares().unwrap().1 * 100.0),
    ] {
        case.compare(name, scale.lookup("quantity", name, "value"), actual);
    }
    case.finish();
    scored
}

fn item_analysis(codes: &[Option<f64>]) {
    let (Some(expected), Some(pairs), Some(reliability)) = (
        Table::shared("scores/expected_items.csv"),
        Table::shared("scores/expected_interitem.csv"),
        Table::shared("scores/expected_reliability.csv"),
    ) else {
        return;
    };
    let items = Items::new(codes, ITEMS).unwrap();
    let complete = scores::item_statistics(&items, 1.0, 5.0, Pairing::Complete).unwrap();
    let pairwise = scores::item_statistics(&items, 1.0, 5.0, Pairing::Pairwise).unwrap();
    let mut case = Case::new("scores: item analysis", "psych 2.2.9", Relative(1e-10));
    for (i, r) in expected.rows().enumerate() {
        let c = complete[i];
        for (column, actual) in [
            ("n", Some(c.n as f64)),
            ("mean", c.mean),
            ("sd", c.sd),
            ("missing_percent", Some(c.missing * 100.0)),
            ("floor_percent", c.floor.map(|v| v * 100.0)),
            ("ceiling_percent", c.ceiling.map(|v| v * 100.0)),
            ("item_rest_r_complete", c.item_rest_r),
            ("item_total_r_complete", c.item_total_r),
            ("alpha_if_dropped_complete", c.alpha_without),
            ("item_rest_r_pairwise", pairwise[i].item_rest_r),
            ("alpha_if_dropped_pairwise", pairwise[i].alpha_without),
        ] {
            case.compare_optional(column, r.optional(column), actual);
        }
    }
    case.finish();
    let mut case = Case::new("scores: inter-item correlations", "R 4.2.2 cor", Relative(1e-10));
    let number = |t: &str| t.trim_start_matches("item").parse::<usize>().unwrap() - 1;
    for r in pairs.rows() {
        let (i, j) = (number(r.text("item_a")), number(r.text("item_b")));
        let (n, covariance, correlation) = items.pair(i, j).unwrap();
        case.compare("n", r.number("n_pairwise"), n as f64);
        case.compare("r", r.number("r_pairwise"), correlation.unwrap());
        case.compare("cov", r.number("cov_pairwise"), covariance);
        case.compare("r complete", r.number("r_complete"), items.complete().pair(i, j).unwrap().2.unwrap());
    }
    case.finish();
    let c = scores::alpha(&items, Pairing::Complete).unwrap();
    let p = scores::alpha(&items, Pairing::Pairwise).unwrap();
    let feldt = scores::feldt_interval(c.alpha, c.n, c.k, Level::P95).unwrap();
    let mut case = Case::new("scores: Cronbach's alpha", "psych 2.2.9", Relative(1e-10));
    for (name, actual) in [
        ("n_complete", c.n as f64),
        ("alpha_complete", c.alpha),
        ("alpha_standardised_complete", c.standardised),
        ("alpha_feldt_ci95_lower", feldt.low),
        ("alpha_feldt_ci95_upper", feldt.high),
        ("mean_interitem_r_complete", c.mean_correlation),
        ("alpha_pairwise", p.alpha),
        ("alpha_standardised_pairwise_cov2cor", p.standardised),
        ("alpha_standardised_pairwise", p.standardised_pairwise),
        ("mean_interitem_r_pairwise", p.mean_correlation),
    ] {
        case.compare(name, reliability.lookup("quantity", name, "value"), actual);
    }
    case.finish();
}

fn units(table: &Table, scored: &[Option<f64>]) {
    let (Some(reliability), Some(per_unit)) =
        (Table::shared("scores/expected_reliability.csv"), Table::shared("scores/expected_unit_reliability.csv"))
    else {
        return;
    };
    let names = table.distinct("unit");
    let (mut values, mut ids) = (Vec::new(), Vec::new());
    for (r, s) in table.rows().zip(scored) {
        if let Some(s) = s {
            values.push(*s);
            ids.push(names.iter().position(|n| n == r.text("unit")).unwrap());
        }
    }
    let a = scores::one_way(&values, &ids).unwrap();
    let mut case = Case::new("scores: ICC, F, answers needed", "R 4.2.2", Relative(1e-10));
    for (name, actual) in [
        ("n_units", a.units as f64),
        ("n_scores", a.n as f64),
        ("k0", a.k0),
        ("mean_n", a.mean_n),
        ("msb", a.msb),
        ("msw", a.msw),
        ("icc1_k0", a.icc1),
        ("icc1_mean_n", a.icc1_mean_n),
        ("icck", a.icck),
        ("F", a.f.unwrap()),
        ("F_p", a.f_p.unwrap()),
        ("n_for_reliability_0.7", scores::answers_needed(a.icc1, 0.7).unwrap()),
        ("n_for_reliability_0.8", scores::answers_needed(a.icc1, 0.8).unwrap()),
    ] {
        case.compare(name, reliability.lookup("quantity", name, "value"), actual);
    }
    case.finish();
    let mut case = Case::new("scores: unit reliability", "R 4.2.2", Relative(1e-10));
    for r in per_unit.rows() {
        let unit = names.iter().position(|n| n == r.text("unit")).unwrap();
        let own: Vec<f64> = values.iter().zip(&ids).filter(|(_, id)| **id == unit).map(|(v, _)| *v).collect();
        case.compare(r.text("unit"), r.number("n"), own.len() as f64);
        case.compare(r.text("unit"), r.number("mean"), own.iter().sum::<f64>() / own.len() as f64);
        let rho = scores::unit_reliability(a.icc1, own.len() as f64).unwrap();
        case.compare(r.text("unit"), r.number("reliability_spearman_brown"), rho);
    }
    case.finish();
}
