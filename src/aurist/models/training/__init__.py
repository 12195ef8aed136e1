"""Train networks: windows of sound in, checkpoints out. The modules import torch, this file does not."""
