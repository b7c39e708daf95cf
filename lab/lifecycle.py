"""Bringing a lab up and down."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab import cache, facts, pki, ports, recipes
from lab.context import Lab
from lab.errors import LabError
from lab.locks import exclusive
from lab.probes import wait_until
from lab.processes import Processes
from lab.progress import Progress
from lab.scene import restore
from lab.servers import SERVERS, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lab.servers.contract import Server
    from lab.state import State

LOCK_SECONDS = 900.0
DEFAULT_NODES = 5
SCENE = "scene"


@dataclass(frozen=True)
class ServerStatus:
    """One line of the status table."""

    name: str
    pid: int | None
    ready: bool
    address: str
    log: Path


def build(names: Iterable[str], *, progress: Progress) -> None:
    """Build the named artefacts that are missing; all of them for no names."""
    store = cache.Store(cache.root())
    artefacts = recipes.chosen(list(names) or recipes.RECIPES)
    missing = [artefact for artefact in artefacts if not store.has(artefact)]
    for number, artefact in enumerate(missing, start=1):
        store.build(artefact, progress=progress, position=f"({number} of {len(missing)})")


def up(state: State, *, only: Sequence[str] = (), nodes: int = DEFAULT_NODES, progress: Progress) -> dict[str, str]:
    """Start what does not run, seed the scene, and answer the facts in the env file.

    `only` names servers and groups (what they need comes along), and `scene`; nothing means everything.
    On any failure, what this call started is stopped again.
    """
    servers = select([name for name in only if name != SCENE] or (["base"] if only else []))
    with exclusive(state.lock, within=LOCK_SECONDS):
        build((name for server in servers for name in server.needed), progress=progress)
        lab = _prepare(state, servers, nodes, progress)
        processes = Processes(state.processes, state.logs)
        runner = _Runner(lab, processes)
        try:
            runner.bring_up(servers, seeding=not only or SCENE in only)
            return _write_env(lab, processes)
        except BaseException:
            stop(state, runner.started)
            raise
        finally:
            lab.close()


def servers_named(servers: Sequence[Server], names: Iterable[str]) -> list[Server]:
    """Those of the servers that have one of these names."""
    wanted = set(names)
    return [server for server in servers if server.name in wanted]


def down(state: State, *, wipe: bool = False) -> list[str]:
    """Stop every server of the lab; with `wipe` remove its folder too. Answers what was running."""
    if not state.root.is_dir():
        return []
    with exclusive(state.lock, within=LOCK_SECONDS):
        stopped = stop(state, Processes(state.processes, state.logs).names())
        state.env.unlink(missing_ok=True)
        if wipe:
            shutil.rmtree(state.root)
    return stopped


def stop(state: State, names: Iterable[str]) -> list[str]:
    """Stop these servers, each before those it needs."""
    processes = Processes(state.processes, state.logs)
    left = set(names)
    needed = {need for server in SERVERS for need in server.needs}
    waves = [left - needed, *({server.name} for server in reversed(SERVERS) if server.name in needed)]
    return [name for wave in waves for name in processes.stop(sorted(wave & left))]


def reset(state: State, *, progress: Progress) -> str:
    """Bring the scene of a running lab back to what was seeded; answers what had to be done."""
    with exclusive(state.lock, within=LOCK_SECONDS):
        lab = attach(state, progress=progress)
        try:
            return restore.restore(lab)
        finally:
            lab.close()


def attach(state: State, *, progress: Progress) -> Lab:
    """The lab that is up in a state folder; LabError when none is."""
    known = facts.environment(state.root)
    return Lab(state, cache.Store(cache.root()), ports.load(state.ports), known.nodes, progress)


def status(state: State) -> list[ServerStatus]:
    """Every server of the lab, running or not."""
    processes = Processes(state.processes, state.logs)
    known = ports.load(state.ports)
    lab = Lab(state, cache.Store(cache.root()), known, DEFAULT_NODES, Progress(quiet=True))
    lines: list[ServerStatus] = []
    for server in SERVERS:
        record = processes.find(server.name)
        address = lab.address(server.ports[0]) if server.ports[0] in known else ""
        ready = record is not None and server.is_ready(lab)
        lines.append(
            ServerStatus(server.name, record.pid if record else None, ready, address, processes.log(server.name))
        )
    lab.close()
    return lines


def _prepare(state: State, servers: Sequence[Server], nodes: int, progress: Progress) -> Lab:
    state.root.mkdir(parents=True, exist_ok=True)
    pki.ensure(state.pki)
    processes = Processes(state.processes, state.logs)
    names = [port for server in servers for port in server.ports]
    running = [port for server in SERVERS if processes.find(server.name) for port in server.ports]
    state.data.mkdir(exist_ok=True)
    return Lab(state, cache.Store(cache.root()), ports.allocate(names, state.ports, in_use=running), nodes, progress)


class _Runner:
    """Starts servers in order, waiting for each only when another needs it."""

    def __init__(self, lab: Lab, processes: Processes) -> None:
        self._lab = lab
        self._processes = processes
        self._ready: set[str] = set()
        self.started: list[str] = []

    def bring_up(self, servers: Sequence[Server], *, seeding: bool) -> None:
        """Start the servers; the scene comes before those that measure it, since they look only now and then."""
        first = servers_named(servers, [server.name for server in select(restore.NEEDS)])
        seeding = seeding and not restore.is_seeded(self._lab.state)
        for server in first:
            self.start(server)
        if seeding:
            self.await_ready(first)
            restore.begin(self._lab)
        for server in servers:
            if server not in first:
                self.start(server)
        self.await_ready(servers)
        if seeding:
            restore.finish(self._lab)

    def start(self, server: Server) -> None:
        self.await_ready(servers_named(SERVERS, server.needs))
        files = server.configure(self._lab)
        command = server.command(self._lab)
        fingerprint = _fingerprint(command, files)
        running = self._processes.find(server.name)
        if running is not None and running.fingerprint == fingerprint:
            return
        self._processes.stop([server.name])
        server.prepare(self._lab)
        self.started.append(server.name)
        self._processes.start(server.name, command, fingerprint=fingerprint)

    def await_ready(self, servers: Iterable[Server]) -> None:
        for server in servers:
            if server.name not in self._ready:
                self._await_one(server)
                self._ready.add(server.name)

    def _await_one(self, server: Server) -> None:
        def check() -> bool:
            if self._processes.find(server.name) is None:
                raise LabError(f"{server.name} ended; {self._processes.describe_log(server.name)}")
            return server.is_ready(self._lab)

        with self._lab.progress.work(f"waiting for {server.name}") as ticker:
            try:
                wait_until(f"readiness of {server.name}", check, within=server.patience, tick=ticker.tick)
            except LabError as error:
                raise LabError(f"{error}; {self._processes.describe_log(server.name)}") from None
            server.settle(self._lab)


def _fingerprint(command: Sequence[str], files: Sequence[Path]) -> str:
    digest = hashlib.sha256(json.dumps(list(command)).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _write_env(lab: Lab, processes: Processes) -> dict[str, str]:
    """Write the facts of every server that runs, also of those that an earlier call started."""
    values = {"LAB_STATE": str(lab.state.root)}
    for server in SERVERS:
        if processes.find(server.name) is not None:
            values |= server.facts(lab)
    fresh = lab.state.env.with_suffix(".new")
    fresh.write_text(facts.render(values), encoding="utf-8")
    fresh.rename(lab.state.env)
    return values
