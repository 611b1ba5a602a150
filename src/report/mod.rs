//! Reports: the outcome in, text out. They decide nothing and know no gateway. Whatever servers and gateways
//! said is made printable here at the latest.

pub mod human;
pub mod json;
pub mod junit;

pub use human::human;
pub use json::json;
pub use junit::junit;
