"""The shell around the Deployment decisions: reads the caches, writes ReplicaSets, status and Events."""

from __future__ import annotations

from rollout_lab.clusters.embedded.controllers.claims import adopting, claims, releasing
from rollout_lab.clusters.embedded.controllers.deployment.conditions import CREATE_ERROR
from rollout_lab.clusters.embedded.controllers.deployment.decide import (
    CreateReplicaSet,
    DeleteReplicaSet,
    Pass,
    UpdateReplicaSet,
    collided,
    creation_failed,
    decide,
)
from rollout_lab.clusters.embedded.controllers.deployment.revisions import same_template, template_of
from rollout_lab.clusters.embedded.controllers.deployment.sizes import is_rolling
from rollout_lab.clusters.embedded.controllers.events import Recorder
from rollout_lab.clusters.embedded.controllers.objects import (
    Key,
    Object,
    annotations_of,
    controller_of,
    generation_of,
    is_controlled_by,
    is_empty_selector,
    is_terminating,
    key_of,
    labels_of,
    matches,
    name_of,
    spec,
    status,
    uid_of,
)
from rollout_lab.clusters.embedded.controllers.replicaset.run import is_namespace_closing
from rollout_lab.clusters.embedded.controllers.runtime import Context, Controller
from rollout_lab.clusters.embedded.resources import DEPLOYMENTS, PODS, REPLICASETS
from rollout_lab.errors import AlreadyExists, ApiError


class DeploymentController:
    """Reconciles Deployments by namespace and name."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._events = Recorder(ctx, "deployment-controller", "apps/v1", "Deployment")
        self.controller = Controller("deployment", ctx, self._reconcile)
        self.controller.on(DEPLOYMENTS, lambda obj, _: [key_of(obj)])
        self.controller.on(REPLICASETS, self._keys_of_set)
        self.controller.on(PODS, lambda pod, _: self._keys_of_pod(pod))

    def _keys_of_set(self, rs: Object, previous: Object | None) -> list[Key]:
        """The owner, the former owner, and for a ReplicaSet without one everybody who may want it."""
        namespace = key_of(rs)[0]
        owners = [controller_of(version) for version in (rs, previous) if version is not None]
        keys = [(namespace, str(o.get("name"))) for o in owners if o and o.get("kind") == "Deployment"]
        if controller_of(rs) is None and not is_terminating(rs):
            for deployment in self._ctx.cache(DEPLOYMENTS).all(namespace):
                if matches(spec(deployment).get("selector"), labels_of(rs)):
                    keys.append(key_of(deployment))
        return keys

    def _keys_of_pod(self, pod: Object) -> list[Key]:
        """Only a Deployment that recreates waits for single Pods to go."""
        owner, namespace = controller_of(pod), key_of(pod)[0]
        if owner is None or owner.get("kind") != "ReplicaSet":
            return []
        rs = self._ctx.cache(REPLICASETS).get(namespace, str(owner.get("name")))
        above = controller_of(rs) if rs is not None else None
        if above is None or above.get("kind") != "Deployment":
            return []
        deployment = self._ctx.cache(DEPLOYMENTS).get(namespace, str(above.get("name")))
        return [key_of(deployment)] if deployment is not None and not is_rolling(deployment) else []

    async def _reconcile(self, key: Key) -> float | None:
        deployment = self._ctx.cache(DEPLOYMENTS).get(*key)
        if deployment is None:
            return None
        if is_empty_selector(spec(deployment).get("selector")):
            self._refuse_everything(deployment)
            return None
        sets = self._claim(deployment)
        uids = {uid_of(rs) for rs in sets}
        pods = [p for p in self._ctx.cache(PODS).all(key[0]) if (controller_of(p) or {}).get("uid") in uids]
        made = decide(deployment, sets, pods, self._ctx.now())
        if not self._apply(deployment, made):
            return None
        self._write(deployment, made.deployment)
        return made.requeue

    def _apply(self, deployment: Object, made: Pass) -> bool:
        """The actions in order; False when the pass ended early and is to be done again from the start."""
        for action in made.actions:
            match action:
                case CreateReplicaSet(body, event):
                    if not self._create(deployment, body):
                        return False
                case UpdateReplicaSet(rs, event):
                    self._ctx.update(REPLICASETS, rs)
                case DeleteReplicaSet(rs):
                    self._ctx.delete(REPLICASETS, rs)
                    continue
            if event:
                self._events.normal(deployment, "ScalingReplicaSet", event)
        return True

    def _create(self, deployment: Object, body: Object) -> bool:
        """Create the new ReplicaSet; one of that name with another template is a collision of hashes."""
        try:
            self._ctx.create(REPLICASETS, key_of(deployment)[0], body)
        except AlreadyExists:
            found = self._ctx.api.get(REPLICASETS, *key_of(body))
            mine = is_controlled_by(found, deployment)
            if mine and same_template(template_of(found), template_of(deployment)):
                return True
            self._write(deployment, collided(deployment))
            return False
        except ApiError as error:
            if is_namespace_closing(error):
                return False
            self._write(
                deployment, creation_failed(deployment, name_of(body), error.message, self._ctx.now())
            )
            text = f'Failed to create new replica set "{name_of(body)}": {error.message}'
            self._events.warning(deployment, CREATE_ERROR, text)
            raise
        return True

    def _write(self, before: Object, wanted: Object) -> None:
        """Store status and annotations (`/status` of a Deployment takes both) when they differ."""
        if status(before) != status(wanted) or annotations_of(before) != annotations_of(wanted):
            self._ctx.update(DEPLOYMENTS, wanted, subresource="status")

    def _claim(self, deployment: Object) -> list[Object]:
        """The ReplicaSets of this Deployment after adopting strays and letting go of the relabelled."""
        found = claims(deployment, self._ctx.cache(REPLICASETS).all(key_of(deployment)[0]))
        for rs in found.release:
            self._ctx.merge(REPLICASETS, rs, releasing(deployment, rs))
        adopted = []
        for rs in found.adopt:
            live = self._ctx.api.find(DEPLOYMENTS, *key_of(deployment))
            if live is not None and uid_of(live) == uid_of(deployment) and not is_terminating(live):
                patch = adopting(deployment, rs, "apps/v1", "Deployment")
                adopted.append(self._ctx.merge(REPLICASETS, rs, patch))
        return [*found.mine, *adopted]

    def _refuse_everything(self, deployment: Object) -> None:
        text = "This deployment is selecting all pods. A non-empty selector is required."
        self._events.warning(deployment, "SelectingAll", text)
        if status(deployment).get("observedGeneration") != generation_of(deployment):
            seen = {**status(deployment), "observedGeneration": generation_of(deployment)}
            self._ctx.write_status(DEPLOYMENTS, deployment, seen)
