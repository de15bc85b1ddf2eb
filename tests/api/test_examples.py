"""The worked examples in the docstrings of the pure core are true; people read them first."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import rollout_lab.api

MODULES = sorted(m.name for m in pkgutil.iter_modules(rollout_lab.api.__path__, "rollout_lab.api."))
WITH_EXAMPLES = {"duration", "fields", "hashing", "intstr", "quantity", "selectors", "steps"}


@pytest.mark.parametrize("name", [*MODULES, "rollout_lab.plan.replicas"])
def test_docstring_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0
    if name.rpartition(".")[2] in WITH_EXAMPLES | {"replicas"}:
        assert found.attempted > 0
