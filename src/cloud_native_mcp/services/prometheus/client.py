"""The Prometheus HTTP API of one target, typed.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/. Long answers (series of a query, targets) are
read as a stream: elements past the wanted number are counted and forgotten. Other bodies are decoded whole, up to
`WHOLE_BYTES`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from urllib.parse import urlencode

import msgspec

from cloud_native_mcp.contract.http import HttpResponse
from cloud_native_mcp.errors import BackendError
from cloud_native_mcp.services.prometheus.answers import QueryData, Reply, Sample, Series
from cloud_native_mcp.services.prometheus.failures import failure_of
from cloud_native_mcp.services.prometheus.splitter import IncompleteJson, Splitter
from cloud_native_mcp.upstream.decode import decode_json
from cloud_native_mcp.upstream.errors import label_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from cloud_native_mcp.contract.deadline import Deadline
    from cloud_native_mcp.contract.http import HttpClient, HttpStream, HttpTarget

DataT = TypeVar("DataT")
ElementT = TypeVar("ElementT")
Params = list[tuple[str, str]]

WHOLE_BYTES: Final = 16_000_000
STREAM_BYTES: Final = 256_000_000
_ERROR_BYTES: Final = 64_000
_UNSPLIT_BYTES: Final = 3_000_000
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_SERIES: Final = "metric"
_LIMIT_WARNING: Final = "results truncated due to limit"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request in words: what for, which code a refused argument gets, and what to do where the API is absent."""

    what: str
    bad_data: str = "rejected"
    alternative: str = "this backend cannot tell it"


@dataclass(slots=True)
class Elements(Generic[ElementT]):
    """Elements of a streamed answer: those kept, how many there were, and the document around them."""

    kept: list[ElementT] = field(default_factory=list[ElementT])
    total: int = 0
    frame: bytes = b""


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """Result of a query.

    ``kind`` is ``vector``, ``matrix``, ``scalar`` or ``string``; ``single`` is the sample of the last two. ``more``
    says that the backend cut the series at the limit, so that ``total`` is only the least.
    """

    kind: str
    series: Sequence[Series]
    total: int
    more: bool = False
    single: Sample | None = None
    warnings: Sequence[str] = ()
    infos: Sequence[str] = ()


class PrometheusClient:
    """Requests to one target. Every method raises `BackendError` (`failures` says which)."""

    __slots__ = ("_http", "_seconds", "target")

    def __init__(self, http: HttpClient, target: HttpTarget, *, seconds: float) -> None:
        self._http = http
        self._seconds = seconds
        self.target = target

    async def get(
        self, path: str, shape: type[Reply[DataT]], asked: Asked, *, deadline: Deadline, params: Params | None = None
    ) -> Reply[DataT]:
        """GET an API path (below ``/api/v1``)."""
        response = await self._http.request(
            "GET",
            f"/api/v1{path}",
            deadline=deadline.sooner(self._seconds),
            params=params or [],
            max_bytes=WHOLE_BYTES,
        )
        return self._reply(response, shape, asked)

    async def post(
        self, path: str, shape: type[Reply[DataT]], asked: Asked, *, deadline: Deadline, params: Params
    ) -> Reply[DataT]:
        """POST a form that only reads; GET once where POST is not allowed."""
        within = deadline.sooner(self._seconds)
        response = await self._http.request(
            "POST",
            f"/api/v1{path}",
            deadline=within,
            headers=_FORM,
            body=urlencode(params).encode(),
            read=True,
            max_bytes=WHOLE_BYTES,
        )
        if response.status == 405:
            return await self.get(path, shape, asked, deadline=within, params=params)
        return self._reply(response, shape, asked)

    async def page(self, path: str, *, deadline: Deadline) -> HttpResponse:
        """GET a path outside the API (``/-/ready``); its status is not read."""
        return await self._http.request("GET", path, deadline=deadline.sooner(self._seconds), max_bytes=_ERROR_BYTES)

    async def query(
        self, path: str, asked: Asked, *, deadline: Deadline, params: Params, keep: int, enough: bool = False
    ) -> QueryAnswer:
        """Run a query (``/query``, ``/query_range``).

        Args:
            keep: series decoded; the others are counted.
            enough: stop reading after these, so that ``total`` says no more than ``keep``.
        """
        form = [*params, ("limit", str(keep + 1))]
        opened = self._posted(path, form, deadline)
        async with opened as stream:
            if stream.status != 405:
                return await self._query_answer(stream, asked, keep=keep, enough=enough)
        async with self._http.stream(
            "GET", f"/api/v1{path}", deadline=deadline.sooner(self._seconds), params=form, max_bytes=STREAM_BYTES
        ) as stream:
            return await self._query_answer(stream, asked, keep=keep, enough=enough)

    async def elements(
        self,
        path: str,
        asked: Asked,
        *,
        deadline: Deadline,
        params: Params,
        key: str,
        shape: type[ElementT],
        take: Callable[[ElementT], None],
    ) -> bytes:
        """GET an API path whose answer holds long arrays, and take each element as it comes.

        Args:
            key: the first key of an element (see `splitter.Splitter`).

        Returns:
            The document around the elements.
        """
        decoder = msgspec.json.Decoder(shape)
        async with self._http.stream(
            "GET", f"/api/v1{path}", deadline=deadline.sooner(self._seconds), params=params, max_bytes=STREAM_BYTES
        ) as stream:
            await self._check(stream, asked)
            splitter = Splitter(key)
            async for part in stream.parts():
                for element in splitter.feed(part):
                    take(self._decoded(decoder, element, asked))
                self._check_split(splitter, asked)
            last, frame = self._finish(splitter, asked)
        self._reply(HttpResponse(200, stream.headers, frame), Reply[dict[str, object]], asked)
        if last is not None:
            take(self._decoded(decoder, last, asked))
        if f'"{key}"'.encode() in frame:
            raise self._bad(asked, "the answer is not of the expected form")
        return frame

    def _posted(self, path: str, form: Params, deadline: Deadline) -> AbstractAsyncContextManager[HttpStream]:
        return self._http.stream(
            "POST",
            f"/api/v1{path}",
            deadline=deadline.sooner(self._seconds),
            headers=_FORM,
            body=urlencode(form).encode(),
            read=True,
            max_bytes=STREAM_BYTES,
        )

    async def _query_answer(self, stream: HttpStream, asked: Asked, *, keep: int, enough: bool) -> QueryAnswer:
        await self._check(stream, asked)
        decoder = msgspec.json.Decoder(Series)
        splitter = Splitter(_SERIES)
        found = Elements[Series]()
        async for part in stream.parts():
            for element in splitter.feed(part):
                found.total += 1
                if found.total <= keep:
                    found.kept.append(self._decoded(decoder, element, asked))
            if enough and found.total >= keep:
                return QueryAnswer("", found.kept, found.total, more=True)
            self._check_split(splitter, asked)
        last, found.frame = self._finish(splitter, asked)
        if last is not None:
            found.total += 1
            if found.total <= keep:
                found.kept.append(self._decoded(decoder, last, asked))
        reply = self._reply(HttpResponse(200, stream.headers, found.frame), Reply[QueryData], asked)
        return self._answer(reply, found, asked, keep=keep)

    def _answer(self, reply: Reply[QueryData], found: Elements[Series], asked: Asked, *, keep: int) -> QueryAnswer:
        data = reply.data
        if data is None:
            raise self._bad(asked, "the answer holds no data")
        single: Sample | None = None
        if data.result_type in {"scalar", "string"}:
            single = self._decoded(msgspec.json.Decoder(Sample), bytes(data.result), asked)
        elif found.total == 0 and bytes(data.result) not in {b"[]", b"null"}:
            whole = self._decoded(msgspec.json.Decoder(list[Series]), bytes(data.result), asked)
            found = Elements(whole[:keep], len(whole))
        warnings = reply.warnings or []
        return QueryAnswer(
            kind=data.result_type,
            series=found.kept,
            total=found.total,
            more=_LIMIT_WARNING in warnings,
            single=single,
            warnings=[text for text in warnings if text != _LIMIT_WARNING],
            infos=reply.infos or [],
        )

    async def _check(self, stream: HttpStream, asked: Asked) -> None:
        """Raise the error of a stream that is not a success; the head of its body says which."""
        if stream.status == 200:
            return
        body = bytearray()
        async for part in stream.parts():
            body += part
            if len(body) >= _ERROR_BYTES:
                break
        self._raise(HttpResponse(stream.status, stream.headers, bytes(body)), asked)
        raise self._bad(asked, f"status {stream.status} is not an answer")

    def _check_split(self, splitter: Splitter, asked: Asked) -> None:
        if splitter.waiting > _UNSPLIT_BYTES:
            raise self._bad(asked, "the answer is larger than 3 MB and cannot be read in parts; ask for less")

    def _finish(self, splitter: Splitter, asked: Asked) -> tuple[bytes | None, bytes]:
        try:
            return splitter.finish()
        except IncompleteJson:
            raise self._bad(asked, "incomplete answer: the JSON is cut or malformed") from None

    def _decoded(self, decoder: msgspec.json.Decoder[DataT], element: bytes, asked: Asked) -> DataT:
        try:
            return decoder.decode(element)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._bad(asked, f"the answer is not of the expected form: {error}") from error

    def _reply(self, response: HttpResponse, shape: type[Reply[DataT]], asked: Asked) -> Reply[DataT]:
        self._raise(response, asked)
        return decode_json(response, shape, what=asked.what, target=self.target)

    def _raise(self, response: HttpResponse, asked: Asked) -> None:
        failure = failure_of(
            response,
            what=asked.what,
            target=self.target,
            bad_data=asked.bad_data,
            alternative=asked.alternative,
        )
        if failure is not None:
            raise failure

    def _bad(self, asked: Asked, why: str) -> BackendError:
        return BackendError("bad_answer", f"{label_of(self.target)}: {asked.what}: {why}", status=200)
