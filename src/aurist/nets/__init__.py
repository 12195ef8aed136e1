"""Networks: their layers, losses and weights. The modules import torch, this file does not."""

from aurist.nets.config import NetworkConfig

__all__ = ["NetworkConfig"]
