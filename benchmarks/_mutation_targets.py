"""Small intact inputs of every kind, and functions that read them as the commands do."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

#: Reads a folder in which a mutation has damaged one file.
Reader = Callable[[Path], Any]
RATE = 8000


@dataclass(frozen=True)
class Target:
    """A kind of input.

    Parameters
    ----------
    name
        Name of the kind.
    make
        Writes an intact input into a folder.
    read
        Reads it as a command does.
    share
        Share of all mutations, relative to the other kinds.
    keep
        Files of the folder that stay intact, by the beginning of their path.
    """

    name: str
    make: Callable[[Path], None]
    read: Reader
    share: float = 1.0
    keep: tuple[str, ...] = ()


def _rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(12, 3)).round(4), columns=["tempo", "energy", "valence"])
    table.insert(0, "id", [f"R{i:02d}" for i in range(12)])
    return table.assign(
        mode=["minor", "major"] * 6,
        artist=[f"a{i // 3}" for i in range(12)],
        genre=["folk", "rap", "rock"] * 4,
    )


def _csv(folder: Path) -> None:
    _rows().to_csv(folder / "train.csv", index=False)


def _semicolons(folder: Path) -> None:
    _rows().to_csv(folder / "train.csv", index=False, sep=";", decimal=",", encoding="utf-16")


def _tsv(folder: Path) -> None:
    table = _rows().assign(genre="folk;rap", path=[f"r/{i}.wav" for i in range(12)], start=0.5, end=1.5)
    table.drop(columns=["id", "mode"]).to_csv(folder / "train.tsv", index=False, sep="\t")


def _parquet(folder: Path) -> None:
    _rows().to_parquet(folder / "train.parquet", index=False)


def _arff(folder: Path) -> None:
    lines = [
        "@relation t",
        "@attribute tempo numeric",
        "@attribute mode {minor,'ma jor'}",
        "@attribute note string",
    ]
    lines += ["@attribute wren {0,1}", "@attribute robin {0,1}", "@data"]
    lines += [f"{i}.5,{'minor' if i % 2 else chr(39) + 'ma jor' + chr(39)},?,{i % 2},1" for i in range(8)]
    lines += ["{0 2.5, 3 1, 4 1}"]
    (folder / "train.arff").write_text("\n".join(lines) + "\n")
    (folder / "train.xml").write_text('<labels><label name="wren"/><label name="robin"/></labels>')


def _read_table(folder: Path) -> object:
    from aurist.clips.read import ReadOptions, read_clips

    path = next((path for path in folder.glob("train.*") if path.suffix != ".xml"), folder)
    clips = read_clips(path, ReadOptions())
    with contextlib.suppress(ValueError):  # The same kind as the first, with another reader.
        read_clips(path, ReadOptions(), labelled=False)
    return clips.targets()


def _listed(folder: Path) -> None:
    """Make a folder of recordings with a table that lists them."""
    for name in "ab":
        _noise(folder / f"{name}.wav", "WAV", "PCM_16")
    (folder / "labels.csv").write_text("path,label,fold\na.wav,dog,1\nb.wav,cat,2\n")


def _read_folder(folder: Path) -> object:
    from aurist.clips.read import read_clips

    return read_clips(folder).targets()


_ANNOTATIONS = {
    "a.selections.txt": "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t"
    "Species\tScore\n"
    "1\tSpectrogram 1\t1\t0.5\t1.25\t1000\t4000.5\twren\t0.5\n2\tSpectrogram 1\t1\t1,5\t1,75\t\t\trobin\t\n",
    "both.txt": "Selection\tBegin Time (s)\tEnd Time (s)\tBegin Path\tFile Offset (s)\tAnnotation\n"
    "1\t0.5\t1\tC:\\x\\a.wav\t0.5\twren\n2\t20.5\t21\tC:\\x\\b.wav\t0.5\trobin\n",
    "b.txt": "0.500000\t1.250000\twren\n\\\t1000.0\t4000.0\n1.5\t1.5\trobin\t0.75\n",
    "a.BirdNET.results.csv": "Start (s),End (s),Scientific name,Common name,Confidence\n"
    "0.0,3.0,T. t.,Wren,0.81\n3.0,6.0,E. r.,Robin,0.5\n",
    "kaleidoscope.csv": "INDIR,FOLDER,IN FILE,CHANNEL,OFFSET,DURATION,scientific_name,common_name,confidence\n"
    "x,,a.wav,0,0.5,1,T. t.,Wren,0.8\n",
    "open.csv": "audio_file,annotation_id,start_time,end_time,low_f,high_f,annotation\na.wav,0,0.5,1,1000,2000,wren\n",
    "desed.tsv": "filename\tonset\toffset\tevent_label\na.wav\t0.5\t1\tSpeech\nb.wav\t0.5\t1.25\tDog\n",
    "train_tp.csv": "recording_id,species_id,songtype_id,t_min,f_min,t_max,f_max\na,14,1,0.5,2531.25,1.2,5531.25\n",
    "soundscape.csv": "row_id,site,audio_id,seconds,birds\na_SSW_5,SSW,1,5,wren robin\nb_SSW_5,SSW,1,5,nocall\n",
    "events.csv": "path,start,end,low,high,label,state,score\n"
    "a.wav,0.5,1.25,1000,2000,wren,present,0.5\nb.wav,0.5,1,,,robin,absent,\n",
    "events.jsonl": '{"path": "a.wav", "start": 0.5, "end": 1.25, "label": "wren"}\n'
    '{"path": "b.wav", "start": 0, "end": 1, "label": "robin"}\n',
}


def _annotations(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for recording in ("a.wav", "b.wav"):
            (folder / recording).write_bytes(b"")
        (folder / name).write_text(_ANNOTATIONS[name], encoding="utf-8")

    return make


def _read_annotations(folder: Path) -> object:
    from aurist.annotations import CutOptions, read_annotations, to_clips

    path = next((p for p in sorted(folder.iterdir()) if p.suffix != ".wav"), folder / "gone.csv")
    made = read_annotations(path, audio_root=folder)
    return to_clips(made, dict.fromkeys(made.recordings, 30.0), CutOptions())


def _noise(path: Path, form: str, subtype: str, seconds: float = 0.25) -> None:
    y = np.random.default_rng(0).uniform(-0.5, 0.5, (round(seconds * RATE), 2))
    soundfile.write(path, y[:, :1] if subtype == "GSM610" else y, RATE, format=form, subtype=subtype)


_SOUNDS = (
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "PCM_24"),
    ("wav", "WAV", "FLOAT"),
    ("wav", "WAV", "GSM610"),
    ("wav", "WAV", "IMA_ADPCM"),
    ("wav", "WAVEX", "PCM_16"),
    ("wav", "RF64", "PCM_16"),
    ("w64", "W64", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("ogg", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
    ("aiff", "AIFF", "PCM_16"),
    ("au", "AU", "PCM_16"),
    ("caf", "CAF", "PCM_16"),
)


def _sound(suffix: str, form: str, subtype: str) -> Callable[[Path], None]:
    return lambda folder: _noise(folder / f"a.{suffix}", form, subtype)


def _read_sound(folder: Path) -> object:
    from aurist.audio import probe, read

    path = next(iter(folder.iterdir()), folder / "gone.wav")
    info = probe(path)
    with contextlib.suppress(ValueError):
        read(path, 16000, start=0.05, end=0.1)
    return read(path), info.duration


def _read_sound_without_ffmpeg(folder: Path) -> object:
    kept, os.environ["PATH"] = os.environ["PATH"], ""
    try:
        return _read_sound(folder)
    finally:
        os.environ["PATH"] = kept


def _plan(folder: Path) -> None:
    from aurist.config import FitConfig
    from aurist.models.network_member import recipe_member
    from aurist.plan import FitPlan, Step, table_members, write_plan
    from aurist.recipes import read_recipe

    steps = [Step(member, 0.5, 3.0) for member in table_members(FitConfig())[:3]]
    write_plan(
        folder / "plan.toml", FitPlan((*steps, Step(recipe_member(read_recipe("mel-cnn")))), ("a note",))
    )


def _read_plan(folder: Path) -> object:
    from aurist.plan import read_plan, write_plan

    plan = read_plan(folder / "plan.toml")
    write_plan(folder / "again.toml", plan)
    return plan


def _recipe(folder: Path) -> None:
    from aurist.recipes import recipe_names, recipe_path

    for name in recipe_names()[-1:]:
        shutil.copy(recipe_path(name), folder / f"{name}.toml")
    (folder / "own.toml").write_text(
        'base = "mel-cnn"\n[training]\nepochs = 5\nlr = 0.01\n[window]\nseconds = 1.5\npooling = ["mean", "max"]\n'
    )


def _read_recipes(folder: Path) -> object:
    from aurist.errors import AuristError
    from aurist.recipes import read_recipe, search_space

    wrong: AuristError | None = None
    for path in sorted(folder.glob("*.toml")):
        try:
            search_space(read_recipe(str(path), {"training.epochs": 3}))
        except AuristError as error:
            wrong = error
    if wrong is not None:
        raise wrong
    return None


def _config(folder: Path) -> None:
    from aurist.config import FitConfig, write_config

    write_config(
        folder / "config.toml",
        FitConfig(metric="f1_macro", recipe_settings=("training.epochs=5",), time_limit=60.0),
    )


def _read_config(folder: Path) -> object:
    from aurist.config import read_config

    return read_config(folder / "config.toml")


_PLAN_OF_RUN = """
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 5}
[[member]]
name = "Logistic"
engine = "classic"
settings = {kind = "logistic"}
[[member]]
name = "KernelRidge"
engine = "kernel"
"""


def make_run(folder: Path) -> None:
    """Make a small finished run that uses features alone."""
    from aurist.automl.fit import fit
    from aurist.config import FitConfig

    (folder / "own.toml").write_text(_PLAN_OF_RUN)
    table = pd.concat([_rows()] * 3, ignore_index=True).drop(columns=["id", "artist"])
    table["tempo"] += np.random.default_rng(1).normal(size=len(table))
    config = FitConfig(plan=str(folder / "own.toml"), folds=2, jobs=1)
    fit(
        table.assign(mode=table["mode"].str.upper()),
        folder / "run",
        config,
        test=table.drop(columns="genre").head(4),
    )
    (folder / "own.toml").unlink()


def read_run(folder: Path) -> object:
    """Read a run as `leaderboard`, `predict`, `report` and `resume` do."""
    from aurist.cli.leaderboard import print_leaderboard
    from aurist.clips.read import ReadOptions, read_clips
    from aurist.errors import AuristError
    from aurist.inference.predict import predict_clips
    from aurist.report import gather
    from aurist.results.pruning import fitted_members
    from aurist.run import files_of_run, open_run, read_audit, read_data, training_data
    from aurist.stored import stored

    run = open_run(folder / "run")
    new = _rows().drop(columns=["id", "artist", "genre"]).head(3)
    wrong: AuristError | None = None

    def board() -> None:
        with stored(run.folder, run.remedy), contextlib.redirect_stdout(io.StringIO()):
            print_leaderboard(run)
            run.pairwise()

    def report() -> None:
        with stored(run.folder, run.remedy):
            gather.model_predictions(run, read_data(run), None), gather.left_out(run), gather.versions(run)

    for part in (
        board,
        report,
        lambda: predict_clips(files_of_run(run), read_clips(new, ReadOptions(), labelled=False)),
        lambda: fitted_members(run, training_data(read_data(run))),
        lambda: (run.plan(), read_audit(run), run.networks(), run.embedders(), run.recipes()),
    ):
        try:
            part()
        except AuristError as error:
            wrong = error
    if wrong is not None:
        raise wrong
    return None


def make_detections(folder: Path) -> None:
    from aurist.detection.store import Detections, Recording
    from aurist.features.windows import Block

    settings = {
        "run": "0" * 16,
        "model": "Ensemble",
        "window": 1.0,
        "overlap": 0.5,
        "channel": "mixed",
        "parts": 2,
        "classes": ["wren", "robin"],
    }
    detections = Detections(folder / "found", settings)
    rng = np.random.default_rng(0)
    for name in ("a.wav", "site 1/b.wav"):
        (folder / name).parent.mkdir(exist_ok=True)
        _noise(folder / name, "WAV", "PCM_16")
        one = Recording(name, folder / name)
        detections.progress(one)
        for number in range(2):
            starts = np.arange(4) * 0.5 + 2 * number
            block = Block(starts, starts + 1.0, {}, 4.0 if number else None, ((0.5, 1.0),))
            detections.keep(one, number, block, rng.random((4, 2)), rng.random((4, 2, 2)), "it is damaged")


def read_detections(folder: Path) -> object:
    from aurist.detection.export import WINDOWS, ExportOptions, write_detections
    from aurist.detection.scan import ScanResult
    from aurist.detection.store import Detections, open_detections

    detections = open_detections(folder / "found")
    recordings = detections.recordings(folder)
    classes = tuple(detections.settings["classes"])
    seconds = {one.name: detections.progress(one).seconds or 0.0 for one in recordings}
    result = ScanResult(detections, classes, tuple(recordings), seconds, {}, {})
    write_detections(result, ExportOptions(("csv", "raven", WINDOWS)))
    Detections(folder / "found", detections.settings).check_names(recordings)
    return None


def _sample(folder: Path) -> None:
    (folder / "sample.csv").write_text("id,genre\n007,folk\n008,rap\n")


def _read_sample(folder: Path) -> object:
    from aurist.cli.apply import _sample as read

    return read(folder / "sample.csv")


def _verdicts(folder: Path) -> None:
    (folder / "clips.csv").write_text(
        "file,recording,start,end,label,score,drawn,verdict\nx.wav,a.wav,0.5,1,wren,0.9,random,yes\ny.wav,a.wav,2,3,wren,0.8,top,robin\n"
    )


def _read_verdicts(folder: Path) -> object:
    from aurist.review.verdicts import read_verdicts

    return read_verdicts(folder / "clips.csv", ["wren", "robin"])


def make_network(folder: Path) -> None:
    """Make the files that the training of a small network leaves for a fold."""
    from dataclasses import asdict

    from aurist.files import write_json
    from aurist.models.network_files import input_spec_of
    from aurist.models.training.fold import new_network
    from aurist.nets.files import save_weights
    from aurist.recipes import read_recipe

    recipe = read_recipe("mel-cnn", {"window.seconds": 0.5})
    input_spec = input_spec_of(recipe, 22050)
    (folder / "net0").mkdir()
    save_weights(folder / "net0" / "epoch001.safetensors", new_network(recipe, input_spec, 2))
    kept = {
        "recipe": recipe.to_dict(),
        "ear": asdict(input_spec),
        "precision": "32",
        "described": None,
        "unseen": [],
        "networks": [[{"file": "net0/epoch001.safetensors"}]],
    }
    write_json(folder / "networks.json", kept)


def read_network(folder: Path) -> object:
    from aurist.models.network_files import read_networks
    from aurist.models.training.model import load_torch_networks
    from aurist.stored import stored

    with stored(folder, "Train it again."):
        return load_torch_networks(read_networks(folder), 2)


TARGETS = (
    Target("table: csv", _csv, _read_table, 4),
    Target("table: csv, UTF-16, decimal comma", _semicolons, _read_table, 2),
    Target("table: tsv of clips, several labels", _tsv, _read_table, 3),
    Target("table: Parquet", _parquet, _read_table, 3),
    Target("table: ARFF and XML", _arff, _read_table, 4),
    Target("folder with a list", _listed, _read_folder, 1),
    *(
        Target(f"annotations: {name}", _annotations(name), _read_annotations, 1.5, ("a.wav", "b.wav"))
        for name in _ANNOTATIONS
    ),
    *(
        Target(f"sound: {form} {subtype}", _sound(suffix, form, subtype), _read_sound_without_ffmpeg, 1)
        for suffix, form, subtype in _SOUNDS
    ),
    *(
        Target(f"sound, ffmpeg: {form} {subtype}", _sound(suffix, form, subtype), _read_sound, 0.02)
        for suffix, form, subtype in _SOUNDS[-8:]
    ),
    Target("plan", _plan, _read_plan, 2),
    Target("recipes", _recipe, _read_recipes, 1),
    Target("config.toml", _config, _read_config, 2),
    Target("sample submission", _sample, _read_sample, 1),
    Target("verdicts", _verdicts, _read_verdicts, 1),
    Target("run folder", make_run, read_run, 0.7),
    Target("detection folder", make_detections, read_detections, 1.5, ("a.wav", "site 1/")),
    Target("network", make_network, read_network, 0.3),
)
