"""Replays what a real Kubernetes API server answered, and expects the same of the embedded one.

Every recorded case runs against its own embedded server; a case that does not pass yet stands, with a word
why, in `transcripts_baseline.yaml`, which may only shrink: an entry that passes fails the test. Set
`ROLLOUT_LAB_TRANSCRIPTS` to replay another folder of the same format.
"""

from __future__ import annotations

import asyncio
import copy
import importlib
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from rollout_lab.clock import ScaledClock
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.bootstrap import prepare
from rollout_lab.clusters.embedded.http.app import Server
from rollout_lab.clusters.embedded.resources import CRDS, NAMESPACES, NODES
from rollout_lab.clusters.embedded.store import Store
from tests.conformance import transcript_runner as runner

TOKEN = "transcripts"
CRD_FOLDER = Path(__file__).parents[2] / "manifests" / "crds"
AT_ONCE = 12
CASES = {f"{c['topic']}/{c['id']}": c for c in runner.cases()}
BASELINE_FILE = Path(__file__).with_name("transcripts_baseline.yaml")


def baseline() -> dict[str, str]:
    """Case id to the reason why it does not pass yet."""
    groups = yaml.safe_load(BASELINE_FILE.read_text()) or []
    return {case: group["why"] for group in groups for case in group["cases"]}


BASELINE = baseline()


BUILD = re.compile("git.*|build.*|go.*|platform")


def mask_build(answer: dict[str, Any]) -> None:
    """Drop the values that tell which build a server is (`tests/data/transcripts/README.md`, Comparing)."""
    body = answer.get("body")
    if isinstance(body, dict) and "gitVersion" in body:
        answer["body"] = {k: "<build>" if BUILD.fullmatch(k) else v for k, v in body.items()}
    elif isinstance(body, dict) and "paths" in body and "kind" not in body:
        text = re.sub("hash=[0-9A-F]+", "hash=<hash>", json.dumps(body))
        answer["body"] = json.loads(text)


def argo_crds() -> list[dict[str, Any]]:
    """The CRDs of the recordings where they ship them; else our own stands in for the one we have."""
    shipped: list[dict[str, Any]] = runner.fixtures().get("argo-crds") or []
    texts = [path.read_text() for path in sorted(CRD_FOLDER.glob("*.yaml"))]
    return shipped or [crd for text in texts for crd in yaml.safe_load_all(text)]


async def replay(case: dict[str, Any]) -> list[str]:
    """The differences between the recording and a fresh embedded server."""
    api = Api(ScaledClock.start(), service_cidr="10.96.0.0/16", store=Store(rv=1000))
    prepare(api, 7443, "192.0.2.2")
    needs = [case["needs"]] if isinstance(case.get("needs"), str) else case.get("needs") or []
    if "argo-crds" in needs:
        for crd in argo_crds():
            api.create(CRDS, None, crd)
    if "fixtures" in needs:
        found = runner.fixtures()
        for crd in found["fixtures"]:
            api.create(CRDS, None, crd)
    if case["controllers"] == "kcm":
        for node in runner.fixtures()["nodes"]:
            api.create(NODES, None, node)
    ns = "recorded-ns"
    server = Server(api, TOKEN, address="192.0.2.2:7443")
    tasks: list[asyncio.Task[None]] = []
    ops = None
    if case["controllers"] == "kcm":
        controllers = importlib.import_module("rollout_lab.clusters.embedded.controllers")
        ops = importlib.import_module("tests.conformance.kcm_ops").run_op
        tasks = controllers.start(api)
    api.create(NAMESPACES, None, {"metadata": {"name": ns}})
    if case.get("compacted"):
        api.store.compact()
    web_runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=0.1)
    await web_runner.setup()
    site = web.TCPSite(web_runner, "127.0.0.1", 0)
    await site.start()
    host, port = web_runner.addresses[0][:2]
    got: list[dict[str, Any]] = []
    expected: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    async with aiohttp.ClientSession(auto_decompress=True) as http:
        session = runner.Session(http, f"http://{host}:{port}", TOKEN, ns)
        session.state["api"] = api
        try:
            for step in case["steps"]:
                answer = await session.run(step, ops)
                steps.append({k: v for k, v in step.items() if k != "expect"})
                got.append(answer if answer is not None and step.get("expect") is not None else {})
                expected.append(copy.deepcopy(step.get("expect")) or {})
        finally:
            await session.close()
            server.closing.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await web_runner.cleanup()
    for answer in (*got, *expected):
        mask_build(answer)
    normalise = runner.load_normalise()
    answers = normalise(steps, got, ns, bool(case.get("managedFields")))
    if case["controllers"] == "kcm":
        mask = importlib.import_module("tests.conformance.kcm_ops").mask
        expected, answers = mask(expected), mask(answers)
    return runner.differences(expected, answers, case.get("unstable") or [])


class Replays:
    """All selected cases, replayed side by side on one event loop in a thread."""

    def __init__(self, names: list[str]) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="transcripts", daemon=True)
        self.thread.start()
        self.limit = asyncio.Semaphore(AT_ONCE)
        self.results: dict[str, Future[list[str]]] = {
            name: asyncio.run_coroutine_threadsafe(self.one(name), self.loop) for name in names
        }

    async def one(self, name: str) -> list[str]:
        async with self.limit:
            return await replay(CASES[name])

    def close(self) -> None:
        for result in self.results.values():
            result.cancel()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture(scope="module")
def replays(request: pytest.FixtureRequest) -> Iterator[Replays]:
    names = [
        item.callspec.params["name"]
        for item in request.session.items
        if getattr(item, "originalname", "") == "test_recorded_case" and hasattr(item, "callspec")
    ]
    running = Replays(names)
    yield running
    running.close()


@pytest.mark.parametrize("name", list(CASES))
def test_recorded_case(name: str, replays: Replays) -> None:
    """The embedded server answers as the recorded Kubernetes did; a listed exception still is one."""
    try:
        found = replays.results[name].result(timeout=110)
    except Exception as error:
        if name not in BASELINE:
            raise
        found = [f"{type(error).__name__}: {error}"]
    if name in BASELINE:
        assert found, f"{name} passes now: take it out of {BASELINE_FILE.name}"
        return
    assert not found, "\n".join(found)


def test_baseline_names_recorded_cases() -> None:
    """An exception for a case nobody recorded would hide nothing and mean nothing."""
    if runner.folder() == runner.SHIPPED:
        assert set(BASELINE) <= set(CASES)
    assert all(BASELINE.values())
