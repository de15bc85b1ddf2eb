"""The cells of ``kubectl get`` rows for built-in kinds other than Pods.

# upstream: pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rollout_lab.api.times import parse_time

from .ages import UNKNOWN, age, human_duration

Object = dict[str, Any]
Cells = Callable[[Object, float], list[Any]]

NONE = "<none>"


def _name(obj: Object) -> str:
    return str(obj["metadata"].get("name", ""))


def _age(obj: Object, now: float) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _spec(obj: Object) -> Object:
    return obj.get("spec") or {}


def _status(obj: Object) -> Object:
    return obj.get("status") or {}


def labels_text(labels: Object | None) -> str:
    """``a=b,c=d`` in key order, ``<none>`` for none."""
    return ",".join(f"{k}={v}" for k, v in sorted((labels or {}).items())) or NONE


def selector_text(selector: Object | None) -> str:
    """A LabelSelector in one line.

    # upstream: apimachinery/pkg/apis/meta/v1/helpers.go::FormatLabelSelector
    """
    selector = selector or {}
    parts = [(k, f"{k}={v}") for k, v in (selector.get("matchLabels") or {}).items()]
    for term in selector.get("matchExpressions") or []:
        key, values = term.get("key", ""), ",".join(sorted(term.get("values") or []))
        text = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        parts.append((key, text.get(term.get("operator", ""), "")))
    return ",".join(text for _, text in sorted(parts)) or NONE


def _containers(spec: Object) -> list[str]:
    """Names and images of a workload's containers, comma separated."""
    found = ((spec.get("template") or {}).get("spec") or {}).get("containers") or []
    return [",".join(c.get("name", "") for c in found), ",".join(c.get("image", "") for c in found)]


def _deployment(obj: Object, now: float) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    selector = selector_text(spec.get("selector"))
    return [_name(obj), ready, *counts, _age(obj, now), *_containers(spec), selector]


def _replica_set(obj: Object, now: float) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    counts = [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    selector = spec.get("selector")
    text = selector_text(selector) if obj.get("kind") == "ReplicaSet" else labels_text(selector)
    return [_name(obj), *counts, _age(obj, now), *_containers(spec), text]


def _stateful_set(obj: Object, now: float) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    return [_name(obj), ready, _age(obj, now), *_containers(spec)]


def _daemon_set(obj: Object, now: float) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    keys = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled")
    counts = [status.get(k, 0) for k in (*keys, "numberAvailable")]
    nodes = labels_text(((spec.get("template") or {}).get("spec") or {}).get("nodeSelector"))
    return [
        _name(obj),
        *counts,
        nodes,
        _age(obj, now),
        *_containers(spec),
        selector_text(spec.get("selector")),
    ]


def _job(obj: Object, now: float) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    done, wanted, parallel = status.get("succeeded", 0), spec.get("completions"), spec.get("parallelism") or 0
    if wanted is not None:
        progress = f"{done}/{wanted}"
    else:
        progress = f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"
    duration = ""
    if status.get("startTime"):
        end = parse_time(status["completionTime"]) if status.get("completionTime") else now
        duration = human_duration(end - parse_time(status["startTime"]))
    state = _job_state(obj, status)
    selector = selector_text(spec.get("selector"))
    return [_name(obj), state, progress, duration, _age(obj, now), *_containers(spec), selector]


def _job_state(obj: Object, status: Object) -> str:
    met = {c.get("type") for c in status.get("conditions") or [] if c.get("status") == "True"}
    for kind in ("Complete", "Failed"):
        if kind in met:
            return kind
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for kind in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if kind in met:
            return kind
    return "Running"


def _cron_job(obj: Object, now: float) -> list[Any]:
    spec, status = _spec(obj), _status(obj)
    last = age(status["lastScheduleTime"], now) if status.get("lastScheduleTime") else NONE
    suspend = "True" if spec.get("suspend") else "False"
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    active = len(status.get("active") or [])
    head = [_name(obj), spec.get("schedule", ""), spec.get("timeZone") or NONE, suspend, active, last]
    return [*head, _age(obj, now), *_containers(job), selector_text(job.get("selector"))]


def _service(obj: Object, now: float) -> list[Any]:
    spec = _spec(obj)
    ips = spec.get("clusterIPs") or []
    ports = []
    for port in spec.get("ports") or []:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        ports.append(f"{port.get('port', 0)}{node}/{port.get('protocol', 'TCP')}")
    return [
        _name(obj),
        spec.get("type", ""),
        (ips[0] if ips else spec.get("clusterIP")) or NONE,
        _external(spec, _status(obj)),
        ",".join(ports) or NONE,
        _age(obj, now),
        labels_text(spec.get("selector")),
    ]


def _external(spec: Object, status: Object) -> str:
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    own = list(spec.get("externalIPs") or [])
    if spec.get("type") != "LoadBalancer":
        return ",".join(own) or NONE
    balancers = (status.get("loadBalancer") or {}).get("ingress") or []
    return ",".join([b.get("ip") or b.get("hostname", "") for b in balancers] + own) or "<pending>"


def _first_three(items: Iterable[str], empty: str) -> str:
    found = list(items)
    text = ",".join(found[:3])
    return f"{text} + {len(found) - 3} more..." if len(found) > 3 else text or empty


def _endpoints(obj: Object, now: float) -> list[Any]:
    found: list[str] = []
    for subset in obj.get("subsets") or []:
        ips = [a.get("ip", "") for a in subset.get("addresses") or []]
        ports = subset.get("ports") or []
        found += [f"[{i}]:{p['port']}" if ":" in i else f"{i}:{p['port']}" for p in ports for i in ips]
        found += [] if ports else ips
    return [_name(obj), _first_three(found, NONE), _age(obj, now)]


def _endpoint_slice(obj: Object, now: float) -> list[Any]:
    ports = [str(p["port"]) if p.get("port") is not None else "*" for p in obj.get("ports") or []]
    addresses = [a for e in obj.get("endpoints") or [] for a in e.get("addresses") or []]
    shown = [_first_three(ports, "<unset>"), _first_three(addresses, "<unset>")]
    return [_name(obj), obj.get("addressType", ""), *shown, _age(obj, now)]


def _ingress(obj: Object, now: float) -> list[Any]:
    spec = _spec(obj)
    hosts = [r["host"] for r in spec.get("rules") or [] if r.get("host")]
    balancers = (_status(obj).get("loadBalancer") or {}).get("ingress") or []
    address = ",".join(b.get("ip") or b.get("hostname", "") for b in balancers)
    ports = "80, 443" if spec.get("tls") else "80"
    shown = _first_three(hosts, "*")
    return [_name(obj), spec.get("ingressClassName") or NONE, shown, address, ports, _age(obj, now)]


def _ingress_class(obj: Object, now: float) -> list[Any]:
    spec = _spec(obj)
    reference, text = spec.get("parameters"), NONE
    if reference:
        group = f".{reference['apiGroup']}" if reference.get("apiGroup") else ""
        text = f"{reference.get('kind', '')}{group}/{reference.get('name', '')}"
    return [_name(obj), spec.get("controller", ""), text, _age(obj, now)]


def _config_map(obj: Object, now: float) -> list[Any]:
    return [_name(obj), len(obj.get("data") or {}) + len(obj.get("binaryData") or {}), _age(obj, now)]


def _secret(obj: Object, now: float) -> list[Any]:
    return [_name(obj), obj.get("type", ""), len(obj.get("data") or {}), _age(obj, now)]


def _service_account(obj: Object, now: float) -> list[Any]:
    return [_name(obj), len(obj.get("secrets") or []), _age(obj, now)]


def _namespace(obj: Object, now: float) -> list[Any]:
    return [_name(obj), _status(obj).get("phase", ""), _age(obj, now)]


def _node(obj: Object, now: float) -> list[Any]:
    status, labels = _status(obj), obj["metadata"].get("labels") or {}
    ready = {c.get("status") for c in status.get("conditions") or [] if c.get("type") == "Ready"}
    state = "Unknown" if not ready else "Ready" if "True" in ready else "NotReady"
    if _spec(obj).get("unschedulable"):
        state += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    roles = {k.removeprefix(prefix) for k in labels if k.startswith(prefix) and k != prefix}
    roles |= {v for k, v in labels.items() if k == "kubernetes.io/role" and v}
    where = {a.get("type"): a.get("address") for a in reversed(status.get("addresses") or [])}
    info = status.get("nodeInfo") or {}
    facts = [info.get(k) or UNKNOWN for k in ("osImage", "kernelVersion", "containerRuntimeVersion")]
    head = [
        _name(obj),
        state,
        ",".join(sorted(roles)) or NONE,
        _age(obj, now),
        info.get("kubeletVersion", ""),
    ]
    return [*head, where.get("InternalIP") or NONE, where.get("ExternalIP") or NONE, *facts]


def _event(obj: Object, now: float) -> list[Any]:
    target, source = obj.get("involvedObject") or obj.get("regarding") or {}, obj.get("source") or {}
    series = obj.get("series") or {}
    first = age(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = age(series.get("lastObservedTime") or obj.get("lastTimestamp"), now)
    kind, name = str(target.get("kind", "")).lower(), target.get("name")
    origin = obj.get("reportingComponent") or source.get("component") or ""
    host = obj.get("reportingInstance") or source.get("host") or ""
    return [
        first if last == UNKNOWN else last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{name}" if name else kind,
        target.get("fieldPath", ""),
        f"{origin}, {host}" if host else origin,
        str(obj.get("message") or obj.get("note") or "").strip(),
        first,
        series.get("count") or obj.get("count") or 1,
        _name(obj),
    ]


def _lease(obj: Object, now: float) -> list[Any]:
    return [_name(obj), _spec(obj).get("holderIdentity", ""), _age(obj, now)]


CELLS: dict[tuple[str, str], Cells] = {
    ("", "ReplicationController"): _replica_set,
    ("", "Service"): _service,
    ("", "Endpoints"): _endpoints,
    ("", "ConfigMap"): _config_map,
    ("", "Secret"): _secret,
    ("", "ServiceAccount"): _service_account,
    ("", "Namespace"): _namespace,
    ("", "Node"): _node,
    ("", "Event"): _event,
    ("events.k8s.io", "Event"): _event,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _cron_job,
    ("coordination.k8s.io", "Lease"): _lease,
    ("discovery.k8s.io", "EndpointSlice"): _endpoint_slice,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("networking.k8s.io", "IngressClass"): _ingress_class,
}
