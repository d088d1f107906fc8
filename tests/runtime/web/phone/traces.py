"""Perfetto traces, written by hand."""

BOOTTIME, MONOTONIC = 6, 3


def varint(value):
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def message(*fields):
    """Return a message of ``(number, value)``; text and bytes are of a length, else numbers."""
    parts = []
    for number, value in fields:
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            parts.append(varint(number << 3 | 2) + varint(len(value)) + value)
        else:
            parts.append(varint(number << 3) + varint(value))
    return b"".join(parts)


def packet(time_ns, *event, clock=BOOTTIME):
    return (1, message((8, time_ns), (58, clock), (76, message(*event))))


def snapshot(boot_ns, monotonic_ns):
    clocks = [
        (1, message((1, clock), (2, ns))) for clock, ns in ((BOOTTIME, boot_ns), (MONOTONIC, monotonic_ns))
    ]
    return (1, message((8, boot_ns), (6, message(*clocks))))


def frame(number, time_ns, layer, present_type=1, is_buffer=1):
    """Return the packets of a display frame that is presented at ``time_ns`` with a picture of ``layer``."""
    display, surface = 10 * number, 10 * number + 1
    return [
        packet(time_ns - 9, (2, message((1, display), (2, number), (4, 1)))),
        packet(
            time_ns - 8,
            (
                4,
                message(
                    (1, surface), (2, number), (3, number), (5, layer), (6, present_type), (11, is_buffer)
                ),
            ),
        ),
        packet(time_ns - 5, (5, message((1, surface)))),
        packet(time_ns, (5, message((1, display)))),
    ]
