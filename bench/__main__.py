"""``make bench``: runs every benchmark, or only those named as arguments, and prints one line for each."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import enumeration, exporting, flooding, loading, pages, sending, signing
from bench.measuring import Line, Result

_ALL: dict[str, Callable[[Path], Result | Iterator[Result | Line]]] = {
    "pages": pages.petition_page,
    "signing": signing.signatures,
    "enumeration": enumeration.enumeration,
    "exporting": exporting.csv_rows,
    "sending": sending.sending,
    "flooding": flooding.flooding,
    "loading": loading.loading,
}


def _run(name: str, folder: Path) -> Iterator[Result | Line]:
    given = _ALL[name](folder)
    if isinstance(given, Result):
        yield given
    else:
        yield from given


def main() -> None:
    """Run the benchmarks, each in a new folder."""
    print(f"{'what':34} {'ours':>12} {'limit':>12} {'ratio':>7}  of what")
    for name in sys.argv[1:] or _ALL:
        with tempfile.TemporaryDirectory(prefix="campaign-bench-") as folder:
            for result in _run(name, Path(folder)):
                if isinstance(result, Line):
                    print(f"{result.what:34} {result.figures}", flush=True)
                else:
                    print(
                        f"{result.what:34} {result.ours:>10,.0f}/s {result.limit:>10,.0f}/s "
                        f"{result.ours / result.limit:>7.2f}  {result.limit_is}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
