"""Where the daemon's time goes: `python -m benchmarks.profile_ingest`. For its developers; no published figure is from here.

Decode, append and settle, one after the other in this process under cProfile, without gRPC and threads. A profile slows small
functions down more than large ones, so compare its rows with each other and never with `benchmarks.ingest`.
"""

import argparse
import tempfile
import time
from cProfile import Profile
from itertools import islice
from pathlib import Path
from pstats import SortKey, Stats

from benchmarks.load import read_load, write_load
from sessiond.prices import GenaiPriceBook
from sessiond.service.receiving.decode import Decoder
from sessiond.service.settling.rules import Rules
from sessiond.service.settling.settle import Settler
from sessiond.storage.lmdb.store import LmdbStore

SPANS = 50_000
ROWS = 30
REQUESTS_PER_COMMIT = 8
"""As the sender keeps in flight."""
SPANS_MAX = 1_000_000
STORE_BYTES_MAX = 64 << 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=SPANS, help=f"spans to take in, at least (default {SPANS})")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"functions to show (default {ROWS})")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sessiond-profile-") as directory:
        load = write_load(Path(directory) / "load", spans_min=arguments.spans)
        bodies = list(read_load(load.path))
        store = LmdbStore.open(Path(directory) / "data", bytes_max=STORE_BYTES_MAX)
        rules = Rules(GenaiPriceBook())
        rules.prices.row(None, "gpt-5-mini", 0)  # the first question loads the table, which is no part of a span
        profile = Profile()
        try:
            profile.runcall(_take_in, store, rules, bodies)
        finally:
            store.close()
    Stats(profile).strip_dirs().sort_stats(SortKey.TIME).print_stats(arguments.rows)


def _take_in(store: LmdbStore, rules: Rules, bodies: list[bytes]) -> None:
    """Take in and settle, a commit at a time."""
    settler, decoder, left = Settler(store, rules), Decoder(rules.keys.normalizer()), iter(bodies)
    while taken := list(islice(left, REQUESTS_PER_COMMIT)):
        parts = [part for body in taken for part in decoder.decode(body, received_unix_nano=time.time_ns(), spans_max=SPANS_MAX)]
        settler.note(store.append([packed for part in parts for packed in part.traces]).traces)
    while settler.step():
        pass


if __name__ == "__main__":
    main()
