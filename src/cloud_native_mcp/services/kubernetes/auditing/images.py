"""Images that are not the same tomorrow.

Source: https://kubernetes.io/docs/concepts/containers/images/#image-names
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_native_mcp.services.kubernetes.auditing.finding import Finding
from cloud_native_mcp.services.kubernetes.auditing.workloads import workloads
from cloud_native_mcp.services.kubernetes.resource_use.pacing import unhurried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_native_mcp.services.kubernetes.auditing.workloads import Workload
    from cloud_native_mcp.services.kubernetes.reading import Reader


async def images(reader: Reader) -> list[Finding]:
    """Images without tag or with ``latest``, and tags without digest."""
    found: list[Finding] = []
    async for workload in unhurried(await workloads(reader)):
        found += _of_workload(workload)
    return found


def tag_of(image: str) -> str:
    """The tag of an image; empty when it has none. A port of the registry is no tag."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]


def _of_workload(workload: Workload) -> Iterator[Finding]:
    used = dict.fromkeys(one.image for one in workload.spec.all_containers if one.image and "@" not in one.image)
    moving = [image for image in used if tag_of(image) in {"", "latest"}]
    if moving:
        why = f"{', '.join(moving)} may be another image at each start"
        yield Finding("warning", "images", "moving_tag", workload.object, why, "name a version, best with its digest")
    if fixed := [image for image in used if image not in moving]:
        why = f"{', '.join(fixed)}: the tag can be pushed again"
        yield Finding("info", "images", "no_digest", workload.object, why, "add @sha256:… of the image")
