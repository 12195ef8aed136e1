"""Settings of the synthesiser's genres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float64]

#: Strength of each partial, counted from 1, by kind of wave.
WAVES: dict[str, Callable[[Sound], npt.NDArray[np.floating]]] = {
    "sine": lambda k: 1.0 * (k == 1),
    "triangle": lambda k: (k % 2) / k**2,
    "saw": lambda k: 1 / k,
    "square": lambda k: (k % 2) / k,
    "organ": lambda k: 1.0 * np.isin(k, (1, 2, 3, 4, 8)),
    "reed": lambda k: np.exp(-(((k - 3) / 3) ** 2)),
}

#: Semitones above the key.
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}


@dataclass(frozen=True)
class Instrument:
    """An instrument: its wave, the time constants of its envelope (s), the depth of vibrato (semitones)."""

    wave: str
    attack: float
    decay: float
    vibrato: float = 0.0


VOICES = {
    "sub": Instrument("sine", attack=0.004, decay=0.30),
    "upright": Instrument("triangle", attack=0.010, decay=0.25),
    "synth bass": Instrument("saw", attack=0.003, decay=0.20),
    "chip": Instrument("square", attack=0.001, decay=0.15),
    "piano": Instrument("triangle", attack=0.003, decay=0.45),
    "guitar": Instrument("saw", attack=0.004, decay=0.50),
    "organ": Instrument("organ", attack=0.010, decay=3.0, vibrato=0.05),
    "strings": Instrument("saw", attack=0.250, decay=3.0, vibrato=0.12),
    "flute": Instrument("sine", attack=0.060, decay=2.0, vibrato=0.25),
    "brass": Instrument("reed", attack=0.030, decay=0.80, vibrato=0.15),
}


@dataclass(frozen=True)
class Kit:
    """Drums: pitch of the kick (Hz), tone in the snare (0..1), decays (s); `hold` coarsens the noise."""

    kick_hz: float
    kick: float
    snare_tone: float
    snare: float
    hat: float
    hold: int = 1


KITS = {
    "machine": Kit(kick_hz=48, kick=0.16, snare_tone=0.2, snare=0.08, hat=0.030),
    "acoustic": Kit(kick_hz=62, kick=0.09, snare_tone=0.4, snare=0.11, hat=0.060),
    "brushes": Kit(kick_hz=58, kick=0.06, snare_tone=0.1, snare=0.18, hat=0.110),
    "noise": Kit(kick_hz=75, kick=0.05, snare_tone=0.3, snare=0.06, hat=0.025, hold=4),
}


@dataclass(frozen=True)
class Genre:
    """Ingredients of a genre; each track draws one of several choices.

    A pattern is one bar with a character a sixteenth note: ``x`` a hit, ``o`` a soft one, a digit the step of the scale
    above the chord's root, ``.`` a rest.

    Parameters
    ----------
    tempo
        Lowest and highest tempo, in quarter notes per minute.
    swing
        Delay of the second half of each quarter note, in sixteenths.
    kick, snare, hat, bass, comp
        Patterns; ``comp`` is when the chords are struck.
    gate
        Length of a chord, in sixteenths.
    density
        Probability of a melody note on each strong sixteenth.
    scales, roots, chord
        Harmony: names of scales; the roots of four bars, as steps of the scale; the steps of a chord.
    kits, basses, chords, leads
        The band: names in `KITS` and `VOICES`.
    mix
        Levels of drums, bass, chords and lead in dB.
    drive
        Overdrive; almost none below 1.
    space
        Shortest and longest time for the echo of the room to fall by 60 dB, in seconds.
    """

    tempo: tuple[float, float]
    swing: float
    kick: tuple[str, ...]
    snare: tuple[str, ...]
    hat: tuple[str, ...]
    bass: tuple[str, ...]
    comp: tuple[str, ...]
    gate: float
    density: float
    scales: tuple[str, ...]
    roots: tuple[str, ...]
    chord: tuple[int, ...]
    kits: tuple[str, ...]
    basses: tuple[str, ...]
    chords: tuple[str, ...]
    leads: tuple[str, ...]
    mix: tuple[float, float, float, float]
    drive: float
    space: tuple[float, float]


GENRES = {
    "ambient": Genre(
        tempo=(60, 110),
        swing=0.0,
        kick=("................", "x..............."),
        snare=("................",),
        hat=("................", "....o.......o..."),
        bass=("0...............", "0.......4......."),
        comp=("x...............",),
        gate=16,
        density=0.10,
        scales=("major", "dorian", "minor"),
        roots=("0325", "0044", "0531"),
        chord=(0, 2, 4, 6),
        kits=("machine", "brushes"),
        basses=("sub", "upright"),
        chords=("strings", "organ"),
        leads=("flute", "piano"),
        mix=(-12, -6, 0, -6),
        drive=0.5,
        space=(0.6, 1.8),
    ),
    "chiptune": Genre(
        tempo=(100, 170),
        swing=0.0,
        kick=("x.......x.......", "x...x...x...x..."),
        snare=("....x.......x...",),
        hat=("x.o.x.o.x.o.x.o.", "..x...x...x...x."),
        bass=("0.7.0.7.0.7.0.7.", "0.0.4.4.0.0.7.7."),
        comp=("x.x.x.x.x.x.x.x.", "x...x...x...x..."),
        gate=1,
        density=0.60,
        scales=("major", "minor"),
        roots=("0354", "0534"),
        chord=(0, 2, 4),
        kits=("noise", "machine"),
        basses=("chip", "synth bass"),
        chords=("chip", "piano"),
        leads=("chip", "flute"),
        mix=(-6, -3, -6, 0),
        drive=1.0,
        space=(0.05, 0.4),
    ),
    "reggae": Genre(
        tempo=(66, 140),
        swing=0.2,
        kick=("........x.......", "x.......x......."),
        snare=("........x.......", "....o.......x..."),
        hat=("x.o.x.o.x.o.x.o.", "..x...x...x...x."),
        bass=("0..0..2.4.......", "..0.0.4...2.0..."),
        comp=("..x...x...x...x.", "....x.......x..."),
        gate=1.2,
        density=0.20,
        scales=("minor", "dorian", "major"),
        roots=("0033", "0404", "0340"),
        chord=(0, 2, 4),
        kits=("acoustic", "machine"),
        basses=("sub", "upright"),
        chords=("guitar", "organ", "piano"),
        leads=("brass", "organ"),
        mix=(-5, 0, -4, -6),
        drive=0.8,
        space=(0.2, 0.9),
    ),
    "rock": Genre(
        tempo=(95, 150),
        swing=0.0,
        kick=("x.....x.x.......", "x.......x.x.....", "x...x...x...x..."),
        snare=("....x.......x...",),
        hat=("x.x.x.x.x.x.x.x.", "x...x...x...x..."),
        bass=("0.0.0.0.0.0.0.0.", "0...0.0.0...0.4."),
        comp=("x.x.x.x.x.x.x.x.", "x.....x.x......."),
        gate=2,
        density=0.25,
        scales=("mixolydian", "minor", "major"),
        roots=("0340", "0634", "0533"),
        chord=(0, 4, 7),
        kits=("acoustic",),
        basses=("synth bass", "upright"),
        chords=("guitar", "organ"),
        leads=("guitar", "brass"),
        mix=(-2, -4, -2, -5),
        drive=2.5,
        space=(0.1, 0.6),
    ),
    "swing": Genre(
        tempo=(100, 190),
        swing=0.6,
        kick=("x.......x.......", "x...o...x...o..."),
        snare=("....o.......o...", "......o........."),
        hat=("x...x.x.x...x.x.", "....x.......x..."),
        bass=("0...2...4...5...", "0...4...7...4..."),
        comp=("x.....x.........", "......x.......x."),
        gate=2,
        density=0.40,
        scales=("dorian", "mixolydian", "major"),
        roots=("1400", "0514", "0314"),
        chord=(0, 2, 6, 8),
        kits=("brushes", "acoustic"),
        basses=("upright",),
        chords=("piano", "guitar"),
        leads=("brass", "flute", "piano"),
        mix=(-7, -3, -4, -1),
        drive=0.7,
        space=(0.2, 0.7),
    ),
    "techno": Genre(
        tempo=(112, 142),
        swing=0.0,
        kick=("x...x...x...x...",),
        snare=("....x.......x...", "................"),
        hat=("..x...x...x...x.", "x.x.x.x.x.x.x.x."),
        bass=("..0...0...0...0.", "0.00..0.0.00..0."),
        comp=("...x..x....x....", "x..x..x...x....."),
        gate=1,
        density=0.15,
        scales=("minor", "dorian"),
        roots=("0000", "0055", "0003"),
        chord=(0, 2, 4, 6),
        kits=("machine",),
        basses=("synth bass", "sub"),
        chords=("strings", "organ", "chip"),
        leads=("chip", "piano"),
        mix=(0, -3, -7, -9),
        drive=1.5,
        space=(0.1, 1.0),
    ),
    "waltz": Genre(
        tempo=(84, 180),
        swing=0.0,
        kick=("x...........", "............"),
        snare=("....o...o...", "............"),
        hat=("............", "....o...o..."),
        bass=("0...........", "0...4...4..."),
        comp=("....x...x...",),
        gate=3,
        density=0.35,
        scales=("major", "minor"),
        roots=("0340", "0440", "0514"),
        chord=(0, 2, 4),
        kits=("acoustic", "brushes"),
        basses=("upright",),
        chords=("piano", "strings", "organ"),
        leads=("strings", "flute", "brass"),
        mix=(-11, -3, -3, 0),
        drive=0.6,
        space=(0.3, 1.2),
    ),
}
