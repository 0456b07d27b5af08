use crate::common::{Case, Table, Tolerance::Relative};
use prem_stats::distributions::{beta, binomial, chi_squared, f, gamma, normal, poisson, student_t};

pub fn run() {
    let table = Table::own("distributions.csv");
    for name in table.distinct("distribution") {
        for function in ["cdf", "sf", "pmf", "quantile"] {
            let mut case =
                Case::new(&format!("{name} {function}"), "mpmath 1.4.1", Relative(tolerance(&name, function)));
            let mut any = false;
            for r in table.with("distribution", &name).filter(|r| r.text("function") == function) {
                any = true;
                let x = r.number("argument");
                let (a, b) = (r.optional("parameter1").unwrap_or(0.0), r.optional("parameter2").unwrap_or(0.0));
                let actual = match (name.as_str(), function) {
                    ("normal", "cdf") => normal::cdf(x),
                    ("normal", "sf") => normal::sf(x),
                    ("normal", _) => normal::quantile(x),
                    ("student_t", "sf") => student_t::sf(x, a),
                    ("student_t", _) => student_t::quantile(x, a),
                    ("chi_squared", "cdf") => chi_squared::cdf(x, a),
                    ("chi_squared", "sf") => chi_squared::sf(x, a),
                    ("chi_squared", _) => chi_squared::quantile(x, a),
                    ("beta", "cdf") => beta::cdf(x, a, b),
                    ("beta", _) => beta::quantile(x, a, b),
                    ("f", "sf") => f::sf(x, a, b),
                    ("f", _) => f::quantile(x, a, b),
                    ("gamma", "cdf") => gamma::cdf(x, a),
                    ("gamma", _) => gamma::sf(x, a),
                    ("poisson", "cdf") => poisson::cdf(x, a),
                    ("poisson", "sf") => poisson::sf(x, a),
                    ("poisson", _) => poisson::pmf(x, a),
                    ("binomial", "cdf") => binomial::cdf(x, a, b),
                    ("binomial", "sf") => binomial::sf(x, a, b),
                    _ => binomial::pmf(x, a, b),
                };
                let what = format!("{name} {function}({x}, {a}, {b})");
                case.compare_optional(&what, Some(r.number("value")), actual.ok());
            }
            if any {
                case.finish();
            }
        }
    }
}

/// Quantiles are better conditioned than tails: ln of a tail moves with the square of its argument.
fn tolerance(name: &str, function: &str) -> f64 {
    match (name, function) {
        (_, "quantile") => 1e-12,
        ("normal", _) => 1e-12,
        _ => 1e-11,
    }
}
