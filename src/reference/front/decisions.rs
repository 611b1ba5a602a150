//! Where people decide: an address of its own, with a token of its own. No agent's credential opens it.

use crate::reference::approvals::{About, Ticket, Verdict};
use crate::reference::state::State;
use crate::transport::http_server::{Reply, Request};
use crate::wire::Json;
use http::Method;
use serde_json::json;
use std::sync::Arc;

/// Answers one HTTP request of a person, or of a person's tool.
pub(in crate::reference) async fn answer(state: Arc<State>, request: Request) -> Reply {
    if !state.may_decide(&request.headers) {
        return Reply::json(401, r#"{"error":"unauthorized"}"#)
            .with("www-authenticate", "Bearer realm=\"decisions\"");
    }
    let path: Vec<&str> = request.target.trim_start_matches('/').split('/').collect();
    match (&request.method, path.as_slice()) {
        (&Method::GET, ["approvals"]) => Reply::json(200, listed(&state).to_string()),
        (&Method::POST, ["approvals", id, "approve"]) => decide(&state, id, Verdict::Approve),
        (&Method::POST, ["approvals", id, "reject"]) => decide(&state, id, Verdict::Reject),
        _ => Reply::json(
            404,
            r#"{"error":"known are GET /approvals and POST /approvals/ID/approve or reject"}"#,
        ),
    }
}

fn decide(state: &State, id: &str, verdict: Verdict) -> Reply {
    match state.decide_approval(id, verdict, "operator") {
        Some(ticket) => Reply::json(200, shown(&ticket).to_string()),
        None => Reply::json(
            409,
            r#"{"error":"there is nothing to decide under this id, or the decision cannot be kept"}"#,
        ),
    }
}

fn listed(state: &State) -> Json {
    let now = state.clock.now();
    let undecided = state.approvals.undecided(|ticket| state.is_decidable(ticket, now));
    Json::Array(undecided.iter().map(shown).collect())
}

/// What a person sees: the exact arguments, as they will run.
fn shown(ticket: &Ticket) -> Json {
    let mut shown = Json::from(json!({
        "id": ticket.id,
        "about": if ticket.about == About::Entry { "entry" } else { "call" },
        "identity": ticket.identity,
        "upstream": ticket.upstream,
        "tool": ticket.tool,
        "requested": ticket.requested.as_secs_f64(),
    }));
    shown.as_object_mut().into_iter().for_each(|shown| shown.set("arguments", ticket.arguments.clone()));
    shown
}
