"""The client of a Pod: its ServiceAccount's token, read again as it is renewed; a clear word elsewhere."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config import incluster_config

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import ROLLOUTS
from rollout_lab.errors import ApiError, ClusterUnavailable


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files and variables a Pod has; the token counts as old at once."""
    for name, variable in (("token", "SERVICE_TOKEN_FILENAME"), ("ca.crt", "SERVICE_CERT_FILENAME")):
        (tmp_path / name).write_text(f"the-{name}", encoding="utf-8")
        monkeypatch.setattr(incluster_config, variable, str(tmp_path / name))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    loader = incluster_config.InClusterConfigLoader
    before = loader.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        before(self, *args, **options)
        self._token_refresh_period = datetime.timedelta(0)

    monkeypatch.setattr(loader, "__init__", init)
    # the certificate is not a real one: nothing is sent, requests are only looked at
    monkeypatch.setattr("rollout_lab.client.kube.RESTClientObject", Transport)
    return tmp_path


class Transport:
    """Notes what would be sent; answers 403."""

    def __init__(self, configuration: Any) -> None:
        self.sent: list[tuple[str, dict[str, str]]] = []

    def request(self, method: str, url: str, headers: dict[str, str], **_: Any) -> Any:
        self.sent.append((url, headers))

        class Response:
            status = 403
            data = b'{"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"}'

        class Answer:
            response = Response()

        return Answer()

    def close(self) -> None: ...


def sent(client: KubeClient) -> tuple[str, dict[str, str]]:
    with pytest.raises(ApiError, match="no"):
        client.list(ROLLOUTS, "demo")
    found: tuple[str, dict[str, str]] = client._rest.sent[-1]
    return found


@pytest.mark.parametrize("way", ["in_cluster", "from_kubeconfig"])
def test_a_pod_speaks_as_its_service_account(
    account: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    """Protects the engine in a cluster: right address, right token, and a renewed token is used."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    client = KubeClient.in_cluster() if way == "in_cluster" else KubeClient.from_kubeconfig()
    assert client.context_name == "in-cluster"
    url, headers = sent(client)
    assert url == "https://[fd00::1]:443/apis/argoproj.io/v1alpha1/namespaces/demo/rollouts"
    assert headers["authorization"] == "bearer the-token"
    (account / "token").write_text("the-next", encoding="utf-8")
    assert "bearer the-next" in (sent(client)[1]["authorization"], sent(client)[1]["authorization"])
    client.close()


@pytest.mark.parametrize("missing", ["variables", "token"])
def test_outside_of_a_pod_it_says_so(account: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Protects a person from a traceback: exit code 3 and a remedy."""
    if missing == "variables":
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    else:
        (account / "token").unlink()
    with pytest.raises(ClusterUnavailable, match=r"this is no Pod with a ServiceAccount .*--kubeconfig"):
        KubeClient.in_cluster()
