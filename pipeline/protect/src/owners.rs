//! Which trust a unit belongs to.

use std::collections::BTreeMap;

use prem_spec::{Level, Plan};

/// Unit → its trust, for all units that are a trust or below one.
pub(crate) struct Owners<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Owners<'a> {
    pub(crate) fn of(plan: &'a Plan) -> Self {
        let owner = |id: &str| plan.organisation.ancestor_at(id, Level::Hf).map(|trust| trust.id.as_str());
        Self(plan.organisation.units.iter().filter_map(|unit| Some((unit.id.as_str(), owner(&unit.id)?))).collect())
    }

    pub(crate) fn trust_of(&self, unit: &str) -> Option<&'a str> {
        self.0.get(unit).copied()
    }
}
