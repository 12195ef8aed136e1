"""Decoded audio, stored: `store_waves` decodes each clip of a table once, `Waves` reads them at random."""

from aurist.features.waves.limits import audio_limit, parse_size, trim_waves
from aurist.features.waves.waves import Waves, store_waves

__all__ = ["Waves", "audio_limit", "parse_size", "store_waves", "trim_waves"]
