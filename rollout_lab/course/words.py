"""Reasons that more than one lesson gives, in both languages. A lesson's own sentence of a code wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rollout_lab.messages.grammar import Grammar

KO: Final[Mapping[str, str]] = {
    "needs": "먼저 할 일이 있습니다: {task}",
    "check-failed": "이 확인에 문제가 있습니다({error}). 건너뛰어도 됩니다.",
    "no-rollout": "Rollout이 아직 없습니다. 실습 환경을 처음 상태로 되돌려 주세요.",
    "not-first": "이미 다른 버전({version})이 적혀 있습니다. 처음 상태로 되돌린 다음 시작하세요.",
    "starting": "Pod가 준비되는 중입니다. {wanted}개 가운데 {ready}개가 준비됐습니다.",
    "settling": "업데이트가 아직 진행 중입니다. 잠시만 기다리세요.",
    "no-endpoints": "Service {service:이/가} 가리키는 준비된 Pod가 없습니다.",
    "no-gateway": "여기서 닿는 게이트웨이가 없습니다. kind라면 `rollout-lab doctor`로 확인하세요.",
    "engine-off": "엔진이 꺼져 있어 아무것도 바뀌지 않습니다.",
    "gone": "Rollout이 사라졌습니다.",
    "other-version": "적힌 이미지가 {version:으로/로} 바뀌었습니다.",
    "degraded": "Rollout이 Degraded가 되었습니다.",
}
EN: Final[Mapping[str, str]] = {
    "needs": "There is something to do first: {task}",
    "check-failed": "This check has a mistake ({error}). You may skip it.",
    "no-rollout": "There is no Rollout yet. Reset the lab.",
    "not-first": "Another version ({version}) is written already. Reset, then begin.",
    "starting": "Pods are starting: {ready} of {wanted} are ready.",
    "settling": "The update is still under way. Wait a moment.",
    "no-endpoints": "The Service {service} leads to no ready Pod.",
    "no-gateway": "No gateway answers on this machine. With kind, see what `rollout-lab doctor` says.",
    "engine-off": "The engine is off, so nothing changes.",
    "gone": "The Rollout is gone.",
    "other-version": "The image that is written is {version} now.",
    "degraded": "The Rollout became Degraded.",
}


def sentence(lang: str, code: str, params: Mapping[str, Any], own: Mapping[str, str]) -> str:
    """The sentence of a code: the lesson's `own`, else the common one, else the code. Never raises."""
    common = KO if lang == "ko" else EN
    text = own.get(code) or common.get(code) or code
    try:
        return Grammar(lang).fill(text, params)
    except (KeyError, ValueError, IndexError):
        return text
