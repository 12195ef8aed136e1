"""Decoded audio: `store_waves` decodes each clip of a table once, `Waves` reads them at random.

`WavesInMemory` holds windows of a recording that is too long to store.
"""

from aurist.features.waves.in_memory import WavesInMemory, WaveSource
from aurist.features.waves.limits import audio_limit, parse_size, trim_waves
from aurist.features.waves.waves import Waves, store_waves

__all__ = ["WaveSource", "Waves", "WavesInMemory", "audio_limit", "parse_size", "store_waves", "trim_waves"]
