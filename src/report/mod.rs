//! Reports: the outcome in, text out. They decide nothing and know no gateway. Whatever servers and gateways
//! said is made printable here at the latest.

pub mod attacks;
mod causes;
pub mod changes;
mod comparison;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
mod matrix;
pub mod sarif;
mod second;
mod table;

pub use html::html;
pub use human::human;
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use sarif::sarif;
