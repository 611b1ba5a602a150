//! The program as users meet it: what it prints, and how it leaves.

mod choosing;
mod exits;
mod gateway;
mod program;
mod reports;
mod suite;
mod verbs;
