//! The program as users meet it: what it prints, and how it leaves.

mod against;
mod attacks;
mod cancelling;
mod choosing;
mod compare;
mod doctor;
mod encrypted;
#[cfg(unix)]
mod ending;
#[cfg(unix)]
mod evidence;
mod exits;
mod gateway;
mod giving_up;
mod hostile;
mod init;
mod known;
mod matrix;
mod odd;
mod own;
mod packing;
mod passage;
mod program;
mod remote;
mod render;
mod reports;
mod suite;
mod undone;
mod verbs;
mod world;
