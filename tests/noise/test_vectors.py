"""Vectors of another implementation, good and bad, and the runner that plays them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mpcnet.errors import LocalError
from mpcnet.noise.__main__ import main
from mpcnet.noise.vectors import Outcome, parse, run, summary

FOLDER = Path(__file__).parent.parent / "vectors" / "noise"
GOOD = ("kk.json", "xx.json", "ik.json")


def raw_vectors(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads((FOLDER / name).read_text(encoding="utf-8"))["vectors"]
    return vectors


def outcome_of(raw: dict[str, Any]) -> tuple[Outcome, str]:
    (vector,) = parse(json.dumps({"vectors": [raw]}))
    result = run(vector)
    return result.outcome, result.reason


@pytest.mark.parametrize(
    "raw", [raw for name in GOOD for raw in raw_vectors(name)], ids=lambda raw: raw["protocol_name"]
)
def test_good_vectors(raw: dict[str, Any]) -> None:
    assert outcome_of(raw) == (Outcome.PASSED, "")


@pytest.mark.parametrize(
    "raw", raw_vectors("bad.json"), ids=lambda raw: f"{raw['protocol_name']}: {raw['comment']}"
)
def test_bad_vectors(raw: dict[str, Any]) -> None:
    assert outcome_of(raw) == (Outcome.PASSED, "")


def test_every_suite_is_covered() -> None:
    names = {raw["protocol_name"] for name in GOOD for raw in raw_vectors(name)}
    assert len(names) == 3 * 2 * 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"handshake_hash": "00"}, "handshake hash differs: 64 bytes, expected 1"),
        ({"init_ephemeral": "11" * 32}, "message 0 differs: 48 bytes, expected 48"),
        ({"expect": 3}, "message 3 should be refused, and was accepted"),
        ({"expect": 99}, "message 99 should be refused, and there is none"),
        ({"init_static": None}, "KK needs our static key"),
        ({"resp_prologue": "00"}, "initiator: handshake message 0: the payload is not authentic"),
    ],
)
def test_the_runner_notices_wrong_vectors(change: dict[str, Any], reason: str) -> None:
    raw = raw_vectors("kk.json")[0] | change
    assert outcome_of(raw) == (Outcome.FAILED, reason)


def test_a_wrong_payload_is_noticed_by_the_writer() -> None:
    raw = raw_vectors("kk.json")[0]
    raw["messages"][4]["payload"] = "00"
    assert outcome_of(raw)[1].startswith("message 4 differs")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"protocol_name": "Noise_KKpsk0_25519_AESGCM_BLAKE2b"}, "pre-shared keys"),
        ({"init_psks": ["00" * 32]}, "pre-shared keys"),
        ({"fallback": True}, "fallback"),
        ({"protocol_name": "Noise_K1K_25519_AESGCM_BLAKE2b"}, "another pattern"),
        ({"protocol_name": "Noise_KK_448_XChaChaPoly_SHA3"}, "another curve, cipher, hash"),
        ({"protocol_name": "KK"}, "no protocol name"),
    ],
)
def test_what_is_not_supported_is_skipped(change: dict[str, Any], reason: str) -> None:
    assert outcome_of(raw_vectors("kk.json")[0] | change) == (Outcome.SKIPPED, reason)


def test_older_files_say_name() -> None:
    raw = raw_vectors("kk.json")[0]
    raw["name"] = raw.pop("protocol_name")
    assert outcome_of(raw)[0] is Outcome.PASSED


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"vectors": 3}', '{"vectors": [{"protocol_name": "x"}]}'])
def test_parse_refuses_other_files(text: str) -> None:
    with pytest.raises(LocalError, match="not a file of Noise vectors"):
        parse(text)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FOLDER / "kk.json"), str(FOLDER / "bad.json")]) == 0
    assert capsys.readouterr().out.startswith("kk.json: 6 passed, 0 failed, 0 skipped\nbad.json: 58 passed")

    skipped = raw_vectors("kk.json")[0] | {"init_psks": ["00"]}
    failed = raw_vectors("kk.json")[1] | {"handshake_hash": "00"}
    path = tmp_path / "mixed.json"
    path.write_text(json.dumps({"vectors": [skipped, failed]}), encoding="utf-8")
    assert main([str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("  failed   Noise_KK_25519_AESGCM_BLAKE2s: handshake hash differs")
    assert lines[1:] == ["  skipped  1: pre-shared keys", "mixed.json: 0 passed, 1 failed, 1 skipped"]


def test_command_line_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main([str(tmp_path / "nowhere.json")]) == 2
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    assert main([str(tmp_path / "other.json")]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == [
        "nowhere.json: No such file or directory",
        "other.json: not a file of Noise vectors: KeyError",
    ]


def test_summary() -> None:
    assert summary([]) == "0 passed, 0 failed, 0 skipped"
