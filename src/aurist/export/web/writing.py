"""Write a static page with the ONNX file of a model and the engine that runs it in browsers."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from importlib.resources import files as package_files
from pathlib import Path

from aurist.errors import DataError, listing
from aurist.export.onnx_file import OnnxExport, check_onnx, export_onnx
from aurist.export.onnx_file.check import OnnxCheck, read_metadata
from aurist.files import write_json
from aurist.folders import remove_folder
from aurist.plan import ENSEMBLE
from aurist.run import ModelFiles

#: The tested version of onnxruntime-web, and its files that run on every machine, without a GPU.
RUNTIME_VERSION = "1.30.0"
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
RUNTIME, MODEL, ABOUT = "onnxruntime-web", "model.onnx", "about.json"
_PAGE = ("index.html", "page.css", "page.js", "worker.js")
#: The place where npm installs it.
_INSTALLED = Path("node_modules") / RUNTIME


@dataclass(frozen=True)
class WebExport:
    """The result: the folder and its bytes, the ONNX file in it, and its check."""

    folder: Path
    size: int
    onnx: OnnxExport
    check: OnnxCheck


def export_web(
    files: ModelFiles, output: Path, model: str = ENSEMBLE, *, runtime: Path | None = None
) -> WebExport:
    """Write a folder with a static page. It fetches nothing from elsewhere, and sound does not leave the visitor.

    Parameters
    ----------
    files, model
        As in `aurist.export.onnx_file.export_onnx`.
    output
        The folder to make; a page of an earlier export is replaced.
    runtime
        The npm package onnxruntime-web; None: where npm installs it in the working folder.

    Raises
    ------
    DataError
        If the package is missing, or the output is a folder with something else in it.
    ConfigError, RunError, MissingExtraError
        As in `export_onnx`.
    """
    engine = _runtime_files(runtime or _INSTALLED)
    if output.exists() and not _is_page(output) and (not output.is_dir() or any(output.iterdir())):
        raise DataError(
            f"{output} exists and is no page of aurist; it is not overwritten. Give another folder."
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        part.chmod(0o755)  # web servers read it as another user
        onnx = export_onnx(files, part / MODEL, model)
        check = check_onnx(onnx.path, files, model)
        write_json(part / ABOUT, read_metadata(onnx.path))
        source = package_files("aurist.export.web")
        for name in _PAGE:
            (part / name).write_bytes((source / name).read_bytes())
        (part / RUNTIME).mkdir()
        for path in engine:
            shutil.copyfile(path, part / RUNTIME / path.name)
        remove_folder(output)
        part.rename(output)
    finally:
        remove_folder(part)
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    return WebExport(output, size, replace(onnx, path=output / MODEL), check)


def _is_page(folder: Path) -> bool:
    return all((folder / name).is_file() for name in (ABOUT, MODEL, "worker.js"))


def _runtime_files(package: Path) -> list[Path]:
    """Return the needed files of the npm package, of its folder or of the folder ``dist`` in it."""
    folder = package / "dist" if (package / "dist").is_dir() else package
    missing = [str(folder / name) for name in RUNTIME_FILES if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"The page needs the npm package {RUNTIME}, and these files of it are missing:\n{listing(missing)}\n"
            f"Type `npm install {RUNTIME}@{RUNTIME_VERSION}`, or get "
            f"https://registry.npmjs.org/{RUNTIME}/-/{RUNTIME}-{RUNTIME_VERSION}.tgz and unpack it; then give its "
            "folder by runtime=."
        )
    licences = [path for path in (package / "LICENSE", package / "LICENSE.txt") if path.is_file()]
    return [*(folder / name for name in RUNTIME_FILES), *licences]
