"""The look at a message before it is parsed agrees with the parser."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from tpsi_proto import tpsi_pb2 as pb
from tpsi_server.service.wire import SMALL, has_more_fields

PAD = pb.UploadBatch(vouchers=[bytes(SMALL)]).SerializeToString()


@given(count=st.integers(0, 40), limit=st.integers(1, 40), size=st.sampled_from([0, 1, 127, 128, 300, 20_000]))
@settings(max_examples=60, deadline=None)
def test_it_counts_the_vouchers_of_a_batch(count: int, limit: int, size: int) -> None:
    data = PAD + pb.UploadBatch(vouchers=[bytes(size)] * count).SerializeToString()
    assert has_more_fields(data, limit) is (count + 1 > limit)


def test_every_kind_of_field_is_stepped_over() -> None:
    fields = b"\x08\xff\xff\xff\xff\x0f" + b"\x09" + bytes(8) + b"\x0d" + bytes(4) + b"\x0b\x0c" + b"\x12\x03abc"
    data = PAD + fields
    assert not has_more_fields(data, 7)
    assert has_more_fields(data, 6)


def test_small_messages_are_left_to_the_parser() -> None:
    assert not has_more_fields(b"\x12\0" * 30_000, 5)
    assert has_more_fields(b"\x12\0" * 40_000, 5)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_looked_at_without_an_error(tail: bytes) -> None:
    """And what has too many fields for it, but can be read, has them for the parser, too."""
    data = PAD + tail
    if has_more_fields(data, 3):
        try:
            message = pb.UploadBatch.FromString(data)
        except DecodeError:
            return
        assert len(message.SerializeToString()) > SMALL


@pytest.mark.parametrize("cut", [b"\x12", b"\x12\x80", b"\x08" + b"\xff" * 11, b"\x12\xff\xff\xff\xff\x7f", b"\x0f"])
def test_what_is_cut_off_is_left_to_the_parser(cut: bytes) -> None:
    assert not has_more_fields(PAD + cut, 2)
