import pytest

from visavis.transport.jitter import VoiceOrder, opus_samples


def test_an_unbroken_stream_has_no_gaps() -> None:
    order = VoiceOrder()
    assert [order.accept(7 + i, 1_000 + 960 * i, 960) for i in range(5)] == [0] * 5


def test_a_lost_packet_is_a_gap_of_its_length_and_is_not_waited_for() -> None:
    order = VoiceOrder()
    order.accept(1, 0, 960)
    assert order.accept(3, 1_920, 960) == 960
    assert order.lost == 1


def test_a_late_packet_and_a_repeated_one_are_dropped() -> None:
    order = VoiceOrder()
    order.accept(1, 0, 960)
    order.accept(3, 1_920, 960)
    assert order.accept(2, 960, 960) is None
    assert order.accept(3, 1_920, 960) is None
    assert order.late == 2
    assert order.accept(4, 2_880, 960) == 0


def test_both_counters_wrap() -> None:
    order = VoiceOrder()
    order.accept(0xFFFE, 0xFFFFFFFF - 959, 960)
    assert order.accept(0xFFFF, 0, 960) == 0
    assert order.accept(0, 960, 960) == 0
    assert order.accept(0xFFFF, 0, 960) is None
    assert order.accept(2, 2_880, 960) == 960


def test_a_pause_without_lost_packets_is_a_gap_in_time() -> None:
    order = VoiceOrder()
    order.accept(1, 0, 960)
    assert order.accept(2, 48_000, 960) == 48_000 - 960
    assert order.lost == 0


def test_a_sender_that_starts_anew_is_followed() -> None:
    order = VoiceOrder()
    order.accept(30_000, 5_000_000, 960)
    assert order.accept(12, 77, 960) == 0
    assert order.accept(13, 77 + 960, 960) == 0


@pytest.mark.parametrize(
    ("first_bytes", "samples"),
    [
        (b"\x08", 960),  # SILK narrowband, 20 ms, one frame
        (b"\x18", 2_880),  # SILK narrowband, 60 ms
        (b"\x78", 960),  # hybrid fullband, 20 ms
        (b"\xe0", 120),  # CELT fullband, 2.5 ms
        (b"\xfc", 960),  # CELT fullband, 20 ms
        (b"\xfd", 1_920),  # the same, two frames
        (b"\xff\x03", 2_880),  # the same, three frames counted in the second byte
    ],
)
def test_the_length_of_a_packet_is_read_from_its_first_bytes(first_bytes: bytes, samples: int) -> None:
    assert opus_samples(first_bytes) == samples


@pytest.mark.parametrize("packet", [b"", b"\xff", b"\xff\x00", b"\xff\x3f"])
def test_a_damaged_packet_has_no_length(packet: bytes) -> None:
    with pytest.raises(ValueError, match="Opus"):
        opus_samples(packet)
