//! Reports: the outcome in, text out. They decide nothing and know no gateway; what they print of foreign text is
//! printable and bounded already.

pub mod human;
pub mod json;
pub mod junit;

pub use human::human;
pub use json::json;
pub use junit::junit;
