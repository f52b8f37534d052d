"""Times of frames whose timestamps are missing, disorderly, or start anew."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

from core.engines.video.timeline import Clock, Jumps, Ranks

if TYPE_CHECKING:
    from pathlib import Path

    from av import Packet
    from av.stream import Stream


def frame(pts: int | None, kind: int = 1) -> av.VideoFrame:
    made = av.VideoFrame(2, 2, "rgb24")
    made.pts = pts
    made.dts = None
    made.pict_type = kind
    return made


def times_s(*stamps: int | None) -> list[float]:
    clock = Clock(Fraction(1, 10), step_ticks=2)
    return [clock.time_s(frame(pts)) for pts in stamps]


def packets(path: Path, *stamps: int) -> list[Packet[Stream]]:
    """Give packets of one stream with these timestamps, in tenths of a second, that last a tenth each."""
    with av.open(path, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        made = []
        for ticks in stamps:
            packet = av.Packet(1)
            packet.stream, packet.time_base = stream, Fraction(1, 10)
            packet.pts = packet.dts = ticks
            packet.duration = 1
            made.append(packet)
    return made


def mended(jumps: Jumps, found: list[Packet[Stream]]) -> list[int | None]:
    for packet in found:
        jumps.mend(packet)
    return [packet.pts for packet in found]


def test_given_stamps_when_timed_then_exact_from_the_first_frame() -> None:
    assert times_s(7, 8, 10) == [0.0, 0.1, 0.3]


def test_given_a_container_that_starts_earlier_then_times_from_its_start() -> None:
    clock = Clock.starting(Fraction(1, 10), 2, Fraction(-7, 1000))
    assert [clock.time_s(frame(pts)) for pts in (40, 42)] == [4.007, 4.207]


def test_given_a_start_rounded_to_microseconds_then_its_frame_is_at_0() -> None:
    clock = Clock.starting(Fraction(1, 30_000), 1001, Fraction(33_367, 1_000_000))
    assert clock.time_s(frame(1001)) == 0.0


def test_given_a_frame_before_the_start_then_it_stands_at_zero() -> None:
    assert Clock(Fraction(1, 10), 2, zero_ticks=5).time_s(frame(3)) == 0.0


def test_given_no_stamps_when_timed_then_frames_follow_at_the_rate() -> None:
    assert times_s(None, None, None) == [0.0, 0.2, 0.4]
    assert times_s(5, None, 9) == [0.0, 0.2, 0.4]


def test_given_a_timeline_that_restarts_when_timed_then_it_goes_on() -> None:
    assert times_s(0, 2, 50, 0, 2, None) == [0.0, 0.2, 5.0, 5.2, 5.4, 5.6]


def test_given_a_small_step_back_when_timed_then_it_stays() -> None:
    assert times_s(0, 4, 3, 6) == [0.0, 0.4, 0.3, 0.6]


def test_given_packets_that_fall_back_when_mended_then_they_go_on(tmp_path: Path) -> None:
    assert mended(Jumps(back=True), packets(tmp_path / "a", 30, 31, 32, 0, 1, 2)) == [30, 31, 32, 33, 34, 35]


def test_given_packets_that_jump_on_when_mended_then_the_gap_is_closed(tmp_path: Path) -> None:
    found = packets(tmp_path / "a", 0, 1, 36_000, 36_001)
    assert mended(Jumps(back=True, onward_s=10.0), found) == [0, 1, 2, 3]


def test_given_a_gap_in_a_file_that_lists_its_frames_then_it_stays(tmp_path: Path) -> None:
    assert mended(Jumps(back=False), packets(tmp_path / "a", 0, 1, 36_000)) == [0, 1, 36_000]


def test_given_sound_that_goes_on_when_pictures_pause_then_the_gap_stays(tmp_path: Path) -> None:
    jumps = Jumps(back=True, onward_s=10.0)
    pictures = packets(tmp_path / "a", 0, 300)
    with av.open(tmp_path / "b", "w", format="matroska") as container:
        container.add_stream("libx264", rate=10)
        stream = container.add_stream("aac", rate=48_000)
        sound = packets(tmp_path / "c", *range(0, 300, 50))
        for packet in sound:
            packet.stream = stream
    assert mended(jumps, [pictures[0], *sound, pictures[1]])[-1] == 300


def test_given_a_place_after_a_jump_when_read_then_its_shift_is_kept(tmp_path: Path) -> None:
    jumps = Jumps(back=True).after_seek(Fraction(33, 10))
    assert mended(jumps, packets(tmp_path / "a", 0, 1)) == [33, 34]


def shown(ranks: Ranks, path: Path, fed: list[int], out: list[tuple[int, int]]) -> list[int | None]:
    """Feed packets with these numbers; then frames come out with the number and kind of their packets."""
    for packet in packets(path, *fed):
        ranks.feed(packet)
    return [ranks.shown_ticks(frame(number, kind)) for number, kind in out]


IN_ORDER_OF_DISPLAY = [(0, 1), (2, 3), (3, 3), (1, 2), (5, 3), (6, 3), (4, 2)]
"""I0 P1 B2 B3 P4 B5 B6, as a decoder gives them."""


def test_given_numbers_and_b_frames_when_shown_then_the_nth_is_number_n(tmp_path: Path) -> None:
    assert shown(Ranks(None, reorders=True), tmp_path / "a", list(range(7)), IN_ORDER_OF_DISPLAY) == list(range(7))


def test_given_a_lost_packet_when_shown_then_later_ones_keep_numbers(tmp_path: Path) -> None:
    fed = [0, 1, 2, 3, 10, 11, 12]
    out = [(0, 1), (2, 3), (3, 3), (1, 2), (11, 3), (12, 3), (10, 2)]
    assert shown(Ranks(None, reorders=True), tmp_path / "a", fed, out) == [0, 1, 2, 3, 10, 11, 12]


def test_given_lost_leading_frames_when_shown_then_no_wrong_time(tmp_path: Path) -> None:
    ranks = Ranks(None, reorders=True).after_seek()
    fed = [20, 21, 22, 23, 24, 25, 26]
    out = [(20, 1), (24, 3), (25, 3), (23, 2), (26, 2)]  # 21 and 22 lean on what came before the seek
    assert shown(ranks, tmp_path / "a", fed, out) == [None, None, None, 25, 26]


def test_given_packets_without_numbers_when_shown_then_they_are_counted(tmp_path: Path) -> None:
    out = [(0, 1), (80, 3), (40, 2)]
    assert shown(Ranks(40, reorders=True), tmp_path / "a", [7, 7, 7], out) == [0, 40, 80]
