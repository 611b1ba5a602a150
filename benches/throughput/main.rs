//! How fast the mocks are, against the least that a server can do: an axum service that reads a request as JSON and
//! answers with its id and text that is ready. Both run here, on one runtime, by turns under the same load, which has
//! a runtime of its own as clients have.
//!
//! It prints a table and asserts nothing: a busy machine is no defect. What is compared are the ratios.

mod binary;
mod floor;
mod load;

use load::{Asked, Load};
use mcp_gauntlet::mock::{Mock, MockServer};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How often floor and mock take turns; the middle ratio counts.
const ROUNDS: usize = 5;

/// One line of the table.
struct Line {
    what: String,
    floor: Option<f64>,
    measured: f64,
    unit: &'static str,
    target: Target,
}

/// What a figure should be.
enum Target {
    /// At least that part of the floor.
    Ratio(f64),
    AtLeast(f64),
    AtMost(f64),
}

fn main() {
    // `cargo test --all-targets` runs this too, without the argument: then a glimpse is enough.
    let whole = std::env::args().any(|argument| argument == "--bench");
    let turn = if whole { Duration::from_millis(800) } else { Duration::from_millis(5) };
    let mut lines = over_http(turn);
    lines.extend(binary::measure(if whole { 20_000 } else { 10 }));
    draw(&lines);
}

/// Calls and lists over HTTP, on one connection and on sixteen.
fn over_http(turn: Duration) -> Vec<Line> {
    let runtime = || Runtime::new().expect("threads to run on");
    let (servers, clients) = (runtime(), runtime());
    let mock = servers.block_on(MockServer::start(Mock::ludus()));
    let asked = [
        ("a call, fixed answer", call("get_license", &json!({}))),
        ("a call, answer from the world", call("list_hosts", &json!({}))),
        ("a list of 201 tools", request("tools/list", &json!({}))),
    ];
    let mut lines = Vec::new();
    for (what, body) in asked {
        let mock = Asked::of(mock.address(), &body);
        let answer = clients.block_on(load::once(&mock));
        let floor = Asked::of(servers.block_on(floor::start(&answer)), &body);
        for (connections, ratio) in [(1, 0.8), (16, 0.5)] {
            let load = Load { connections, turn };
            let mut turns: Vec<(f64, f64)> = (0..ROUNDS)
                .map(|_| (clients.block_on(load.rate(&floor)), clients.block_on(load.rate(&mock))))
                .collect();
            turns.sort_by(|left, right| (left.1 / left.0).total_cmp(&(right.1 / right.0)));
            let (floor, measured) = turns[ROUNDS / 2];
            let what = format!("{what}, {connections} connection{}", if connections == 1 { "" } else { "s" });
            lines.push(Line { what, floor: Some(floor), measured, unit: "/s", target: Target::Ratio(ratio) });
        }
    }
    lines
}

/// A request of the modern era, which needs no session.
fn request(method: &str, params: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "throughput", "version": "1.0.0"},
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

fn call(tool: &str, arguments: &Value) -> Value {
    request("tools/call", &json!({"name": tool, "arguments": arguments}))
}

fn draw(lines: &[Line]) {
    let mut text = format!("{:<48} {:>12} {:>12} {:>7}  {:<12}\n", "", "floor", "mock", "ratio", "target");
    for line in lines {
        let ratio = line.floor.map(|floor| line.measured / floor);
        let (target, met) = match line.target {
            Target::Ratio(wanted) => (format!(">= {wanted}"), ratio.is_some_and(|ratio| ratio >= wanted)),
            Target::AtLeast(wanted) => (format!(">= {wanted}{}", line.unit), line.measured >= wanted),
            Target::AtMost(wanted) => (format!("<= {wanted}{}", line.unit), line.measured <= wanted),
        };
        let floor = line.floor.map(|floor| format!("{floor:.0}{}", line.unit)).unwrap_or_default();
        let ratio = ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let digits = usize::from(line.measured < 100.0);
        let measured = format!("{:.digits$}{}", line.measured, line.unit);
        let verdict = if met { "" } else { "missed" };
        text.push_str(&format!(
            "{:<48} {floor:>12} {measured:>12} {ratio:>7}  {target:<12} {verdict}\n",
            line.what
        ));
    }
    // The table is what the program is for.
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).expect("standard output is open");
}
