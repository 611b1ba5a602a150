//! Files as written: YAML read into values that know their place. The only room that names the YAML crate.
//!
//! It does not know what any file means, and it complains only about text that is no YAML.

mod spot;

pub use spot::{Placed, Spot};
