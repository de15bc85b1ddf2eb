"""`images build|load`: the container images of Api Tester and the engine, without a registry."""

from __future__ import annotations

import json

import click

from rollout_lab.cli.verbs import Examples

BASE_HELP = (
    "Where Python comes from: an image docker has or can download (python:3.13-slim), `debian` (packages "
    "of this machine's apt), a file of `docker save`, or a folder. Default: what this machine can give."
)


def say(text: str) -> None:
    """Progress goes to standard error, so that --json stays JSON."""
    click.echo(text, err=True)


@click.group(name="images")
def images_verb() -> None:
    """Images of Api Tester and the engine for real clusters; no registry needed."""


@images_verb.command(
    "build",
    cls=Examples,
    examples="""
    rollout-lab images build
    rollout-lab images build --base python:3.13-slim
    rollout-lab images build --base debian
    """,
)
@click.option("--base", default="", metavar="BASE", help=BASE_HELP)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def build(base: str, as_json: bool) -> None:
    """Make the images and keep them as archives of one architecture."""
    from rollout_lab.clusters.images import build as images

    built = images.build(base, say)
    if as_json:
        about = [
            {
                "archive": str(one.archive),
                "bytes": one.archive.stat().st_size,
                "images": one.images,
                "architecture": one.architecture,
                "base": one.base,
            }
            for one in built
        ]
        click.echo(json.dumps(about, indent=1))
        return
    for one in built:
        click.echo(f"{one.archive}  {one.archive.stat().st_size / 1e6:.0f} MB  {one.architecture}")
        for name in one.images:
            click.echo(f"  {name}")


@images_verb.command(
    "load",
    cls=Examples,
    examples="""
    rollout-lab images load
    rollout-lab images load --name my-cluster
    """,
)
@click.option(
    "--name", "cluster", default="", metavar="CLUSTER", help="The kind cluster; default: the lab's."
)
@click.option("--base", default="", metavar="BASE", help=BASE_HELP)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def load(cluster: str, base: str, as_json: bool) -> None:
    """Bring the images into every node of a kind cluster (built first where that is needed)."""
    from dataclasses import asdict

    from rollout_lab.clusters.images import build as images
    from rollout_lab.clusters.images import nodes
    from rollout_lab.clusters.kind.create import Wanted

    name = Wanted(name=cluster).named()
    nodes.targets(name)  # before minutes are spent on images
    found = nodes.load(name, images.ensure(base, say), say)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    ways = {
        "present": "was there already",
        "kind": "loaded by kind",
        "ctr": "imported into the node directly",
    }
    for one in found:
        click.echo(f"{one.node}  {one.archive}  {one.images} images  {ways[one.way]}")
