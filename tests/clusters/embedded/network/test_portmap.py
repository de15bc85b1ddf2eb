"""Where listeners really are: every loopback address, or only 127.0.0.1."""

from __future__ import annotations

import asyncio
import socket

import pytest

from rollout_lab.clusters.embedded.network.portmap import Address, AddressInUse, PortMap


def test_a_listener_is_where_it_was_asked_for_or_mapped() -> None:
    """Protects macOS: what cannot listen at its own address is found through the map."""

    async def scene() -> None:
        wanted = Address("127.10.250.7", 18080)
        for single in (False, True):
            ports = PortMap(single=single)
            listener = await ports.listen(wanted, asyncio.Protocol)
            assert listener.moved is single
            assert ports.actual(wanted) == listener.actual
            assert listener.actual.host == ("127.0.0.1" if single else wanted.host)
            _, writer = await asyncio.open_connection(listener.actual.host, listener.actual.port)
            writer.close()
            ports.close(listener)
            ports.close(listener)
            assert ports.actual(wanted) is None
            assert ports.snapshot() == {}

    asyncio.run(scene())


def test_the_environment_asks_for_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects ROLLOUT_LAB_LOOPBACK=single, how Linux tries the macOS way."""
    monkeypatch.setenv("ROLLOUT_LAB_LOOPBACK", "single")
    assert PortMap().single
    monkeypatch.delenv("ROLLOUT_LAB_LOOPBACK")
    assert not PortMap().single


def test_a_port_of_another_program_is_left_alone() -> None:
    """Protects a taken NodePort: the lab listens elsewhere and says where."""

    async def scene() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            wanted = Address("127.0.0.1", other.getsockname()[1])
            ports = PortMap(single=False)
            listener = await ports.listen(wanted, asyncio.Protocol)
            assert listener.moved
            assert ports.actual(wanted) != wanted
            ports.close(listener)

    asyncio.run(scene())


def test_one_address_has_one_listener() -> None:
    """Protects two containers of a Pod from answering in each other's place."""

    async def scene() -> None:
        for single in (False, True):
            ports = PortMap(single=single)
            wanted = Address("127.10.250.8", 18080)
            listener = await ports.listen(wanted, asyncio.Protocol)
            with pytest.raises(AddressInUse, match="127.10.250.8:18080"):
                await ports.listen(wanted, asyncio.Protocol)
            ports.close(listener)

    asyncio.run(scene())


def test_only_loopback_is_listened_on() -> None:
    """Protects the machine from being reached from outside."""

    async def scene() -> None:
        with pytest.raises(ValueError, match="loopback only"):
            await PortMap().listen(Address("0.0.0.0", 0), asyncio.Protocol)

    asyncio.run(scene())


def test_two_labs_take_two_blocks() -> None:
    """Protects a second lab on the same machine: its Pods keep addresses of their own."""
    first, second, mapped = PortMap(single=False), PortMap(single=False), PortMap(single=True)
    try:
        blocks = {first.claim("127.11.0.0/16"), second.claim("127.11.0.0/16")}
        assert blocks == {"127.11.0.0/20", "127.11.16.0/20"}
        assert mapped.claim("127.11.0.0/16") == "127.11.0.0/16"
        first.release()
        assert PortMap(single=False).claim("127.11.0.0/20") == "127.11.0.0/20"
    finally:
        first.release()
        second.release()
