"""What the terminal says in both languages, beside the shared catalogue (`messages`): short lines only.

Sentences about rollouts (why, verdicts, phases) are in `messages`; here are the words of the verbs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from rollout_lab.messages.grammar import Grammar

KO: Final[Mapping[str, str]] = {
    "scenario": "{name}: 오브젝트 {n}개를 적용합니다",
    "rollout.phase": "Rollout {name}: {phase} {message}",
    "replicaset.size": "ReplicaSet {hash} (v{version}): Pod {from}개 → {to}개",
    "service.selector": "Service {name}: selector가 {hash} (v{version})",
    "pod.new": "Pod {name} (v{version}) 생성",
    "pod.ready": "Pod {name} (v{version}) 준비됨",
    "pod.failing": "Pod {name} (v{version}) 실패: {reason}",
    "pod.deleting": "Pod {name} (v{version}) 종료 중",
    "pod.gone": "Pod {name} (v{version}) 사라짐",
    "probe": "{name}:{port} 응답 {n}개: {shares}",
    "probe.failed": ", 실패 {failed}개",
    "step.cluster": "내장 클러스터를 시작합니다",
    "step.crd": "Rollout CRD를 확인합니다",
    "step.engine": "엔진을 시작합니다",
    "step.watch": "네임스페이스 {words} 관찰을 시작합니다",
    "step.apply": "{words} 적용",
    "step.ready": "준비됨: {words}",
    "step.page": "페이지를 시작합니다",
    "up.address": "페이지: {url}",
    "up.port": "포트 {wanted}은 다른 프로그램이 쓰고 있어 {port}번으로 엽니다",
    "up.kubeconfig": "다른 터미널에서 kubectl을 쓰려면: export KUBECONFIG={path}",
    "up.stop": "Ctrl-C를 누르면 모두 멈춥니다",
    "up.stopping": "멈추는 중입니다…",
    "up.stopped": "모두 멈췄습니다",
    "run.done": "{name}: v{version} 배포가 끝났습니다 (랩 시간 {t}). {traffic}",
    "run.traffic": "{service}: 요청 {requests}개, 실패 {failed}개",
    "action.same": "같은 명령: {command}",
    "lint.ok": "{source}: 잘못된 곳이 없습니다",
}

EN: Final[Mapping[str, str]] = {
    "scenario": "applying {name}: {n:#object|objects}",
    "rollout.phase": "Rollout {name}: {phase} {message}",
    "replicaset.size": "ReplicaSet {hash} (v{version}): {from} → {to:#Pod|Pods}",
    "service.selector": "Service {name} selects {hash} (v{version})",
    "pod.new": "Pod {name} (v{version}) created",
    "pod.ready": "Pod {name} (v{version}) ready",
    "pod.failing": "Pod {name} (v{version}) failing: {reason}",
    "pod.deleting": "Pod {name} (v{version}) terminating",
    "pod.gone": "Pod {name} (v{version}) gone",
    "probe": "{name}:{port} gave {n:#answer|answers}: {shares}",
    "probe.failed": ", {failed} failed",
    "step.cluster": "starting the embedded cluster",
    "step.crd": "checking the Rollout CRD",
    "step.engine": "starting the engine",
    "step.watch": "watching namespace {words}",
    "step.apply": "applying {words}",
    "step.ready": "ready: {words}",
    "step.page": "starting the page",
    "up.address": "page: {url}",
    "up.port": "port {wanted} is taken by another program, using {port}",
    "up.kubeconfig": "for kubectl in another terminal: export KUBECONFIG={path}",
    "up.stop": "Ctrl-C stops everything",
    "up.stopping": "stopping…",
    "up.stopped": "everything has stopped",
    "run.done": "{name}: v{version} is out ({t} of lab time). {traffic}",
    "run.traffic": "{service}: {requests:#request|requests}, {failed} failed",
    "action.same": "same as: {command}",
    "lint.ok": "{source}: no mistakes found",
}


def language(wanted: str | None = None) -> str:
    """``ko`` or ``en``: what is asked for, else what the locale says."""
    if wanted:
        return wanted
    for variable in ("ROLLOUT_LAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"


def tell(lang: str, key: str, /, **params: Any) -> str:
    """The sentence `key` in `lang`. Raises KeyError for an unknown key."""
    return Grammar(lang).fill((KO if lang == "ko" else EN)[key], params).strip()
