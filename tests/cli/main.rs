//! The program as users meet it: what it prints, and how it leaves.

mod gateway;
mod program;
