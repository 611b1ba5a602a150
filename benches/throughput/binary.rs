//! The program itself: how soon it is ready, how fast it is on stdio, how large it is in memory. What it takes on disk is
//! not seen here: a bench builds it in another way than it ships.

use crate::{Line, Target};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_gauntlet");

/// How often the start is measured; the middle one counts.
const STARTS: usize = 21;

/// A running `gauntlet mock ludus`, with an open session on stdio.
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    line: String,
}

impl Running {
    fn start() -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["mock", "ludus"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::with_capacity(1 << 20, child.stdout.take().expect("a pipe"));
        let mut running = Self { child, stdin, stdout, line: String::new() };
        let who = json!({"name": "throughput", "version": "1.0.0"});
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": who});
        running.ask(&line(0, "initialize", &params));
        running
            .stdin
            .write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n")
            .expect("sent");
        running
    }

    /// Sends a line and takes the one that answers it.
    fn ask(&mut self, line: &str) {
        self.stdin.write_all(line.as_bytes()).expect("sent");
        self.line.clear();
        self.stdout.read_line(&mut self.line).expect("an answer");
        assert!(self.line.contains("\"result\""), "{}", self.line);
    }

    /// Ends it.
    fn stop(mut self) {
        drop(self.stdin);
        self.child.wait().expect("it ends");
    }
}

/// All that is measured of the program.
pub(crate) fn measure(calls: usize) -> Vec<Line> {
    let ready = ready().as_secs_f64() * 1000.0;
    let mut running = Running::start();
    running.ask(&line(1, "tools/list", &json!({})));
    let rate = |running: &mut Running, tool: &str| {
        let call = line(2, "tools/call", &json!({"name": tool, "arguments": {}}));
        let began = Instant::now();
        (0..calls).for_each(|_| running.ask(&call));
        calls as f64 / began.elapsed().as_secs_f64()
    };
    let fixed = rate(&mut running, "get_license");
    let filled = rate(&mut running, "list_hosts");
    let memory = peak(running.child.id());
    running.stop();
    let of_its_own = |what: &str, measured, unit, target| Line {
        what: what.to_owned(),
        floor: None,
        measured,
        unit,
        target,
    };
    let mut lines = vec![
        of_its_own("stdio, a call, fixed answer", fixed, "/s", Target::AtLeast(8000.0)),
        of_its_own("stdio, a call, answer from the world", filled, "/s", Target::AtLeast(8000.0)),
        of_its_own("start until `initialize` is answered", ready, " ms", Target::AtMost(15.0)),
    ];
    let what = format!("peak memory, after a list and {} calls", 2 * calls);
    lines.extend(memory.map(|memory| of_its_own(&what, memory, " MB", Target::AtMost(20.0))));
    lines
}

fn ready() -> Duration {
    let start = || {
        let began = Instant::now();
        let running = Running::start();
        let took = began.elapsed();
        running.stop();
        took
    };
    let mut starts: Vec<Duration> = (0..STARTS).map(|_| start()).collect();
    starts.sort();
    starts[STARTS / 2]
}

/// The most memory that a process ever had, in MB, where the system tells.
fn peak(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

fn line(id: u64, method: &str, params: &Value) -> String {
    format!("{}\n", json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
}
