"""What a person asks of a rollout: the requests, whether they would do anything, the command."""

from __future__ import annotations

from typing import Any

import pytest

from rollout_lab.client.actions import (
    VERDICT_CODES,
    Action,
    Request,
    command,
    perform,
    requests,
    send,
    verdict,
)
from rollout_lab.client.images import image_tag, with_tag
from rollout_lab.errors import Conflict, NotFound, UsageError

Json = dict[str, Any]
PAUSED = {"pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-11-23T00:00:00Z"}]}
UPDATING = {"currentPodHash": "new", "stableRS": "old", "observedGeneration": "2"}
STEPS = [{"setWeight": 33}, {"pause": {}}, {"setWeight": 66}]


def rollout(status: Json | None = None, strategy: str = "canary", **spec: Any) -> Json:
    way = {"steps": STEPS} if strategy == "canary" else {"activeService": "a"}
    template = {
        "metadata": {"labels": {"app": "x"}},
        "spec": {"containers": [{"name": "c", "image": "r/x:2"}]},
    }
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": "u", "generation": 2},
        "spec": {"replicas": 2, "strategy": {strategy: way}, "template": template, **spec},
        "status": status or {},
    }


def replica_set(revision: int, image: str, hash_: str = "h") -> Json:
    labels = {"app": "x", "rollouts-pod-template-hash": hash_}
    return {
        "metadata": {
            "name": f"web-{hash_}",
            "uid": hash_,
            "labels": labels,
            "annotations": {"rollout.argoproj.io/revision": str(revision)},
            "ownerReferences": [{"uid": "u", "controller": True, "name": "web", "kind": "Rollout"}],
        },
        "spec": {
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": image}]},
            }
        },
    }


OLD, NEW = replica_set(1, "r/x:1", "old"), replica_set(2, "r/x:2", "new")


@pytest.mark.parametrize(
    ("action", "before", "expected"),
    [
        (Action.PROMOTE, rollout(PAUSED), [("status", {"status": {"pauseConditions": None}})]),
        (
            Action.PROMOTE,
            rollout({"currentStepIndex": 0}),
            [("status", {"status": {"pauseConditions": None, "currentStepIndex": 1}})],
        ),
        (
            Action.PROMOTE,
            rollout(PAUSED, paused=True),
            [("status", {"status": {"pauseConditions": None}}), ("", {"spec": {"paused": False}})],
        ),
        (
            Action.PROMOTE,
            rollout({"currentStepIndex": 1, "pauseConditions": [{"reason": "InconclusiveAnalysisRun"}]}),
            [
                (
                    "status",
                    {"status": {"pauseConditions": None, "controllerPause": False, "currentStepIndex": 2}},
                )
            ],
        ),
        (Action.PROMOTE, rollout({"currentStepIndex": 3}), []),
        (Action.PROMOTE_FULL, rollout(UPDATING), [("status", {"status": {"promoteFull": True}})]),
        (
            Action.PROMOTE_FULL,
            rollout({"currentPodHash": "a", "stableRS": "a"}, paused=True),
            [("", {"spec": {"paused": False}})],
        ),
        (Action.ABORT, rollout(), [("status", {"status": {"abort": True}})]),
        (Action.RETRY, rollout(), [("status", {"status": {"abort": False}})]),
        (Action.PAUSE, rollout(), [("", {"spec": {"paused": True}})]),
        (Action.RESUME, rollout({"currentStepIndex": 0}, paused=True), [("", {"spec": {"paused": False}})]),
    ],
)
def test_the_requests_are_the_peers(action: Action, before: Json, expected: list[tuple[str, Json]]) -> None:
    """The plugin, the dashboard and this lab send the same merge patches, in the same order."""
    found = requests(action, before)
    assert [(r.verb, r.patch_kind, r.subresource, r.body) for r in found] == [
        ("patch", "merge", sub, body) for sub, body in expected
    ]


def test_restart_writes_the_lab_time() -> None:
    """restartAt is the time of the lab's clock, which may run faster than the wall."""
    body = requests(Action.RESTART, rollout(), now=1_795_000_000.9)[0].body
    assert body == {"spec": {"restartAt": "2026-11-18T11:06:40Z"}}


def test_undo_writes_the_old_template_without_the_engines_label() -> None:
    """Undo is a JSON patch of the template; the hash label must not come back with it."""
    found = requests(Action.UNDO, rollout(), [OLD, NEW])
    value = found[0].body[0]["value"]
    assert found[0].patch_kind == "json" and found[0].body[0]["path"] == "/spec/template"
    assert value["metadata"]["labels"] == {"app": "x"}
    assert value["spec"]["containers"][0]["image"] == "r/x:1"
    assert OLD["spec"]["template"]["metadata"]["labels"]["rollouts-pod-template-hash"] == "old"


def test_undo_to_the_running_template_asks_nothing() -> None:
    """Going back to what runs is no new revision."""
    assert requests(Action.UNDO, rollout(), [OLD, NEW], to_revision=2) == []
    with pytest.raises(UsageError, match="revision 9"):
        requests(Action.UNDO, rollout(), [OLD, NEW], to_revision=9)


def test_set_image_replaces_the_whole_object_and_changes_nothing_else() -> None:
    """A PUT keeps unknown fields, init containers included where they are named by *."""
    before = rollout(surprise={"kept": True})
    before["spec"]["template"]["spec"]["initContainers"] = [{"name": "i", "image": "r/x:2"}]
    found = requests(Action.SET_IMAGE, before, images={"*": "r/x:3"})[0]
    assert found.verb == "replace" and found.body["spec"]["surprise"] == {"kept": True}
    pod = found.body["spec"]["template"]["spec"]
    assert [pod["containers"][0]["image"], pod["initContainers"][0]["image"]] == ["r/x:3", "r/x:3"]
    assert before["spec"]["template"]["spec"]["containers"][0]["image"] == "r/x:2"


def test_set_image_by_version_keeps_the_registry() -> None:
    """Naming a version changes the tag only."""
    found = requests(Action.SET_IMAGE, rollout(), version="3.0.0")[0]
    assert found.body["spec"]["template"]["spec"]["containers"][0]["image"] == "r/x:3.0.0"
    with pytest.raises(UsageError, match="no container"):
        requests(Action.SET_IMAGE, rollout(), images={"other": "r/x:3"})


@pytest.mark.parametrize(
    ("action", "before", "args", "ok", "code"),
    [
        (Action.PROMOTE, rollout({**UPDATING, **PAUSED}), {}, True, "promote-step"),
        (Action.PROMOTE, rollout(UPDATING), {}, True, "promote-skip"),
        (Action.PROMOTE, rollout({**UPDATING, **PAUSED}, "blueGreen"), {}, True, "promote-preview"),
        (Action.PROMOTE, rollout(UPDATING, "blueGreen"), {}, False, "nothing-to-promote"),
        (Action.PROMOTE, rollout({**UPDATING, "abort": True}), {}, False, "aborted-retry-first"),
        (Action.PROMOTE, rollout({**UPDATING, "observedGeneration": "1"}), {}, False, "not-observed"),
        (Action.PROMOTE, rollout({**UPDATING, "stableRS": "new"}), {}, False, "already-promoted"),
        (Action.PROMOTE, rollout({**UPDATING, "promoteFull": True}), {}, False, "already-promoting"),
        (Action.PROMOTE, rollout(UPDATING, paused=True), {}, True, "promote-unpause"),
        (Action.PROMOTE_FULL, rollout(UPDATING), {}, True, "promote-all"),
        (Action.PROMOTE_FULL, rollout({**UPDATING, "abort": True}), {}, False, "aborted-retry-first"),
        (Action.ABORT, rollout(UPDATING), {}, True, "abort-update"),
        (Action.ABORT, rollout({**UPDATING, "abort": True}), {}, False, "already-aborted"),
        (Action.ABORT, rollout({**UPDATING, "stableRS": "new"}), {}, False, "nothing-to-abort"),
        (Action.RETRY, rollout({**UPDATING, "abort": True}), {}, True, "retry-update"),
        (Action.RETRY, rollout(UPDATING), {}, False, "not-aborted"),
        (Action.PAUSE, rollout(UPDATING, paused=True), {}, False, "already-paused"),
        (Action.RESUME, rollout(UPDATING), {}, False, "not-paused"),
        (Action.UNDO, rollout(UPDATING), {}, True, "undo-to"),
        (Action.UNDO, rollout(UPDATING), {"to_revision": 2}, False, "same-template"),
        (Action.UNDO, rollout(UPDATING), {"to_revision": 7}, False, "unknown-revision"),
        (Action.SET_IMAGE, rollout(UPDATING), {"version": "2"}, False, "same-image"),
        (Action.SET_IMAGE, rollout(UPDATING), {"version": "3"}, True, "set-version"),
        (Action.SET_IMAGE, rollout(UPDATING), {"images": {"z": "r/x:1"}}, False, "unknown-container"),
        (Action.SCALE, rollout(UPDATING), {"replicas": 2}, False, "same-size"),
        (Action.SCALE, rollout(UPDATING), {"replicas": 3}, True, "scale-to"),
        (
            Action.RESTART,
            rollout(UPDATING, restartAt="2026-11-23T00:00:00Z"),
            {},
            False,
            "already-restarting",
        ),
    ],
)
def test_a_verdict_says_whether_and_why(
    action: Action, before: Json, args: Json, ok: bool, code: str
) -> None:
    """A button that would do nothing is off, and says why."""
    found = verdict(action, before, [OLD, NEW], **args)
    assert (found.ok, found.code) == (ok, code)
    assert code in VERDICT_CODES


@pytest.mark.parametrize("action", list(Action))
def test_no_action_does_anything_without_a_rollout(action: Action) -> None:
    """Before anything is applied every button is off."""
    assert verdict(action, None).code == "no-rollout"


def test_a_mistake_in_the_spec_blocks_all_but_mending_it() -> None:
    """An invalid rollout can be given another image, an older template or size, nothing else."""
    wrong = {"conditions": [{"type": "InvalidSpec", "status": "True", "message": "spec.x: no"}]}
    assert verdict(Action.PROMOTE, rollout({**UPDATING, **wrong})).code == "invalid-spec"
    assert verdict(Action.SET_IMAGE, rollout({**UPDATING, **wrong}), version="3").ok


def test_commands_are_what_the_course_types() -> None:
    """Every action shows the command that does the same."""
    before = rollout(UPDATING)
    shown = {a.value: command(a, before, version="3.0.0", replicas=3, to_revision=1) for a in Action}
    assert shown["set-image"] == "kubectl argo rollouts set image web c=r/x:3.0.0 -n shop"
    assert shown["promote-full"] == "kubectl argo rollouts promote web --full -n shop"
    assert shown["retry"] == "kubectl argo rollouts retry rollout web -n shop"
    assert shown["undo"] == "kubectl argo rollouts undo web --to-revision=1 -n shop"
    assert shown["scale"] == "kubectl scale rollout web --replicas=3 -n shop"


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("1pro/api-tester:v1.0.0", "1.0.0"),
        ("1pro/api-tester:2.0.0", "2.0.0"),
        ("localhost:5000/api-tester", "latest"),
        ("localhost:5000/api-tester:vnext", "vnext"),
        ("api-tester:1@sha256:abc", "1"),
    ],
)
def test_a_version_is_the_tag(image: str, tag: str) -> None:
    """v1.0.0 and 1.0.0 are one version; a registry's port is no tag."""
    assert image_tag(image) == tag
    assert with_tag(image, "9").endswith("api-tester:9")


class Server:
    """An API server of one rollout that may refuse the first writes."""

    def __init__(self, found: Json, conflicts: int = 0, has_status: bool = True) -> None:
        self.found, self.conflicts, self.has_status = found, conflicts, has_status
        self.calls: list[tuple[str, str]] = []

    def get(self, *_: Any) -> Json:
        return self.found

    def list(self, *_: Any) -> Json:
        return {"items": [OLD, NEW]}

    def replace(self, res: Any, ns: Any, name: Any, body: Json, subresource: str = "") -> Json:
        self.calls.append(("replace", subresource))
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict(409, "Conflict", "changed")
        return body

    def patch(
        self, res: Any, ns: Any, name: Any, body: Any, kind: str = "merge", subresource: str = ""
    ) -> Json:
        self.calls.append(("patch", subresource))
        if subresource and not self.has_status:
            raise NotFound(404, "NotFound", "no status")
        return {}


def test_a_lost_race_is_judged_again_up_to_five_times() -> None:
    """Set image is a PUT: it meets the engine's writes and has to be tried on the newer object."""
    server = Server(rollout(UPDATING), conflicts=4)
    noted: list[int] = []
    found = perform(server, "shop", "web", Action.SET_IMAGE, lambda: noted.append(1), version="3")  # type: ignore[arg-type]
    assert found.ok and len(server.calls) == 5 and noted == [1]
    with pytest.raises(Conflict):
        perform(Server(rollout(UPDATING), conflicts=5), "shop", "web", Action.SET_IMAGE, version="3")  # type: ignore[arg-type]


def test_nothing_is_sent_for_a_no() -> None:
    """A verb that would do nothing writes nothing."""
    server = Server(rollout(UPDATING))
    assert not perform(server, "shop", "web", Action.RETRY).ok  # type: ignore[arg-type]
    assert server.calls == []


def test_status_patches_fall_back_to_the_object() -> None:
    """Very old CRDs have no status subresource."""
    server = Server(rollout(UPDATING), has_status=False)
    send(server, "shop", "web", [Request("patch", "status", "merge", {"status": {"abort": True}})])  # type: ignore[arg-type]
    assert server.calls == [("patch", "status"), ("patch", "")]
