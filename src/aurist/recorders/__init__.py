"""When and where a recorder began a recording: read from its header, else from the name of its file."""

from aurist.recorders.began import began_at
from aurist.recorders.headers import Began

__all__ = ["Began", "began_at"]
