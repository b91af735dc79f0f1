"""What runs in a decoder process: requests come on standard input, their spans go, packed, to standard output.

It first says which shapes it speaks of. A request is a frame with HEAD and one with the body. It is answered by a frame for each
part of its spans and an empty one at the end; or by FAILED before any part, where the parent is to decode it itself and meet the
failure there.
"""

import gc
import json
import os
import signal
import struct
import sys
from typing import Final

from sessiond.core.errors import SessiondError
from sessiond.core.spans.normalize import ExtraKeys
from sessiond.service.receiving.decode import FINGERPRINT, Decoder, pack_decoded, read_frame, write_frame

HEAD: Final = struct.Struct(">QQ")
"""Arrival in unix nanoseconds, and the most spans that the request may hold."""
END: Final = b""
FAILED: Final = b"failed"


def main() -> None:
    """Answer requests until the parent closes the pipes. The one argument is the extra keys, as `arguments` writes them."""
    keys = ExtraKeys(*map(tuple, json.loads(sys.argv[1])))
    try:
        _answer_requests(Decoder(keys.normalizer()))
    except BrokenPipeError:  # the parent gave a request up, and this process with it
        os._exit(0)


def arguments(keys: ExtraKeys) -> list[str]:
    """The command line of a process that reads spans by these keys."""
    return [sys.executable, "-m", "sessiond.service.receiving.decoder_process", json.dumps(keys)]


def _answer_requests(decoder: Decoder) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the parent, which first finishes what is under way
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()
    gc.disable()  # what is made here is tuples without cycles, and goes with its request
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    write_frame(answers, FINGERPRINT)
    while (head := read_frame(requests)) is not None and (body := read_frame(requests)) is not None:
        received_unix_nano, spans_max = HEAD.unpack(head)
        try:
            for decoded in decoder.decode(body, received_unix_nano=received_unix_nano, spans_max=spans_max):
                write_frame(answers, pack_decoded(decoded))
        except SessiondError:
            write_frame(answers, FAILED)
        else:
            write_frame(answers, END)


if __name__ == "__main__":
    main()
