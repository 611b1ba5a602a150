//! Reports: the outcome in, text out. They decide nothing and know no gateway. Whatever servers and gateways
//! said is made printable here at the latest.

pub mod attacks;
pub mod human;
pub mod json;
pub mod junit;
pub mod sarif;

pub use human::human;
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
