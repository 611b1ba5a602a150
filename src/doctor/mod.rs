//! Getting to a gateway that nobody has driven yet: small probes that say what is wrong with it or with its profile, in
//! words that lead to the mend, and drafts of the parts that can be learnt from its answers.
//!
//! Probes are scenarios, performed and judged by `run` like all others; what got through is never taken from the
//! gateway's word. What is drafted was tried on the answers that it was drafted from. It starts nothing itself, and
//! does not print.

mod answer;
mod approvals;
mod beginning;
mod calls;
mod chart;
mod declares;
mod draft;
mod examine;
mod form;
mod line;
mod measure;
mod names;
mod outside;
mod probes;
mod rendered;
mod report;
mod rule;
mod sample;
mod tell;
mod there;
mod tokens;
mod window;

pub use examine::{Examination, Patient, examine};
pub use line::{Line, Mark};
pub use outside::look;
pub use report::report;
pub use there::{examine_there, together};
