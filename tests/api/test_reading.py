"""Reading values out of manifests: numbers, percentages, durations, selectors, steps, defaults."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout_lab.api import defaults, duration, fields, intstr, meta, quantity, selectors
from rollout_lab.api.names import Strategy
from rollout_lab.api.rollout import Rollout
from rollout_lab.api.steps import Pause, SetCanaryScale, SetRoute, SetWeight, Unsupported, parse, weight_at


def rollout(strategy: dict | None = None, **spec: object) -> Rollout:
    return Rollout({"metadata": {"name": "demo"}, "spec": {"strategy": strategy or {}, **spec}})


# --- numbers and percentages -------------------------------------------------------------------


@given(st.integers(0, 300), st.integers(0, 500))
def test_a_percentage_rounds_to_the_side_it_is_told(percent: int, total: int) -> None:
    exact = percent * total / 100
    down = intstr.resolve(f"{percent}%", total, round_up=False)
    up = intstr.resolve(f"{percent}%", total, round_up=True)
    assert down == math.floor(exact) and up == math.ceil(exact)


@given(st.integers(-9, 99), st.integers(0, 99))
def test_a_number_is_itself(value: int, total: int) -> None:
    assert intstr.resolve(value, total, round_up=True) == value


@pytest.mark.parametrize("value", ["3", "abc", "%", "1.5%", ""])
def test_text_without_a_percent_sign_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="percentage"):
        intstr.resolve(value, 10, round_up=True)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 100))
def test_an_update_can_always_move(surge: int, unavailable: int, replicas: int) -> None:
    """Surge and unavailable both 0 would be a standstill, however they came about."""
    up, down = intstr.surge_and_unavailable(f"{surge}%", f"{unavailable}%", replicas)
    assert up + down >= 1 and 0 <= down <= replicas


def test_unreadable_limits_are_tolerated_as_the_peer_does() -> None:
    assert intstr.surge_and_unavailable("abc", 3, 10) == (0, 0)
    assert intstr.surge_and_unavailable("25", 0, 10) == (3, 0)


# --- durations ---------------------------------------------------------------------------------


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_a_go_duration_is_the_sum_of_its_parts(hours: int, minutes: int, seconds: int) -> None:
    assert duration.seconds(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@given(st.integers(0, 10**6))
def test_what_is_spoken_can_be_read_again(total: int) -> None:
    assert duration.seconds(duration.spoken(total)) == total


@pytest.mark.parametrize(("value", "wanted"), [("1.5s", 1.5), ("300ms", 0.3), ("-2m", -120.0), ("0", 0.0)])
def test_durations_people_write(value: str, wanted: float) -> None:
    assert duration.seconds(value) == wanted


@pytest.mark.parametrize("value", ["5x", "", "s", "1 m", "1d", "٣s", True, [3]])
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="30s"):
        duration.seconds(value)  # type: ignore[arg-type]
    assert duration.pause_seconds(value) == duration.MALFORMED


# --- quantities --------------------------------------------------------------------------------

amounts = st.builds(
    lambda number, suffix: f"{number}{suffix}",
    st.one_of(
        st.integers(0, 10**7).map(str),
        st.decimals(0, 9999, places=3, allow_nan=False).map(lambda d: f"{d:f}"),
    ),
    st.sampled_from(["", "m", "u", "n", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "E-2"]),
)


@given(amounts)
def test_the_canonical_form_is_worth_the_same_and_stays(text: str) -> None:
    canonical = quantity.canonical(text)
    assert quantity.canonical(canonical) == canonical
    assert quantity.value(canonical) == quantity.value(text)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("0.5", "500m"), (0.5, "500m"), ("1.5Gi", "1536Mi"), ("0.5Ki", "512"), ("1024", "1024"),
        ("100000k", "100M"), ("1e6", "1e6"), ("12e4", "120e3"), ("0", "0"), ("0.0001m", "100n"), ("+1", "1"),
        ("-1.5", "-1500m"), (134217728, "134217728"), (1e-05, "10u"), ("0.0000000001", "1n"),
    ],
)  # fmt: skip
def test_quantities_are_written_as_kubernetes_writes_them(written: object, wanted: str) -> None:
    assert quantity.canonical(written) == wanted


@pytest.mark.parametrize("value", ["", "invalid", "1 Gi", "1Xi", "--1", None, True, "1e", "."])
def test_what_is_no_quantity_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="quantity"):
        quantity.canonical(value)


@pytest.mark.parametrize(
    ("number", "wanted"),
    [(1.0, "1"), (1e21, "1e+21"), (0.000001, "0.000001"), (1e-07, "1e-7"), (2.50, "2.5")],
)
def test_numbers_are_written_as_go_writes_them(number: float, wanted: str) -> None:
    assert quantity.number_text(number) == wanted


def test_amounts_are_exact() -> None:
    assert quantity.value("1.5Gi") == Decimal(1610612736)


# --- selectors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "labels", "wanted"),
    [
        ({"key": "a", "operator": "In", "values": ["1", "2"]}, {"a": "2"}, True),
        ({"key": "a", "operator": "In", "values": ["1"]}, {}, False),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, {}, True),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, {"a": "1"}, False),
        ({"key": "a", "operator": "Exists"}, {"a": ""}, True),
        ({"key": "a", "operator": "DoesNotExist"}, {"a": ""}, False),
        ({"key": "a", "operator": "Near"}, {"a": ""}, False),
    ],
)
def test_expressions_choose(expression: dict, labels: dict, wanted: bool) -> None:
    assert selectors.matches({"matchExpressions": [expression]}, labels) is wanted


def test_a_service_without_a_selector_chooses_nothing() -> None:
    assert not selectors.matches_equality({}, {"a": "1"})


def test_asking_for_one_more_label_leaves_the_selector_as_it_was() -> None:
    selector = {"matchLabels": {"a": "1"}}
    assert selectors.with_label(selector, "h", "x")["matchLabels"] == {"a": "1", "h": "x"}
    assert selector == {"matchLabels": {"a": "1"}}


# --- steps -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"setWeight": 0}, SetWeight(0)),
        ({"pause": {}}, Pause(None)),
        ({"pause": {"duration": 10}}, Pause(10.0)),
        ({"pause": {"duration": "1500ms"}}, Pause(1.0)),
        ({"setCanaryScale": {"weight": 1}}, SetCanaryScale(weight=1)),
        ({"setCanaryScale": {"replicas": 0}}, SetCanaryScale(replicas=0)),
        ({"setCanaryScale": {"matchTrafficWeight": True, "weight": 3}}, SetCanaryScale()),
        ({"setHeaderRoute": {"name": "h"}}, SetRoute("setHeaderRoute", "h", False)),
        ({"setMirrorRoute": {"name": "m", "match": [{}]}}, SetRoute("setMirrorRoute", "m")),
        ({"plugin": {"name": "x/y"}}, Unsupported("plugin")),
        ({}, Unsupported("")),
        (None, Unsupported("")),
        ({"setWeight": "10"}, Unsupported("setWeight")),
    ],
)
def test_a_step_is_what_it_names(raw: object, wanted: object) -> None:
    assert parse(raw) == wanted


@given(
    st.lists(st.one_of(st.integers(0, 100).map(SetWeight), st.just(Pause())), max_size=6), st.integers(0, 8)
)
def test_the_weight_in_force_is_the_last_one_set(steps: list, index: int) -> None:
    found = weight_at(steps, index)
    if index >= len(steps):
        assert found == 100
    else:
        set_so_far = [s.weight for s in steps[: index + 1] if isinstance(s, SetWeight)]
        assert found == (set_so_far[-1] if set_so_far else 0)


# --- the views ---------------------------------------------------------------------------------


def test_an_empty_manifest_has_every_default() -> None:
    """The numbers people rely on when they write nothing."""
    found = rollout({"blueGreen": {}})
    assert found.blue_green is not None and found.strategy is Strategy.BLUE_GREEN
    assert (found.replicas, found.replicas_set) == (1, False)
    assert (found.progress_deadline_seconds, found.revision_history_limit) == (600, 10)
    assert found.blue_green.auto_promotion_enabled
    assert found.blue_green.scale_down_delay_seconds == 30 and not found.blue_green.scale_down_delay_set
    assert found.blue_green.abort_scale_down_delay_seconds == 30
    canary = rollout({"canary": {}}).canary
    assert canary is not None
    assert (canary.max_surge, canary.max_unavailable) == (defaults.MAX_SURGE, defaults.MAX_UNAVAILABLE)
    assert canary.raw_steps is None and canary.steps == ()


def test_zero_means_zero_and_the_abort_delay_of_zero_means_for_ever() -> None:
    found = rollout({"blueGreen": {"scaleDownDelaySeconds": 0, "abortScaleDownDelaySeconds": 0}}, replicas=0)
    assert found.blue_green is not None
    assert found.replicas == 0 and found.replicas_set
    assert found.blue_green.scale_down_delay_seconds == 0 and found.blue_green.scale_down_delay_set
    assert found.blue_green.abort_scale_down_delay_seconds is None


def test_promotion_seconds_count_only_where_promotion_is_automatic() -> None:
    given_ = {"blueGreen": {"autoPromotionEnabled": False, "autoPromotionSeconds": 30}}
    found = rollout(given_).blue_green
    assert found is not None and found.auto_promotion_seconds == 0


def test_values_of_the_wrong_type_count_as_absent() -> None:
    """A malformed object is tolerated: the readable rest is used."""
    found = rollout({"canary": {"steps": "steps", "maxSurge": []}}, replicas="two", paused="yes")
    assert (found.replicas, found.paused, found.steps) == (1, False, ())
    assert found.canary is not None and found.canary.max_surge == "25%"
    assert Rollout({}).strategy is None and Rollout({"status": []}).status.phase == ""


def test_a_status_reads_as_it_is_written() -> None:
    status = {
        "currentStepIndex": 1,
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}],
        "blueGreen": {"activeSelector": "abc"},
        "conditions": [{"type": "Paused", "status": "True"}],
    }
    found = Rollout({"status": status}).status
    assert found.current_step_index == 1 and found.active_selector == "abc"
    assert found.pause_conditions[0].reason == "CanaryPauseStep"
    assert found.condition("Paused") == {"type": "Paused", "status": "True"}
    assert found.condition("Healthy") is None


def test_owner_and_revision_helpers() -> None:
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "a", "uid": "1"}}
    child = {"metadata": {"ownerReferences": [meta.owner_reference(owner)]}}
    assert meta.is_controlled_by(child, owner)
    assert not meta.is_controlled_by(child, {"metadata": {"uid": "2"}})
    assert meta.revision({"metadata": {"annotations": {"rollout.argoproj.io/revision": "7"}}}) == 7
    assert meta.revision({"metadata": {"annotations": {"rollout.argoproj.io/revision": "x"}}}) == 0


def test_reading_a_path_through_something_that_is_no_object_finds_nothing() -> None:
    assert fields.value({"a": [1]}, "a", "b") is None
    assert fields.integer({"a": True}, "a") is None and fields.integer({"a": 2.0}, "a") == 2
