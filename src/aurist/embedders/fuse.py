"""Write an embedder as one ONNX file from sound to vector."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aurist.embedders.catalogue import Available
from aurist.embedders.graph import one_graph
from aurist.errors import ConfigError
from aurist.files import atomic_path, sha256_of, write_text
from aurist.records import to_json


def fuse(available: Available, output: Path) -> Path:
    """Write one ONNX file with the front end inside, and its TOML file; return the path of the latter.

    Raises
    ------
    ConfigError
        If the network is no ONNX file, or the output has another suffix.
    """
    import tomli_w

    spec = available.spec
    if not spec.file.endswith(".onnx") or output.suffix != ".onnx":
        raise ConfigError(
            f"Only .onnx networks are written as one .onnx file; found {spec.file} and the output {output}."
        )
    content = one_graph(spec, available.path())
    with atomic_path(output) as part:
        part.write_bytes(content)
    written = replace(
        spec,
        name=output.stem,
        file=output.name,
        package="",
        sha256=sha256_of(output),
        input="",
        output="",
        floats=False,
        front=None,
        classes="",
        scores="",
    )
    described = output.with_suffix(".toml")
    write_text(described, tomli_w.dumps(to_json(written)))
    return described
