"""A policy in front of FastMCP's proxy: what FastMCP leaves to the middleware of its users.

FastMCP serves, forwards, limits, and knows who calls. The rules about tools and arguments, and the question to the
agent's user, are here. Reads `policy.json` beside it: `{upstreams: {name: url}, callers: [{name, token, policy}]}`. The one
argument is the limiter, `window` or `bucket`.
"""

import json
import secrets
import sys
import time
from functools import partial
from pathlib import Path

import anyio
from fastmcp.exceptions import ToolError
from fastmcp.server import create_proxy
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from fastmcp.server.dependencies import get_access_token
from fastmcp.server.middleware import Middleware
from fastmcp.server.middleware.rate_limiting import RateLimitingMiddleware, SlidingWindowRateLimitingMiddleware
from fastmcp.tools.base import InputRequiredToolResult
from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic_core import SchemaValidator, core_schema

SETTINGS = json.loads((Path(__file__).parent / "policy.json").read_text())
CHOICE = {"type": "string", "enum": ["approve", "reject"]}
FORM = {"type": "object", "properties": {"decision": CHOICE}, "required": ["decision"]}
TYPES = {"boolean": bool, "number": (int, float), "string": str, "array": list, "object": dict}
ALLOWED = {"action": "allow", "require": [], "deny_if": [], "limits": []}
NOBODY = {"default": "deny", "hide": [], "all_tools": {"limits": []}, "tools": {}}


def shown(name):
    """The names by which the agent sees a tool of the policy: `lab/scan` is one server's, `scan` every server's."""
    servers = list(SETTINGS["upstreams"])
    server, _, tool = name.partition("/")
    if server not in servers:
        server, tool = None, name
    return [tool] if len(servers) == 1 else [f"{one}_{tool}" for one in servers if server in (None, one)]


def seen(policy):
    """A policy by those names."""
    hide = [other for name in policy["hide"] for other in (["*"] if name == "*" else shown(name))]
    return policy | {"hide": hide, "tools": {other: entry for name, entry in policy["tools"].items() for other in shown(name)}}


def argument(place, arguments):
    """What stands at `args.a.b` or `/a/b`; None where nothing does."""
    pointer = place.startswith("/")
    for step in place.split("/" if pointer else ".")[1:]:
        step = step.replace("~1", "/").replace("~0", "~") if pointer else step
        arguments = arguments.get(step) if isinstance(arguments, dict) else None
    return arguments


def kind(value):
    """What JSON calls a value's type."""
    return next((name for name, types in TYPES.items() if isinstance(value, types)), "null")


def same(one, other):
    """Equality as JSON has it: `true` is not 1."""
    return kind(one) == kind(other) and one == other


OPERATORS = {
    "eq": same,
    "neq": lambda one, other: not same(one, other),
    "lt": lambda one, other: one < other,
    "lte": lambda one, other: one <= other,
    "gt": lambda one, other: one > other,
    "gte": lambda one, other: one >= other,
    "in": lambda one, several: any(same(one, other) for other in several),
    "not_in": lambda one, several: not any(same(one, other) for other in several),
    # Not `re`: it takes forever over some patterns, and lets a line end follow what `$` calls the end.
    "regex": lambda text, pattern: SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python(text),
    "contains": lambda whole, part: part in whole if isinstance(whole, str) else any(same(one, part) for one in whole),
}


def comparable(rule, value):
    """Whether a value is of a type that the rule speaks of."""
    if rule["op"] == "contains":
        return kind(value) == "array" or kind(value) == kind(rule["value"]) == "string"
    return kind(value) in map(kind, rule["value"] if rule["op"] in ("in", "not_in") else [rule["value"]])


def holds(rule, arguments, unclear):
    """Whether a rule holds of a call; `unclear` where its value was retyped."""
    value = argument(rule["arg"], arguments)
    if rule["op"] == "exists":
        return (value is not None) == rule["value"]
    if value is None:
        return False
    return OPERATORS[rule["op"]](value, rule["value"]) if comparable(rule, value) else unclear


class Policy(Middleware):
    """Hides and denies."""

    async def on_list_tools(self, context, call_next):
        hide = POLICIES[caller()]["hide"]
        return [tool for tool in await call_next(context) if tool.name not in hide and "*" not in hide]

    async def on_call_tool(self, context, call_next):
        reason = self.refusal(context.message.name, context.message.arguments or {})
        if reason:
            raise ToolError(f"denied by policy: {reason}")
        return await call_next(context)

    def refusal(self, tool, arguments):
        """Why a call is denied; None where it is not."""
        policy, entry = POLICIES[caller()], entry_of(tool)
        if tool in policy["hide"] or "*" in policy["hide"]:
            return "not in the policy"
        if entry is None:
            return "not in the policy"
        if entry["action"] == "deny":
            return entry["reason"] or "denied"
        failed = [rule for rule in entry["require"] if not holds(rule, arguments, False)]
        failed += [rule for rule in entry["deny_if"] if holds(rule, arguments, True)]
        return (failed[0]["on_deny"] or "the arguments are not permitted") if failed else None


class Approvals(Middleware):
    """Asks the agent's user: in mid-call, or by `input_required` in the era that has no mid-call."""

    def __init__(self):
        self.open = {}

    async def on_call_tool(self, context, call_next):
        call, entry = context.message, entry_of(context.message.name)
        if entry["action"] == "require_approval":
            patience = entry["approval"]["timeout"]
            if context.fastmcp_context.request_context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
                await self.ask(context.fastmcp_context, call, patience)
            elif not self.answered(context.fastmcp_context, call):
                return self.question(call, patience)
        return await call_next(context)

    async def ask(self, client, call, patience):
        """Waits for the answer; anything but a yes raises."""
        with anyio.move_on_after(patience):
            answer = await client.elicit(f"May {call.name} run?", response_type=CHOICE["enum"])
            return yes(answer.action, getattr(answer, "data", None))
        raise ToolError("denied by policy: nobody decided in time")

    def question(self, call, patience):
        """The result that asks; what it asked about is kept here, under a word that is told once."""
        state = secrets.token_urlsafe()
        self.open[state] = (about(call), time.monotonic() + patience)
        form = ElicitRequest(params=ElicitRequestFormParams(message=f"May {call.name} run?", requested_schema=FORM))
        return InputRequiredToolResult(InputRequiredResult(input_requests={"approval": form}, request_state=state))

    def answered(self, client, call):
        """Whether this call carries a yes to a question about itself; a no raises."""
        asked, until = self.open.pop(client.request_state, (None, 0))
        answer = (client.input_responses or {}).get("approval")
        if asked != about(call) or time.monotonic() > until or answer is None:
            return False
        yes(answer.action, (answer.content or {}).get("decision"))
        return True


class Limits(Middleware):
    """FastMCP's own limiters, each asked about the calls of its tools alone."""

    def __init__(self):
        self.limiters = {}

    async def on_call_tool(self, context, call_next):
        for limit in POLICIES[caller()]["all_tools"]["limits"] + entry_of(context.message.name)["limits"]:
            call_next = partial(self.limiter(limit).on_request, call_next=call_next)
        return await call_next(context)

    def limiter(self, limit):
        key = ("" if limit["scope"] == "global" else caller(), limit["counter"])
        if key not in self.limiters:
            self.limiters[key] = self.new(limit)
        return self.limiters[key]

    def new(self, limit):
        session = (lambda context: context.fastmcp_context.session_id) if limit["scope"] == "session" else None
        if sys.argv[1:] == ["bucket"]:
            return RateLimitingMiddleware(limit["max"] / limit["seconds"], limit["max"], session)
        return SlidingWindowRateLimitingMiddleware(limit["max"], limit["seconds"] // 60, session)


def yes(action, decision):
    if (action, decision) != ("accept", "approve"):
        raise ToolError("denied by policy: not approved")


def about(call):
    return caller(), call.name, json.dumps(call.arguments or {}, sort_keys=True)


def caller():
    return get_access_token().client_id


def entry_of(tool):
    """What the caller's policy says of a tool; None where that is nothing and the default denies."""
    policy = POLICIES[caller()]
    return policy["tools"].get(tool, ALLOWED if policy["default"] == "allow" else None)


POLICIES = {who["name"]: seen(who["policy"] or NOBODY) for who in SETTINGS["callers"]}
TOKENS = {who["token"]: {"client_id": who["name"], "scopes": []} for who in SETTINGS["callers"]}
# The servers are spoken to in the legacy era: in the modern one this release passes the answers to our own question, and
# its state, on to the server, and a server that checks states refuses the call that was just approved.
mcp = create_proxy(
    {"mcpServers": {name: {"url": url} for name, url in SETTINGS["upstreams"].items()}},
    mode="legacy",
    name="fastmcp",
    auth=StaticTokenVerifier(TOKENS),
)
for middleware in (Policy(), Approvals(), Limits()):
    mcp.add_middleware(middleware)
