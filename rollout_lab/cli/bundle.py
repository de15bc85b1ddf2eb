"""`bundle make|load`: one file for a classroom without internet."""

from __future__ import annotations

import json
from pathlib import Path

import click

from rollout_lab.cli.verbs import Examples


def say(text: str) -> None:
    """Progress goes to standard error, so that --json stays JSON."""
    click.echo(text, err=True)


@click.group(name="bundle")
def bundle_verb() -> None:
    """One file with node image, images, Python packages and checksums, for a room without internet."""


@bundle_verb.command(
    "make",
    cls=Examples,
    examples="""
    rollout-lab bundle make classroom.tar
    rollout-lab bundle make classroom.tar.gz --node-image kindest/node:v1.34.0
    """,
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--node-image", default="", help="Node image for kind; default: the one `up` would take.")
@click.option("--base", default="", metavar="BASE", help="Base of our images: see `images build --help`.")
@click.option("--no-wheels", is_flag=True, help="Without Python packages.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def make(file: Path, node_image: str, base: str, no_wheels: bool, as_json: bool) -> None:
    """Collect what this machine has and can get into FILE (compressed where it ends in .gz)."""
    from rollout_lab.clusters.images import build, bundle

    node = node_image or usual_node_image()
    project = Path(__file__).resolve().parents[2]
    made = bundle.make(file, build.ensure(base, say), node, project, wheels=not no_wheels, say=say)
    if as_json:
        click.echo(made.document().decode())
        return
    click.echo(f"{file}  {file.stat().st_size / 1e6:.0f} MB, {made.architecture}, Python {made.python}")
    for what, words in (("node", "node image"), ("images", "archives of our images"), ("wheel", "wheels")):
        found = made.of(what)
        click.echo(f"  {len(found)} {words}, {sum(item.size for item in found) / 1e6:.0f} MB")
    for one in made.missing:
        click.echo(f"  missing: {one}")


@bundle_verb.command(
    "load",
    cls=Examples,
    examples="""
    rollout-lab bundle load classroom.tar
    rollout-lab bundle load classroom.tar --into ~/classroom
    """,
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for its files; default: FILE's name.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def load(file: Path, into: Path | None, as_json: bool) -> None:
    """Check FILE and bring its images into docker; nothing is used before everything is checked."""
    from rollout_lab.clusters.images import bundle

    plain = file.name.removesuffix(".gz").removesuffix(".tgz").removesuffix(".tar")
    folder = (into or Path(f"{plain}-bundle")).expanduser()
    done = bundle.load(file, folder, say)
    if as_json:
        about = {"folder": str(done.folder), "images": done.images, "notes": done.notes}
        click.echo(json.dumps({**about, "node_image": done.bundle.node_image}, indent=1))
        return
    click.echo(f"{len(done.bundle.items)} files checked, in {done.folder}")
    click.echo(f"{len(done.images)} images are ready for `rollout-lab up --cluster kind`")
    if done.bundle.of("wheel"):
        wheels = (done.folder / "wheels").resolve()
        click.echo("the lab without internet:")
        click.echo(f"  tar -xzf {done.folder / 'project.tar.gz'} && cd rollout-lab")
        click.echo(f"  PIP_NO_INDEX=1 PIP_FIND_LINKS={wheels} make lab")
    if done.bundle.of("node"):
        click.echo(f"  rollout-lab up --cluster kind --node-image {done.bundle.node_image}")
    for note in done.notes:
        click.echo(f"note: {note}")


def usual_node_image() -> str:
    """The node image `up --cluster kind` would take here, ``""`` where that is kind's own choice."""
    from rollout_lab.clusters import commands
    from rollout_lab.clusters.kind import create, machine
    from rollout_lab.errors import LabError

    try:
        about = machine.docker()
        return create.choose_image(
            create.Wanted().image(), machine.kind_version(), about.cgroup, machine.has_image
        )
    except (LabError, commands.ToolMissing):
        return create.Wanted().image()
