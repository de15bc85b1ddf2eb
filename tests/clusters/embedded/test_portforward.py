"""port-forward on the embedded cluster: kubectl's way and the Python client's, on one Pod until that ends."""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import subprocess
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.portforward import PortForward
from rollout_lab.client.resources import PODS
from rollout_lab.clusters.base import write_kubeconfig
from rollout_lab.clusters.embedded.http.spdy import DICTIONARY, Decoder, Encoder, FrameError, Kind
from rollout_lab.clusters.embedded.process import running
from rollout_lab.observe.probe import ask
from tests.clusters.embedded.test_kubectl import CANDIDATES, MANIFEST, Kubectl
from tests.waiting import poll

PODS_RUNNING = ("-n", "shop", "get", "pods", "--field-selector=status.phase=Running", "-o", "name")


@dataclass
class Shop:
    """A cluster with two Pods, its kubeconfig and its clients."""

    home: Path
    client: KubeClient

    def kubectl(self, *words: str) -> str:
        return Kubectl(CANDIDATES[0], self.home)(*words)

    def pod(self) -> str:
        return sorted(self.kubectl(*PODS_RUNNING).split())[0].removeprefix("pod/")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    if not CANDIDATES:
        pytest.skip("there is no kubectl here")
    home = tmp_path_factory.mktemp("home")
    loop, started, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def main() -> None:
        async with running() as cluster:
            write_kubeconfig(home / "kubeconfig", cluster.url, cluster.token)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), name="cluster")
    thread.start()
    assert started.wait(20)
    run = Kubectl(CANDIDATES[0], home)
    run("apply", "-f", "-", stdin=MANIFEST)
    run("-n", "shop", "rollout", "status", "deploy/web", "--timeout=60s")
    client = KubeClient.from_kubeconfig(str(home / "kubeconfig"))
    yield Shop(home, client)
    client.close()
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


@pytest.mark.kubectl
@pytest.mark.parametrize("binary", CANDIDATES)
def test_kubectl_port_forward_stays_on_its_pod_until_that_ends(shop: Shop, binary: str) -> None:
    """Old and new kubectl: a Service is led to one Pod; when the Pod goes, nobody takes its place."""
    words = [binary, "-n", "shop", "port-forward", "svc/web", "0:80"]
    environment = {**os.environ, "HOME": str(shop.home), "KUBECONFIG": str(shop.home / "kubeconfig")}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as child:
        try:
            assert child.stdout is not None
            line = child.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+) -> 8080", line)
            assert found, line
            address = f"127.0.0.1:{found[1]}"
            hosts = {ask(address, "/hostname").text for _ in range(12)}
            assert len(hosts) == 1, "a port-forward knows no Service, only a Pod"
            pod = next(p for p in shop.kubectl(*PODS_RUNNING).split() if p[4:] in next(iter(hosts)))
            shop.kubectl("-n", "shop", "delete", pod, "--wait=true")
            assert not ask(address, "/hostname").ok
        finally:
            child.terminate()
    shop.kubectl("-n", "shop", "rollout", "status", "deploy/web", "--timeout=60s")


def test_our_own_client_speaks_it_too_and_keeps_a_connection(shop: Shop) -> None:
    """The Python client's protocol: many answers over one connection, and large ones whole."""
    forward = PortForward(shop.client, "shop", shop.pod(), 8080)
    host, _, port = forward.address.partition(":")
    kept = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        for _ in range(5):
            kept.request("GET", "/version")
            assert b"Api Tester v1.0.0" in kept.getresponse().read()
        assert ask(forward.address).version == "1.0.0"
        assert forward.failed == ""
    finally:
        kept.close()
        forward.close()


def test_a_port_where_nothing_listens_and_a_pod_that_is_not_there_are_told(shop: Shop) -> None:
    """The words name port and Pod; a connection that cannot be made does not hang."""
    pod = shop.pod()
    forward = PortForward(shop.client, "shop", pod, 9999)
    try:
        assert not ask(forward.address).ok
        assert poll(lambda: "port 9999 to pod " + pod in forward.failed, 60.0), forward.failed
        forward.lead("nobody", 8080)
        assert not ask(forward.address).ok
        assert poll(lambda: "404" in forward.failed, 60.0), forward.failed
    finally:
        forward.close()


def test_what_is_no_port_forward_is_refused_with_a_reason(shop: Shop) -> None:
    """A plain request, a protocol nobody speaks and a bad port are answered, not left open."""
    server = shop.client.server

    async def refused(headers: dict[str, str], query: str = "") -> tuple[int, str]:
        token = (shop.home / "kubeconfig").read_text().split("token: ")[1].split()[0]
        address = server + PODS.path("shop", shop.pod(), "portforward") + query
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http_,
            http_.post(address, headers=headers) as answer,
        ):
            return answer.status, await answer.text()

    assert asyncio.run(refused({}))[0] == 400
    assert "kubectl 1.31" in asyncio.run(refused({"Upgrade": "SPDY/3.1", "Connection": "Upgrade"}))[1]
    web = {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert "v4.channel" in asyncio.run(refused({**web, "Sec-WebSocket-Protocol": "v9"}))[1]
    assert asyncio.run(refused(web, "?ports=0"))[0] == 400


def test_frames_are_read_in_any_pieces_and_nonsense_is_refused() -> None:
    """The dictionary is the protocol's own (by checksum); a bad frame ends the session."""
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2
    encoder, decoder = Encoder(), Decoder()
    sent = encoder.stream(1, {"streamType": "data", "port": "80"}) + encoder.reply(1)
    sent += encoder.data(1, b"hello", fin=True) + encoder.reset(3) + encoder.ping(b"\0\0\0\7")
    found = [frame for byte in sent for frame in decoder.feed(bytes([byte]))]
    assert [f.kind for f in found] == [Kind.SYN_STREAM, Kind.SYN_REPLY, Kind.DATA, Kind.RST_STREAM, Kind.PING]
    assert found[0].headers == {"streamtype": "data", "port": "80"}
    assert (found[2].data, found[2].fin, found[3].stream) == (b"hello", True, 3)
    for bad in (b"\x80\x02\x00\x01\x00\x00\x00\x00", b"\x80\x03\x00\x01\x00\x00\x00\x0cxxxxxxxxxxxx"):
        with pytest.raises(FrameError):
            list(Decoder().feed(bad))
