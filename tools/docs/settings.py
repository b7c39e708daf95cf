"""``docs/configuration.md``: every setting, from the models that read it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from cloud_native_mcp.config.documented import settings
from tools.docs.markdown import generated, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_native_mcp.config.documented import SettingDoc

INTRODUCTION: Final = """# Configuration

A setting is taken from the command line, else from the environment, else from the file, else it has its default.

- The file is YAML: `--config FILE`, else `$CNMCP_CONFIG`, else `./cloud-native-mcp.yaml`, else
  `/etc/cloud-native-mcp/config.yaml`.
- In the environment a setting is its path in capitals behind `CNMCP_`, with `__` for each step:
  `CNMCP_PROMETHEUS__TARGETS__MAIN__URL`. A value that starts with `[` or `{` is JSON.
- A secret is `env:NAME`, `file:/path` (read again when the file changes), or the value itself.
- `cloud-native-mcp config check` reports every problem at once with its path; `config show` prints what is in force,
  with secrets masked; `config schema` prints the JSON Schema for an editor.
- On an address other than loopback, `auth.mode: none` must be written out to run without authentication.

```yaml
server: {host: 127.0.0.1, port: 8765, effects: [read], toolset: core}
auth: {api_keys: {me: {key: "env:MY_MCP_KEY"}}}
kubernetes: {targets: {prod: {context: prod}}}
prometheus: {targets: {main: {url: "http://localhost:9090"}}}
```

`NAME` stands for a name of your choice, `[]` for each entry of a list.
"""


def configuration_page() -> str:
    """The whole page."""
    sections = groupby(settings(), key=lambda setting: setting.path.partition(".")[0])
    return generated("the settings' models") + INTRODUCTION + "".join(_section(n, list(s)) for n, s in sections)


def _section(name: str, rows: Sequence[SettingDoc]) -> str:
    lines = ((f"`{row.path}`", row.type, _default(row), row.description) for row in rows)
    return f"\n## {name}\n\n" + table(("setting", "type", "default", "meaning"), lines)


def _default(setting: SettingDoc) -> str:
    return {"": "required", "null": ""}.get(setting.default, f"`{setting.default}`")
