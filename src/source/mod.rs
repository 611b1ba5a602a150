//! Files as written: YAML read into values that know their place. The only room that names the YAML crate.
//!
//! It does not know what any file means, and it complains only about text that is no YAML.

mod node;
mod quantity;
mod read;
mod spot;

pub use node::{Node, Value};
pub use quantity::{Size, Span};
pub use read::{Unreadable, read, typed};
pub use spot::{Placed, Spot};
