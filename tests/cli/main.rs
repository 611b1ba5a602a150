//! The program as users meet it: what it prints, and how it leaves.

mod attacks;
mod choosing;
#[cfg(unix)]
mod ending;
mod exits;
mod gateway;
mod hostile;
mod program;
mod reports;
mod suite;
mod verbs;
mod world;
