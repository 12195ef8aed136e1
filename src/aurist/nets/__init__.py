"""Networks: what they are made of, their losses, their weights. Torch is imported by the modules, not here."""

from aurist.nets.config import NetworkConfig

__all__ = ["NetworkConfig"]
