"""Lint says what would go wrong, where, and what to write; and nothing about a good manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollout_lab.api.lint import Finding, Level, lint, lint_text
from rollout_lab.api.manifest import load

COURSE = (Path(__file__).parents[2] / "manifests/course-2233.yaml").read_text(encoding="utf-8")


def found(old: str, new: str) -> list[Finding]:
    """The findings about the course's manifest with one thing changed."""
    assert old in COURSE
    return lint_text(COURSE.replace(old, new), "course.yaml")


@pytest.mark.parametrize(
    ("old", "new", "level", "field", "said"),
    [
        ("autoPromotionEnabled", "autoPromotionEnable", "error",
         "spec.strategy.blueGreen.autoPromotionEnable", "did you mean autoPromotionEnabled"),
        ("replicas: 2", 'replicas: "2"', "error", "spec.replicas", "without quotes"),
        ("replicas: 2", "replicas: -2", "error", "spec.replicas", "0 or more"),
        ("autoPromotionEnabled: false", "prePromotionAnalysis: {}", "error",
         "spec.strategy.blueGreen.prePromotionAnalysis", "not supported yet"),
        ("activeService: api-tester-2233-active", "activeService: api-tester-2233-preview", "error",
         "spec.strategy.blueGreen.activeService", "two different ones"),
        ("activeService: api-tester-2233-active", "activeService: api-tester-2233-activ", "warning",
         "spec.strategy.blueGreen.activeService", "did you mean api-tester-2233-active"),
        ("autoPromotionEnabled: false", "autoPromotionEnabled: false\n      autoPromotionSeconds: 5",
         "warning", "spec.strategy.blueGreen.autoPromotionSeconds", "no effect"),
        ("autoPromotionEnabled: false", "previewReplicaCount: 3", "warning",
         "spec.strategy.blueGreen.previewReplicaCount", "more Pods before the switch"),
        ("autoPromotionEnabled: false", "scaleDownDelaySeconds: -1", "warning",
         "spec.strategy.blueGreen.scaleDownDelaySeconds", "less than nothing"),
        ("imagePullPolicy: IfNotPresent", "imagePullPolicy: Always", "warning",
         "spec.template.spec.containers[0].imagePullPolicy", "IfNotPresent"),
        ("    spec:\n      cont",
         "    spec:\n      nodeSelector: {kubernetes.io/hostname: k8s-master}\n      cont", "warning",
         "spec.template.spec.nodeSelector", "k8s-master"),
        ("image: 1pro/api-tester:1.0.0", "image: 1pro/api-tester", "warning",
         "spec.template.spec.containers[0].image", "1pro/api-tester:1.0.0"),
        ("image: 1pro/api-tester:1.0.0", "image: ''", "error",
         "spec.template.spec.containers[0].image", "1pro/api-tester:1.0.0"),
        ("name: api-tester-2233-properties\n            - secretRef", "name: other\n            - secretRef",
         "warning", "spec.template.spec.containers[0].envFrom[0].configMapRef.name", "no ConfigMap"),
        ("nodePort: 32243", "nodePort: 32233", "error", "spec.ports[0].nodePort", "already the node port"),
        ("nodePort: 32243", "nodePort: 80", "error", "spec.ports[0].nodePort", "30000 to 32767"),
        ("kind: Rollout", "kind: Rolout", "error", "kind", "did you mean Rollout"),
        ("apiVersion: argoproj.io/v1alpha1", "apiVersion: apps/v1", "error",
         "apiVersion", "argoproj.io/v1alpha1"),
        ("name: api-tester-2233-preview\n", "name: api-tester-2233-active\n", "error",
         "metadata.name", "twice"),
        ("spec:\n  replicas: 2\n", "spec:\n  replicas: 2\n  workloadRef: {name: x}\n", "error",
         "spec.workloadRef", "not supported yet"),
    ],
)  # fmt: skip
def test_one_mistake_is_found_with_its_line_and_remedy(
    old: str, new: str, level: str, field: str, said: str
) -> None:
    findings = [f for f in found(old, new) if f.field == field and f.level == level]
    assert findings, found(old, new)
    text = str(findings[0])
    assert said in text and findings[0].remedy
    changed = COURSE.replace(old, new).splitlines()
    assert findings[0].line and field.split(".")[-1].split("[")[0] in changed[findings[0].line - 1]


def test_a_selector_that_misses_the_template_is_found() -> None:
    findings = found(
        "        instance: api-tester-2233\n        version", "        instance: other\n        version"
    )
    said = {(f.code, f.field) for f in findings}
    assert ("invalid", "spec.template.metadata.labels") in said
    assert ("service-selector", "spec.strategy.blueGreen.activeService") in said


def test_a_port_name_nobody_has_is_found() -> None:
    findings = found("targetPort: http", "targetPort: web")
    assert {f.code for f in findings} == {"target-port"} and len(findings) == 2


def test_a_service_that_reaches_nothing_is_found() -> None:
    other = "---\napiVersion: v1\nkind: Service\nmetadata: {name: lost, namespace: anotherclass-223}\n"
    findings = lint_text(COURSE + other + "spec: {selector: {app: nobody}, ports: [{port: 80}]}\n", "f")
    assert [(f.code, f.object) for f in findings] == [("selects-nothing", "Service/lost")]


CANARY = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: demo}
spec:
  selector: {matchLabels: {app: demo}}
  template:
    metadata: {labels: {app: demo}}
    spec: {containers: [{name: c, image: 'demo:1'}]}
  strategy:
    canary:
"""


@pytest.mark.parametrize(
    ("lines", "code", "field"),
    [
        ("maxSurge: '3'", "percent", "spec.strategy.canary.maxSurge"),
        ("abortScaleDownDelaySeconds: 3", "no-effect", "spec.strategy.canary.abortScaleDownDelaySeconds"),
        (
            "steps: [{setWeight: 50}, {setWeight: 20}]",
            "weight-falls",
            "spec.strategy.canary.steps[1].setWeight",
        ),
        ("steps: [{setweight: 50}]", "unknown-field", "spec.strategy.canary.steps[0].setweight"),
        ("steps: [{pause: {duration: 5x}}]", "invalid", "spec.strategy.canary.steps[0].pause.duration"),
        ("steps: [{analysis: {}}]", "unsupported", "spec.strategy.canary.steps[0].analysis"),
        ("maxSurge: 0\n      maxUnavailable: 0", "invalid", "spec.strategy.canary.maxSurge"),
        ("canaryService: nowhere", "missing-service", "spec.strategy.canary.canaryService"),
    ],
)
def test_canary_mistakes(lines: str, code: str, field: str) -> None:
    findings = lint_text(f"{CANARY}      {lines}\n", "f")
    assert (code, field) in {(f.code, f.field) for f in findings}


def test_a_deployment_whose_selector_misses_its_template_is_found() -> None:
    text = (Path(__file__).parents[2] / "manifests/deployment-recreate.yaml").read_text(encoding="utf-8")
    bad = text.replace("        name: api-tester\n        instance: api-tester-1231\n        version",
                       "        name: api-tester\n        instance: x\n        version")  # fmt: skip
    assert "selector" in {f.code for f in lint_text(bad, "f")}


def test_text_that_is_no_manifest_is_one_error() -> None:
    (only,) = lint_text("a: b: c", "f.yaml")
    assert (only.level, only.line, only.code) == (Level.ERROR, 1, "manifest")


def test_objects_without_text_are_linted_without_lines() -> None:
    objects = load(COURSE.replace("autoPromotionEnabled", "autoPromote"), "f")
    (only,) = lint(objects)
    assert only.line == 0 and only.code == "unknown-field"


def test_kinds_it_does_not_know_are_left_alone() -> None:
    assert (
        lint([{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"any": 1}}]) == []
    )
