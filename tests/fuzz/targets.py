"""All kinds of inputs that are damaged."""

from __future__ import annotations

from . import annotations, archives, detections, networks, runs, servers, settings, sounds, tables

TARGETS = (
    *tables.TARGETS,
    *annotations.TARGETS,
    *archives.TARGETS,
    *sounds.TARGETS,
    *settings.TARGETS,
    *runs.TARGETS,
    *networks.TARGETS,
    *detections.TARGETS,
    *servers.TARGETS,
)
