"""Small values: quantities, names, JSON and YAML bodies, warnings."""

from __future__ import annotations

import string
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout_lab.clusters.embedded.schema import formats, names, quantity, wire
from rollout_lab.clusters.embedded.schema.builtin import schema_of
from rollout_lab.clusters.embedded.schema.decode import prune, strict_text
from rollout_lab.clusters.embedded.schema.defaults import default
from rollout_lab.clusters.embedded.schema.warnings import warnings
from tests.clusters.embedded.schema.recordings import Step, steps


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1e3", "1e3"),
        ("1000", "1k"),
        ("0", "0"),
        ("0Gi", "0"),
        ("1Ki", "1Ki"),
        ("0.5Ki", "512"),
        ("1023Ki", "1023Ki"),
        ("-1.5", "-1500m"),
        ("100000000000", "100G"),
        ("1E", "1E"),
        ("1e-3", "1e-3"),
        ("12e6", "12e6"),
        (".5", "500m"),
        ("5.", "5"),
        ("1n", "1n"),
        ("0.1n", "1n"),
        ("1500u", "1500u"),
    ],
)
def test_quantities_have_one_written_form(text: str, canonical: str) -> None:
    """Protects equal quantities from looking different, which would make a no-op apply a change."""
    assert quantity.canonical(text) == canonical
    assert quantity.canonical(canonical) == canonical


@given(st.integers(-(10**9), 10**9), st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "Gi", "e3"]))
def test_the_written_form_keeps_the_amount(number: int, suffix: str) -> None:
    """Protects the amount itself from being changed by its form."""
    text = f"{number}{suffix}"
    assert quantity.amount(quantity.canonical(text)) == quantity.amount(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("abc", quantity.BAD_FORMAT),
        ("", quantity.BAD_FORMAT),
        ("1.2.3", quantity.BAD_FORMAT),
        ("1Xi", quantity.BAD_FORMAT),
        ("1mm", quantity.BAD_SUFFIX),
        ("1kk", quantity.BAD_SUFFIX),
    ],
)
def test_what_is_no_quantity_is_refused(text: str, error: str) -> None:
    """Protects the recorded text for a mistyped amount."""
    with pytest.raises(ValueError, match=r".") as caught:
        quantity.canonical(text)
    assert str(caught.value) == error


@pytest.mark.parametrize("text", ["1e999999", "99999999999999999999Gi", "9" * 60])
def test_amounts_have_an_end(text: str) -> None:
    """Protects the server from a manifest with a number of a million digits."""
    assert quantity.amount(text) == 2**63 - 1


def test_amounts_are_in_whole_units() -> None:
    """Protects comparisons of requests with limits."""
    assert quantity.amount("1Gi") == 2**30
    assert quantity.amount("250m") == Decimal("0.25")


@given(st.text(string.ascii_lowercase + string.digits + "-.", min_size=1, max_size=70))
def test_a_dns_label_is_always_a_subdomain_too(text: str) -> None:
    """Protects the two rules from contradicting each other."""
    if not names.dns_label(text):
        assert not names.dns_subdomain(text)
    if not names.dns_1035_label(text):
        assert not names.dns_label(text)


@pytest.mark.parametrize(
    ("key", "texts"),
    [
        ("a", 0),
        ("example.com/a", 0),
        ("a.b/C_d", 0),
        ("/a", 1),
        ("a/", 2),
        ("a/b/c", 1),
        ("UPPER/a", 1),
        ("a" * 64, 1),
        ("-a", 1),
    ],
)
def test_label_keys(key: str, texts: int) -> None:
    """Protects what may be a label key; each broken part is told."""
    assert len(names.qualified_name(key)) == texts


def test_generated_names_may_end_in_a_dash() -> None:
    """Protects generateName: letters follow the dash."""
    assert names.generated(names.dns_subdomain)("web-") == []
    assert names.dns_subdomain("web-") != []


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date-time", "2024-01-01T00:00:00Z", "2024-01-01"),
        ("date", "2024-02-29", "2023-02-29"),
        ("duration", "1h30m", "soon"),
        ("ipv6", "::1", "1.2.3.4"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("email", "a@b.c", "a"),
        ("uri", "http://a/b", "a b"),
        ("byte", "YQ==", "Y"),
        ("hostname", "a.b", "a_b"),
        ("mac", "00:11:22:33:44:55", "00"),
    ],
)
def test_formats(name: str, good: str, bad: str) -> None:
    """Protects the formats a CRD may ask for; unknown ones are always met."""
    assert formats.holds(name, good)
    assert not formats.holds(name, bad)
    assert formats.holds("no-such-format", bad)


def test_doubled_keys_are_told_with_their_path_and_the_last_wins() -> None:
    """Protects strict validation of a body with a key given twice."""
    value, found = wire.parse_json(b'{"metadata":{"name":"a","name":"b"},"l":[{"k":1,"k":2}]}')
    assert value == {"metadata": {"name": "b"}, "l": [{"k": 2}]}
    assert found == ['duplicate field "metadata.name"', 'duplicate field "l[0].k"']
    value, found = wire.parse_yaml(b"a: 1\nb:\n  k: x\n  k: z\n")
    assert (value, found) == ({"a": 1, "b": {"k": "z"}}, ['line 4: key "k" already set in map'])
    assert (
        strict_text(found)
        == 'strict decoding error: yaml: unmarshal errors:\n  line 4: key "k" already set in map'
    )


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"a":', "unexpected end of JSON input"),
        (b"", "unexpected end of JSON input"),
        (b"x", "invalid character 'x' looking for beginning of value"),
        (b"nix", "invalid character 'i' in literal null (expecting 'u')"),
        (b"{a:1}", "invalid character 'a' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b"{} x", "invalid character 'x' after top-level value"),
    ],
)
def test_broken_json_is_told_in_gos_words(body: bytes, error: str) -> None:
    """Protects the text kubectl prints for a body that is no JSON."""
    with pytest.raises(wire.SyntaxProblem) as caught:
        wire.parse_json(body)
    assert str(caught.value) == error


def test_broken_yaml_names_the_line() -> None:
    """Protects the recorded text for a YAML body that ends too early."""
    with pytest.raises(wire.SyntaxProblem) as caught:
        wire.parse_yaml(b"x: [")
    assert str(caught.value) == "yaml: line 1: did not find expected node content"


def test_yaml_is_read_as_kubectl_reads_it() -> None:
    """Protects the famous surprises: y is true, a date is text, 0777 is octal, 1:30 is no number."""
    value, _ = wire.parse_yaml(
        b"a: y\nb: 0777\nc: 1e3\nd: 1:30\ne: 2020-01-01\nf: off\n1: x\ng: 'y'\nh: 1.5\ni: ~\n"
    )
    assert value == {
        "a": True,
        "b": 511,
        "c": 1000,
        "d": "1:30",
        "e": "2020-01-01",
        "f": False,
        "1": "x",
        "g": "y",
        "h": 1.5,
        "i": None,
    }


WARNED = [
    pytest.param(s, id=s.name)
    for s in steps()
    if s.warnings and s.method == "POST" and s.status == 201 and isinstance(s.body, dict)
    if s.body["kind"] in ("Pod", "Service") and "unknown field" not in s.warnings[0]
]


@pytest.mark.parametrize("step", WARNED)
def test_warnings_are_as_recorded(step: Step) -> None:
    """Protects the hints kubectl prints before its answer."""
    schema = schema_of(step.body)
    assert schema is not None
    made = default(prune(step.body, schema)[0])
    texts = [f'299 - "{text.replace(chr(34), chr(92) + chr(34))}"' for text in warnings(made)]
    assert tuple(texts) == step.warnings


def test_warnings_were_recorded() -> None:
    """Protects the comparison above from comparing nothing."""
    assert len(WARNED) >= 4


def test_an_unchanged_spec_does_not_warn_again() -> None:
    """Protects a label change from repeating old hints."""
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a.b"},
        "spec": {"containers": [{"name": "c", "env": [{"name": "A"}, {"name": "A"}]}]},
    }
    assert len(warnings(pod)) == 2
    assert warnings(pod, pod) == []
