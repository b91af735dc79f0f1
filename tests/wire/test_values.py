"""Values of attributes, read from the wire: by hand where that is quicker, and always as protobuf reads them."""

from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from sessiond.core.model import Value
from sessiond.wire.values import Attributes, attributes_of

SHORT = KeyValue(key="session.id")
SHORT.value.string_value = "s1"
ENCODED = SHORT.SerializeToString()


def by_protobuf(encoded: bytes) -> Value:
    return next(iter(attributes_of([encoded]).values()), None)


def attribute(key: str, text: str) -> bytes:
    one = KeyValue(key=key)
    one.value.string_value = text
    return one.SerializeToString()


@given(st.builds(attribute, st.text(max_size=140), st.text(max_size=140)))
def test_any_text_under_any_key(encoded: bytes):
    assert Attributes.value_of(encoded) == by_protobuf(encoded)


@given(st.binary(max_size=140))
@example(b"")
@example(ENCODED + ENCODED)
@example(ENCODED + b"\x12\x00")
@example(ENCODED.replace(b"s1", b"\xff1"))
def test_any_bytes(encoded: bytes):
    assert Attributes.value_of(encoded) == by_protobuf(encoded)


def test_an_attribute_of_which_any_byte_is_another():
    for at in range(len(ENCODED)):
        for byte in range(256):
            changed = ENCODED[:at] + bytes([byte]) + ENCODED[at + 1 :]
            assert Attributes.value_of(changed) == by_protobuf(changed), changed


def test_an_attribute_cut_short_or_with_something_behind_it():
    for one in (*(ENCODED[:end] for end in range(len(ENCODED))), ENCODED + b"\x0a\x00", ENCODED + b"\x12\x02\x0a\x00"):
        assert Attributes.value_of(one) == by_protobuf(one), one


def test_a_byte_that_begins_a_longer_length_is_no_length():
    looks_whole = b"\x0a\x01k\x12\x82\x0a\x80" + b"x" * 128
    assert Attributes.value_of(looks_whole) == by_protobuf(looks_whole)
