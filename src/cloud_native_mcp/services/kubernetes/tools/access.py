"""``kubernetes_access``: who may do what.

API: https://kubernetes.io/docs/reference/access-authn-authz/authorization/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from cloud_native_mcp.backends.kubernetes.names import check_name, check_namespace
from cloud_native_mcp.backends.kubernetes.reach import Reach
from cloud_native_mcp.contract.effect import Effect
from cloud_native_mcp.contract.json_values import as_int
from cloud_native_mcp.contract.result import Budget, Page, Result, Table, Text
from cloud_native_mcp.contract.tool import Args, tool
from cloud_native_mcp.errors import InvalidArgument, ToolError
from cloud_native_mcp.services.kubernetes.permissions.rbac import (
    ANY,
    DANGEROUS,
    Grant,
    Rule,
    Subject,
    Wanted,
    read_policy,
)
from cloud_native_mcp.services.kubernetes.permissions.reviews import review_access, review_rules, review_self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_native_mcp.backends.kubernetes.client import KubernetesClient
    from cloud_native_mcp.contract.call import Call
    from cloud_native_mcp.contract.result import Cell
    from cloud_native_mcp.services.kubernetes.service import KubernetesService

_ONLY_RBAC: Final = "only RBAC is looked at: other authorizers (Node, webhook) may allow more"
_IMPLIED: Final = frozenset({"system:authenticated"})


class AccessArgs(Args, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of ``kubernetes_access``."""

    view: Annotated[Literal["can_i", "who_can", "rules", "whoami"], Meta(description="Question")] = "can_i"
    verb: Annotated[str, Meta(description="get, list, create, delete, ..., *")] | UnsetType = UNSET
    resource: Annotated[str, Meta(description="e.g. pods, pods/exec, deployments.apps, or a URL path")] | UnsetType = (
        UNSET
    )
    name: Annotated[str, Meta(description="Object name")] | UnsetType = UNSET
    namespace: Annotated[str, Meta(description="Namespace; omit for cluster scope")] | UnsetType = UNSET
    subject: (
        Annotated[str, Meta(description="user:NAME, group:NAME or sa:NAMESPACE/NAME; omit for yourself")] | UnsetType
    ) = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, description="Rows per answer")] = 50
    cursor: Annotated[str, Meta(description="Cursor from the previous answer")] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _Question:
    """The checked arguments."""

    client: KubernetesClient
    namespace: str | None
    subject: Subject | None

    @property
    def where(self) -> str:
        """For headers."""
        return f"{f'namespace {self.namespace}' if self.namespace else 'cluster scope'} on {self.client.name}"


@tool(
    "access",
    args=AccessArgs,
    effect=Effect.READ,
    budget=Budget(usual=8_000),
    description=(
        "Kubernetes permissions: can I (or a subject) do this, who can do this, what may a subject do, who am I."
    ),
)
async def access(call: Call[KubernetesService], args: AccessArgs) -> Result:
    """Answer one question about permissions."""
    question = _Question(
        client=call.service.client(call.target),
        namespace=check_namespace(args.namespace) if args.namespace is not UNSET else None,
        subject=_subject(args.subject) if args.subject is not UNSET else None,
    )
    match args.view:
        case "can_i":
            return await _can_i(call, args, question)
        case "who_can":
            return await _who_can(call, args, question)
        case "rules":
            return await _rules(call, args, question)
        case "whoami":
            return await _who_am_i(call, question)


TOOLS = (access,)


async def _can_i(call: Call[KubernetesService], args: AccessArgs, question: _Question) -> Result:
    wanted = await _wanted(call, args, question.client)
    status = await review_access(question.client, wanted, question.namespace, question.subject, deadline=call.deadline)
    who = question.subject.text if question.subject else _self(question)
    verdict = "yes" if status.allowed else "no"
    lines = [f"{verdict}: {who} {'may' if status.allowed else 'may not'} {_words(wanted)} in {question.where}"]
    if status.reason:
        lines.append(f"reason: {status.reason}")
    if status.evaluation_error:
        lines.append(f"not fully evaluated: {status.evaluation_error}")
    if status.allowed and question.subject is None and not wanted.path:
        lines += _kept_back(question.client, wanted, question.namespace)
    if status.allowed and question.subject and not status.reason:
        lines += await _ways(call, wanted, question)
    return Result(header=f"can_i on {question.client.name}", blocks=[Text("\n".join(lines))])


def _kept_back(client: KubernetesClient, wanted: Wanted, namespace: str | None) -> list[str]:
    """A line that says so where the operator's fence lets less through than the cluster would."""
    plural, _, subresource = wanted.resource.partition("/")
    itself = wanted.name if (wanted.group, plural) == ("", "namespaces") and wanted.name else namespace
    reach = Reach(wanted.verb, wanted.group, plural, subresource, itself, wanted.name, collection=not wanted.name)
    if client.fence.admits(reach, spans=client.http.spans(reach)):
        return []
    return [f"but the fence of this server keeps it back: {client.fence.told()}"]


async def _ways(call: Call[KubernetesService], wanted: Wanted, question: _Question) -> list[str]:
    """The binding and role that allow it, where RBAC may be read."""
    try:
        policy = await read_policy(question.client, question.namespace, deadline=call.deadline)
    except ToolError as error:
        return [f"the rule is not known: RBAC not read ({error.code})"]
    subjects = _identities(question.subject)
    return [f"by {g.binding} → {g.role}" for g in policy.grants(wanted) if g.subject in subjects][:3]


async def _who_can(call: Call[KubernetesService], args: AccessArgs, question: _Question) -> Result:
    wanted = await _wanted(call, args, question.client)
    policy = await read_policy(question.client, question.namespace, deadline=call.deadline)
    rows = sorted({(g.subject.text, g.scope, g.binding, g.role, _extras(g.rule)) for g in policy.grants(wanted)})
    columns = ("SUBJECT", "SCOPE", "VIA BINDING", "ROLE", "DANGEROUS EXTRAS")
    header = f"who can {_words(wanted)} in {question.where}"
    return _paged(call, args, header, columns, rows, [_ONLY_RBAC])


async def _rules(call: Call[KubernetesService], args: AccessArgs, question: _Question) -> Result:
    """What a subject may do: its own rules by review, another's from RBAC."""
    columns = ("RESOURCES", "VERBS", "NAMES", "VIA")
    if question.subject is not None:
        policy = await read_policy(question.client, question.namespace, deadline=call.deadline)
        rows = _merged(policy.rules_of(_identities(question.subject)))
        header = f"rules of {question.subject.text} in {question.where}"
        return _paged(call, args, header, columns, rows, [_ONLY_RBAC])
    namespace = question.namespace
    if namespace is None:
        raise InvalidArgument("namespace", "is needed: the API server tells rules of one namespace at a time")
    status = await review_rules(question.client, namespace, deadline=call.deadline)
    rows = sorted({(*_rule_cells(rule), "-") for rule in (*status.resource_rules, *status.non_resource_rules)})
    notes = (
        [f"incomplete: {status.evaluation_error or 'an authorizer does not list its rules'}"]
        if status.incomplete
        else []
    )
    return _paged(call, args, f"rules of {_self(question)} in {question.where}", columns, rows, notes)


async def _who_am_i(call: Call[KubernetesService], question: _Question) -> Result:
    if question.subject is not None:
        raise InvalidArgument("subject", "has no meaning with view=whoami; use view=rules")
    user = await review_self(question.client, deadline=call.deadline)
    text = f"user: {user.username}\ngroups: {', '.join(user.groups) or '-'}\nuid: {user.uid or '-'}"
    return Result(header=f"identity of {question.client.actor} on {question.client.name}", blocks=[Text(text)])


def _self(question: _Question) -> str:
    """Whose rights a question without a subject is about."""
    client = question.client
    return "this server's identity" if client.identity is None else f"{client.actor}, as whom this server acts,"


async def _wanted(call: Call[KubernetesService], args: AccessArgs, client: KubernetesClient) -> Wanted:
    """The checked verb and resource; kinds are resolved by discovery, so short names work.

    Raises:
        InvalidArgument: something is missing or malformed.
    """
    if not args.verb or not args.resource:
        missing = "verb" if not args.verb else "resource"
        raise InvalidArgument(missing, f"is needed with view={args.view}, e.g. verb=get resource=pods")
    verb = args.verb.strip().lower()
    if not (verb == "*" or (verb.isalpha() and verb.isascii())):
        raise InvalidArgument("verb", "is one word such as get, list or delete, or *")
    if args.resource.startswith("/"):
        return Wanted(verb, path=args.resource)
    kind, slash, subresource = args.resource.partition("/")
    if slash and not subresource.replace("-", "").isalnum():
        raise InvalidArgument("resource", f"{args.resource!a} is no resource/subresource such as pods/exec")
    if kind == "*":
        return Wanted(verb, group="*", resource="*")
    found = await client.discovery.resolve(kind, deadline=call.deadline, field="resource")
    name = check_name(args.name, resource=found) if args.name is not UNSET else ""
    return Wanted(verb, found.group, f"{found.plural}{slash}{subresource}", name)


def _subject(text: str) -> Subject:
    """``user:NAME``, ``group:NAME``, ``sa:NAMESPACE/NAME``."""
    kind, colon, name = text.partition(":")
    if colon and name and kind == "user":
        return Subject("User", name)
    if colon and name and kind == "group":
        return Subject("Group", name)
    namespace, slash, account = name.partition("/")
    if kind == "sa" and slash:
        return Subject(
            "ServiceAccount", check_name(account, field="subject"), check_namespace(namespace, field="subject")
        )
    raise InvalidArgument("subject", f"{text[:60]!a} is none of user:NAME, group:NAME, sa:NAMESPACE/NAME")


def _identities(subject: Subject | None) -> frozenset[Subject]:
    """The subject and the groups every such identity belongs to."""
    if subject is None:
        return frozenset()
    groups = set(_IMPLIED)
    found = {subject}
    if subject.kind == "ServiceAccount":
        groups |= {"system:serviceaccounts", f"system:serviceaccounts:{subject.namespace}"}
        found.add(Subject("User", f"system:serviceaccount:{subject.namespace}:{subject.name}"))
    return frozenset(found | {Subject("Group", group) for group in groups})


def _merged(grants: Iterable[Grant]) -> list[tuple[str, str, str, str]]:
    """One row per resources and names, their verbs and ways joined."""
    verbs: dict[tuple[str, str], set[str]] = {}
    ways: dict[tuple[str, str], set[str]] = {}
    for grant in grants:
        resources, _, names = _rule_cells(grant.rule)
        verbs.setdefault((resources, names), set()).update(grant.rule.verbs)
        ways.setdefault((resources, names), set()).add(f"{grant.binding} ({grant.scope})")
    return [(key[0], ",".join(sorted(verbs[key])), key[1], ", ".join(sorted(ways[key]))) for key in sorted(verbs)]


def _rule_cells(rule: Rule) -> tuple[str, str, str]:
    """Resources with their groups (none said: the core one), or URL paths; verbs; names."""
    if rule.non_resource_urls:
        what = ",".join(f"URL {url}" if url == ANY else url for url in rule.non_resource_urls)
    else:
        groups = ",".join(group or "core" for group in rule.api_groups)
        what = ",".join(rule.resources) + (f" ({groups})" if groups != "core" else "")
    return what, ",".join(rule.verbs), ",".join(rule.resource_names)


def _extras(rule: Rule) -> str:
    return ",".join(sorted(DANGEROUS & set(rule.verbs)))


def _words(wanted: Wanted) -> str:
    group = f".{wanted.group}" if wanted.group and wanted.group != "*" else ""
    return f"{wanted.verb} {wanted.path or wanted.resource + group}" + (f" {wanted.name}" if wanted.name else "")


def _paged(
    call: Call[KubernetesService],
    args: AccessArgs,
    header: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    notes: Sequence[str],
) -> Result:
    state = call.cursors.open(args.cursor) if args.cursor else {}
    offset, total = as_int(state.get("offset")), len(rows)
    return Result(
        header=header,
        blocks=[Table(columns, rows[offset : offset + args.limit])] if total else [],
        page=Page.at_offset(offset, total, narrow="namespace or subject"),
        notes=[*([] if total else ["nobody, as far as RBAC tells"]), *notes],
    )
