//! Stored stories: what passed in a scenario at a gateway, redacted and kept beside the scenarios, so that a change of
//! behaviour is seen by whoever reads the change.
//!
//! It renders, compares, keeps and reviews. It does not know whether a verdict is good: that is the scenario's
//! business, and a snapshot of a leak stays equal as long as the leak does.

mod behaviour;
mod difference;
mod frame;
mod redaction;
mod render;
mod review;
mod store;
mod stored;
mod story;

pub use difference::{Difference, StepChange, difference};
pub use redaction::{MARKS, Mark, Redactions};
pub use render::render;
pub use review::{Pending, Resolution, ReviewError, accept, pending, reject, show};
pub use store::{Standing, Store, StoreError, Writing};
pub use stored::Stored;
pub use story::{Came, Section, StepStory, Story};
