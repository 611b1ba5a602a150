//! The program as users meet it: what it prints, and how it leaves.

mod against;
mod choosing;
mod compare;
#[cfg(unix)]
mod ending;
mod exits;
mod gateway;
mod hostile;
mod known;
mod matrix;
mod packing;
mod program;
mod remote;
mod render;
mod reports;
mod suite;
mod verbs;
mod world;
