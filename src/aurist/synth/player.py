"""Play a track of a genre: notes, voices, drums, mix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aurist.synth.genres import GENRES, KITS, SCALES, VOICES, WAVES, Genre, Instrument, Kit, Sound

#: Probability that a track takes an ingredient (rhythm, harmony, band, room) from another genre, as real tracks do, so
#: the task is not trivial.
CROSSOVER = 0.03

CYCLE = 2048  # samples in the stored period of a wave
DRUMS, BASS, CHORDS, LEAD = range(4)


@dataclass(frozen=True)
class Note:
    """A note of a stem: position and length in sixteenths, pitch in steps of the scale."""

    stem: int
    position: int
    length: float
    degree: int


def render(genre: str, duration: float, sample_rate: int, rng: np.random.Generator) -> Sound:
    """Play and mix one track of a genre.

    Parameters
    ----------
    genre
        A key of `GENRES`.
    duration
        In seconds.
    sample_rate
        In Hz.

    Returns
    -------
    (n_samples,), float64 in [-1, 1]

    Examples
    --------
    >>> render("waltz", 2.0, 22050, np.random.default_rng(0)).shape
    (44100,)
    """
    rhythm, harmony, band, room = (GENRES[_borrowed(genre, rng)] for _ in range(4))
    step = 60 / rng.uniform(*rhythm.tempo) / 4
    swing = rhythm.swing * rng.uniform(0.6, 1.1)
    start = rng.uniform(0, 16 * step)  # a recording may start anywhere in the bar
    n_steps = int((duration + start) / step) + 1
    stems = np.zeros((4, round(duration * sample_rate)))

    def add_at(stem: int, sound: Sound, position: int) -> None:
        late = swing if position % 4 >= 2 else 0.0
        onset = (position + late) * step - start + rng.normal(0, 0.004)
        _add(stems[stem], sound, round(onset * sample_rate))

    kit = _drums(KITS[_draw(band.kits, rng)], sample_rate, rng)
    for drum, patterns in zip(kit, (rhythm.kick, rhythm.snare, rhythm.hat), strict=True):
        for position, mark in _hits(_draw(patterns, rng), n_steps):
            add_at(DRUMS, drum * (0.5 if mark == "o" else 1.0), position)

    key = int(rng.integers(36, 48))
    scale = SCALES[_draw(harmony.scales, rng)]
    choices = {BASS: band.basses, CHORDS: band.chords, LEAD: band.leads}
    players = {stem: VOICES[_draw(names, rng)] for stem, names in choices.items()}
    damping = {stem: rng.uniform(0.02, 0.25) for stem in players}
    for note in _compose(rhythm, harmony, n_steps, rng):
        pitch = key + 12 * (note.degree // 7) + scale[note.degree % 7]
        sound = _tone(pitch, note.length * step, players[note.stem], damping[note.stem], sample_rate)
        add_at(note.stem, sound, note.position)
    return _master(_balance(stems, room, rng), room, sample_rate, rng)


def _borrowed(genre: str, rng: np.random.Generator) -> str:
    return _draw(tuple(GENRES), rng) if rng.random() < CROSSOVER else genre


def _draw(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]


def _hits(pattern: str, n_steps: int) -> Iterator[tuple[int, str]]:
    for position in range(n_steps):
        mark = pattern[position % len(pattern)]
        if mark != ".":
            yield position, mark


def _compose(rhythm: Genre, harmony: Genre, n_steps: int, rng: np.random.Generator) -> list[Note]:
    """Compose bass, chords and a melody that moves up and down the scale."""
    bass, comp = _draw(rhythm.bass, rng), _draw(rhythm.comp, rng)
    progression = [int(root) for root in _draw(harmony.roots, rng)]
    roots = [progression[position // len(bass) % 4] for position in range(n_steps)]
    notes = [Note(BASS, at, 2, roots[at] + int(mark)) for at, mark in _hits(bass, n_steps)]
    for at, _ in _hits(comp, n_steps):
        notes += [Note(CHORDS, at, rhythm.gate, 7 + roots[at] + degree) for degree in harmony.chord]
    melody = 14 + np.cumsum(rng.integers(-2, 3, n_steps)) % 10
    strong = np.arange(n_steps) % 2 == 0
    played = rng.random(n_steps) < rhythm.density * np.where(strong, 1.0, 0.5)
    lengths = rng.choice((1, 2, 4), n_steps)
    return notes + [Note(LEAD, int(at), lengths[at], int(melody[at])) for at in np.flatnonzero(played)]


def _add(stem: Sound, sound: Sound, first: int) -> None:
    """Add a sound to a stem at a sample; parts outside the stem are lost."""
    begin, end = max(first, 0), min(first + len(sound), len(stem))
    if end > begin:
        stem[begin:end] += sound[begin - first : end - first]


def _tone(pitch: float, length: float, voice: Instrument, damping: float, sample_rate: int) -> Sound:
    """Synthesise one note: a band-limited wave with an envelope; `damping` softens each partial by its number."""
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    n_partials = min(60, int(0.45 * sample_rate / frequency))
    partial = np.arange(1.0, n_partials + 1)
    spectrum = np.zeros(CYCLE // 2 + 1, dtype=complex)
    spectrum[1 : n_partials + 1] = -1j * WAVES[voice.wave](partial) * np.exp(-damping * (partial - 1))
    period = np.fft.irfft(spectrum)
    period /= np.sqrt(np.mean(period**2))
    release = 0.03
    t = np.arange(int((length + 4 * release) * sample_rate)) / sample_rate
    rate = 5.5
    # A deviation of d semitones is one of about d * ln(2) / 12 in frequency, and phase is its integral.
    bend = voice.vibrato * np.log(2) / 12 * np.sin(2 * np.pi * rate * t) / (2 * np.pi * rate)
    phase = frequency * (t + bend)
    envelope = (1 - np.exp(-t / voice.attack)) * np.exp(
        -t / voice.decay - np.maximum(t - length, 0) / release
    )
    sound: Sound = period[(phase * CYCLE).astype(np.int64) % CYCLE] * envelope
    return sound


def _drums(kit: Kit, sample_rate: int, rng: np.random.Generator) -> tuple[Sound, Sound, Sound]:
    """Synthesise one hit of kick, snare and hat; every track tunes and damps them slightly differently."""
    size, ring = rng.uniform(0.8, 1.25), rng.uniform(0.7, 1.4)
    t = np.arange(int(0.6 * sample_rate)) / sample_rate
    noise = np.repeat(rng.standard_normal(len(t)), kit.hold)[: len(t)]
    sweep = kit.kick_hz * size * (t - 0.12 * np.exp(-t / 0.03))
    kick = np.sin(2 * np.pi * sweep) * np.exp(-t / (kit.kick * ring))
    skin = np.sin(2 * np.pi * 185 * size * t)
    snare = (kit.snare_tone * skin + (1 - kit.snare_tone) * noise) * np.exp(-t / (kit.snare * ring))
    hat = np.diff(noise, prepend=0.0) * np.exp(-t / (kit.hat * ring))
    return kick, 0.7 * snare, 0.35 * hat


def _balance(stems: Sound, room: Genre, rng: np.random.Generator) -> Sound:
    """Mix the stems; sometimes a player is absent, but never all."""
    levels = 10 ** ((np.array(room.mix) + rng.normal(0, 2, 4)) / 20)
    power = np.sqrt(np.mean(stems**2, axis=1)) + 1e-9
    absent = rng.random(4) < (0.06, 0.04, 0.06, 0.15)
    absent[CHORDS] &= not absent[BASS]
    mix: Sound = (levels / power * ~absent) @ stems
    return mix


def _master(mix: Sound, room: Genre, sample_rate: int, rng: np.random.Generator) -> Sound:
    """Apply overdrive, room, tone, noise and level to the mix."""
    drive = room.drive * rng.uniform(0.5, 1.5)
    mix = np.tanh(drive * mix / np.std(mix)) / drive
    t = np.arange(int(1.2 * sample_rate)) / sample_rate
    echo = rng.standard_normal(len(t)) * 10 ** (-3 * t / rng.uniform(*room.space))
    echo *= rng.uniform(0.1, 0.6) / np.sqrt(np.sum(echo**2))
    echo[0] += 1.0
    # One recording in four is old: nothing above a few kilohertz, and audible noise.
    old = rng.random() < 1 / 4
    cutoff = rng.uniform(3000, 6000) if old else rng.uniform(6000, 12000)
    noise_db = rng.uniform(-32, -18) if old else rng.uniform(-50, -30)
    size = 1 << (len(mix) + len(echo)).bit_length()
    frequency = np.fft.rfftfreq(size, 1 / sample_rate)
    tone = (np.maximum(frequency, 50) / 1000) ** rng.normal(0, 0.1) / np.sqrt(1 + (frequency / cutoff) ** 6)
    output = np.fft.irfft(np.fft.rfft(mix, size) * np.fft.rfft(echo, size) * tone)[: len(mix)]
    output += np.std(output) * 10 ** (noise_db / 20) * rng.standard_normal(len(output))
    peak = 10 ** (rng.uniform(-12, -0.5) / 20)
    return np.asarray(peak * output / np.abs(output).max())
