"""What the plugin's commands do with kubectl alone: the same writes, as a line for a shell."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from rollout_lab.client.plain import kubectl_command
from rollout_lab.client.requests import Action, requests

Json = dict[str, Any]
WHERE = {"name": "web", "namespace": "shop", "uid": "u"}
TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {
        "containers": [{"name": "web", "image": "1pro/api-tester:1.0.0"}, {"name": "log", "image": "log:1"}]
    },
}
ROLLOUT: Json = {"metadata": WHERE, "spec": {"replicas": 2, "template": TEMPLATE}}


def words(line: str) -> list[str]:
    found = shlex.split(line)
    assert found[:4] == ["kubectl", "patch", "rollout", "web"]
    assert found[4:6] == ["-n", "shop"]
    return found[6:]


def test_the_line_writes_what_the_action_writes() -> None:
    """One source of what an action does: its request, type and subresource included."""
    for action in (Action.ABORT, Action.RETRY, Action.PAUSE):
        (request,) = requests(action, ROLLOUT)
        rest = words(kubectl_command(action, ROLLOUT))
        assert json.loads(rest[-1]) == request.body
        assert ("--subresource=status" in rest) == (request.subresource == "status")
        assert f"--type={request.patch_kind}" in rest


def test_an_image_is_set_by_its_place() -> None:
    """kubectl set image does not know Rollouts; a JSON patch names the container by number."""
    rest = words(kubectl_command(Action.SET_IMAGE, ROLLOUT, version="2.0.0"))
    path = "/spec/template/spec/containers/0/image"
    assert json.loads(rest[-1]) == [{"op": "replace", "path": path, "value": "1pro/api-tester:2.0.0"}]
    every = words(kubectl_command(Action.SET_IMAGE, ROLLOUT, images={"*": "x:1"}))
    assert [op["path"][-7] for op in json.loads(every[-1])] == ["0", "1"]


def test_undo_takes_the_older_template_without_the_engines_label() -> None:
    """The label would make it another version again."""
    sets = [
        {
            "metadata": {
                "name": f"web-{n}",
                "annotations": {"rollout.argoproj.io/revision": str(n)},
                "ownerReferences": [{"uid": "u", "controller": True, "kind": "Rollout", "name": "web"}],
            }
        }
        for n in (1, 2)
    ]
    line = kubectl_command(Action.UNDO, ROLLOUT, sets)
    assert "kubectl get rs web-1 -n shop -o jsonpath='{.spec.template}'" in line
    filled = re.sub(r"\$\(.*?\)", "{}", line)
    ops = json.loads(shlex.split(filled)[-1])
    assert [op["op"] for op in ops] == ["replace", "remove"]
    assert ops[1]["path"] == "/spec/template/metadata/labels/rollouts-pod-template-hash"
    assert kubectl_command(Action.UNDO, ROLLOUT, sets[1:]) == ""


def test_a_restart_asks_the_shell_for_the_time() -> None:
    """A time written down now would be too old when it is used."""
    assert '{\\"spec\\":{\\"restartAt\\":\\"$(date -u' in kubectl_command(Action.RESTART, ROLLOUT)
