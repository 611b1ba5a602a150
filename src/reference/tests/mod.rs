//! The gateway between a scripted server and scripted agents, in one process.

mod approving;
mod flaws;
mod honest;
mod lab;
mod lines;
mod modern;
mod pinning;
