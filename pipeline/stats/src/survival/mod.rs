//! Survival: Kaplan–Meier, net survival with a life table, and 30-day survival shared between hospitals.

pub mod kaplan_meier;
pub mod life_table;
pub mod net_survival;
pub mod thirty_day;

pub use kaplan_meier::{KaplanMeierPoint, kaplan_meier};
pub use life_table::LifeTable;
pub use net_survival::{FollowUp, NetMethod, NetSurvivalPoint, ObservationWindow, age_standardised, net_survival};
pub use thirty_day::{HospitalSurvival, Share, hospital_survival};
