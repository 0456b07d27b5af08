//! The compiler as its users meet it: declarations in, a plan or all mistakes out.

#![allow(clippy::expect_used, reason = "a failure is a failed test")]

mod common;
mod consequences;
mod deliveries;
mod folders;
mod limits;
mod mistakes;
mod mutations;
mod places;
mod plan_hash;
mod shipped_schemas;
mod versions;
