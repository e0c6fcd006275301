"""Make tests/vectors/noise/*.json with the package noiseprotocol: `python tools/make_noise_vectors.py`.

The vectors say what another implementation does, so nothing of mpcnet takes part in making them. All keys are
fixed: running this again must leave the files as they are.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import warnings
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    # It has no types: imported by name, so that all of it is Any.
    noise: Any = importlib.import_module("noise.connection")

FOLDER = Path(__file__).parent.parent / "tests" / "vectors" / "noise"
PATTERNS = ("KK", "XX", "IK")
CIPHERS = ("AESGCM", "ChaChaPoly")
HASHES = ("BLAKE2b", "BLAKE2s", "SHA256")
KNOWS_STATIC = {"KK": ("init", "resp"), "XX": (), "IK": ("init",)}
MESSAGES = 7
SOURCE = "made by tools/make_noise_vectors.py with the Python package noiseprotocol 0.3.1"

Vector = dict[str, Any]


def fixed(label: str, size: int = 32) -> bytes:
    """Bytes that depend on the label only."""
    return hashlib.shake_256(b"mpcnet noise vector " + label.encode()).digest(size)


def public_of(secret: bytes) -> bytes:
    """The X25519 public key of a secret key."""
    connection: Any = noise.NoiseConnection.from_name(b"Noise_NN_25519_AESGCM_SHA256")
    connection.set_keypair_from_private_bytes(noise.Keypair.EPHEMERAL, secret)
    public: bytes = connection.noise_protocol.keypairs["e"].public_bytes
    return public


def sides_of(name: str) -> Vector:
    """The keys and prologues of both sides."""
    vector: Vector = {"protocol_name": name}
    pattern = name.split("_")[1]
    for side, other in (("init", "resp"), ("resp", "init")):
        vector[f"{side}_prologue"] = fixed(f"{name} prologue", 24).hex()
        vector[f"{side}_static"] = fixed(f"{name} {side} static").hex()
        vector[f"{side}_ephemeral"] = fixed(f"{name} {side} ephemeral").hex()
        if side in KNOWS_STATIC[pattern]:
            vector[f"{side}_remote_static"] = public_of(fixed(f"{name} {other} static")).hex()
    return vector


def connect(vector: Vector, side: str) -> Any:
    """One side of a handshake that has not begun."""
    connection: Any = noise.NoiseConnection.from_name(vector["protocol_name"].encode())
    if side == "init":
        connection.set_as_initiator()
    else:
        connection.set_as_responder()
    connection.set_prologue(bytes.fromhex(vector[f"{side}_prologue"]))
    connection.set_keypair_from_private_bytes(noise.Keypair.STATIC, bytes.fromhex(vector[f"{side}_static"]))
    connection.set_keypair_from_private_bytes(noise.Keypair.EPHEMERAL, bytes.fromhex(vector[f"{side}_ephemeral"]))
    if remote := vector.get(f"{side}_remote_static"):
        connection.set_keypair_from_public_bytes(noise.Keypair.REMOTE_STATIC, bytes.fromhex(remote))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that ephemeral keys should not be fixed
        connection.start_handshake()
    return connection


def transcript(vector: Vector) -> Vector:
    """The vector with messages and hash filled in."""
    writer, reader = connect(vector, "init"), connect(vector, "resp")
    messages: list[dict[str, str]] = []
    for number in range(MESSAGES):
        payload = fixed(f"{vector['protocol_name']} payload {number}", 0 if number == 0 else 5 * number)
        if writer.handshake_finished:
            ciphertext = bytes(writer.encrypt(payload))
            reader.decrypt(ciphertext)
        else:
            ciphertext = bytes(writer.write_message(payload))
            reader.read_message(ciphertext)
        messages.append({"payload": payload.hex(), "ciphertext": ciphertext.hex()})
        writer, reader = reader, writer
    return {**vector, "handshake_hash": writer.get_handshake_hash().hex(), "messages": messages}


def spoiled(vector: Vector, comment: str, expect: int, ciphertext: bytes | None = None, **fields: str) -> Vector:
    """A copy whose message `expect` must be refused."""
    messages = [dict(message) for message in vector["messages"][: expect + 1]]
    if ciphertext is not None:
        messages[expect]["ciphertext"] = ciphertext.hex()
    return {"comment": comment, "expect": expect, **vector, **fields, "messages": messages}


def flipped(data: bytes, position: int) -> bytes:
    """The data with one bit changed."""
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


def bad_vectors(good: Vector) -> list[Vector]:
    """What a reader must refuse, made from one good vector."""
    texts = [bytes.fromhex(message["ciphertext"]) for message in good["messages"]]
    handshakes = 3 if "_XX_" in good["protocol_name"] else 2
    last, record = handshakes - 1, handshakes + 1  # the last handshake message, and a transport message
    other = public_of(fixed("somebody else")).hex()
    found = [
        spoiled(good, "the tag of a handshake message was changed", last, flipped(texts[last], -1)),
        spoiled(good, "an ephemeral key was changed", 1, flipped(texts[1], 0)),
        spoiled(good, "a handshake message is one byte short", last, texts[last][:-1]),
        spoiled(good, "a handshake message is one byte long", last, texts[last] + b"\x00"),
        spoiled(good, "a handshake message ends within a key", 1, texts[1][:31]),
        spoiled(good, "a handshake message is empty", 0, b""),
        spoiled(good, "an ephemeral key of order 1", 1, bytes(32) + texts[1][32:]),
        spoiled(good, "the tag of a record was changed", record, flipped(texts[record], -1)),
        spoiled(good, "the text of a record was changed", record, flipped(texts[record], 0)),
        spoiled(good, "a record is shorter than a tag", record, texts[record][:15]),
        spoiled(good, "a record of the other direction came back", record, texts[record - 1]),
        spoiled(good, "an earlier record came again", record + 1, texts[record - 1]),
        spoiled(good, "a record was left out", record, texts[record + 2]),
        # The first reader with a key notices: of XX that is the initiator.
        spoiled(good, "the prologues differ", 0, resp_prologue="00")
        if handshakes == 2
        else spoiled(good, "the prologues differ", 1, init_prologue="00"),
    ]
    if "resp_remote_static" in good:
        found.append(spoiled(good, "the responder expects somebody else", 0, resp_remote_static=other))
    return found


def write(name: str, comment: str, vectors: list[Vector]) -> None:
    """Write one file, deterministically."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"source": SOURCE, "comment": comment, "vectors": vectors}, indent=1)
    (FOLDER / name).write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Write all files."""
    bad: list[Vector] = []
    for pattern in PATTERNS:
        names = [f"Noise_{pattern}_25519_{cipher}_{digest}" for cipher in CIPHERS for digest in HASHES]
        good = [transcript(sides_of(name)) for name in names]
        write(f"{pattern.lower()}.json", f"handshake and transport of {pattern}", good)
        bad += bad_vectors(good[0])
    bad += bad_vectors(transcript(sides_of("Noise_KK_25519_ChaChaPoly_BLAKE2b")))
    write("bad.json", '"expect" is the number of the message that its reader must refuse', bad)


if __name__ == "__main__":
    main()
