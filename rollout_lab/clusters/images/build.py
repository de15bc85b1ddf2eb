"""The images of the lab, put together and kept: which names there are, where the archives lie.

`build` makes them, `ensure` makes them only when something they are made of changed. Each image has one
archive for one architecture: an archive of several is what `kind load` trips over.
"""

from __future__ import annotations

import hashlib
import importlib.metadata as metadata
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import platformdirs

from rollout_lab.clusters.embedded.kubelet.apps.faults import SUFFIXES
from rollout_lab.clusters.images import archive, base, contents
from rollout_lab.clusters.images.archive import Image, Layer
from rollout_lab.clusters.images.base import Base
from rollout_lab.errors import LabError

Say = Callable[[str], None]
KINDS: Final = ("api-tester", "engine")
VERSIONS: Final = ("1.0.0", "2.0.0", "3.0.0")
OWNERS: Final = ("1pro", "rollout-lab")
"""The course's name for Api Tester, so that its manifests work unchanged, and ours."""
ENGINE: Final = "rollout-lab/engine"
FOLDER_VARIABLE: Final = "ROLLOUT_LAB_IMAGES"
"""Names another folder for built images."""
BASE_VARIABLE: Final = "ROLLOUT_LAB_BASE"
_USER: Final = "65532:65532"
_STOP_DELAY: Final = "3"  # seconds a Pod serves on: Services of a real cluster learn late that it ends


@dataclass(frozen=True, slots=True)
class Built:
    """An archive with its images. `key` changes when what it is made of changes.

    `mark` is one more name in the archive, different for every content: a node that has it has this build.
    """

    archive: Path
    images: tuple[str, ...]
    mark: str
    architecture: str
    base: str
    key: str

    def document(self) -> str:
        """As JSON, to be read by `read`."""
        return json.dumps(asdict(self) | {"archive": self.archive.name}, indent=1)

    @staticmethod
    def read(about: Path) -> Built | None:
        """What `document` wrote, if it and the archive beside it are there."""
        try:
            raw: dict[str, Any] = json.loads(about.read_text(encoding="utf-8"))
            raw["archive"], raw["images"] = about.parent / Path(raw["archive"]).name, tuple(raw["images"])
            found = Built(**raw)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return found if found.archive.exists() else None


def tags() -> tuple[str, ...]:
    """The tags of Api Tester: each version, healthy and with each fault."""
    return tuple(v + s for v, s in itertools.product(VERSIONS, ("", *SUFFIXES)))


def engine_image() -> str:
    """The engine's image of this version of the lab."""
    return f"{ENGINE}:{metadata.version('rollout-lab')}"


def folder() -> Path:
    """Where built images are kept."""
    wanted = os.environ.get(FOLDER_VARIABLE)
    found = Path(wanted) if wanted else platformdirs.user_cache_path("rollout-lab") / "images"
    found.mkdir(parents=True, exist_ok=True)
    return found


def ensure(asked: str = "", say: Say = lambda text: None) -> tuple[Built, Built]:
    """The archives of Api Tester and engine; built where missing or out of date."""
    found = kept()
    chosen = asked or os.environ.get(BASE_VARIABLE) or base.AUTO
    fresh = len(found) == 2 and {one.key for one in found} == {source_key()}
    if fresh and chosen in (base.AUTO, found[0].base):
        return found[0], found[1]
    return build(chosen, say)


def kept() -> tuple[Built, ...]:
    """What was built before and is still there: Api Tester, engine."""
    found = (Built.read(folder() / f"{name}.json") for name in KINDS)
    return tuple(one for one in found if one is not None)


def adopt(path: Path, about: Path) -> Built:
    """Keep an archive another machine built (of a bundle), as if it were built here. Raises LabError."""
    found = Built.read(about)
    if found is None or not set(found.images) <= set(archive.names_in(path)):
        raise LabError(f"{about} does not describe {path}; make the bundle again")
    kind = next((name for name in KINDS if path.name.startswith(f"{name}-")), "")
    if not kind:
        raise LabError(f"{path.name} is none of our images ({', '.join(KINDS)})")
    target = folder() / path.name
    shutil.copyfile(path, target)
    kept_here = replace(found, archive=target)
    (folder() / f"{kind}.json").write_text(kept_here.document(), encoding="utf-8")
    return kept_here


def build(asked: str = "", say: Say = lambda text: None) -> tuple[Built, Built]:
    """Make both archives on a base (``""``: of the environment, else the best there is here)."""
    home = folder()
    chosen = base.resolve(asked or os.environ.get(BASE_VARIABLE) or base.AUTO, home, say)
    about = f"{chosen.name} (Python 3.{chosen.python[1]}, {chosen.architecture})"
    say(f"packing Api Tester and the engine on {about}")
    with tempfile.TemporaryDirectory(prefix="rollout-lab-images-", dir=home) as temporary:
        work = Path(temporary)
        tester = _keep("api-tester", _api_tester(chosen, work), chosen)
        engine = _keep("engine", [_engine(chosen, work)], chosen)
    _forget_old_layers(home, chosen)
    return tester, engine


def source_key() -> str:
    """A digest of everything of ours that goes into the images."""
    with tempfile.TemporaryDirectory(prefix="rollout-lab-key-") as temporary:
        stage = Path(temporary)
        contents.api_tester(stage)
        contents.engine(stage)
        sums = hashlib.sha256(repr((tags(), engine_image(), _STOP_DELAY)).encode())
        for path in sorted(p for p in stage.rglob("*") if p.is_file()):
            sums.update(path.relative_to(stage).as_posix().encode() + b"\0" + path.read_bytes())
    return sums.hexdigest()


def _api_tester(chosen: Base, work: Path) -> list[Image]:
    stage = work / "api-tester"
    contents.api_tester(stage)
    contents.finish(stage, chosen.python)
    layers = (*chosen.layers, archive.folder_layer(stage, work / "api-tester.layer"))
    entry = ["python3", "-m", "rollout_lab.clusters.images.serve"]
    images = []
    for tag in tags():
        env = {"API_TESTER_TAG": tag, "API_TESTER_STOP_DELAY": _STOP_DELAY}
        names = tuple(f"{owner}/api-tester:{tag}" for owner in OWNERS)
        config = _config(chosen, env, entry) | {"ExposedPorts": {"8080/tcp": {}}}
        images.append(Image(names, layers, config, chosen.architecture, chosen.variant))
    return images


def _engine(chosen: Base, work: Path) -> Image:
    layers: list[Layer] = [*chosen.layers]
    needed, own = work / "needed", work / "engine"
    contents.dependencies(needed, chosen.python, chosen.architecture, base.machine_architecture())
    contents.engine(own)
    for stage in (needed, own):
        contents.finish(stage, chosen.python)
        layers.append(archive.folder_layer(stage, stage.with_suffix(".layer")))
    config = _config(chosen, {}, ["python3", "-m", "rollout_lab.controller.process"])
    return Image((engine_image(),), tuple(layers), config, chosen.architecture, chosen.variant)


def _config(chosen: Base, env: dict[str, str], entry: list[str]) -> dict[str, Any]:
    of_base = dict(v.partition("=")[::2] for v in chosen.config.get("Env") or ())
    ours = {"PYTHONPATH": f"/{contents.HOME}", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **env}
    together = {"PATH": archive.PATH, **of_base, **ours}
    return {
        "Env": [f"{name}={value}" for name, value in together.items()],
        "Entrypoint": entry,
        "User": _USER,
        "WorkingDir": "/tmp",
        "Labels": {"org.opencontainers.image.source": "rollout-lab", "rollout-lab/base": chosen.name},
    }


def _keep(name: str, images: list[Image], chosen: Base) -> Built:
    out = folder() / f"{name}-{chosen.architecture}.tar"
    names = tuple(n for image in images for n in image.names)
    content = hashlib.sha256(b"".join(image.document() for image in images)).hexdigest()[:12]
    mark = f"rollout-lab/{name}:build-{content}"
    archive.write(out, [replace(images[0], names=(*images[0].names, mark)), *images[1:]])
    built = Built(out, names, mark, chosen.architecture, chosen.name, source_key())
    (folder() / f"{name}.json").write_text(built.document(), encoding="utf-8")
    return built


def _forget_old_layers(home: Path, chosen: Base) -> None:
    """Layers of other bases take much room and are made again when asked for."""
    used = {layer.file for layer in chosen.layers}
    for path in home.glob("*.layer"):
        if path not in used:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
