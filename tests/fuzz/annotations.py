"""Annotations of all programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .harness import Target

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


TARGETS = tuple(
    Target(f"annotations: {name}", _annotations(name), _read_annotations, 1.5, ("a.wav", "b.wav"))
    for name in _ANNOTATIONS
)
