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
    "simulate.done": "예측: 업데이트가 끝까지 갑니다",
    "simulate.waiting": "예측: 누군가 promote 할 때까지 여기서 기다립니다",
    "simulate.failed": "예측: 업데이트가 실패합니다",
    "simulate.unfinished": "예측: 저절로는 끝나지 않습니다",
    "simulate.assumed": "가정: 끝이 없는 pause는 {seconds}초 뒤에 {action}",
    "replay.written": "{path} 파일을 썼습니다",
    "compare.same": "두 실행의 결정이 모두 같습니다",
    "compare.differ": "두 실행의 결정이 {n}가지에서 다릅니다",
    "parts": "요청의 비율 (초)",
    "parts.cell": "{share}% (Pod {pods}개)",
    "figure": "수치",
    "figure.duration": "걸린 시간 (초)",
    "figure.usersOnNewAfter": "사용자가 모두 새 버전에 도달 (초)",
    "figure.downtime": "응답할 Pod가 없던 시간 (초)",
    "figure.maxPods": "최대 Pod 수",
    "figure.extraPodSeconds": "추가 Pod × 초",
    "figure.minAvailable": "최소 준비된 Pod 수",
    "engine.running": "엔진이 켜져 있습니다",
    "engine.stopped": "엔진이 꺼져 있습니다",
    "engine.failed": "엔진이 오류로 멈췄습니다",
    "engine.none": "이 실습 환경에는 끄고 켤 수 있는 엔진이 없습니다",
    "lesson.minutes": "{n}분, 할 일 {tasks}개",
    "lesson.lab": "실습 환경을 시작합니다",
    "lesson.help": "명령을 그대로 입력하세요. hint: 힌트, solve: 대신 하기, skip: 건너뛰기, quit: 그만두기",
    "lesson.answer": "답을 적고 Enter (그냥 Enter는 건너뛰기)",
    "lesson.right": "맞았습니다: {truth}",
    "lesson.wrong": "{given}이라고 했지만 실제로는 {truth}입니다",
    "lesson.finished": "할 일을 모두 마쳤습니다",
    "lesson.left": "여기까지 하고 실습 환경을 정리합니다",
    "lesson.reset": "처음 상태로 되돌렸습니다",
    "lesson.stuck": "그 자리까지 가지 못했습니다. 엔진과 클러스터를 확인하세요",
    "lesson.new": "{path}에 만들었습니다. 고친 뒤 rollout-lab lesson lint로 확인하세요",
    "lesson.no_port": "포트 {port:을/를} 쓰는 Service가 없습니다",
    "lesson.unknown": "모르는 명령입니다. 본문의 명령이나 hint, solve, skip, quit을 입력하세요",
    "lesson.timeout": "{seconds}초 안에 끝나지 않아 멈췄습니다",
    "lesson.interrupted": "명령을 멈췄습니다. 수업은 계속됩니다",
    "lesson.no_kubectl": "kubectl이 설치되어 있지 않습니다. 같은 일을 하려면 solve를 입력하세요",
    "evidence.written": "{file}: 할 일 {total}개 가운데 {passed}개를 마쳤습니다. "
    "바뀌지 않았는지는 `rollout-lab lesson verify`로 확인합니다.",
    "evidence.changed": "파일이 바뀌었습니다. {line}번째 줄이 처음 적힌 것과 다릅니다.",
    "evidence.about": "{lesson} 과, 학생 {student}",
    "evidence.own": "바뀌지 않았고, 이 사용자의 실습 환경이 봉인했습니다.",
    "evidence.other": "줄들은 서로 맞습니다. 다른 실습 환경이 봉인했으므로, "
    "정말 거기서 적었는지는 그 환경에서만 알 수 있습니다.",
    "evidence.task.confirmed": "실행 기록으로 확인됨",
    "evidence.task.said": "실행 기록만으로는 알 수 없음",
    "evidence.task.helped": "도움을 받음",
    "evidence.questions": "맞힌 문제: {n}개 가운데 {right}개",
    "plan.opening": "함께 둘러보기: 페이지와 curl 반복",
    "plan.break": "쉬는 시간",
    "plan.questions": "질문과 정리",
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
    "simulate.done": "prediction: the update gets to its end",
    "simulate.waiting": "prediction: it waits here until somebody promotes",
    "simulate.failed": "prediction: the update fails",
    "simulate.unfinished": "prediction: it does not end by itself",
    "simulate.assumed": "assumed: a pause without an end is over after {seconds} s by {action}",
    "replay.written": "wrote {path}",
    "compare.same": "both runs made the same decisions",
    "compare.differ": "the runs decided differently in {n:#kind|kinds} of milestone",
    "parts": "part of the requests, from (s)",
    "parts.cell": "{share} % ({pods} ready)",
    "figure": "figure",
    "figure.duration": "duration (s)",
    "figure.usersOnNewAfter": "all users on the new version after (s)",
    "figure.downtime": "time without a ready Pod (s)",
    "figure.maxPods": "most Pods",
    "figure.extraPodSeconds": "extra Pods × seconds",
    "figure.minAvailable": "fewest ready Pods",
    "engine.running": "the engine runs",
    "engine.stopped": "the engine is off",
    "engine.failed": "the engine ended by a fault",
    "engine.none": "this lab has no engine that can be turned off",
    "lesson.minutes": "{n} min, {tasks:#task|tasks}",
    "lesson.lab": "starting the lab",
    "lesson.help": "Type commands as they stand, or hint, solve (let the lab do it), skip, quit",
    "lesson.answer": "type the answer and Enter (only Enter skips it)",
    "lesson.right": "Right: {truth}",
    "lesson.wrong": "You said {given}; it is {truth}",
    "lesson.finished": "all tasks are done",
    "lesson.left": "leaving here; the lab is cleaned up",
    "lesson.reset": "put back to the beginning",
    "lesson.stuck": "it did not get there; look at the engine and the cluster",
    "lesson.new": "written to {path}; change it and check it with rollout-lab lesson lint",
    "lesson.no_port": "no Service has the port {port}",
    "lesson.unknown": "that is no command of this lesson; type one of the text, or hint, solve, skip, quit",
    "lesson.timeout": "it did not end within {seconds} seconds and was stopped",
    "lesson.interrupted": "the command is stopped; the lesson goes on",
    "lesson.no_kubectl": "kubectl is not installed; type solve to have it done",
    "evidence.written": "{file}: {passed} of {total} tasks are done. "
    "`rollout-lab lesson verify` tells whether it is unchanged.",
    "evidence.changed": "The file was changed: line {line} is not what was written.",
    "evidence.about": "Lesson {lesson}, student {student}",
    "evidence.own": "Unchanged, and sealed by a lab of this user.",
    "evidence.other": "Its lines belong together. Another lab sealed it, "
    "so only that lab can tell whether it wrote the file.",
    "evidence.task.confirmed": "confirmed by the run",
    "evidence.task.said": "not to be told from the run alone",
    "evidence.task.helped": "with help",
    "evidence.questions": "Questions answered right: {right} of {n}",
    "plan.opening": "look around together: the page and the curl loop",
    "plan.break": "break",
    "plan.questions": "questions",
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
