"""The Noise handshake and the encrypted records after it, without any I/O.

    patterns         handshakes as data: tuples of tokens per message
    cipherstate      CipherState     a key and a counter
    symmetricstate   SymmetricState  the chaining key and the hash of the transcript
    handshakestate   HandshakeState  keys, and the interpreter of tokens
    handshake        Handshake       the legal order of calls; ends in a Channel
    channel          Channel         records after the handshake
    vectors          runs test vectors; `python -m mpcnet.noise FILE.json`

mpcnet connects with Noise_KK_25519_AESGCM_BLAKE2b (or ChaChaPoly): both static keys stand in the roster.

    initiator = Handshake("KK", initiator=True, prologue=hello, s=secret, rs=peer_public, peer="bob")
    connection.send(initiator.write_message())
    initiator.read_message(connection.receive())
    channel = initiator.finish()

Specification: Noise Protocol Framework, revision 34. Not here: pre-shared keys, fallback, deferred patterns,
X448.

Threat model: an active attacker on the network. KK authenticates both sides by their static keys and gives
forward secrecy from the second message on. The first message can be replayed, so it carries no payload, and
the responder trusts nothing before the initiator's first record. KK does not hide who talks to whom.
"""

from mpcnet.noise.channel import RECORD_OVERHEAD, RECORD_PLAINTEXT_MAX, REKEY_RECORDS, Channel
from mpcnet.noise.handshake import Handshake
from mpcnet.noise.handshakestate import StaticPair
from mpcnet.noise.patterns import PATTERNS
from mpcnet.noise.symmetricstate import HashName

__all__ = (
    "PATTERNS",
    "RECORD_OVERHEAD",
    "RECORD_PLAINTEXT_MAX",
    "REKEY_RECORDS",
    "Channel",
    "Handshake",
    "HashName",
    "StaticPair",
)
