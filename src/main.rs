//! The binary `gauntlet`.
fn main() {}
