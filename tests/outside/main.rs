//! The shipped mocks, seen from outside: a client that is not ours calls every tool over every way and in every era,
//! and what comes back is held against the facts.
//!
//! Nothing here looks into the mock. What it should say stands in `mocks/NAME/catalogue.json`.

mod behind_reference;
mod entries;
mod facts;
mod guest;
mod offered;
mod plain;
mod program;
mod shape;
mod tools;
mod wiremock_style;
