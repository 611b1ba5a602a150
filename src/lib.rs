//! Gauntlet: when an agent makes these calls, what does an MCP gateway let through?
//!
//! The answer is never taken from the gateway's word. The harness stands on both sides of it: a scripted agent in
//! front, whose every byte is recorded, and mock servers behind, whose ledgers hold whatever arrived. A verdict is
//! both sides put together.
//!
//! The rooms, in the direction of data; each uses only the rooms above it.
//!
//! | room | what it answers for |
//! |---|---|
//! | [`embedded`] | the files that ship inside the binary |
//! | [`source`] | files as written, values that know their place |
//! | [`diagnostic`] | a complaint about a place, and how it is drawn; foreign text made printable |
//! | [`wire`] | frames as bytes and as values; readings; eras; server-sent events |
//! | [`transport`] | bytes in and out: stdio and HTTP, serving and connecting; processes |
//! | [`transcript`] | exchanges in order: plain data |
//! | [`declared`] | what a gateway says of itself where gateways may choose |
//! | [`policy`] | the policy document, the decision, the limits |
//! | [`mock`] | a server from data, and its ledger |
//! | [`mod@reference`] | the embedded gateway, and the ways in which it can be told to lie |
//! | [`gateway`] | the gateway under test: its profile, started, read, decided for, cleaned up |
//! | [`witness`] | a client's session, in an era, or raw bytes |
//! | [`scenario`] | what a scenario file says |
//! | [`requirement`] | what every gateway should do |
//! | [`pattern`] | the attacks that are known, and the lists that name them |
//! | [`snapshot`] | stored transcripts, differences, review |
//! | [`known`] | the list of known deviations, and what it makes of a run |
//! | [`run`] | plan, runner, attribution, verdicts, outcome |
//! | [`doctor`] | a gateway that nobody has driven yet: what is wrong, and drafts for its profile |
//! | [`change`] | what changed between two runs, as behaviour |
//! | [`report`] | the outcome in, text out |
//! | [`proof`] | the suite against every flaw: what it catches, and what it proves |
//! | [`cli`] | the command line |
//!
//! `mock`, `reference`, `gateway` and `witness` never see one another; they meet in `run`.
//!
//! In a Rust test, the mocks are what most people want: [`mock::MockServer`].

pub mod change;
pub mod cli;
pub mod declared;
pub mod diagnostic;
pub mod doctor;
pub mod embedded;
pub mod gateway;
pub mod known;
pub mod mock;
pub mod pattern;
pub mod policy;
pub mod proof;
pub mod reference;
pub mod report;
pub mod requirement;
pub mod run;
pub mod scenario;
pub mod snapshot;
pub mod source;
pub mod transcript;
pub mod transport;
pub mod wire;
pub mod witness;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
