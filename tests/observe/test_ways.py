"""How a Service is reached: what is mapped goes first, and a port-forward is said and stays on one Pod."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from rollout_lab.client.portforward import PortForward
from rollout_lab.errors import ApiError, ClusterUnavailable, NotFound
from rollout_lab.observe.probe import ask
from rollout_lab.observe.states import service_address, service_via
from rollout_lab.observe.ways import Ways, mapped_rows, ready_target

Json = dict[str, Any]


def service(node_port: int = 0, name: str = "web") -> Json:
    port: Json = {"name": "http", "port": 80, "targetPort": "http"}
    if node_port:
        port["nodePort"] = node_port
    spec = {"ports": [port], "clusterIP": "10.0.0.1"}
    return {"metadata": {"name": name, "namespace": "n"}, "spec": spec}


def slice_(*pods: tuple[str, bool], port: int = 8080, name: str = "http", of: str = "web") -> Json:
    ends = [{"targetRef": {"kind": "Pod", "name": p}, "conditions": {"ready": r}} for p, r in pods]
    labels = {"kubernetes.io/service-name": of}
    ports = [{"name": "metrics", "port": 9}, {"name": name, "port": port}]
    return {"metadata": {"name": "s", "labels": labels}, "ports": ports, "endpoints": ends}


def test_endpoints_are_the_ready_ones_with_the_number_of_the_named_port() -> None:
    """`targetPort: http` has its number in the EndpointSlice only."""
    found = ready_target(
        service(), [slice_(("b", True), ("a", True), ("c", False)), slice_(("x", True), of="other")]
    )
    assert found == [("a", 8080), ("b", 8080)]
    assert ready_target(service(), [slice_(("a", True), name="other")]) == []


def test_only_a_mapped_node_port_has_an_address() -> None:
    """An unmapped NodePort on loopback is nobody, or another program."""
    assert mapped_rows(service(32233), {32233: "127.0.0.1:40001"})[0]["address"] == "127.0.0.1:40001"
    assert mapped_rows(service(32234), {32233: "127.0.0.1:40001"})[0]["address"] == ""
    assert mapped_rows(service(), {0: "127.0.0.1:1"})[0]["via"] in ("", "node-port")


class Pods:
    """An API server whose portforward leads to a Pod that answers with its own name."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.trouble: Exception = NotFound(404, "NotFound", "no such path")

    def raw_get(self, path: str) -> Json:
        raise self.trouble

    def websocket(self, path: str, query: dict[str, str], protocol: str) -> Web:
        self.asked.append(path)
        if "gone" in path:
            raise ApiError(404, "NotFound", "pods gone not found")
        return Web(path.split("/")[-2], int(query["ports"]))


class Web:
    """The server's end of one WebSocket: names the port on both channels, then answers."""

    def __init__(self, pod: str, port: int) -> None:
        self.sock, self._other = socket.socketpair()
        name = port.to_bytes(2, "little")
        body = f"[App Version] : Api Tester v{pod}".encode()
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._frames = [b"\x00" + name, b"\x01" + name, b"\x00" + head + body[:5], b"\x00" + body[5:], b""]
        self.sent = b""

    def send_binary(self, data: bytes) -> None:
        self.sent += data[1:]
        assert data[0] == 0
        if self.sent.endswith(b"\r\n\r\n"):
            self._other.send(b"x" * len(self._frames))

    def recv(self) -> bytes:
        self.sock.recv(1)
        return self._frames.pop(0)

    def close(self) -> None:
        self.sock.close()
        self._other.close()


@pytest.fixture
def ways() -> Iterator[Ways]:
    found = Ways(Pods(), {32233: "127.0.0.1:32233"})  # type: ignore[arg-type]
    yield found
    found.close()


def test_a_port_forward_is_opened_where_nothing_is_mapped_and_stays_on_its_pod(ways: Ways) -> None:
    """Both Pods are ready, and yet every answer comes from one: that is what the page has to say."""
    web, both = service(), [slice_(("1.0.0", True), ("2.0.0", True))]
    found = ways.addresses([web, service(32233, "open")], both)
    assert found is not None
    assert service_via(service(32233, "open"), found) == ("node-port", "")
    assert service_via(web, found) == ("port-forward", "1.0.0")
    address = service_address(web, found)[1]
    assert {ask(address).version for _ in range(8)} == {"1.0.0"}
    again = ways.addresses([web], both)
    assert again is not None and service_address(web, again)[1] == address


def test_it_moves_on_when_its_pod_leaves_the_service(ways: Ways) -> None:
    """The same address goes on to answer, so no request is lost to the change."""
    web = service()
    first = ways.addresses([web], [slice_(("1.0.0", True))])
    after = ways.addresses([web], [slice_(("1.0.0", False), ("2.0.0", True))])
    assert first is not None and after is not None
    assert service_address(web, first) == service_address(web, after)
    assert service_via(web, after) == ("port-forward", "2.0.0")
    assert ask(service_address(web, after)[1]).version == "2.0.0"
    nobody = ways.addresses([web], [slice_(("2.0.0", False))])
    assert nobody is not None and service_via(web, nobody) == ("port-forward", "2.0.0")


def test_a_service_without_a_way_has_no_address() -> None:
    """The cluster's own address of a remote cluster would only time out."""
    ways = Ways(Pods(), forward=False)  # type: ignore[arg-type]
    found = ways.addresses([service()], [slice_(("a", True))])
    assert found is not None
    assert service_address(service(), found)[1] == "" and service_via(service(), found) == ("", "")


def test_a_server_that_does_not_answer_is_not_taken_for_a_real_cluster() -> None:
    """The embedded cluster may be asked before it is up; its own addresses must not be lost for that."""
    pods = Pods()
    pods.trouble = ClusterUnavailable("nobody")
    ways = Ways(pods)  # type: ignore[arg-type]
    assert ways.addresses([service()], []) is None
    pods.raw_get = lambda path: {"services": {}}  # type: ignore[method-assign]
    assert ways.addresses([service()], []) == {"services": {}}


def test_the_embedded_cluster_speaks_for_itself() -> None:
    """Its Services answer on loopback by their NodePort, or by their own address."""
    known = {"services": {"n/web": [{"port": 80, "nodePort": 32233, "address": "127.0.0.1:32233"}]}}
    assert service_via(service(32233), known) == ("node-port", "")
    plain = {"services": {"n/web": [{"port": 80, "clusterAddress": "127.96.0.1:80"}]}}
    assert service_via(service(), plain) == ("cluster-ip", "")


def test_a_port_forward_to_a_pod_that_is_gone_ends_the_request_and_tells_why() -> None:
    """The listener lives on; a failed connection is a failed request, not a dead thread."""
    forward = PortForward(Pods(), "n", "gone", 8080)  # type: ignore[arg-type]
    try:
        assert not ask(forward.address).ok and not ask(forward.address).ok
        assert "not found" in forward.failed
    finally:
        forward.close()
    assert not ask(forward.address).ok
    assert not [t for t in threading.enumerate() if t.name.startswith("port-forward-gone")]
