"""``docs/tools/<service>.md``: a service's tools with their arguments and errors, from their declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.contract.json_values import as_dict, as_list
from cloud_native_mcp.routing.catalogue import entries_of
from tools.docs.markdown import generated, table

if TYPE_CHECKING:
    from cloud_native_mcp.routing.catalogue import Entry
    from tools.lists import LoadedService


def tool_page(service: LoadedService) -> str:
    """The page of one service, as its tools are listed with several targets."""
    spec = service.spec
    entries = entries_of(spec, service.tools, ("main", "other") if service.has_backends else ())
    rows = ((f"[`{e.name}`](#{e.name})", e.tool.effect.value, _list_name(e), e.tool.description) for e in entries)
    overview = table(("tool", "effect", "list", "what it does"), rows)
    title = f"# {spec.title}\n\n{spec.summary}\n\n"
    endpoint = f"Endpoints: `/api/{spec.name}/streamable-http`, `/api/{spec.name}/sse`, and among all tools `/mcp`.\n\n"
    own_page = f"../../src/cloud_native_mcp/services/{spec.name}/README.md"
    about = f"Configuration and details: [the service's own page]({own_page}).\n\n"
    return generated("the tools' declarations") + title + endpoint + about + overview + "".join(map(_tool, entries))


def _list_name(entry: Entry) -> str:
    return "core when several targets" if entry.tool.core_when_several else entry.tool.toolset


def _tool(entry: Entry) -> str:
    tool = entry.tool
    required = as_list(entry.schema.get("required"))
    rows = [
        (f"`{name}`{' *' if name in required else ''}", _type(as_dict(value)), str(as_dict(value)["description"]))
        for name, value in as_dict(entry.schema["properties"]).items()
    ]
    facts = (
        f"{tool.effect.value}, {_list_name(entry)}; {tool.freshness}; deadline {tool.timeout}; "
        f"answer {tool.budget.usual // 1000} kB usual, {tool.budget.cap // 1000} kB at most."
    )
    text = f"\n## {entry.name}\n\n{tool.description}\n\n{facts}\n\n" + table(("argument", "type", "meaning"), rows)
    if tool.own_errors:
        text += (
            "\nOwn errors: " + "; ".join(f"`{code}`: {meaning}" for code, meaning in tool.own_errors.items()) + ".\n"
        )
    return text


def _type(value: dict[str, object]) -> str:
    items = as_dict(value.get("items"))
    kind = f"list of {items['type']}" if items else str(value["type"])
    choices = as_list(value.get("enum")) or as_list(items.get("enum"))
    if choices:
        kind = " | ".join(f"`{choice}`" for choice in choices)
    low, high = value.get("minimum"), value.get("maximum")
    if low is not None or high is not None:
        kind += f" {'' if low is None else low}..{'' if high is None else high}"
    return kind + (f" = `{value['default']}`" if "default" in value else "")
