//! Numbers made with R for this project: each script in `r/` wrote the files of its name beside it.

use crate::common::{Case, Table};

/// (case, quantity, name) → value.
pub struct Numbers(Table);

impl Numbers {
    pub fn read(file: &str) -> Numbers {
        Numbers(Table::own(&format!("r/{file}")))
    }

    /// The one value under these names.
    pub fn at(&self, case: &str, quantity: &str, name: &str) -> f64 {
        let of =
            |r: &crate::common::Row| r.text("case") == case && r.text("quantity") == quantity && r.text("name") == name;
        let row = self.0.rows().find(of).unwrap_or_else(|| panic!("no number {case} {quantity} {name}"));
        row.number("value")
    }

    /// All (name, value) of a quantity, in the order of the file.
    pub fn all(&self, case: &str, quantity: &str) -> Vec<(String, f64)> {
        let of = |r: &crate::common::Row| r.text("case") == case && r.text("quantity") == quantity;
        self.0.rows().filter(of).map(|r| (r.text("name").to_string(), r.number("value"))).collect()
    }

    /// The values of a quantity, in the order of the file.
    pub fn values(&self, case: &str, quantity: &str) -> Vec<f64> {
        self.all(case, quantity).into_iter().map(|v| v.1).collect()
    }

    /// Compares slices of equal length.
    pub fn compare_all(&self, out: &mut Case, case: &str, quantity: &str, actual: &[f64]) {
        let expected = self.all(case, quantity);
        out.compare_same(&format!("{case} {quantity}: how many"), &expected.len(), &actual.len());
        for ((name, e), a) in expected.iter().zip(actual) {
            out.compare(&format!("{case} {quantity} {name}"), *e, *a);
        }
    }
}
