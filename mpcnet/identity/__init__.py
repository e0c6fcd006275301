"""Who a party is: its key, and the roster that names all parties.

keys      Identity    one Ed25519 key pair and its file
roster    Roster      names, public keys and addresses, in an order that all share
files     writing both without ever leaving half of one
"""

from mpcnet.identity.keys import Identity, PassphraseNeeded, decode_public, encode_public
from mpcnet.identity.roster import Member, Roster

__all__ = ("Identity", "Member", "PassphraseNeeded", "Roster", "decode_public", "encode_public")
