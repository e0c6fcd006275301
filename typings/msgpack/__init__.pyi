# Just what mpcnet uses of msgpack, which ships no types. Never part of the wheel.
from typing import Any

def packb(o: object, *, use_bin_type: bool = ..., strict_types: bool = ...) -> bytes: ...
def unpackb(
    packed: bytes | bytearray | memoryview,
    *,
    raw: bool = ...,
    use_list: bool = ...,
    strict_map_key: bool = ...,
    max_str_len: int = ...,
    max_bin_len: int = ...,
    max_array_len: int = ...,
    max_map_len: int = ...,
    max_ext_len: int = ...,
) -> Any: ...

class UnpackException(Exception): ...
class ExtraData(ValueError): ...

class Packer:
    def pack(self, obj: object) -> bytes: ...
