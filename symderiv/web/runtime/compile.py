"""Run by the Python of the browser, when a static page is built: its own modules and ours, compiled."""

import importlib._bootstrap_external as loading
import json
import marshal
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

UNCHECKED = 0b01  # a hash that nothing is compared with: there is no source beside it
WITH_DOCSTRINGS = ("symderiv",)  # its rules are told from them


def compiled(source: Path, name: str) -> bytes:
    """Return a module as byte code."""
    level = 0 if name.split("/")[0] in WITH_DOCSTRINGS else 2
    code = compile(source.read_bytes(), name, "exec", dont_inherit=True, optimize=level)
    return loading.MAGIC_NUMBER + UNCHECKED.to_bytes(4, "little") + bytes(8) + marshal.dumps(code)


def write(folder: Path, target: Path) -> int:
    """Write all files of a folder to an archive, modules compiled; return how many there are."""
    count = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            name = path.relative_to(folder).as_posix()
            entry = zipfile.ZipInfo(name + "c" if path.suffix == ".py" else name, (2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, compiled(path, name) if path.suffix == ".py" else path.read_bytes())
            count += 1
    return count


def build(sources: str, target: str, stdlib: str) -> str:
    """Compile Python's own library, which comes as source, and each folder of the sources, into archives."""
    with TemporaryDirectory() as unpacked:
        with zipfile.ZipFile(stdlib) as archive:
            archive.extractall(unpacked)
        counts = {"stdlib": write(Path(unpacked), Path(target) / Path(stdlib).name)}
    for folder in sorted(Path(sources).iterdir()):
        counts[folder.name] = write(folder, Path(target) / f"{folder.name}.zip")
    return json.dumps({"python": sys.version.split()[0], "files": counts})
