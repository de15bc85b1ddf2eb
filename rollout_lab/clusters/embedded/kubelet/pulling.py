"""Getting the image of a container: pulled, present, unknown, misnamed; with the kubelet's words.

Here: the states and Events until the catalogue has answered. The lab pulls from no registry.
# upstream: pkg/kubelet/images/image_manager.go::EnsureImageExists
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollout_lab.clusters.embedded.kubelet import catalogue
from rollout_lab.clusters.embedded.kubelet.backoff import PullBackoff
from rollout_lab.clusters.embedded.kubelet.catalogue import Image, Program

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.kubelet.container import Container

SHOW_ERROR = 2.0  # lab seconds that ErrImagePull is to be seen before ImagePullBackOff
RETRY = 10.0


async def obtain(container: Container) -> Program:
    """The program of the container's image; returns only when there is one (the image may be changed)."""
    runtime, backoff = container.pod.runtime, PullBackoff()
    while True:
        container.respec.clear()
        text = str(container.spec["image"])
        policy = container.spec.get("imagePullPolicy") or "IfNotPresent"
        image = catalogue.parse(text)
        program = catalogue.find(image) if image else None
        if image is None:
            _misnamed(container, text)
            await container.nap(RETRY)
            continue
        if policy == "Never" and program is None:
            _never_pulled(container, text)
            await container.nap(RETRY)
            continue
        present = program is not None and policy != "Always" and image.full in runtime.images
        asked = runtime.clock.now()
        if policy != "Never" and not present:
            container.event("Normal", "Pulling", f'Pulling image "{text}"')
        left = container.pod.start_at - asked
        if left > 0:
            await container.nap(left)
        if str(container.spec["image"]) != text:
            continue
        if program is None:
            await _failed(container, image, backoff)
            continue
        if present or policy == "Never":
            container.event("Normal", "Pulled", f'Container image "{text}" already present on machine')
        else:
            took = f"{round((runtime.clock.now() - asked) * 1000)}ms"
            done = f'Successfully pulled image "{text}" in {took} ({took} including waiting).'
            container.event("Normal", "Pulled", f"{done} Image size: 0 bytes.")
        runtime.images.add(image.full)
        return program


def _misnamed(container: Container, text: str) -> None:
    message = catalogue.invalid_name_message(text)
    container.event("Warning", "InspectFailed", message)
    container.event("Warning", "Failed", "Error: InvalidImageName")
    container.waits("InvalidImageName", message)


def _never_pulled(container: Container, text: str) -> None:
    message = f'Container image "{text}" is not present with pull policy of Never'
    container.event("Warning", "ErrImageNeverPull", message)
    container.event("Warning", "Failed", "Error: ErrImageNeverPull")
    container.waits("ErrImageNeverPull", message)


async def _failed(container: Container, image: Image, backoff: PullBackoff) -> None:
    why = catalogue.not_found_message(image)
    container.event("Warning", "Failed", f'Failed to pull image "{image.text}": {why}')
    container.event("Warning", "Failed", "Error: ErrImagePull")
    container.waits("ErrImagePull", why)
    wait = backoff.next()
    await container.nap(SHOW_ERROR)
    if str(container.spec["image"]) != image.text:
        return
    short = f'Back-off pulling image "{image.text}"'
    container.event("Normal", "BackOff", short)
    container.event("Warning", "Failed", "Error: ImagePullBackOff")
    container.waits("ImagePullBackOff", f"{short}: ErrImagePull: {why}")
    await container.nap(wait - SHOW_ERROR)
