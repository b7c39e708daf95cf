"""Generated arguments for any tool of the catalogue: valid ones, nearly valid ones, and the tables of attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from cloud_native_mcp.contract.json_values import as_dict, as_int, as_list, as_str

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SHELL: Final = (
    "; id",
    "$(id)",
    "`id`",
    "| cat /etc/passwd",
    "&& true",
    "x\ny",
    "'",
    '"',
    "\\",
    "%s%n",
    "${HOME}",
    "{{7*7}}",
    "\x00",
)
"""Texts that do something when a shell, a template or a format string gets hold of them."""

OPTIONS: Final = ("-x", "--all", "--kubeconfig=/etc/passwd", "-o=jsonpath", "@/etc/passwd", "http://127.0.0.1:1/x")
"""Texts that do something when they are taken for an option, a file or an address."""

PATHS: Final = ("../x", "a/b", "a%2Fb", "", "x" * 254, "Capital", "🙂", ".", "..", "a b")
"""Texts that are no DNS-1123 names."""

_LIKELY: Final[Mapping[str, tuple[str, ...]]] = {
    "kind": ("pod", "pods", "deploy", "apps/v1/Deployment", "secret", "node", "all", "nosuchkind", "pod,svc"),
    "namespace": ("shop", "payments", "default", "nosuch"),
    "name": ("web", "db-0", "lab-node", "nosuch", "a,b"),
    "query": ("up", "sum by (job) (up)", "web", "up{", "rate(up[5m])"),
    "label_selector": ("app=web", "app in (web,db)", "!app", "app==="),
    "field_selector": ("status.phase=Running", "metadata.name=web", "spec.bogus=1", "=="),
    "cursor": ("AAAA", "not a cursor"),
    "time": ("now", "now-1h", "2026-01-01T00:00:00Z", "1767225600", "yesterday"),
    "from": ("now-1h", "now-10y", "now+1h", "2026-01-01"),
    "to": ("now", "now-2h", "bogus"),
    "step": ("30s", "1s", "0", "-5s"),
    "since": ("1h", "15m", "now-2d", "forever"),
    "url": ("http://127.0.0.1:1/", "file:///etc/passwd", "https://[::1]/", "gopher://x", "http://a:b@c/"),
    "verb": ("get", "list", "*"),
    "resource": ("pods", "pods/exec", "deployments.apps", "/healthz"),
    "subject": ("user:viewer", "sa:shop/default", "group:dev", "nobody"),
    "field": ("spec", "spec.template.spec.containers", "spec.bogus"),
    "timezone": ("UTC", "Europe/Berlin", "Mars/Base"),
    "service": ("kubernetes", "prometheus", "nosuch"),
    "grep": ("error", "!debug", "(", "(a+)+$"),
    "match": ('up{job="x"}', "up"),
    "metric": ("up", "nosuch_metric"),
    "label": ("job", "__name__", "bad label"),
}

USUAL: Final[Mapping[str, dict[str, object]]] = {
    "helm_get": {"name": "storefront", "namespace": "releases"},
    "helm_chart": {"chart": "lab/web"},
    "helm_deploy": {"name": "storefront", "namespace": "releases", "chart": "current", "dry_run": True},
    "helm_diff": {"name": "storefront", "namespace": "releases"},
    "helm_template": {"chart": "lab/web"},
    "helm_repo": {"action": "update"},
    "helm_rollback": {"name": "storefront", "namespace": "releases", "dry_run": True},
    "helm_test": {"name": "storefront", "namespace": "releases"},
    "helm_uninstall": {"name": "storefront", "namespace": "releases"},
    "kubernetes_access": {"verb": "get", "resource": "pods"},
    "kubernetes_connect": {"name": "web", "namespace": "shop", "port": "80"},
    "kubernetes_action": {"kind": "deployment", "name": "web"},
    "kubernetes_apply": {"manifest": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}"},
    "kubernetes_audit": {"namespace": "shop", "checks": ["images", "secrets", "rbac"]},
    "kubernetes_delete": {"kind": "pod", "name": "web"},
    "kubernetes_diagnose": {"kind": "deploy", "name": "web", "namespace": "shop"},
    "kubernetes_diff": {"mode": "objects", "kind": "deploy", "name": "web", "namespace": "shop", "other_name": "api"},
    "kubernetes_events": {"kind": "pod"},
    "kubernetes_exec": {"namespace": "shop", "name": "toolbox", "command": ["true"]},
    "kubernetes_get": {"kind": "deploy", "name": "web", "namespace": "shop"},
    "kubernetes_logs": {"name": "toolbox", "namespace": "shop"},
    "kubernetes_patch": {"kind": "pod", "name": "web", "labels": ["a=b"]},
    "kubernetes_rollout": {"kind": "deployment", "name": "web", "namespace": "shop"},
    "kubernetes_secret_reveal": {"name": "db-credentials", "namespace": "shop", "keys": ["username"]},
    "kubernetes_wait": {"kind": "deploy", "name": "web", "namespace": "shop", "until": "exists"},
}
"""What makes a call whole that has only what its schema requires."""

_ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.lists(st.text(max_size=4), max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)


def near_valid(schema: Mapping[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """Arguments for a tool: required ones nearly always there, each right, nearly right, or odd."""
    properties = as_dict(schema.get("properties"))
    required = {as_str(name) for name in as_list(schema.get("required"))}
    values = {name: _value(name, as_dict(declared)) for name, declared in properties.items()}
    always = {name: value for name, value in values.items() if name in required}
    optional = {name: value for name, value in values.items() if name not in required}
    right = st.fixed_dictionaries(always, optional=optional)
    misspelt = st.builds(_misspell, right, st.sampled_from(sorted(values) or ["x"]))
    return st.one_of(right, right, misspelt)


def text_arguments(schema: Mapping[str, object]) -> dict[str, Callable[[str], object]]:
    """The free text arguments of a tool (no enum), and how a text is put into each: as it is, or as a list of one."""
    found: dict[str, Callable[[str], object]] = {}
    for name, shown in as_dict(schema.get("properties")).items():
        declared = as_dict(shown)
        if declared.get("type") == "string" and "enum" not in declared:
            found[name] = _as_it_is
        elif declared.get("type") == "array" and as_dict(declared.get("items")).get("type") == "string":
            found[name] = _as_list
    return found


def _as_it_is(text: str) -> object:
    return text


def _as_list(text: str) -> object:
    return [text]


def plain(schema: Mapping[str, object]) -> dict[str, object]:
    """The required arguments of a tool, with likely values."""
    properties = as_dict(schema.get("properties"))
    return {
        name: _plain_value(name, as_dict(properties[name])) for name in map(as_str, as_list(schema.get("required")))
    }


def _plain_value(name: str, declared: Mapping[str, object]) -> object:
    if choices := as_list(declared.get("enum")):
        return choices[0]
    match declared.get("type"):
        case "integer" | "number":
            return as_int(declared.get("minimum"), 1)
        case "boolean":
            return False
        case "array":
            return ["x"]
        case _:
            return _LIKELY.get(name, ("x",))[0]


def _value(name: str, declared: Mapping[str, object]) -> st.SearchStrategy[object]:
    good = _good(name, declared)
    return st.one_of(good, good, good, _ODD)


def _good(name: str, declared: Mapping[str, object]) -> st.SearchStrategy[object]:
    if choices := as_list(declared.get("enum")):
        return st.sampled_from([as_str(choice) for choice in choices])
    match declared.get("type"):
        case "integer":
            low, high = as_int(declared.get("minimum"), 0), as_int(declared.get("maximum"), 100)
            return st.integers(low - 1, high + 1) | st.integers(low, high).map(str)
        case "number":
            return st.floats(0, 1)
        case "boolean":
            return st.booleans() | st.sampled_from(["true", "false"])
        case "array":
            return st.lists(st.sampled_from([*_LIKELY.get(name, ("x",)), ".metadata.name", "$[", *SHELL]), max_size=3)
        case _:
            return st.sampled_from([*_LIKELY.get(name, ("x", "web")), *SHELL, *OPTIONS, *PATHS])


def _misspell(arguments: dict[str, object], name: str) -> dict[str, object]:
    value = arguments.get(name, "x")
    rest = {key: kept for key, kept in arguments.items() if key != name}
    return rest | {name[:-1] + name[-1] * 2: value}
