"""Decoded audio: `store_waves` decodes each clip of a table once, `Waves` reads them at random.

`HeldWaves` are windows of a recording that is too long to be stored.
"""

from aurist.features.waves.in_memory import Heard, HeldWaves
from aurist.features.waves.limits import audio_limit, parse_size, trim_waves
from aurist.features.waves.waves import Waves, store_waves

__all__ = ["Heard", "HeldWaves", "Waves", "audio_limit", "parse_size", "store_waves", "trim_waves"]
