"""``make bench``: run every benchmark and print one line for each."""

import tempfile
from pathlib import Path

from bench import exporting, pages, sending, signing


def main() -> None:
    """Run them all, each in a fresh folder."""
    print(f"{'what':34} {'ours':>12} {'limit':>12} {'ratio':>7}  of what")
    for benchmark in (pages.petition_page, signing.signatures, exporting.csv_rows, sending.digest):
        with tempfile.TemporaryDirectory(prefix="campaign-bench-") as folder:
            result = benchmark(Path(folder))
        if result is None:
            continue
        print(
            f"{result.what:34} {result.ours:>10,.0f}/s {result.limit:>10,.0f}/s "
            f"{result.ours / result.limit:>7.2f}  {result.limit_is}",
            flush=True,
        )


if __name__ == "__main__":
    main()
