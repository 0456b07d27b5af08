//! The compiler as its users meet it: declarations in, a plan or all mistakes out.

mod common;
mod mistakes;
mod mutations;
mod plan_hash;
mod shipped_schemas;
