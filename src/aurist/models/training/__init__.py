"""Networks learn here: windows of sound in, checkpoints out. Torch is imported by the modules, not here."""
