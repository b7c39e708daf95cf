"""What this server promises for bad input, faults, transport, security and load, and which test proves what.

Every row of `PROMISES` has an id, the milestone that must prove it, and one line of text. A test names what it proves::

    @promise("B8")
    def test_a_misspelt_argument_is_refused_with_the_nearest_name() -> None: ...

    @promise("F3", service="prometheus")
    async def test_a_silent_backend_is_given_up_at_the_deadline() -> None: ...

`tests/meta/test_promises.py` fails on a promise of a landed milestone without a test, and on a test with an unknown
id. Rows of `PER_SERVICE` need a test for every service that has backends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import pytest

Milestone = Literal["slice", "kubernetes", "trust", "resilience", "signals", "search", "distribution"]

LANDED: Final[frozenset[Milestone]] = frozenset({"slice", "kubernetes"})
"""Milestones whose promises must be proven now. Rows of the others are pending."""

PER_SERVICE: Final = frozenset({"F1", "F3", "F5", "F8", "F9", "F13", "F14", "F15"})
"""Rows to be proven for each service with backends."""

_BAD_INPUT = """
B1 slice Empty body, `{`, invalid UTF-8, NUL bytes: 400 -32700; connection kept, no session or task left
B2 slice Body over the limit, with and without Content-Length, chunked: 413 before reading it all; memory flat
B3 slice JSON nested 100k deep, 10^6 keys, a 10 MB integer, duplicate keys: refused quickly; others unaffected
B4 slice JSON-RPC batch; missing `jsonrpc`; `id` null, float or object: 400 -32600
B5 slice Wrong Content-Type, missing or half Accept: 415 or 406; no session or task left
B6 slice Unknown method -32601; unknown, absent or not allowed tool: -32602 with one text
B7 slice Unknown protocol version -32022; header and body disagree -32020; base64 name header decoded first
B8 slice Misspelt argument: refused with the nearest name; backend not called
B9 slice Missing, null, wrong type, out of range: refused; no silent clamp
B10 slice "5", "true", '["a"]' coerced by schema only; JSON text for a string field stays text
B11 slice Names and namespaces with paths, options, shell signs: refused by DNS-1123; paths always quoted
B12 slice Label and field selectors with bad grammar: refused with the grammar hint
B13 slice Query syntax errors: the backend's message and position are passed on, trimmed
B14 slice Odd time ranges: refused, or the step is widened and the answer says so
B15 kubernetes Regular expression with catastrophic backtracking in a log filter: linear time, or refused
B16 kubernetes YAML manifests: huge, alias bombs, tags, 1,000 documents, duplicate keys: refused by the safe loader
B17 slice Cursor forged, someone else's, expired or of another tool: refused, "list again"; no data
B18 slice Addresses for fetching with odd schemes, users, number forms, ports: refused
B19 search Elasticsearch index `*`, `.security*`, `-x`, 5,000 names: refused or fenced by configuration
B20 slice Bad configuration: start refused, exit 2, all problems at once with their paths
B21 slice Header values with CR/LF, 64 kB Authorization, two of them, joined Mcp-Name: 400; logs stay clean
B22 slice Bidi, zero-width and unpaired surrogates: accepted in free text only; escaped in audit and logs
"""

_FAULTS = """
F1 slice Connection refused, host down at start: server starts, calls refused, readiness lists it, breaker opens
F2 resilience DNS fails, is slow, changes: refused with the host's name; resolved again; no long hang
F3 slice Accepts and never answers: refused at the call's deadline; upstream request closed
F4 resilience Trickles one byte a second: the total deadline counts, not only idle reads
F5 slice 500, 502, 503, 504: reads retried at most twice inside the deadline, writes never; status and body head told
F6 resilience 429 with Retry-After: waits only if it fits the deadline, else refused saying when; no retry storm
F7 resilience 401 in mid-life: credentials read again once for all callers, one retry, then refused
F8 slice 403: refused with verb, resource and namespace; not retried; not cached
F9 slice 404, 405 and an absent API: three different texts; discovery refreshed once
F10 kubernetes 409 on a write: refused with the current version; no blind overwrite
F11 kubernetes 410 on a continue token: partial pages kept with a note, or "list again"; never silent
F12 kubernetes Watch closed or 410 event: listed again with back-off; never tighter than once a second
F13 slice Truncated JSON, wrong length, cut gzip: "incomplete answer"; connection dropped; nothing cached
F14 slice 200 with HTML, wrong type, empty body, `null`: refused as not JSON
F15 slice 500 MB body, gzip bomb: stopped at the cap of decoded bytes; memory flat
F16 resilience TLS expired, wrong host, unknown CA, rotated files, old version: refused naming which; files read again
F17 resilience Reset before headers or in mid-body, dead idle connection: reads retried once on a fresh connection
F18 resilience Redirects to another host, to http, in a loop: not followed; credentials never leave the host
F19 signals Backends' own partial answers and warnings: the answer is marked partial with the counts
F20 resilience Older and newer backend versions: tolerant reading; clear text where a feature is missing
F21 resilience Clock skew of ten minutes: 60 s leeway; the message says clock
F22 search One backend dead, nine fine: the others' latency stays within 1.25 times normal
F23 distribution Cache store down, slow, full or corrupt: served without it, one warning a minute
F24 trust Audit sink full, forbidden or hanging: writes refused in time, health shows it, recovers by itself
F25 trust Secret file vanishes or is half written: the old value is kept until a whole new one parses
F26 kubernetes Kubelet log stream stalls or is cut: what came is returned, marked cut
F27 kubernetes Credential plugin fails, hangs, prints garbage: bounded, refused, its words masked
F28 distribution A node dies in mid-call: reads retried elsewhere once, writes refused as unknown outcome
"""

_TRANSPORT = """
T1 slice Client disconnects in mid-call, each era: upstream request cancelled, audited as cancelled, no task left
T2 kubernetes Client reads one byte a second: write deadline; memory bounded
T3 resilience A thousand slow headers and bodies: closed in time; others served
T4 slice SIGTERM with calls in flight: readiness false first, they finish, later ones 503, exit 0, audit flushed
T5 resilience Reload under load: no failed call; the old configuration's tokens refused after the swap
T6 slice The same call twice with one id, 1,000 in parallel on one connection: independent
T7 distribution Two replicas in turn, 250 clients of many calls, each era: all succeed without affinity
T8 distribution Replica restarted in mid-conversation: the next call works
T9 resilience Listen stream idle for ten proxy timeouts: keep-alive comments, no proxy buffering
T10 slice Older SSE client, 2025-06-18 and 2026-07-28 clients at once: all served
T11 slice The official conformance suite and inspector pass in both eras
"""

_SECURITY = """
S1 slice Read-only server, every write tool by name through every door: refused, audited, backend untouched
S2 slice Shell signs in every string argument of every tool: no process is started
S3 slice Values starting with `-`, `@file`, `http://` where a name is expected: refused or plain text
S4 slice A canary secret through every door: never in any output, log, audit, trace or metric
S5 slice Asking for kubeconfig, token paths, the server's environment or configuration: refused or masked
S6 trust Bad tokens of every kind: 401 with a challenge; constant time; nothing logged
S7 slice Foreign Origin or Host, look-alikes, spoofed forwarding: 403 or 421 before any work
S8 trust Identity headers sent by a client: dropped unless that peer is trusted; never system:masters
S9 slice Fetching loopback, private, link-local, mapped, metadata or cluster addresses: refused before connect
S10 slice Public name that resolves to private, rebinding: the address is pinned; refused
S11 slice Redirects to private, many hops, other schemes: each hop checked, three at most
S12 slice An argument or header that picks the backend's address does not exist; target names only
S13 slice Foreign text that gives orders or closes the envelope: returned inside it, escaped and cleaned
S14 trust Tool list changes after approval, a package shadows a built-in name: digest shown; duplicate fatal
S15 slice One user's cursor, handle or cached answer used by another: refused; cache keys hold the rights
S16 trust Escaping the rate limit by new keys, IPv6 hopping or spoofed headers: keyed by principal, then peer
S17 slice Audit injection: one line per record, escaped, cut with a digest
S18 trust Audit switched off or its sink removed: warning and metric; writes refused if required
S19 kubernetes Privileged pods, host paths, cluster-admin bindings, drains: denied by policy by default
S20 distribution Dependencies and image: hashes, bill of materials, clean scan, non-root, read-only root
S21 slice A kubeconfig, plugin, provider or file path from the caller: no such door exists
"""

_LOAD = """
L1 resilience 1,000 cheap calls a second for ten minutes: no errors, bounded tail, flat memory
L2 resilience 200 slow calls at once: all answered; cheap calls stay within 1.25 times their median
L3 kubernetes Huge lists: inside the answer's budget, below 300 MB, no loop step of 50 ms
L4 resilience 100 equal lists at once: one upstream request, equal bytes for equal rights
L5 resilience One greedy principal at 50 times the rate: the others keep 95 % of their throughput
L6 resilience 10,000 clients that open a session and vanish: sessions capped, memory returns
L7 resilience 1,000 idle listen streams: under 50 kB each; no call dropped
L8 resilience A backend flapping for five minutes: the breaker follows; retries add 20 % at most
L9 resilience Configuration reloaded every 5 s under load: no failure, no descriptor growth
L10 distribution A long soak with random faults: no leak; as many audit records as calls
L11 distribution Three nodes, one killed every 30 s: reads 99.9 %, writes never doubled
L12 search Cold start with all backends down: ready without contacting one
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise: its id, what is promised, and the milestone from which on a test must prove it."""

    id: str
    milestone: Milestone
    text: str

    @property
    def pending(self) -> bool:
        """Whether no test is required yet."""
        return self.milestone not in LANDED


def _read(*tables: str) -> dict[str, Promise]:
    promises: dict[str, Promise] = {}
    milestones: dict[str, Milestone] = {name: name for name in get_args(Milestone)}
    for line in "\n".join(tables).split("\n"):
        if not line:
            continue
        number, milestone, text = line.split(" ", maxsplit=2)
        if number in promises:
            raise ValueError(f"promise {number} is listed twice")
        promises[number] = Promise(number, milestones[milestone], text)
    return promises


PROMISES: Final = _read(_BAD_INPUT, _FAULTS, _TRANSPORT, _SECURITY, _LOAD)


def promise(number: str, *, service: str | None = None) -> pytest.MarkDecorator:
    """Mark a test as a proof of the promise ``number``, for one ``service`` where the promise is given per service.

    Raises:
        KeyError: there is no such promise.
    """
    return pytest.mark.promise(PROMISES[number].id, service=service)
