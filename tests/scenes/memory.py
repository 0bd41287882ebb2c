"""What the processes of a server have in their memory, read as whoever seizes the running machine would read it."""

import base64
import json
from pathlib import Path

from tests.servers.missing import Missing


def list_keys(keyring: Path) -> dict[str, bytes]:
    """Each key as the program holds it, and as it stands in the file."""
    kept = json.loads(keyring.read_bytes())
    texts = {"lookup": kept["lookup"], "links": kept["links"], "sessions": kept["sessions"], **kept["sealing"]}
    return {
        f"{name} {form}": value
        for name, text in texts.items()
        for form, value in (("bytes", base64.b64decode(text)), ("text", text.encode()))
    }


def list_family(pid: int) -> list[int]:
    """The process and all that it started, directly or not."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    family = [pid]
    for member in family:
        family += parents.get(member, [])
    return family


def find_in_memory(pid: int, wanted: dict[str, bytes]) -> set[str]:
    """Which of ``wanted`` stand in the memory of the process. Raises Missing where memory cannot be read here."""
    found: set[str] = set()
    try:
        ranges = Path(f"/proc/{pid}/maps").read_text()
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            for line in ranges.splitlines():
                extent, rights, *_ = line.split()
                first, last = (int(end, 16) for end in extent.split("-"))
                if not rights.startswith("rw") or line.endswith(("[vvar]", "[vsyscall]")):
                    continue
                memory.seek(first)
                try:
                    held = memory.read(last - first)
                except OSError:
                    continue  # a part that is set aside and was never used
                found |= {name for name, value in wanted.items() if value in held}
    except (FileNotFoundError, ProcessLookupError):
        return found  # it has ended
    except PermissionError:
        raise Missing("The right to read a child's memory (/proc/PID/mem)") from None
    return found
